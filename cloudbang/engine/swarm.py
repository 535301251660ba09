"""Swarm mode: its switch, services, their tasks, and what they are handed.

Asked by hand: the SDK leaves out what it has no argument for, and has defaults of its own that stop
a service from being restarted. Specs are sent whole, as `domain.deploy.swarm_spec` makes them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson

from cloudbang.core.loop import unbroken
from cloudbang.domain.deploy.failure import Ended, Task
from cloudbang.domain.deploy.swarm_spec import APP
from cloudbang.domain.lines import parse_time
from cloudbang.domain.names import RELEASE
from cloudbang.engine.networks import NetworkCalls
from cloudbang.errors import EngineRefused

SWARM_PORT = 2377
MAKES = 10.0  # seconds in which the engine makes a service
OUT_OF_SEQUENCE = "update out of sequence"
TRIES = 5  # of an update: Swarm writes to a service as well, and the version is another then

SwarmState = Literal["inactive", "pending", "active", "error", "locked"]
_STATES: tuple[SwarmState, ...] = ("inactive", "pending", "active", "error", "locked")


@dataclass(frozen=True, slots=True)
class Swarm:
    """``manager``: whether services can be asked for here."""

    state: SwarmState
    manager: bool = False
    node: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One service as it stands; ``version`` has to be named by who changes it."""

    id: str
    name: str
    version: int
    spec: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self.spec.get("Labels") or {})

    @property
    def replicas(self) -> int:
        replicated = (self.spec.get("Mode") or {}).get("Replicated") or {}
        return int(replicated.get("Replicas") or 0)


class SwarmCalls(NetworkCalls):
    """The engine's calls about Swarm. Raise EngineRefused with what the engine says."""

    # -- the switch

    def swarm(self) -> Swarm:
        """How it stands."""
        told = self._json("/info", what="whether Swarm is on", call="info").get("Swarm") or {}
        state = told.get("LocalNodeState")
        return Swarm(
            state=next((known for known in _STATES if known == state), "inactive"),
            manager=bool(told.get("ControlAvailable")),
            node=str(told.get("NodeID") or ""),
            error=str(told.get("Error") or ""),
        )

    def swarm_init(self, advertised: str) -> None:
        """Switch it on, for this machine alone: listening on loopback. ``advertised``: an address
        by which a second machine can reach it later."""
        body = {"ListenAddr": f"127.0.0.1:{SWARM_PORT}", "AdvertiseAddr": advertised}
        self._json("/swarm/init", method="POST", body=body, what="to switch Swarm on", call="swarm")

    def largest_memory(self) -> int:
        """Bytes of the machine that has most, of those that take tasks; 0 where none tells."""
        found = self._json("/nodes", what="its nodes", call="swarm")
        sizes = [
            int(((one.get("Description") or {}).get("Resources") or {}).get("MemoryBytes") or 0)
            for one in found
            if (one.get("Spec") or {}).get("Availability") == "active"
        ]
        return max(sizes, default=0)

    # -- services

    def services(self, label: str) -> list[Service]:
        """Those with that label."""
        query = {"filters": orjson.dumps({"label": [label]}).decode()}
        found = self._json("/services", query, what="its services", call="services")
        return [_service(one) for one in found]

    def service(self, name: str) -> Service | None:
        """By name or id; None when there is none."""
        try:
            path = f"/services/{quote(name, safe='')}"
            return _service(self._json(path, what=f"the service {name}", call="services"))
        except EngineRefused as e:
            if e.engine_status == 404:
                return None
            raise

    def create_service(self, spec: Mapping[str, Any]) -> str:
        """Its id; of one that is there already under that name, the id of that. Who is ended
        meanwhile comes back when it is there (or ``MAKES`` later), so that it can be removed."""
        name = str(spec["Name"])
        try:
            made = unbroken(
                lambda: self._json(
                    "/services/create",
                    method="POST",
                    body=spec,
                    what=f"to make the service {name}",
                    call="services",
                ),
                MAKES,
            )
        except EngineRefused as e:
            if e.engine_status == 409 and (found := self.service(name)) is not None:
                return found.id
            raise
        return str(made["ID"])

    def scale_service(self, name: str, replicas: int) -> bool:
        """Have so many tasks of a service; False when there is no such service."""

        def scaled(spec: Mapping[str, Any]) -> Mapping[str, Any] | None:
            found = ((spec.get("Mode") or {}).get("Replicated") or {}).get("Replicas")
            wanted = {**spec, "Mode": {"Replicated": {"Replicas": replicas}}}
            return None if found == replicas else wanted

        return self.update_service(name, scaled, f"to scale the service {name}")

    def restart_service(self, name: str, *, beside: bool) -> bool:
        """Have new tasks in place of those there are, one after the other; ``beside``: each runs
        before the old one is stopped. False when there is no such service."""

        def restarted(spec: Mapping[str, Any]) -> Mapping[str, Any]:
            task = dict(spec["TaskTemplate"])
            task["ForceUpdate"] = int(task.get("ForceUpdate") or 0) + 1
            # A task that fails stops it there: the others go on as they are.
            order = "start-first" if beside else "stop-first"
            how = {"Parallelism": 1, "Order": order, "FailureAction": "pause"}
            return {**spec, "TaskTemplate": task, "UpdateConfig": how}

        return self.update_service(name, restarted, f"to restart the service {name}")

    def update_service(
        self,
        name: str,
        change: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
        what: str = "",
    ) -> bool:
        """Have a service as ``change`` makes it of how it stands, None for no change; False when
        there is no such service."""
        what = what or f"to change the service {name}"
        for _ in range(TRIES):
            found = self.service(name)
            if found is None:
                return False
            spec = change(found.spec)
            if spec is None:
                return True
            try:
                self._json(
                    f"/services/{found.id}/update",
                    {"version": str(found.version)},
                    method="POST",
                    body=spec,
                    what=what,
                    call="services",
                )
            except EngineRefused as e:
                if OUT_OF_SEQUENCE not in e.reason:
                    raise
                continue
            return True
        raise EngineRefused(what, 409, OUT_OF_SEQUENCE, "services")

    def remove_service(self, name: str) -> bool:
        """Whether there was one. Its containers live on for a moment: until their grace is over."""
        try:
            path = f"/services/{quote(name, safe='')}"
            self._json(path, method="DELETE", what=f"to remove the service {name}", call="services")
        except EngineRefused as e:
            if e.engine_status == 404:
                return False
            raise
        return True

    def tasks(self, service: str, network: str = "") -> list[Task]:
        """The tasks of a service, those that ended as well; the newest of a slot first; none of
        one that there is not. ``network``: the id of the one whose addresses are wanted."""
        query = {"filters": orjson.dumps({"service": [service]}).decode()}
        try:
            found = self._json("/tasks", query, what=f"the tasks of {service}", call="services")
        except EngineRefused as e:
            if e.engine_status == 404:
                return []
            raise
        found.sort(key=lambda task: str(task.get("CreatedAt") or ""), reverse=True)
        return [Task.of(task, network) for task in found]

    def released(self, app: str, release: int) -> list[str]:
        """The containers of a release that run on this machine, those of its command as well."""
        wanted = [f"{APP}={app}", f"{RELEASE}={release}"]
        query = {"filters": orjson.dumps({"label": wanted}).decode()}
        found = self._json("/containers/json", query, what="its containers", call="list")
        return [str(one["Id"]) for one in found]

    def how_it_fares(self, container: str) -> Ended | None:
        """Why a container does not serve, as an inspection has it: that it ended, and how, or that
        its check fails; None while neither is so, and of one that is gone."""
        try:
            path = f"/containers/{quote(container, safe='')}/json"
            what = f"the state of container {container[:12]}"
            state = self._json(path, what=what, call="inspect")["State"]
        except EngineRefused as e:
            if e.engine_status == 404:
                return None
            raise
        return ended_of_state(state)

    # -- what a service is handed

    def hand_over(
        self, kind: Literal["secrets", "configs"], name: str, data: bytes, labels: Mapping[str, str]
    ) -> str:
        """The id of the engine's secret or config of that name. What it holds never changes: a name
        stands for its content."""
        body = {"Name": name, "Labels": dict(labels), "Data": b64encode(data).decode()}
        what = f"to keep {name}"
        try:
            made = self._json(
                f"/{kind}/create", method="POST", body=body, what=what, call="secrets"
            )
        except EngineRefused as e:
            if e.engine_status != 409:
                raise
            found = self._json(f"/{kind}/{quote(name, safe='')}", what=what, call="secrets")
            return str(found["ID"])
        return str(made["ID"])

    def handed_over(self, kind: Literal["secrets", "configs"], label: str) -> dict[str, str]:
        """By name the ids of those with that label."""
        query = {"filters": orjson.dumps({"label": [label]}).decode()}
        found = self._json(f"/{kind}", query, what=f"its {kind}", call="secrets")
        return {str(one["Spec"]["Name"]): str(one["ID"]) for one in found}

    def take_back(self, kind: Literal["secrets", "configs"], name: str) -> bool:
        """Remove one; False when it is gone, or still used."""
        try:
            path = f"/{kind}/{quote(name, safe='')}"
            self._json(path, method="DELETE", what=f"to remove {name}", call="secrets")
        except EngineRefused as e:
            if e.engine_status == 404 or "is in use" in e.reason:
                return False
            raise
        return True


def ended_of_state(state: Mapping[str, Any]) -> Ended | None:
    """Of the ``State`` of an inspection."""
    health = state.get("Health") or {}
    unhealthy = health.get("Status") == "unhealthy"
    ended = state.get("Status") in ("exited", "dead")
    # Of one that runs, newer engines say it before its end, which has the code; or a child of its
    # own was killed, and it goes on.
    oom_killed = ended and bool(state.get("OOMKilled"))
    if not (ended or unhealthy):
        return None
    checks = health.get("Log") or []
    return Ended(
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=oom_killed,
        unhealthy=unhealthy,
        output=str(checks[-1].get("Output") or "") if checks else "",
        error=str(state.get("Error") or ""),
        ran=_seconds(state.get("StartedAt"), state.get("FinishedAt")) if ended else None,
    )


def _seconds(started: object, finished: object) -> float | None:
    try:
        ran = (parse_time(str(finished)) - parse_time(str(started))) / 1e9
    except ValueError:
        return None
    # Of one that never ran both are of the year 1; of one that ended as it was started, the end
    # may be the earlier one.
    return max(0.0, ran) if not str(started).startswith("0001") else None


def _service(told: Mapping[str, Any]) -> Service:
    spec = told["Spec"]
    return Service(str(told["ID"]), str(spec["Name"]), int(told["Version"]["Index"]), spec)
