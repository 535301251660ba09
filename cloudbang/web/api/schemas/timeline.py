"""What a log says how often over time, one object a line."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from cloudbang.web.api.schemas.search import UnreadLog
from cloudbang.web.api.schemas.shapes import Seq, Time

TimeBin = tuple[int, int, int | None, int | None]
"""Number of a bin, how many are in it, of those errors and warnings; None where that is not known."""


class AppEnd(TypedDict):
    """An app, and the seq from which on nothing of it is counted."""

    name: str
    next: Seq


class TimelineRange(TypedDict):
    """First of all: bins of ``width`` seconds from ``start`` on, and whether lines are counted in
    them (by what is known of files) or entries (each is read)."""

    op: Literal["range"]
    start: Time
    width: int
    bins: int
    counts: Literal["lines", "entries"]
    ends: list[AppEnd]


class TimelineCounts(TypedDict):
    """The bins that changed. ``exact``: each line or entry is counted where it is. ``looked``, ``of``:
    bytes of text, where entries are read; ``back_to``: the time that it has got to. ``found``: what is
    in all bins together, so far."""

    op: Literal["counts"]
    found: int
    bins: list[TimeBin]
    exact: bool
    looked: int
    of: int
    back_to: Time | None


class TimelineEnds(TypedDict):
    """Last of all. ``back_to``: what is older is not counted, since that would take longer than was
    asked for."""

    op: Literal["end"]
    found: int
    exact: bool
    back_to: Time | None
    failed: list[UnreadLog]
