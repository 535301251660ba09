"""Containers and Compose projects that CloudBang did not make."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Body


class NotCarriedOver(TypedDict):
    """Something of the container that the app would not have, as `docker run` names it."""

    option: str
    why: str


class TakeOver(TypedDict):
    """What a container would be as an app. ``spec`` is SPEC; ``because``: what only one of the two
    can have, so that the container is stopped before the app starts."""

    container: str
    name: str
    app: str
    spec: dict[str, Any]
    left: list[NotCarriedOver]
    because: list[str]


class TakeOverRequest(Body):
    """``spec``: SPEC, other than the one that was proposed."""

    spec: dict[str, Any] | None = None


class Stack(TypedDict):
    """A Compose project. ``containers``: how many it has, 0 when it is down; ``unreadable``: the
    file that cannot be read here, so that Compose cannot bring it up or down, "" where it can."""

    name: str
    folder: str
    files: list[str]
    apps: list[str]
    containers: int
    unreadable: str


class StackList(TypedDict):
    stacks: list[Stack]


class StackPrinted(TypedDict):
    """What Compose said."""

    said: str
