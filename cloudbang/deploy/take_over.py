"""A container that runs becomes an app: the release is written from what runs, and started beside it;
the container is stopped when the app serves, and kept until somebody removes it.

Where both cannot run at once (a port, a volume) the container is stopped first. What was done to it
is written down before: where the app does not come to serve, also after a kill in between, the
container is started again as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import gevent
from gevent.queue import Queue

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.deploy.containers import SERVICE, PartOfService
from cloudbang.domain.apps import Instance
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.take_over import Left, take_over
from cloudbang.domain.names import RELEASE
from cloudbang.errors import CloudBangError, NoSuchContainer
from cloudbang.storage.database.found import FoundStore, Taking

log = logging.getLogger(__name__)

NEVER = {"Name": "no"}  # else an engine that is restarted would start it beside the app


class Engine(Protocol):
    """What is asked of it."""

    def inspection(self, container: str) -> dict[str, Any]: ...
    def image_inspection(self, image: str) -> dict[str, Any] | None: ...
    def overlays(self) -> list[str]: ...
    def set_restart(self, container: str, policy: Mapping[str, Any]) -> None: ...
    def start_container(self, container: str) -> None: ...
    def stop_container(self, container: str, grace: int | None = None) -> bool: ...


class Deployments(Protocol):
    """Who carries deployments out."""

    def get(self, id: int) -> Deployment | None: ...
    def listen(self, listener: Callable[[Deployment], None]) -> None: ...


Begin = Callable[[str, Mapping[str, object], str, bool], Deployment]
"""``begin(app, spec, by, admin)``: a deployment of that specification."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """``spec``: SPEC as JSON; ``left``: what the app would not have of the container, and why;
    ``because``: what only one of the two can have, so that the container is stopped first."""

    container: str
    name: str
    app: str
    spec: Mapping[str, object]
    left: tuple[Left, ...]
    because: tuple[str, ...]
    runs: bool


class TakeOvers:
    """See the module."""

    def __init__(
        self,
        engine: Engine,
        store: FoundStore,
        deployments: Deployments,
        begin: Begin,
        record_action: Callable[..., None],
    ) -> None:
        self._engine, self._store, self._deployments = engine, store, deployments
        self._begin, self._act = begin, record_action
        self._ended: Queue[int] = Queue()
        self._beginning: set[str] = set()  # containers of which the deployment is about to begin
        self._supervisor = Supervisor("take-overs")
        deployments.listen(self._changed)

    def start(self) -> None:
        """Go on with what a process before this one left."""
        self._ended.put(0)
        self._supervisor.run("settle", self._settle_loop)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def propose(self, container: Instance) -> Proposal:
        """What the app would be. Nothing is done. Raises PartOfService, NoSuchContainer and what
        the engine does."""
        found = self._engine.inspection(container.id)
        labels = (found.get("Config") or {}).get("Labels") or {}
        if labels.get(RELEASE):
            raise PartOfService(container.name, container.app, ours=True)
        if service := labels.get(SERVICE):
            raise PartOfService(container.name, service)
        image = self._engine.image_inspection(str(found.get("Image") or ""))
        taken = take_over(found, image, self._engine.overlays())
        because = read_spec(taken.spec)[0].exclusive
        runs = bool((found.get("State") or {}).get("Running"))
        return Proposal(
            container.id, container.name, container.app, taken.spec, taken.left, because, runs
        )

    def take(
        self,
        container: Instance,
        by: str,
        *,
        admin: bool,
        spec: Mapping[str, object] | None = None,
    ) -> Deployment:
        """Begin the app; ``spec``: other than the one that is proposed. Raises what :meth:`propose`
        and beginning a deployment do; then the container is as it was."""
        proposal = self.propose(container)
        wanted = proposal.spec if spec is None else spec
        conflicts = proposal.runs and bool(read_spec(wanted)[0].exclusive)
        host = self._engine.inspection(container.id).get("HostConfig") or {}
        taking = Taking(
            container.id, container.app, 0, host.get("RestartPolicy") or NEVER, stopped=conflicts
        )
        self._beginning.add(container.id)
        try:
            self._store.save_taking(taking)
            try:
                if conflicts:
                    self._put_aside(container.id)
                begun = self._begin(container.app, wanted, by, admin)
            except BaseException:
                self._put_back(taking)
                raise
            self._store.save_taking(replace(taking, deployment=begun.id))
        finally:
            self._beginning.discard(container.id)
        self._act(container.app, container.short, by, "take-over")
        self._ended.put(begun.id)  # it may have ended already
        return begun

    # -- what becomes of it

    def _changed(self, deployment: Deployment) -> None:
        if deployment.ended:
            self._ended.put(deployment.id)

    def _settle_loop(self) -> None:
        waits = backoff(0.5, 15)
        while True:
            self._ended.get()
            while not self._settle():
                gevent.sleep(next(waits))
            waits = backoff(0.5, 15)

    def _settle(self) -> bool:
        """Stop, or start again, the containers of deployments that ended; whether all went well."""
        well = True
        for taking in self._store.takings():
            if taking.container in self._beginning:
                continue
            deployment = self._deployments.get(taking.deployment) if taking.deployment else None
            try:
                if deployment is None:
                    # Killed before it began: the container is as it was, or is made so.
                    self._put_back(taking)
                elif deployment.state == "serving":
                    self._put_aside(taking.container)
                    self._store.end_taking(taking.container)
                elif deployment.ended:
                    if not deployment.settled:
                        well = False  # what the new one took is not given back yet
                        continue
                    self._put_back(taking)
            except NoSuchContainer:
                self._store.end_taking(taking.container)
            except CloudBangError as e:
                log.warning("the container %s is seen to later: %s", taking.container[:12], e)
                well = False
        return well

    def _put_aside(self, container: str) -> None:
        """Stopped, and not started again with the engine; kept until somebody removes it."""
        self._engine.set_restart(container, NEVER)
        self._engine.stop_container(container)

    def _put_back(self, taking: Taking) -> None:
        self._engine.set_restart(taking.container, taking.restart)
        if taking.stopped:
            self._engine.start_container(taking.container)
        self._store.end_taking(taking.container)
