"""What is asked of several logs that are read as one, and what is given of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cloudbang.storage.logs.entry_pages import FoundEntry
from cloudbang.storage.logs.reader import Query
from cloudbang.storage.logs.readings import HowFar


class Place(NamedTuple):
    """Where a line is among those of all apps."""

    time: bytes  # the 30 bytes in front of the record
    app: str
    seq: int


class MergedLine(NamedTuple):
    place: Place
    raw: bytes  # with its LF
    entry: FoundEntry | None = None  # with a filter: all that the line was found in

    @property
    def lines(self) -> int:
        return len(self.entry.lines) if self.entry else 1

    @property
    def size(self) -> int:
        return sum(len(raw) for _, raw, _ in self.entry.lines) if self.entry else len(self.raw)


@dataclass(frozen=True)
class MergedQuery:
    """``query`` holds for each app, but for its ``after`` and ``before``.

    ``before`` and ``after`` are exclusive. ``ends``: by app, the seq from which on there is nothing
    for this reader; one without ends where it ends now. Given are the first ``query.limit`` lines,
    with ``backwards`` the last, newest first; with a filter as many entries, or with ``by_lines`` no
    more once they have as many lines. ``count``: all that are found are counted, whatever the limit.
    """

    query: Query
    backwards: bool = True
    before: Place | None = None
    after: Place | None = None
    ends: Mapping[str, int] = field(default_factory=dict)
    count: bool = False
    by_lines: bool = False

    @property
    def filtered(self) -> bool:
        return self.query.match is not None or self.query.levels is not None


@dataclass
class Progress(HowFar):
    """How far a reading of lines is. ``ends``: the oldest seq kept of an app, and the seq from which on
    it is not looked at."""

    begun: bool = False  # whether it is known of every app what there is to look at
    given: list[MergedLine] = field(default_factory=list)  # the lines whose turn came in this step
    looked: int = 0  # bytes of text, of so many
    of: int = 0
    found: int = 0  # lines or entries, the given ones and those that are only counted
    counted: list[tuple[bytes, str | None]] = field(default_factory=list)
    """Time and level of what was found in this step."""
    oldest: bytes = b""  # times in what is looked at
    newest: bytes = b""
    edge: bytes = b""  # the time that it has got to; b"" at the end
    cursor: Place | None = None  # the last line that was given, where there may be more of them
    at: Place | None = None  # the last line that was given so far
    counted_so_far: int = 0
