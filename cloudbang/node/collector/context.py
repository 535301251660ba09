"""What every reader of one collector shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gevent.lock import BoundedSemaphore

from cloudbang.domain.apps import Instance
from cloudbang.domain.docker_stream import decoder_for
from cloudbang.domain.masking import AnyDecoder, MaskedDecoder, Secret
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused
from cloudbang.node.collector.read_scheduler import SharedTick
from cloudbang.node.collector.sink import LogSink


class Containers(Protocol):
    """What is asked of the inventory."""

    def instance(self, container: str) -> Instance | None: ...
    def refresh(self, container: str) -> Instance | None: ...
    def unreadable(self, container: str, reason: str) -> None: ...
    def log_refused(self, container: str, error: EngineRefused) -> None: ...
    def log_readable(self, container: str) -> None: ...


@dataclass(frozen=True)
class ReaderContext:
    """What every reader of one collector shares."""

    engine: Engine
    containers: Containers
    sink: LogSink
    tick: SharedTick
    retention_ns: int
    old: BoundedSemaphore  # a thousand ended containers are read a few at a time
    rereads: dict[tuple[str], int]  # how often a log was read again, by cause
    # What no line of a container may have; raises StorageFailed, and nothing is read then.
    secret_of: Callable[[Instance], Secret | None]

    def decoder(self, instance: Instance) -> AnyDecoder:
        """The decoder of its log. Raises StorageFailed."""
        decoder = decoder_for(instance.short, tty=instance.tty, podman=self.engine.is_podman)
        secret = self.secret_of(instance)
        return decoder if secret is None else MaskedDecoder(decoder, secret)

    def count_reread(self, cause: str) -> None:
        self.rereads[(cause,)] = self.rereads.get((cause,), 0) + 1
