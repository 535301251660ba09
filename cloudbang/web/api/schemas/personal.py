"""What people keep for themselves: marks, searches under a name."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.accounts.personal import APPS, HUES, MARK_TEXT, QUERY, View
from cloudbang.web.api.schemas.shapes import Body, Time

Hue = Annotated[int, Field(ge=1, le=HUES)]


class NewMark(Body):
    """``text``: words as they stand or, with ``regex``, an expression of RE2; ``hue``: the first
    that is free unless one is said."""

    text: Annotated[str, Field(min_length=1, max_length=MARK_TEXT)]
    regex: bool = False
    hue: Hue | None = None


class MarkChange(Body):
    hue: Hue | None = None
    chosen: bool | None = None


class Mark(TypedDict):
    """``chosen``: the keys n and N go from one to the next."""

    id: int
    text: str
    regex: bool
    hue: int
    chosen: bool


class Marks(TypedDict):
    marks: list[Mark]


class NewSearch(Body):
    """``view``: of one app's log, of the logs of several, or the search over all; ``apps``: one,
    some, or none for all; ``query``: what that page's address says beside them."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    view: View
    apps: Annotated[list[str], Field(max_length=APPS)] = []  # noqa: RUF012 - pydantic copies it
    query: Annotated[str, Field(max_length=QUERY)] = ""
    pinned: bool = False


class SearchChange(Body):
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    pinned: bool | None = None


class SearchCount(TypedDict):
    """Lines of the last hour; ``complete``: false where there may be more."""

    lines: int
    complete: bool
    at: Time


class SavedSearch(TypedDict):
    """``state``: ``gone`` where every app that it looks at is gone, ``hidden`` where the caller may
    view none of them: then it has no name. ``gone`` are those of ``apps`` that are gone, and apps
    that may not be viewed are in neither. ``address``: of the page, "" where there is nothing to look
    at. ``count``, of a pinned one where counts were asked for: null while it is not known."""

    id: int
    name: str
    view: View
    apps: list[str]
    gone: list[str]
    state: Literal["good", "gone", "hidden"]
    query: str
    address: str
    pinned: bool
    created_at: Time
    count: NotRequired[SearchCount | None]


class SavedSearches(TypedDict):
    searches: list[SavedSearch]
