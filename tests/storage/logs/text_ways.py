"""Texts that hypothesis makes up: words of several scripts, written in the ways of programs.

Tests of searches lay words, joints and ways of their own over these, where theirs see further.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

WORDS = (
    *("order", "Order-17", "10.0.0.7", "库存不足", "café", "cafe\u0301", "Straße", "/pay"),
    "ОШИБКА",
)
JOINTS = (*' =[\\\r\ufeff"{', ": ", "\x1b[31m", "\x1b]8;;x\x07", "")


def as_json(text: str) -> str:
    return json.dumps({"level": "info", "msg": text, "n": {"m": text, "a": [text, {"b": text}]}})


def nested(text: str) -> str:
    return json.dumps({"msg": json.dumps({"text": text})}, ensure_ascii=False)


def template(text: str) -> str:
    return json.dumps({"@mt": "v{A}{B}", "A": text[:3], "B": text[3:]})


def coloured(text: str) -> str:
    return "".join(f"\x1b[1m{char}\x1b[0m" for char in text)


Way = Callable[[str], str]
WAYS: tuple[Way, ...] = (str, str, str.upper, as_json, nested, template, coloured)


Texts = st.SearchStrategy[str]


def texts_of(words: Texts, joints: Texts, ways: Sequence[Way]) -> Texts:
    """Up to six of them, written in one of the ways; never with an LF."""
    return st.builds(
        lambda parts, way: way("".join(parts)).replace("\n", " "),
        st.lists(st.one_of(words, joints), max_size=6),
        st.sampled_from(ways),
    )
