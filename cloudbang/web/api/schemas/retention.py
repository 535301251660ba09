"""How long an app's log is kept, and how much of it there is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Body, Time

LEAST_BYTES = 1_000_000
"""Of a limit of its own: what is deleted are whole files."""


class OwnRetention(Body):
    """``days``: the age of the oldest line, ``bytes``: on disk; null, as the settings say."""

    days: Annotated[float, Field(ge=1, le=36_500)] | None = None
    bytes: Annotated[int, Field(ge=LEAST_BYTES, le=2**53 - 1)] | None = None


class Limits(TypedDict):
    """``bytes``: 0 is no limit."""

    days: float
    bytes: int


class Own(TypedDict):
    """What was said of this app; null, as the settings say."""

    days: float | None
    bytes: int | None


class Retention(TypedDict):
    """``own`` is what was said of this app, ``usual`` what the settings say; ``bytes`` on disk and
    ``lines`` there are, and the times of the oldest and the newest of them."""

    own: Own
    usual: Limits
    bytes: int
    lines: int
    first_time: Time | None
    last_time: Time | None
    may_change: bool


class WouldGo(TypedDict):
    """What would be deleted at once; ``until``: the time of the last line of it."""

    bytes: int
    lines: int
    until: Time | None
