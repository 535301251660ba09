"""One way in which programs write how bad a line is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """A row of a table: what the tests run and ``docs/protocols/levels.md`` prints.

    ``pattern`` is matched where the row's table says. Its first group that took part is the word
    or number that names the level; a pattern without a group always means ``level``. ``counter``
    is a line that looks like it and is not: it has the level ``counter_level``.
    """

    name: str
    pattern: str
    example: str
    level: str | None
    counter: str
    counter_level: str | None
    source: str
