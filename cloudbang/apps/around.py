"""Who is asked by the registry of apps."""

from __future__ import annotations

from typing import Protocol

from cloudbang.domain.apps import Instance


class Containers(Protocol):
    """What is asked of the inventory: all of it answered from memory."""

    def instances_of(self, app: str) -> tuple[Instance, ...]: ...


class Events(Protocol):
    """Who records events, and has to forget those of an app: some may not be stored yet."""

    def forget(self, app: str) -> int: ...
