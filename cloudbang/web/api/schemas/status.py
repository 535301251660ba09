"""How CloudBang itself does."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Time


class Notice(TypedDict):
    """What has to be known now; pages translate it by its code. It is about the app, container,
    path or setting that it names, and goes when that is well; or about a token of the reader's, when
    that ends and from where it was refused. ``more`` are left out that are alike."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    since: Time | None
    app: NotRequired[str]
    container: NotRequired[str]
    path: NotRequired[str]
    setting: NotRequired[str]
    token: NotRequired[str]
    ends_at: NotRequired[Time]
    address: NotRequired[str]
    more: NotRequired[int]


class EngineStatus(TypedDict):
    """``starting``: it was not asked yet; ``connecting``: it was well a moment ago; ``error`` says
    why it is ``down``."""

    state: Literal["starting", "connected", "connecting", "down"]
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
