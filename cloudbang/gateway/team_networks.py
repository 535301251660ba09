"""The gateway on the networks of teams: as it runs, since one that is started anew answers nobody for
some seconds. Each overlay has a place for it, at an address that no task gets.

One that Swarm starts again by itself is on those that its service names: which are those of the
moment at which it was last made. The others it comes to again here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Protocol

from cloudbang.domain.deploy.failure import Task
from cloudbang.domain.deploy.swarm_spec import NETWORK, is_team_network, team_network
from cloudbang.engine.swarm import Service

log = logging.getLogger(__name__)


class Calls(Protocol):
    """What is asked of the engine."""

    def service(self, name: str) -> Service | None: ...
    def tasks(self, service: str, network: str = "") -> list[Task]: ...
    def network_id(self, name: str) -> str | None: ...
    def networks_of(self, container: str) -> Mapping[str, str]: ...
    def addresses_on(self, network: str) -> Mapping[str, str]: ...
    def connect(self, network: str, container: str) -> None: ...
    def disconnect(self, network: str, container: str) -> None: ...


class TeamNetworks:
    """See the module. ``service``: the gateway's."""

    def __init__(self, engine: Calls, service: str) -> None:
        self._engine, self._service = engine, service
        self._wanted: frozenset[str] = frozenset()
        self._is_settled = False  # it is on none of them, and is to be on none

    def ids(self) -> list[str]:
        """Of those that it is to be on, where they are there."""
        found = (self._engine.network_id(name) for name in sorted(self._wanted))
        return [id for id in found if id]

    def want(self, teams: Collection[str]) -> None:
        """It is to be on the networks of these teams, and on no other's. Nothing happens yet."""
        self._wanted = frozenset(map(team_network, teams)) - {NETWORK}

    def join(self) -> None:
        """Have it there. Raises EngineUnreachable, EngineRefused."""
        if self._is_settled and not self._wanted:
            return
        running = [one for one in self._engine.tasks(self._service) if one.state == "running"]
        service = self._engine.service(self._service)
        if not running or service is None:
            return
        container = running[0].container
        on = self._engine.networks_of(container)
        named = {n.get("Target") for n in service.spec["TaskTemplate"].get("Networks") or ()}
        for name in sorted(self._wanted - on.keys()):
            # It is on this machine once one of its tasks is; until then nobody is to be reached.
            if self._engine.addresses_on(name):
                self._engine.connect(name, container)
                log.info("the gateway is on the network %s", name)
        for name, id in on.items():
            if is_team_network(name) and name not in self._wanted and id not in named:
                # An overlay that somebody is on, and Swarm does not know of, stays half when it is
                # removed.
                self._engine.disconnect(name, container)
                log.info("the gateway is on the network %s no more", name)
        self._is_settled = not self._wanted
