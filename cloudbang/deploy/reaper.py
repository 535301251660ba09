"""What deployments leave on the engine when one was killed on the way: services, secrets, configs,
networks, and tags of releases that one can go back to no more.

Only what is known to be ours: a service of a release that this installation never made may be
another installation's. What serves, what a deployment that goes on has begun or replaces, and the
last ten releases stay.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Any, Protocol

import gevent

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.deploy.claims import Claims, claims_of
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.swarm_spec import APP, NETWORK, stack_network
from cloudbang.domain.names import ONE_OFF, RELEASE
from cloudbang.engine.swarm import Service
from cloudbang.errors import CloudBangError, EngineRefused

log = logging.getLogger(__name__)

FIRST, EVERY = 20.0, 300.0  # seconds until the first look, and between two
KINDS = ("secrets", "configs")


class Engine(Protocol):
    """What is asked of it."""

    def swarm(self) -> Any: ...
    def services(self, label: str) -> list[Service]: ...
    def remove_service(self, name: str) -> bool: ...
    def handed_over(self, kind: Any, label: str) -> dict[str, str]: ...
    def take_back(self, kind: Any, name: str) -> bool: ...
    def remove_image(self, name: str) -> bool: ...
    def remove_network(self, name: str) -> bool: ...


class Deployments(Protocol):
    """What of releases and deployments is kept."""

    def every_release(self) -> list[Release]: ...
    def serving(self) -> dict[str, int]: ...
    def unsettled(self) -> list[Deployment]: ...


class DeploymentReaper:
    """See the module."""

    def __init__(
        self, engine: Engine, store: Deployments, first: float = FIRST, every: float = EVERY
    ) -> None:
        self.services = self.secrets = self.tags = 0
        self._engine, self._store = engine, store
        self._first, self._every = first, every
        self._untagged: set[str] = set()  # so that none is asked about again and again
        self._refused: set[tuple[str, ...]] = set()  # so that it is said once
        self._supervisor = Supervisor("deployment-reaper")
        text = "Services of releases that nobody claimed, which were removed."
        export(self, "reaper", counters={"services": text})
        text = "Secrets and configs that no service had any more, which were removed."
        export(self, "reaper", counters={"secrets": text})
        text = "Tags of releases that one can go back to no more, which were taken away."
        export(self, "reaper", counters={"tags": text})

    def start(self) -> None:
        self._supervisor.run("look", self._look_again_and_again)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def _look_again_and_again(self) -> None:
        gevent.sleep(self._first)
        while True:
            try:
                self.look()
            except CloudBangError as e:
                log.debug("leftovers of deployments are looked for later: %s", e)
            gevent.sleep(self._every)

    def look(self) -> None:
        """Take away what is left over. Raises EngineUnreachable, EngineRefused, StorageFailed."""
        releases = self._store.every_release()
        if not releases or not self._engine.swarm().manager:
            return
        # The engine first: what is made after this look is claimed before it is made.
        services = self._engine.services(APP)
        found = claims_of(
            self._store.every_release(), self._store.serving(), self._store.unsettled()
        )
        left = [service for service in services if self._stays(service, found)]
        for service in services:
            if service not in left and self._alone(self._engine.remove_service, service.name):
                self.services += 1
                log.warning("the service %s was left over: it is removed", service.name)
        self._take_back(found, left)
        self._untag(found)
        self._remove_networks(found)

    def _stays(self, service: Service, found: Claims) -> bool:
        labels = service.labels
        number = labels.get(RELEASE, "")
        if not number.isdecimal():
            return True  # not one of a release: of the gateway, or of somebody else
        its = (labels.get(APP, ""), int(number))
        if its not in found.known:
            return True  # of another installation, or of a data folder that was lost
        if labels.get(ONE_OFF):
            return its[0] in found.busy
        return its in found.wanted

    def _take_back(self, found: Claims, services: Collection[Service]) -> None:
        used = {name for service in services for name in _handed(service)}
        for app in sorted({app for app, _ in found.known} - found.busy):
            for kind in KINDS:
                for name in self._engine.handed_over(kind, f"{APP}={app}"):
                    if name not in used and self._alone(self._engine.take_back, kind, name):
                        self.secrets += 1

    def _untag(self, found: Claims) -> None:
        for release in found.old:
            if release.tag in self._untagged or not release.image_id:
                continue
            removed = self._alone(self._engine.remove_image, release.tag)
            if removed is not None:  # else a container of somebody's has it
                self.tags += removed
                self._untagged.add(release.tag)

    def _remove_networks(self, found: Claims) -> None:
        """Of stacks that no release is in any more."""
        names = {stack_network(one.spec.stack) for one in found.kept if one.spec.stack}
        gone = {stack_network(one.spec.stack) for one in found.old if one.spec.stack}
        for name in gone - names - {NETWORK}:
            self._alone(self._engine.remove_network, name)  # refused: somebody is on it

    def _alone(self, remove: Callable[..., bool], *what: str) -> bool | None:
        """Whether there was one, which is removed now; None when the engine keeps it, which is no
        reason to leave the others."""
        try:
            removed = remove(*what)
        except EngineRefused as e:
            if what not in self._refused:
                log.info("%s stays for now: %s", what[-1], e)
                self._refused.add(what)
            return None
        self._refused.discard(what)
        return removed


def _handed(service: Service) -> list[str]:
    its = (service.spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
    secrets = [str(one.get("SecretName") or "") for one in its.get("Secrets") or ()]
    return secrets + [str(one.get("ConfigName") or "") for one in its.get("Configs") or ()]
