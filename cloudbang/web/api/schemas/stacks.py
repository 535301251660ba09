"""Stacks: apps that are deployed together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Body, Team, Time

NAME = Annotated[str, Field(max_length=128)]


class WantedService(Body):
    """One app of a stack, which is called ``stack.name``. ``after``: the services that have to
    serve before it is begun."""

    name: NAME
    spec: dict[str, Any]
    after: Annotated[list[NAME], Field(max_length=100)] = []  # noqa: RUF012


class WantedStack(Body):
    """The apps of a stack, as a draft of a Compose file has them. ``team``: whose all of them are to
    be, as of one deployment."""

    services: Annotated[list[WantedService], Field(max_length=100)]
    team: Team = ""


class StackPart(TypedDict):
    """``deployment``: its id, null until it has begun; ``why``: what kept it from beginning. One is
    skipped where what it needs does not serve."""

    service: str
    app: str
    after: list[str]
    deployment: int | None
    state: Literal["waiting", "running", "serving", "failed", "cancelled", "skipped"]
    why: str


class StackRun(TypedDict):
    """``team``: whose its apps are, or are to be."""

    id: int
    stack: str
    team: str
    by: str
    created: Time
    state: Literal["running", "serving", "failed", "cancelled"]
    parts: list[StackPart]


class StackRuns(TypedDict):
    runs: list[StackRun]
