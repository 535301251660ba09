"""What a search over several apps gives, one object a line."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from cloudbang.web.api.schemas.apps import Level, Line
from cloudbang.web.api.schemas.shapes import Seq, Stream, Time


class SearchBegins(TypedDict):
    """First of all: where it looks."""

    op: Literal["begin"]
    apps: list[str]


class SearchRange(TypedDict):
    """Over which time it counts: bins of ``width`` seconds from ``start`` on."""

    op: Literal["range"]
    start: Time
    width: int
    bins: int


class Hit(TypedDict):
    """An entry that was found: ``line`` is the first of its lines that fits, ``level`` that of the
    entry, ``before`` and ``after`` the lines around the entry. ``cut``: characters left out at the
    end of ``line``. ``entry``, of one of several ``lines``: the first and those near ``line``."""

    app: str
    line: Line
    level: Level | None
    before: list[Line]
    after: list[Line]
    cut: NotRequired[int]
    entry: NotRequired[list[Line]]
    lines: NotRequired[int]


class SearchHits(TypedDict):
    """What was found, newest first."""

    op: Literal["hits"]
    hits: list[Hit]


class SearchCounts(TypedDict):
    """How many entries were found so far, in which bins (those that changed), and how much was looked
    at, in bytes of text, back to which time."""

    op: Literal["counts"]
    found: int
    bins: list[tuple[int, int]]
    looked: int
    of: int
    back_to: Time | None


class UnreadLog(TypedDict):
    """An app whose log could not be looked at to its end, and why."""

    app: str
    message: str


class SearchEnds(TypedDict):
    """Last of all. ``cursor`` is for the next page of what was found, None where that is all."""

    op: Literal["end"]
    found: int
    cursor: str | None
    failed: list[UnreadLog]


MergedLine = TypeAliasType(
    "MergedLine",
    Annotated[
        tuple[Seq, Time, str, Stream, str, Annotated[int, Field(ge=0)]],
        Field(description="seq, time, container, stream, text, and which of the apps"),
    ],
)


MergedExtent = TypeAliasType(
    "MergedExtent",
    Annotated[
        tuple[Annotated[int, Field(ge=0)], Seq, Seq, Level | None, str, Stream],
        Field(description="which of the apps, first seq, last seq, level, container, stream"),
    ],
)


class MergedApp(TypedDict):
    """An app of the page, and its seqs as with its own lines: ``first`` is the oldest kept, and this
    page has none from ``next`` on."""

    name: str
    first: Seq
    next: Seq


class MergedLines(TypedDict):
    """Lines of several apps by their times, oldest first, with a filter those of whole entries.
    ``levels``: what each says of itself; ``entries`` those of several lines, their app first. ``before`` and ``after`` are cursors to go
    on with, in either direction; None where there is nothing more that way, as far as it is known."""

    apps: list[MergedApp]
    lines: list[MergedLine]
    levels: list[Level | None]
    entries: list[MergedExtent]
    before: str | None
    after: str | None
    failed: list[UnreadLog]
