"""Which lines a reader wants to see: words, a regular expression, levels.

The expression is RE2's: its time is linear in the text, so nobody's pattern can hold a thread.
Colour codes are not part of what is searched, as they are not part of what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from cloudbang.domain.ansi import strip_bytes
from cloudbang.domain.levels import LEVELS, level_of
from cloudbang.domain.lines import TEXT_AT
from cloudbang.errors import BadRequest

MAX_PATTERN = 1_000  # characters
# Bytes a compiled expression may take. Compiling holds all threads: with 8 MiB it took 250 ms.
MAX_MEMORY = 1024 * 1024
NO_LEVEL = "none"  # asks for lines that do not say how bad they are

Match = Callable[[bytes], bool]


def text_of(record: bytes) -> bytes:
    """The text of a record as it is seen: without its frame and without colour codes."""
    return strip_bytes(record[TEXT_AT:-1])


def matcher(
    q: str = "", *, regex: bool = False, case: bool = False, levels: Collection[str] = ()
) -> Match | None:
    """A function that says whether a record is wanted; None when every record is.

    ``q`` is words as they stand, or with ``regex`` an expression of RE2; ``case`` tells capitals
    apart. ``levels`` are those of ``domain.levels``, and "none". Raises BadRequest.
    """
    by_text = _by_text(q, regex, case) if q else None
    by_level = _by_level(frozenset(levels)) if levels else None
    if by_text and by_level:
        return lambda record: by_text(record) and by_level(record)
    return by_text or by_level


def _by_text(q: str, regex: bool, case: bool) -> Match:
    if len(q) > MAX_PATTERN:
        raise BadRequest("q", q, f"at most {MAX_PATTERN} characters")
    if case and not regex:
        wanted = q.encode()
        return lambda record: wanted in text_of(record)
    # Most searches: words without a capital beyond ASCII. Ten times as fast as an expression.
    if not regex and all(char.isascii() or char.lower() == char.upper() for char in q):
        wanted = q.lower().encode()
        return lambda record: wanted in text_of(record).lower()
    import re2  # here: 1 MB that most never need

    options = re2.Options()
    options.case_sensitive = case
    options.literal = not regex
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        search = re2.compile(q.encode(), options).search
    except re2.error as e:
        reason = e.args[0] if e.args else "not understood"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadRequest("q", q, f"a regular expression in RE2's syntax ({reason})") from None
    return lambda record: search(text_of(record)) is not None


def _by_level(levels: frozenset[str]) -> Match:
    for level in levels:
        if level not in LEVELS and level != NO_LEVEL:
            raise BadRequest("level", level, "one of " + ", ".join([*LEVELS, NO_LEVEL]))
    if NO_LEVEL in levels:
        return lambda record: (level_of(record[TEXT_AT:-1]) or NO_LEVEL) in levels
    return lambda record: level_of(record[TEXT_AT:-1]) in levels
