"""The level a line gives itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.levels import LEVELS, level_of

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "levels.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["text"][:40])
def test_common_formats(case: dict[str, str | None]) -> None:
    """Each of the common formats gives the level its writer meant, as text and as bytes."""
    text = case["text"]
    assert text is not None
    assert level_of(text) == case["level"]
    assert level_of(text.encode()) == case["level"]


@given(st.binary(max_size=3000))
def test_any_bytes(raw: bytes) -> None:
    """Whatever a container writes, the answer is a level or nothing, never an error."""
    assert level_of(raw) in (*LEVELS, None)


@given(st.text(max_size=200))
def test_any_json(text: str) -> None:
    """A level field holding anything at all does not break a JSON line."""
    assert level_of(json.dumps({"level": text, "msg": text})) in (*LEVELS, None)


def test_one_megabyte_costs_no_more_than_its_start() -> None:
    """A huge line is judged by its first characters: a thousand of 1 MB take well under a second."""
    huge = b"x " * 500_000
    start = time.process_time()
    for _ in range(1000):
        level_of(huge)
    assert time.process_time() - start < 1.0
