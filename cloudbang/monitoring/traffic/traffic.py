"""Business traffic: every line of the gateway's access log is counted once, for its app.

One greenlet reads the log (in a thread), counts (in turns of 2 ms), and every ten seconds commits
what it counted together with the place in the log up to which it was read. What is asked is answered
from what was committed and what was not yet. Overload: nothing is queued but one piece of the log;
who is behind reads more slowly, the file holds the lines, and it is said.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import gevent
import orjson
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.threadpool import ThreadPool

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.core.threads import in_thread
from cloudbang.core.wall_clock import WallClock, passed
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.metrics.access_log import Request, Unreadable, read_request
from cloudbang.domain.metrics.tally import Tally
from cloudbang.domain.metrics.templates import HEALTH, NOT_FOUND, Templates
from cloudbang.errors import CloudBangError
from cloudbang.monitoring.traffic.follower import LogFollower, Place
from cloudbang.monitoring.traffic.recent import Fold, RecentTraffic
from cloudbang.monitoring.traffic.report import LIVE, Asked, Window, report, window
from cloudbang.monitoring.traffic.seconds import Numbers, Seconds
from cloudbang.monitoring.traffic.visitors import Visitors
from cloudbang.storage.traffic.store import FINE, AppState, TrafficStore

log = logging.getLogger(__name__)

LOG = Path("log", "access.log")  # below the folder that the gateway and CloudBang share
LOOK = 0.25  # seconds between two looks at a log that had no more
COMMIT = 10.0  # seconds: what a kill makes us read again
AHEAD = 5.0  # seconds that a line may be ahead of our clock; what is further counts as now's
PENDING = 2_000  # tallies that wait for the disk; with more of them the log is not read on
UPSTREAM = 600.0  # seconds for which an instance's address counts as an app's
LATE = 10.0  # seconds behind, after which it is said
JUMP = 2.0  # seconds by which nobody corrects a clock
STEADY = 3600.0  # seconds for which it has to be right before it says what is old

Rows = list[tuple[int, Tally]]


class Gateway(Protocol):
    """What is asked of the gateway."""

    @property
    def apps(self) -> Collection[str]:
        """Those that have a route."""

    def under_way(self, instances: Collection[str]) -> int:
        """Requests that these instances answer now, WebSockets with them. Raises GatewayAway."""


class _App:
    """What is known of one while it is counted."""

    def __init__(self, known: AppState | None, rules: Sequence[str]) -> None:
        self.templates = Templates(rules)
        self.upstreams: dict[str, float] = {}  # address -> when it answered last
        self.changed = True
        if known is not None:
            self.templates.load(known.templates)


class Traffic:
    """``lines``: requests that were counted; ``nobodys``: of no app; ``unreadable``: lines that were
    none; ``lost``: files of the log that were gone before they were read; ``behind``: bytes that
    wait to be read."""

    def __init__(
        self,
        folder: Path,
        store: TrafficStore,
        gateway: Gateway,
        numbers: Numbers | None = None,
        rules_of: Callable[[str], Sequence[str]] = lambda app: (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``folder``: what the gateway and CloudBang share; ``numbers``: who takes series;
        ``rules_of``: the patterns that somebody gave an app's addresses."""
        self._path = folder / LOG
        self._store, self._gateway, self._rules_of = store, gateway, rules_of
        self._clock = WallClock(clock, on_jump=self._clock_was_set, least=JUMP)
        self._set_at = passed()  # or begun to be looked at
        self._seconds = Seconds(numbers, lambda: gateway.apps)
        self._supervisor = Supervisor("traffic")
        self._pool = ThreadPool(1)
        self._turn = Semaphore()  # held while what was counted is on its way to the store
        self._stopping = Event()
        self._apps: dict[str, _App] = {}
        self._visitors = Visitors(store)
        self._pending: dict[tuple[str, int], Tally] = {}
        self.recent = RecentTraffic(
            store, self._turn, lambda: self._pending, self._fold_of, self._known_until
        )
        self._commits = 0
        self._renamed: set[str] = set()  # apps whose patterns may be others now
        self._place: Place | None = None
        self._began: float | None = None
        self._loaded = False
        self._read = 0.0  # up to when all lines were read
        self._newest = 0.0  # the time of the newest line
        self._now = 0.0
        self._failed = ""
        self.lines = self.nobodys = self.unreadable = self.lost = self.behind = 0
        counted = {
            "lines": "Requests that were counted from the gateway's access log.",
            "nobodys": "Requests in the gateway's access log that were no app's.",
            "unreadable": "Lines of the gateway's access log that could not be read.",
            "lost": "Files of the gateway's access log that were gone before they were read.",
        }
        waits = "Bytes of the gateway's access log that wait to be read."
        export(self, "traffic", counters=counted, gauges={"behind": waits})

    def start(self) -> None:
        self._supervisor.run("follow", self._follow)
        self._supervisor.run("recent", self.recent.run, self._stopping)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Commit what was counted, and end."""
        self._stopping.set()
        with gevent.Timeout(deadline.at_most(2.0), False):
            while len(self._supervisor):
                gevent.sleep(0.01)
        self._supervisor.stop(deadline)
        self._pool.kill()

    # -- what is asked

    def report(
        self,
        app: str,
        since: float | None = None,
        until: float | None = None,
        points: int = 60,
        top: int = 20,
        by: Sequence[str] = ("seconds",),
    ) -> dict[str, Any]:
        """What ``docs/protocols/traffic.md`` says of an app, but for ``trouble``. Waits for the
        disk. Raises StorageFailed."""
        now = self._clock()
        until = now if until is None else until
        its = window(until - LIVE if since is None else since, until, points, now)
        asked = Asked(
            its,
            top,
            by,
            began=self._began if self._began is not None else now,
            read=self._read,
            name=self._fold_of(app),
        )
        found = self._whole(app, its, lambda rows: report(rows, asked))
        found["routed"] = app in self._gateway.apps
        found["clients"] = self._visitors.report(app, now)
        found["connections"]["open"] = self._open(self._apps.get(app))
        return found

    def _fold_of(self, app: str) -> Fold:
        known = self._apps.get(app)
        return known.templates.fold if known else lambda template: template

    def _known_until(self) -> float | None:
        return self._read if self._loaded and self.trouble in (None, "storage") else None

    @property
    def trouble(self) -> str | None:
        """Why the newest may be missing: "storage", "log", "behind"; None when it is not."""
        if self._failed:
            return self._failed
        if self._loaded and self._clock() - self._read > LATE:
            return "behind"
        return None

    def forget(self, app: str) -> None:
        """An app was deleted. Waits for the disk. Raises StorageFailed."""
        with self._turn:
            self._apps.pop(app, None)
            self._visitors.forget(app)
            self.recent.forget(app)
            self._pending = {key: tally for key, tally in self._pending.items() if key[0] != app}
            self._store.forget(app)

    def _whole(
        self, app: str, its: Window, then: Callable[[Rows], dict[str, Any]]
    ) -> dict[str, Any]:
        """What ``then`` makes of all tallies: of those in the store and those on their way, each
        once."""
        span = (app, its.tier, its.since, its.until)
        for _ in range(3):
            with self._turn:
                waiting, commits = self._waiting(app), self._commits
            found = self._store.read(*span, lambda rows: then(rows + waiting))  # noqa: B023
            if commits == self._commits and not self._turn.locked():
                return found
        with self._turn:  # it takes longer than it takes until the next commit: that one waits
            waiting = self._waiting(app)
            return self._store.read(*span, lambda rows: then(rows + waiting))

    def deployment_changed(self, deployment: Deployment) -> None:
        """Another release may give an app's addresses other patterns. Does not wait."""
        if deployment.state == "serving":
            self._renamed.add(deployment.app)

    def _waiting(self, app: str) -> Rows:
        """What was counted and is not in the store, as a copy."""
        its = [(at, tally) for (name, at), tally in self._pending.items() if name == app]
        return [(at, tally.copy()) for at, tally in its]

    def _open(self, known: _App | None) -> int | None:
        with suppress(CloudBangError):
            if known and known.upstreams:
                return self._gateway.under_way(known.upstreams)
        return None

    # -- the one greenlet

    def _follow(self) -> None:
        while not self._loaded:
            try:
                self._load()
            except CloudBangError as e:
                self._store_failed(e)
                if self._stopping.wait(LOOK):
                    return
        follower = LogFollower(self._path, self._place)
        lost = cut = 0
        try:
            commit_at = time.monotonic() + COMMIT
            while not self._stopping.is_set():
                try:
                    piece = in_thread(self._pool, follower.read)
                except OSError as e:
                    self._failed = "log"
                    log.warning("%s cannot be read: %s", self._path, e)
                    self._stopping.wait(1.0)
                    continue
                self._now = now = self._clock()
                while self._renamed:
                    if known := self._apps.get(name := self._renamed.pop()):
                        known.templates.rules = self._rules_of(name)
                for line in in_turns(piece.lines):
                    self._take(line)
                # From here to the next read nothing fails: what was counted and the place agree.
                self._place = piece.place
                self.lost += follower.gaps - lost
                self.unreadable += follower.cut - cut
                lost, cut = follower.gaps, follower.cut
                if piece.caught_up:
                    self._read, self.behind = now, 0
                    if self._failed == "log":
                        self._failed = ""
                self._seconds.hand_over(now, self._read, self._newest, self._online)
                if time.monotonic() >= commit_at or len(self._pending) > PENDING:
                    if not piece.caught_up:
                        self.behind = in_thread(self._pool, lambda: follower.behind)
                    self._commit()
                    commit_at = time.monotonic() + COMMIT
                while len(self._pending) > PENDING and not self._stopping.is_set():
                    self._stopping.wait(1.0)  # overload: see the top
                    self._commit()
                if piece.caught_up:
                    self._stopping.wait(LOOK)
            self._commit()
        finally:
            follower.close()

    def _load(self) -> None:
        self._read = now = self._clock()
        found = self._store.load(now)
        self._place = Place(*orjson.loads(found.place)) if found.place else None
        self._began = found.began
        for app, state in found.apps.items():
            self._apps[app] = _App(state, self._rules_of(app))
        self._visitors.load(found.apps, found.seen, now)
        self._loaded = True
        self._read = self._clock()
        self._seconds.begin(self._read)
        self.recent.begin(self._began or self._read)

    def _take(self, line: bytes) -> None:
        """Count one. Never raises: the place goes on whatever a line holds."""
        if not line:
            return
        try:
            request = read_request(line, orjson.loads)
            if request is None:
                self.nobodys += 1
                return
            self._count(request)
        except Unreadable as e:
            self.unreadable += 1
            log.debug("a line of the access log: %s", e)
        except Exception:
            self.unreadable += 1
            log.exception("a line of the access log could not be counted")

    def _count(self, request: Request) -> None:
        app = self._apps.get(request.app)
        if app is None:
            app = self._apps[request.app] = _App(None, self._rules_of(request.app))
        at = request.time if request.time <= self._now + AHEAD else self._now
        if at > self._newest:
            self._newest = at
            if self._began is None:
                self._began = at
        second = int(at)
        if request.status == 404:
            template = NOT_FOUND
        elif request.kind == "probe":
            template = HEALTH
        else:
            template = app.templates.of(request.path, at)
        key = (request.app, second - second % FINE)
        tally = self._pending.get(key)
        if tally is None:
            tally = self._pending[key] = Tally()
        tally.add(request, template)
        self._seconds.add(request, second)
        if request.kind != "probe" and request.client:
            self._visitors.add(request.app, request.client, second, self._now)
        if request.upstream:
            app.upstreams[request.upstream] = at
        app.changed = True
        self.lines += 1

    def _store_failed(self, e: CloudBangError) -> None:
        if self._failed != "storage":
            log.warning("what was counted of traffic waits for the store: %s", e)
        self._failed = "storage"

    def _commit(self) -> None:
        """Hand what was counted to the store, and the place behind it. Kept where that fails."""
        with self._turn:
            changed = {name: app for name, app in self._apps.items() if app.changed}
            states = {
                name: AppState(app.templates.state(), *self._visitors.of_today(name))
                for name, app in in_turns(changed.items())
            }
            for app in changed.values():
                app.changed = False
            place = None if self._place is None else orjson.dumps([*self._place]).decode()
            try:
                now, seen = int(self._now), self._visitors.news()
                self._store.commit(
                    *(place, self._pending, states, now, seen),
                    began=int(self._began or now),
                    steady=passed() - self._set_at >= STEADY,
                )
            except CloudBangError as e:
                for app in changed.values():
                    app.changed = True
                self._store_failed(e)
                return
            self._visitors.told()
            self.recent.committed(self._pending)
            self._pending = {}
            self._commits += 1
            self._began = self._began or self._now
            if self._failed == "storage":
                self._failed = ""
        self._bound()

    def _online(self) -> Mapping[str, int]:
        return self._visitors.online(self._now)

    def _bound(self) -> None:
        """What is remembered of all apps together, and for how long."""
        self._visitors.bound()
        self.recent.tidy(self._now)
        for app in self._apps.values():
            for address, seen in list(app.upstreams.items()):
                if not seen > self._now - UPSTREAM:
                    del app.upstreams[address]

    def _clock_was_set(self, by: float) -> None:
        """What passed since did not change. The seconds in between were never there."""
        self._set_at = passed()
        self._now += by
        self._read += by
        self._newest += by
        self._visitors.move(by)
        for app in self._apps.values():
            app.upstreams = {address: seen + by for address, seen in app.upstreams.items()}
        self._seconds.jump(self._now)
        self.recent.jump(self._now)
