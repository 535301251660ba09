"""What those who carry deployments out are handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.log import Sink
from cloudbang.deploy.sources import Sources
from cloudbang.domain.events import Event
from cloudbang.engine import Engine
from cloudbang.gateway import Gateway
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.secrets import SecretStore


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a step may ask. ``team_of`` tells whose an app is, or would be."""

    engine: Engine
    gateway: Gateway
    sources: Sources
    store: DeploymentStore
    secrets: SecretStore
    limits: StepLimits
    team_of: Callable[[str], str]


class Logs(Protocol):
    """What is asked of the log store."""

    def newest(self, app: str, lines: int, size: int) -> tuple[int, list[bytes]]: ...


class Apps(Protocol):
    """What is asked of the registry: whose an app is, and that it is one."""

    def owner(self, name: str) -> str | None: ...
    def save(self) -> None: ...
    def team_of(self, name: str) -> str: ...
    def create(self, name: str, team: str, kind: str = "deployed") -> object: ...
    def keep_log(self, name: str, app: str) -> None: ...


class Events(Protocol):
    def record(self, *events: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What deployments tell others of, and are kept by."""

    apps: Apps
    events: Events
    logs: Logs
    sink: Sink
