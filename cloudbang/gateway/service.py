"""The gateway as a Swarm service: made when the first route is asked for, kept as it should be.

It runs beside us, on this machine, as whoever owns our folder and with no right more; its admin API
is a socket in that folder. Swarm starts it again when it ends, with the routes that it had: for that
nobody needs us.
"""

from __future__ import annotations

import errno
import json
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any, Literal, Protocol

import gevent

from cloudbang.config import GatewaySettings
from cloudbang.core.looks import looks
from cloudbang.domain.deploy.caddy import HTTP, HTTPS, ROOT, RUN, boot_config
from cloudbang.domain.deploy.failure import Task, taken_port
from cloudbang.domain.deploy.swarm_spec import NETWORK
from cloudbang.domain.lines import parse_time
from cloudbang.domain.names import HIDDEN, IMAGE
from cloudbang.engine.own_container import Inspects, own_container
from cloudbang.engine.swarm import Service, Swarm
from cloudbang.errors import StorageFailed
from cloudbang.gateway import image
from cloudbang.gateway.admin import SOCKET, CaddyAdmin
from cloudbang.gateway.errors import GatewayAway, GatewayFailed

NAME = "cloudbang-gateway"
FOLDER = "cloudbang.gateway"  # a label: whose it is
RANGE = "cloudbang.gateway.ports"  # a label: out of which range its ports are
LABELS = {"cloudbang.network": "gateway"}  # of the overlay
BOOT = "boot.json"
AUTOSAVE = Path("config", "caddy", "autosave.json")
SECOND = 10**9
FORWARDS_NOTHING = {"net.ipv4.ip_forward": "0"}

COMES_UP = 60.0  # seconds that a new one may take
BY_ITSELF = 12.0  # that Swarm gets to start one again that ended
SPEECHLESS = 3.0  # that one may run without its socket until it is started anew
JUST_BEGUN = 15.0  # that it may take from its start to its socket, on a busy machine
SILENT = 25.0  # that one may not answer at it
RELEASED = 8.0  # until what one had that was stopped is free: its ports above all
LOOK = 0.1

_SAME_PORT = "host-mode port already in use"


class Calls(image.Engine, Inspects, Protocol):
    """What is asked of the engine."""

    def swarm(self) -> Swarm: ...
    def overlay(self, name: str, labels: Mapping[str, str] | None = None) -> str: ...
    def gateway_of(self, network: str) -> str: ...
    def service(self, name: str) -> Service | None: ...
    def create_service(self, spec: Mapping[str, Any]) -> str: ...
    def update_service(
        self, name: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
    ) -> bool: ...
    def remove_service(self, name: str) -> bool: ...
    def tasks(self, service: str, network: str = "") -> list[Task]: ...


class GatewayService:
    """One gateway. Its methods are called by one greenlet at a time."""

    def __init__(
        self,
        engine: Calls,
        folder: Path,
        settings: GatewaySettings,
        taken: Collection[int],
        admin: CaddyAdmin,
        further: Callable[[], list[str]] = list,
    ) -> None:
        """``taken``: ports of the range that are somebody else's; ``further``: ids of the networks
        that one that is made is on, beside the common one."""
        self._engine, self._folder, self._settings = engine, folder, settings
        self._taken, self._admin = frozenset(taken), admin
        self._further = further
        self._elsewhere: set[int] = set()  # further ones that somebody else has
        self._seen = False  # since our start
        self._node = ""  # this machine as Swarm knows it
        self._silent_since: float | None = None

    @property
    def run(self) -> Path:
        return self._folder / "run"

    @property
    def ports(self) -> frozenset[int]:
        """Those that apps can have: all of the range that nobody else is known to have."""
        return frozenset(self._settings.own_ports) - self._taken - self._elsewhere

    def answered(self) -> None:
        """It did: that it was silent once, and is again much later, is no silence in between."""
        self._silent_since = None

    def looks_right(self, needed: Collection[int]) -> bool:
        """Whether the service is there, as it should be. ``needed``: ports that apps were given."""
        found = self._engine.service(NAME)
        if found is None:
            return False
        self._is_ours(found)
        return self._is_right(found, needed)

    def bring_up(self, needed: Collection[int]) -> None:
        """Have it run and answer, whatever it lacks. Raises GatewayFailed, GatewayAway,
        EngineRefused, EngineUnreachable, StorageFailed."""
        self._make_folders()
        found = self._engine.service(NAME)
        if found is None:
            self._set_up(None)
        else:
            self._is_ours(found)
            if not self._is_right(found, needed):
                self._set_up(found)
            elif why := self._stays_away():
                self._restart(found, why)
        self.answered()

    def take_away(self) -> None:
        """It is needed no more."""
        if self._engine.swarm().state != "active":
            return  # and so it is gone
        found = self._engine.service(NAME)
        if found is not None and found.labels.get(FOLDER) == str(self._on_the_machine()):
            self._engine.remove_service(NAME)

    # -- what it should be

    def _set_up(self, found: Service | None) -> None:
        """Make it, or make it anew, on as many of the ports as can be had."""
        its = image.ensure_image(self._engine)
        networks = [self._engine.overlay(NETWORK, LABELS), *self._further()]
        self._node = self._engine.swarm().node
        if found is None:
            self._elsewhere.clear()  # it begins anew; who had one then may be gone
        self._leave_out_held(found)
        while True:
            spec = self._spec(its, networks)
            before = self._newest()
            if found is None:
                self._engine.create_service(spec)
            else:
                self._replace(spec)
            self._seen = True
            lost = self._wait(before)
            if lost is None:
                return
            # One port that somebody else has is not all the others' trouble.
            self._elsewhere.add(lost)
            found = self._engine.service(NAME)

    def _spec(self, its: str, networks: Sequence[str]) -> dict[str, Any]:
        owner = self._folder.stat()
        folder = self._on_the_machine()
        settings = self._settings
        ports = [(settings.http_port, HTTP), (settings.https_port, HTTPS)]
        ports += [(port, port) for port in sorted(self.ports)]
        mounts = {"run": RUN, "data": "/data", "config": "/config"}
        return {
            "Name": NAME,
            "Labels": {FOLDER: str(folder), RANGE: settings.ports},
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": its,
                    # No app: whoever had a terminal in it had everybody's routes and keys.
                    "Labels": {IMAGE: f"caddy:{image.VERSION}", HIDDEN: "true"},
                    "Args": ["run", "--resume", "--config", f"{RUN}/{BOOT}"],
                    "User": f"{owner.st_uid}:{owner.st_gid}",
                    "ReadOnly": True,
                    "CapabilityDrop": ["ALL"],
                    # It is on networks of several teams, and no way from one to the other.
                    "Sysctls": FORWARDS_NOTHING,
                    "StopGracePeriod": 5 * SECOND,
                    "Mounts": [
                        {"Type": "bind", "Source": str(folder / name), "Target": target}
                        for name, target in mounts.items()
                    ],
                    # So that a name that nobody has is not asked for outside: that would keep
                    # every request waiting, whosever it is.
                    "DNSConfig": {"Options": ["ndots:1"], "Search": ["."]},
                },
                # Where the socket is, and the ports that people were told.
                "Placement": {"Constraints": [f"node.id=={self._node}"]},
                "Networks": [{"Target": network} for network in networks],
                "RestartPolicy": {"Condition": "any", "Delay": 1 * SECOND},
            },
            "Mode": {"Replicated": {"Replicas": 1}},
            "EndpointSpec": {
                "Mode": "dnsrr",
                "Ports": [
                    {
                        "Protocol": "tcp",
                        "PublishMode": "host",
                        "PublishedPort": published,
                        "TargetPort": target,
                    }
                    for published, target in ports
                ],
            },
        }

    def _is_right(self, found: Service, needed: Collection[int]) -> bool:
        task = found.spec["TaskTemplate"]
        its = str(task["ContainerSpec"].get("Image") or "")
        networks = [str(one.get("Target") or "") for one in task.get("Networks") or ()]
        ours = self._engine.image(image.image_name())
        if ours is None or its != ours.id:
            return False
        if networks[:1] != [self._engine.overlay(NETWORK, LABELS)]:
            return False
        missing = self.ports - _published(found)
        if missing and not self._seen and missing.isdisjoint(needed):
            # They could not be had when it was made, before our start.
            self._elsewhere |= missing
        self._seen = True
        self._node = self._node or self._engine.swarm().node
        # Of further networks those that it has are good: it comes to others as it runs.
        wanted = self._spec(its, networks)
        del wanted["TaskTemplate"]["ContainerSpec"]["Sysctls"]  # an older one runs on without
        return _holds(found.spec, wanted)

    def _leave_out_held(self, found: Service | None) -> None:
        """Do without the ports that somebody else has. One of ours that was just stopped may hold
        them for a moment."""
        until = time.monotonic() + RELEASED
        ours = frozenset() if found is None else _published(found)
        while held := {port for port in self.ports - ours if _is_held(port)}:
            if time.monotonic() > until:
                self._elsewhere |= held
                return
            gevent.sleep(LOOK)

    def _on_the_machine(self) -> Path:
        """The folder, as the engine knows it."""
        own = own_container(self._engine)
        if own is None:
            return self._folder
        if (found := own.on_the_machine(self._folder)) is None:
            raise GatewayFailed(str(self._folder), "folder")
        return found

    def _is_ours(self, found: Service) -> None:
        whose = found.labels.get(FOLDER, "")
        if whose != str(self._on_the_machine()):
            raise GatewayFailed(whose or "?", "other")

    # -- how it comes to be

    def _make_folders(self) -> None:
        try:
            for name in ("run/up", "run/log", "data", "config"):
                (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            _put(self.run / BOOT, json.dumps(boot_config()))
            if self._settings.acme_root:
                _put(self.run / Path(ROOT).name, Path(self._settings.acme_root).read_text())
        except OSError as e:
            raise StorageFailed(str(self._folder), e.strerror or str(e)) from e

    def _replace(self, spec: Mapping[str, Any], force: bool = False) -> None:
        def change(found: Mapping[str, Any]) -> Mapping[str, Any]:
            count = int(found["TaskTemplate"].get("ForceUpdate") or 0)
            task = {**spec["TaskTemplate"], "ForceUpdate": count + force}
            return {**spec, "TaskTemplate": task}

        self._engine.update_service(NAME, change)

    def _restart(self, found: Service, why: Literal["mute", "ends"]) -> None:
        if why == "ends":
            # Again and again: what it kept may be what it cannot read.
            with suppress(OSError):
                (self._folder / AUTOSAVE).unlink(missing_ok=True)
        before = self._newest()
        self._replace(found.spec, force=True)
        lost = self._wait(before)
        if lost is not None:
            self._elsewhere.add(lost)
            self._set_up(self._engine.service(NAME))

    def _stays_away(self) -> Literal["", "mute", "ends"]:
        """ "" when it answers after all, since Swarm starts one again that ended. Raises GatewayAway
        for one that is there and just does not answer."""
        began = time.monotonic()
        running: dict[str, float] = {}
        while True:
            now = time.monotonic()
            try:
                self._admin.config()
            except GatewayAway as e:
                if e.silent:
                    self._silent_since = self._silent_since or now
                    if now - self._silent_since > SILENT:
                        return "mute"
                    raise
            else:
                return ""
            tasks = [task for task in self._engine.tasks(NAME) if task.state == "running"]
            running = {task.id: running.get(task.id, now) for task in tasks}
            # To start one anew that is just coming up would only have it take longer.
            if any(now - running[one.id] > SPEECHLESS and _ran(one) > JUST_BEGUN for one in tasks):
                return "mute"
            if now - began > BY_ITSELF and not running:
                return "ends"
            gevent.sleep(LOOK)

    def _newest(self) -> str:
        tasks = self._engine.tasks(NAME) if self._engine.service(NAME) is not None else []
        return tasks[0].id if tasks else ""

    def _wait(self, before: str) -> int | None:
        """Until a newer task than ``before`` runs and answers; a port of the range that could not
        be had. Raises GatewayFailed."""
        why, since = "", 0.0
        for _ in looks(COMES_UP):
            tasks = self._engine.tasks(NAME)
            fresh = tasks[: next((n for n, one in enumerate(tasks) if one.id == before), None)]
            if fresh and fresh[0].state == "running":
                with suppress(GatewayAway):
                    self._admin.config()
                    return None
            if error := next((task.error for task in fresh if task.error), ""):
                why, since = error, since or time.monotonic()
                if time.monotonic() - since > RELEASED:
                    if (port := taken_port(why)) is not None:
                        return self._lost(port)
                    if _SAME_PORT in why:
                        break
            gevent.sleep(LOOK)
        socket_path = self.run / SOCKET
        raise GatewayFailed(
            why
            or f"nothing answers at {socket_path}, which has to be the same folder for the engine "
            "and for CloudBang"
        )

    def _lost(self, port: int) -> int:
        settings = self._settings
        for its, setting in (
            (settings.http_port, "CLOUDBANG_GATEWAY_HTTP_PORT"),
            (settings.https_port, "CLOUDBANG_GATEWAY_HTTPS_PORT"),
        ):
            if port == its:
                raise GatewayFailed(str(port), "port", setting)
        return port


def _ran(task: Task) -> float:
    """Seconds since it began, by the engine's clock, which is ours; more than any where it tells no moment
    that is over."""
    try:
        ran = time.time() - parse_time(task.since) / 1e9
    except ValueError:
        return inf
    return ran if ran >= 0 else inf


def _put(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        made = path.with_suffix(".tmp")
        made.write_text(text)
        made.rename(path)


def _published(service: Service) -> frozenset[int]:
    ports = (service.spec.get("EndpointSpec") or {}).get("Ports") or ()
    return frozenset(int(port.get("PublishedPort") or 0) for port in ports)


def _is_held(port: int) -> bool:
    """Whether somebody on this machine listens there: the engine could not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as e:
            return e.errno == errno.EADDRINUSE
    return False


def _holds(found: Any, wanted: Any) -> bool:
    """Whether everything that is wanted is found so; the engine adds what it has by default."""
    if isinstance(wanted, Mapping):
        its = found if isinstance(found, Mapping) else {}
        return all(_holds(its.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        there = found if isinstance(found, list) else []
        return len(there) == len(wanted) and all(map(_holds, there, wanted))
    return bool(found == wanted)
