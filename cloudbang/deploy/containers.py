"""Containers that CloudBang did not make: started, stopped, restarted, killed, held, removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Protocol

from cloudbang.domain.apps import Instance
from cloudbang.domain.names import RELEASE
from cloudbang.engine.errors import RefusedBetween
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, NoSuchContainer

Verb = Literal["start", "stop", "restart", "kill", "pause", "unpause", "remove"]
VERBS: tuple[Verb, ...] = ("start", "stop", "restart", "kill", "pause", "unpause", "remove")
# What Swarm undoes at once, or takes for a failure: a service is told, and not its container.
OF_SERVICE: frozenset[Verb] = frozenset({"start", "stop", "restart", "remove"})
SERVICE = "com.docker.swarm.service.name"
# What engines put before the reason of a start that was refused.
ON_THE_WAY = re.compile(
    r"^.*(?:unable to start container process|OCI runtime create failed|runc create failed): "
)


class Engine(Protocol):
    """What is asked of it."""

    def labels_of_container(self, container: str) -> dict[str, str]: ...
    def start_container(self, container: str) -> None: ...
    def stop_container(self, container: str, grace: int | None = None) -> bool: ...
    def restart_container(self, container: str, grace: int | None = None) -> bool: ...
    def kill_container(self, container: str, signal: str = "KILL") -> None: ...
    def pause_container(self, container: str) -> None: ...
    def unpause_container(self, container: str) -> None: ...
    def delete_container(
        self, container: str, *, force: bool = False, volumes: bool = False
    ) -> None: ...


class Inventory(Protocol):
    """Who knows what containers there are."""

    def refresh(self, container: str) -> Instance | None: ...


class PartOfService(CloudBangError):
    """What Swarm would undo: its service is what can be operated."""

    code = "part-of-service"
    status = 409
    title = "It belongs to a service"
    sentence = (
        "{container} belongs to the Swarm service {service}, which would start another one: operate "
        "the service"
    )
    variants = {  # noqa: RUF012
        ("ours", True): (
            "{container} is an instance of the app {service}, which would start another one: operate "
            "the app"
        ),
    }

    def __init__(self, container: str, service: str, ours: bool = False) -> None:
        self.container, self.service, self.ours = container, service, ours
        super().__init__(container, service, ours)


class OperationRefused(CloudBangError):
    """The engine says why it does not do that with the container as it is."""

    code = "operation-refused"
    status = 409
    title = "The engine does not do that"
    sentence = "the engine did not do that with {container}: {reason}"

    def __init__(self, container: str, reason: str) -> None:
        self.container, self.reason = container, ON_THE_WAY.sub("", reason)
        super().__init__(container, reason)


class Containers:
    """See the module. ``record_action(app, container, who, what)`` is told of each."""

    def __init__(
        self, engine: Engine, inventory: Inventory, record_action: Callable[..., None]
    ) -> None:
        self._engine, self._inventory, self._act = engine, inventory, record_action

    def do(
        self,
        verb: Verb,
        container: Instance,
        by: str,
        *,
        grace: int | None = None,
        force: bool = False,
        volumes: bool = False,
    ) -> None:
        """``grace``: seconds until one that is stopped is killed, None for its own; ``force``: remove
        also one that runs, ``volumes``: and those of its volumes that have no name.

        Raises PartOfService, OperationRefused, NoSuchContainer, EngineUnreachable.
        """
        engine, id = self._engine, container.id
        if verb in OF_SERVICE:
            self._look_whose(container)
        try:
            match verb:
                case "start":
                    engine.start_container(id)
                case "stop":
                    engine.stop_container(id, grace)
                case "restart":
                    engine.restart_container(id, grace)
                case "kill":
                    engine.kill_container(id)
                case "pause":
                    engine.pause_container(id)
                case "unpause":
                    engine.unpause_container(id)
                case "remove":
                    engine.delete_container(id, force=force, volumes=volumes)
        except RefusedBetween:
            raise
        except EngineRefused as e:
            raise OperationRefused(container.name, e.reason) from None
        self._act(container.app, container.short, by, verb)
        with suppress(EngineRefused, EngineUnreachable, NoSuchContainer):
            # Whoever asks next is told as it is now; the engine's events say the same a moment later.
            self._inventory.refresh(id)

    def _look_whose(self, container: Instance) -> None:
        labels = self._engine.labels_of_container(container.id)
        if labels.get(RELEASE):
            raise PartOfService(container.name, container.app, ours=True)
        if service := labels.get(SERVICE):
            raise PartOfService(container.name, service)
