"""A line of log that is one JSON object, read so that nothing of it is lost.

Numbers stay as they were written (an order's number of 18 digits is no float) and a key that stands
twice is there twice. ``NaN`` and ``Infinity`` are numbers: Python's ``json`` writes them, and others.
An object is a tuple of pairs, an array a list, a number a ``Number``; the
rest is what Python has. ``static/js/lib/json.js`` reads the same lines and refuses the same.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

LONGEST = 256 * 1024
"""UTF-16 units, as the pages count: more is text, for them and for us. Reading it takes 1 ms."""

DEEPEST = 64


class Number(str):
    """A number, digit by digit as it was written."""

    __slots__ = ()


Value: TypeAlias = "str | Number | bool | list[Value] | Pairs | None"
Pairs: TypeAlias = "tuple[tuple[str, Value], ...]"


_decode = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=Number, parse_float=Number, parse_constant=Number
).raw_decode
_WIDE = re.compile("[\U00010000-\U0010ffff]")


def read_object(text: str) -> Pairs | None:
    """The pairs of the object that the text is, blank space around it aside; None if it is none."""
    text = text.strip(" \t\n\r")
    if not text.startswith("{") or not text.endswith("}"):
        return None
    if len(text) > LONGEST // 2 and len(text) + len(_WIDE.findall(text)) > LONGEST:
        return None
    try:
        value, end = _decode(text)
    except (ValueError, RecursionError):
        return None
    if end != len(text):
        return None
    # Counting is quicker than walking, and nearly always enough.
    if text.count("{") + text.count("[") > DEEPEST and _depth(value) > DEEPEST:
        return None
    pairs: Pairs = value
    return pairs


def last_object(text: str) -> tuple[str, Pairs] | None:
    """The object that a text is, or ends in, and what stands before it: a time, the name of a
    program. Behind something it begins with a name, so that braces in words are none. None where
    there is no such object."""
    text = text.strip(" \t\n\r")
    if not text.endswith("}"):
        return None
    begin = 0 if text.startswith("{") else text.find('{"')
    if begin < 0 or (pairs := read_object(text[begin:])) is None:
        return None
    return text[:begin].rstrip(" \t\n\r"), pairs


def _depth(value: Value) -> int:
    """How deep objects and arrays stand in one another, DEEPEST + 1 for all that is deeper."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        inner: list[Value] = []
        for one in level:
            if isinstance(one, tuple):
                inner += [child for _, child in one]
            elif isinstance(one, list):
                inner += one
        depth += any(isinstance(one, (tuple, list)) for one in level)
        level = inner
    return depth
