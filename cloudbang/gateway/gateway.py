"""The gateway as the rest of CloudBang knows it: routes are wanted here, and come to be.

What is wanted is in the database. One greenlet makes it so: it alone talks to Caddy about its
configuration, several changes of one moment are one, and it looks again and again whether all is as
it should be, since somebody may have changed it, or ended it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import gevent
from gevent.event import AsyncResult
from gevent.event import Event as Flag

from cloudbang.config import Settings
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.deploy import caddy
from cloudbang.domain.deploy.spec import Spec
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable
from cloudbang.gateway import service, team_networks
from cloudbang.gateway.admin import CaddyAdmin
from cloudbang.gateway.errors import GatewayAway, GatewayFailed, NotHereAlone
from cloudbang.gateway.ipv6 import BRIDGE, passes_for_local
from cloudbang.gateway.routes import CERTIFICATES, Address, Routes, taken_ports
from cloudbang.gateway.upstreams import UpstreamFiles
from cloudbang.storage.database.routes import KeptRoute, RouteStore

log = logging.getLogger(__name__)

FOLDER = ".gateway"  # below what is kept: no team's name begins so
EVERY = 10.0  # seconds between two looks at whether all is as it should be
TOGETHER = 0.1  # seconds that a change waits for others
HELD = 30.0  # seconds at most that nothing is loaded, since requests wait for an app
ANSWERED = 1.5  # seconds until those have been answered, once there is somebody again
NOTICE = "gateway-failed"


class Calls(service.Calls, team_networks.Calls, Protocol):
    """What is asked of the engine."""


class Gateway:
    """``team_of`` tells whose an app is, or would be."""

    def __init__(
        self,
        settings: Settings,
        engine: Calls,
        store: RouteStore,
        notices: Notices,
        team_of: Callable[[str], str],
        *,
        every: float = EVERY,
    ) -> None:
        self._folder = settings.storage.path / FOLDER
        self._engine, self._store, self._notices, self._every = engine, store, notices, every
        self._routes, self._team_of = Routes(settings, team_of), team_of
        taken = taken_ports(settings)
        self._admin = CaddyAdmin(self._folder / "run")
        self._networks = team_networks.TeamNetworks(engine, service.NAME)
        self._service = service.GatewayService(
            *(engine, self._folder, settings.gateway, taken, self._admin, self._networks.ids)
        )
        self._files = UpstreamFiles(self._folder / "run" / "up")
        self._supervisor = Supervisor("gateway")
        self._wake = Flag()
        self._waiting: list[AsyncResult] = []
        self._holding: dict[str, float] = {}  # until when, by app
        self._local: set[str] = set()
        self._last: object = None  # that Caddy was told
        self._port = 0 if settings.gateway.ipv6_closed else settings.gateway.http_port
        self._is_up = False  # since our start
        self._exposed = False  # others pass for this machine, or did
        self._left = False  # something is to be tried again, though no route is wanted
        self.loads = 0
        self.repairs = 0
        self.restarts = 0
        export(
            self,
            "gateway",
            counters={
                "loads": "Configurations that the gateway was given.",
                "repairs": "Of these, those that put back what somebody else had changed.",
                "restarts": "Times that the gateway was started, or started anew.",
            },
        )

    # -- running

    def load(self) -> None:
        """Know whose the routes are, before anybody asks for one. Raises StorageFailed."""
        self._routes.by_app = {route.app: route for route in self._store.all()}

    def start(self) -> None:
        """Begin to look after it."""
        if self._routes.by_app:
            self._wake.set()  # who knows what happened meanwhile
        self._supervisor.run("routes", self._write_loop)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop looking after it: it runs on, with the routes that it has."""
        self._supervisor.stop(deadline)

    # -- what is wanted

    @property
    def apps(self) -> list[str]:
        """Those that have a route."""
        return sorted(self._routes.by_app)

    @property
    def certificates(self) -> Path:
        """The folder in which Caddy keeps them: ``<authority>/<host>/<host>.crt``."""
        return self._folder / CERTIFICATES

    def hosts(self) -> dict[str, str]:
        """The app that is at each domain; of several at one, any."""
        return {route.host: app for app, route in self._routes.by_app.items() if route.host}

    def check(self, app: str, spec: Spec, team: str = "") -> None:
        """Whether an app may have the route that it asks for; ``team``: whose it is to be, where
        there is none yet. Raises RouteTaken, NoFreePort, NotHereAlone."""
        if spec.route is None:
            return
        self._routes.wanted(app, spec, self._service.ports, team)
        if caddy.is_local(spec.route.host) and self._look_whether_exposed():
            raise NotHereAlone(spec.route.host, self._port)

    def publish(self, app: str, spec: Spec) -> None:
        """Have the route of an app as its specification says, and wait until the gateway has it;
        the gateway is started for the first one. Where there is none, as :meth:`withdraw`.

        Raises RouteTaken, NoFreePort, GatewayFailed, GatewayAway, EngineRefused,
        EngineUnreachable, StorageFailed.
        """
        if spec.route is None:
            self.withdraw(app)
            return
        self._held_no_more(app)
        wanted = self._routes.wanted(app, spec, self._service.ports)
        before = self._routes.by_app.get(app)
        if wanted != before:
            self._routes.by_app[app] = wanted  # at once: nobody else gets it meanwhile
            try:
                self._store.save(wanted)
            except BaseException:
                self._put_back(app, before)
                raise
        self._apply_and_wait()

    def withdraw(self, app: str) -> None:
        """An app has no route any more. What cannot be done now is done later. Raises
        StorageFailed."""
        self._holding.pop(app, None)
        if app not in self._routes.by_app:
            return
        self._store.remove(app)
        self._routes.by_app.pop(app, None)
        try:
            self._apply_and_wait()
        except CloudBangError as e:
            log.warning("the route of %s is still there: %s", app, e)

    def switch(self, app: str, service: str) -> None:
        """Requests go to that service from now on, at the port that :meth:`publish` was told.
        Nothing is done for an app without a route. Raises StorageFailed, StorageFull."""
        kept = self._routes.by_app.get(app)
        if kept is None:
            return
        changed = replace(kept, service=service, service_port=kept.port)
        if changed != kept:
            self._store.save(changed)
            # The route may have become another one meanwhile; where it goes is what is new.
            now = self._routes.by_app.get(app, kept)
            self._routes.by_app[app] = replace(now, service=service, service_port=kept.port)
        self._files.write(app, service, kept.port)

    def hold(self, app: str) -> None:
        """Nobody answers for an app from now on, until another release of it does and is
        published: what is asked meanwhile waits. A new configuration would end that waiting, so
        that none is loaded, whosever it is; for 30 s at most."""
        if app in self._routes.by_app:
            self._holding[app] = time.monotonic() + HELD

    def _held_no_more(self, app: str) -> None:
        if app in self._holding:
            self._holding[app] = min(self._holding[app], time.monotonic() + ANSWERED)

    def switched(self, app: str) -> str:
        """The service that requests go to; "" for none."""
        return self._files.read(app)[0]

    def in_flight(self, app: str, port: int, service: str, addresses: Collection[str]) -> int:
        """Requests that a release still answers: its service by name, or its tasks by their
        addresses on the overlay. WebSockets count. Raises GatewayAway."""
        del app  # what Caddy counts is by address
        asked = [f"{host}:{port}" for host in (service, *addresses)]
        return caddy.in_flight(self._admin.upstreams(), asked)

    @property
    def run_folder(self) -> Path:
        """What the gateway and CloudBang share; the access log is in it."""
        return self._folder / "run"

    def under_way(self, instances: Collection[str]) -> int:
        """Requests that these instances answer, by their addresses on the overlay with the port.
        WebSockets count. Raises GatewayAway."""
        return caddy.in_flight(self._admin.upstreams(), list(instances))

    def addresses(self, app: str) -> list[Address]:
        """Where an app answers, the best first; none where it has no route."""
        return self._routes.addresses(app, self._folder)

    # -- making it so

    def _put_back(self, app: str, before: KeptRoute | None) -> None:
        if before is None:
            self._routes.by_app.pop(app, None)
        else:
            self._routes.by_app[app] = before

    def _apply_and_wait(self) -> None:
        result = AsyncResult()
        self._waiting.append(result)
        self._wake.set()
        result.get()

    def _write_loop(self) -> None:
        while True:
            # Without a route there is nothing to look after.
            self._wake.wait(self._every if self._routes.by_app or self._left else None)
            if self._wake.is_set():
                gevent.sleep(TOGETHER)
            self._wake.clear()
            waiting, self._waiting = self._waiting, []
            self._left = True
            try:
                self._apply(asked=bool(waiting))
                self._left = False
            except CloudBangError as e:
                if self._routes.by_app:
                    self._notices.begin(NOTICE, str(e))
                for result in waiting:
                    result.set_exception(e)
            except BaseException as e:
                failure = e if isinstance(e, Exception) else GatewayFailed("CloudBang is stopping")
                for result in waiting:
                    result.set_exception(failure)
                raise
            else:
                self._notices.end(NOTICE, "the gateway is as it should be")
                for result in waiting:
                    result.set()

    def _apply(self, *, asked: bool) -> None:
        """Have everything as it is wanted now; ``asked``: somebody waits for it."""
        if not self._routes.by_app:
            self._service.take_away()
            self._files.keep_only(())
            self._last = None
            return
        self._networks.want({self._team_of(app) for app in self._routes.by_app})
        self._bring_up()
        self._join(asked=asked)
        for changed in self._routes.allot_again(self._service.ports):
            port = changed.own_port or "no port"
            log.warning("%s has %s of its own from now on: another has its own", changed.app, port)
            self._store.save(changed)
        self._put_files()
        self._load()
        self._files.keep_only(self._routes.by_app)

    def _bring_up(self) -> None:
        needed = {route.own_port for route in self._routes.by_app.values()} - {0}
        try:
            self._admin.config()
            self._service.answered()
            try:
                good = self._service.looks_right(needed)
            except EngineUnreachable:
                good = True  # it answers; the engine is asked again later
        except GatewayAway as e:
            log.debug("%s", e)
            good = False
        if not good:
            self._service.bring_up(needed)
            self.restarts += 1
        self._is_up = True
        with suppress(EngineUnreachable, EngineRefused):
            if not self._local:
                self._local = {self._engine.gateway_of(BRIDGE)} - {""}

    def _join(self, *, asked: bool) -> None:
        try:
            self._networks.join()
        except EngineUnreachable:
            if asked:
                raise  # it answers; the engine is asked again later

    def _look_whether_exposed(self) -> bool:
        """Once it was so it stays so: each change would close connections."""
        if not self._exposed and self._port and passes_for_local(self._port, is_up=self._is_up):
            if not self._is_up:
                return True
            self._exposed = True
            log.warning(
                "who comes by IPv6 passes for this machine: apps at .localhost domains of their own "
                "are not answered for, and no proxy on this machine is believed"
            )
        return self._exposed

    def _put_files(self) -> None:
        """Requests go where they were last switched to, whoever has changed that."""
        for route in list(self._routes.by_app.values()):
            wanted = (route.service, route.service_port)
            if route.service and self._files.read(route.app) != wanted:
                log.warning("requests for %s go to %s again", route.app, route.service)
                self._files.write(route.app, *wanted)

    def _wait_for_held(self) -> None:
        while self._holding:
            now = time.monotonic()
            self._holding = {app: until for app, until in self._holding.items() if until > now}
            if self._holding:
                gevent.sleep(TOGETHER)

    def _load(self) -> None:
        exposed = self._look_whether_exposed()
        wanted = self._routes.config(self._local, self._folder, exposed=exposed)
        found = self._admin.config()
        if found == wanted:
            self._last = wanted
            return
        self._wait_for_held()
        self._admin.load(wanted)
        self.loads += 1
        if wanted == self._last:
            self.repairs += 1
            log.warning("the gateway's configuration was changed, and is as it should be again")
        if self._admin.config() != wanted:
            raise GatewayFailed("it did not take its routes")
        self._last = wanted
