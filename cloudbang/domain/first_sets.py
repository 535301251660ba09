"""Which characters a regular expression may begin with: where many are tried one after the other, most
need not be. What the parser tells of is read; whatever is not known may begin with anything."""

from __future__ import annotations

import re
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ASCII = frozenset(map(chr, range(128)))
_CLASSES = {
    f"CATEGORY_{name}": frozenset(c for c in ASCII if re.match(pattern, c))
    for name, pattern in (
        ("DIGIT", r"\d"), ("NOT_DIGIT", r"\D"), ("SPACE", r"\s"), ("NOT_SPACE", r"\S"),
        ("WORD", r"\w"), ("NOT_WORD", r"\W"),
    )
}  # fmt: skip
_WIDTHLESS = frozenset(("AT", "ASSERT", "ASSERT_NOT"))
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))


def first_set(pattern: str) -> frozenset[str]:
    """The ASCII characters with which what it matches may begin; all of them where it may match
    nothing at all."""
    found, empty = _of(_parser.parse(pattern), 0)
    return ASCII if empty else found


def _of(parts: Any, flags: int) -> tuple[frozenset[str], bool]:
    """Of a sequence, and whether it may be empty."""
    found: frozenset[str] = frozenset()
    for operator, value in parts:
        if str(operator) in _WIDTHLESS:
            continue
        first, empty = _of_one(str(operator), value, flags)
        found |= first
        if not empty:
            return found, False
    return found, True


def _of_one(name: str, value: Any, flags: int) -> tuple[frozenset[str], bool]:
    if name == "LITERAL":
        return _cases({chr(value)}, flags), False
    if name == "NOT_LITERAL":
        return ASCII - _cases({chr(value)}, flags), False
    if name == "IN":
        return _of_class(value, flags), False
    if name == "BRANCH":
        each = [_of(branch, flags) for branch in value[1]]
        return frozenset().union(*(first for first, _ in each)), any(empty for _, empty in each)
    if name == "SUBPATTERN":
        _, added, removed, inner = value
        return _of(inner, (flags | added) & ~removed)
    if name in _REPEATS:
        least, _, inner = value
        first, empty = _of(inner, flags)
        return first, empty or least == 0
    return ASCII, False


def _of_class(value: Any, flags: int) -> frozenset[str]:
    found: set[str] = set()
    negated = False
    for operator, what in value:
        name = str(operator)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found.add(chr(what))
        elif name == "RANGE":
            found.update(chr(c) for c in range(what[0], min(what[1], 127) + 1))
        else:
            found |= _CLASSES.get(str(what), ASCII)
    chars = _cases(found, flags)
    return ASCII - chars if negated else chars


def _cases(chars: set[str], flags: int) -> frozenset[str]:
    if flags & re.IGNORECASE:
        chars = {case for c in chars for case in (c, c.lower(), c.upper())}
    return frozenset(chars)
