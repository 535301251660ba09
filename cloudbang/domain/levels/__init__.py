"""How bad a line is, read off its text: trace, debug, info, warning, error, or nothing at all.

Each program says it in its own way, and the ways are few: ``words`` has what they call the levels
and how they number them, ``json_lines`` where objects of JSON have it, ``text_tables`` the places
of a line of text. Every row of them has its example and a line that only looks like it; the tests
run them, and ``docs/protocols/levels.md`` is made of them.
"""

from __future__ import annotations

from cloudbang.domain.levels.text_lines import Reading, level_of_object, read_text
from cloudbang.domain.levels.words import LEVELS
from cloudbang.domain.seen_text import plain_text

__all__ = ["LEVELS", "Reading", "level_of", "read", "seen"]

LOOKED_AT = 32 * 1024 + 1
"""Characters of a line that are looked at: of a text its head, of JSON all that is parsed."""

BLANK = " \t\r\ufeff"


def seen(text: bytes | str) -> str:
    """The text as it is seen, with nothing blank before it, as :func:`read` wants it."""
    if isinstance(text, bytes):
        text = text[: LOOKED_AT * 4].decode("utf-8", "replace")
    return plain_text(text[:LOOKED_AT]).lstrip(BLANK)


def read(text: str) -> Reading:
    """What a line says of itself. Never raises."""
    if text.startswith("{"):
        is_json, level = level_of_object(text)
        if is_json:
            return Reading(level, True, 0)
    return read_text(text)


def level_of(text: bytes | str) -> str | None:
    """The level a line gives itself, or None. Costs a few µs; never raises."""
    return read(seen(text)).level
