"""How CloudBang itself does."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Time


class Notice(TypedDict):
    """What everybody has to know now; pages translate it by its code."""

    code: str
    severity: Literal["error"]
    message: str
    since: Time | None
    path: NotRequired[str]


class EngineStatus(TypedDict):
    error: str | None


class StorageStatus(TypedDict):
    path: str
    bytes: int
    lines: int


class Status(TypedDict):
    """``uptime`` in seconds."""

    version: str
    uptime: float
    engine: EngineStatus
    storage: StorageStatus
    notices: list[Notice]
