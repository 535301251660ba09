"""JSON of whoever is at the other end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

DEEPEST = 64
"""How deep lists and objects may stand in one another. All that walks through what was read (to write
it, to show it in a sentence) does so by calling itself, and is broken off at some depth by Python: each
for itself, and where nobody looks for that."""


def read_json(text: str | bytes) -> Any:
    """What a text says. Raises orjson.JSONDecodeError, also of what is nested more than DEEPEST deep."""
    value = orjson.loads(text)
    # Counting is quicker than walking, and nearly always enough.
    if _count(text) > DEEPEST and _is_deep(value):
        raise orjson.JSONDecodeError(f"nested more than {DEEPEST} deep", "", 0)
    return value


def _count(text: str | bytes) -> int:
    if isinstance(text, str):
        return text.count("{") + text.count("[")
    return text.count(b"{") + text.count(b"[")


def _is_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
    return any(isinstance(one, list | dict) for one in level)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
