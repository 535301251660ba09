"""Reads what programs expose for Prometheus, where labels of their containers say so: every 10 s, at
an address that the engine has given the container.

Each app has its moment within the 10 s that are put together, so that there is one reading in each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import Protocol
from zlib import crc32

import gevent
from gevent.lock import BoundedSemaphore
from gevent.pool import Group

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.addresses import is_inside
from cloudbang.deploy.bridge import Bridge, is_neighbour
from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics import exposed as said
from cloudbang.domain.metrics.adding_up import Counting, Rated, added_up
from cloudbang.domain.metrics.exposed import Exposed, NotExposed, Why, exposed
from cloudbang.domain.metrics.exposition import MOST, Exposition, Reading, TooMany
from cloudbang.domain.metrics.own_samples import NotTaken
from cloudbang.errors import EngineRefused, EngineUnreachable
from cloudbang.monitoring import scrape_http
from cloudbang.monitoring.scrape_http import Answer

log = logging.getLogger(__name__)

EVERY = 10  # seconds
SPREAD = (
    4.0  # seconds of these over which the apps are spread: what is slow is read in them as well
)
LOOK = 0.25  # seconds between two looks at whose moment has come
AT_ONCE = 16  # programs asked at the same time
OF_AN_APP = 4  # of these of one app: one whose every instance hangs holds up no other's
ADDRESS_FOR = 60.0  # seconds that an address is believed


class Engine(Protocol):
    """What is asked of it."""

    @property
    def is_remote(self) -> bool: ...
    def gateway_of(self, network: str) -> str: ...
    def addresses_on(self, network: str) -> dict[str, str]: ...
    def interfaces_of(self, container: str) -> list[str]: ...


class Inventory(Protocol):
    """Who knows the containers."""

    def instances(self) -> list[Instance]: ...


class Sink(Protocol):
    """Who takes what is read."""

    def own(
        self, app: str, samples: Sequence[object]
    ) -> tuple[int, list[tuple[int, NotTaken]]]: ...
    def say_exposed(self, app: str, container: str, why: Why | None) -> None: ...


@dataclass(slots=True)
class _Read:
    """One instance that is read. ``started``: of which of its runs the address is."""

    counting: Counting
    started: str | None = None
    address: str = ""
    until: float = 0.0  # when the address is asked for again


@dataclass(slots=True)
class _App:
    due: float  # seconds since 1970
    under_way: bool = False
    read: dict[str, _Read] = field(default_factory=dict)  # by full id
    room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(OF_AN_APP))


class Scraper:
    """From :meth:`start` on. What cannot be read is said, until it can."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        sink: Sink,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        ask: Callable[[str, Exposed], Answer] = scrape_http.ask,
    ) -> None:
        """``steady``: seconds that only grow, whatever becomes of the ``clock``."""
        self._inventory, self._sink, self._ask = inventory, sink, ask
        self._clock, self._steady = clock, steady
        self._addresses = Addresses(engine)
        self._apps: dict[str, _App] = {}
        self._said: dict[str, tuple[str, Why]] = {}  # by full id: the app, and what is said of it
        self._room = BoundedSemaphore(AT_ONCE)
        self._rounds = Group()
        self.asked = self.failed = self.samples = self.bad_lines = self.late = 0
        export(
            self,
            "scrape",
            counters={
                "asked": "Times that a program was asked for the metrics that it exposes.",
                "failed": "Of these, times that nothing could be read.",
                "samples": "Lines with a value that programs exposed.",
                "bad_lines": "Lines that could not be read.",
                "late": "Times that an app was not asked, because it was still being asked before.",
            },
            gauges={"apps": "Apps that expose metrics."},
        )
        self._supervisor = Supervisor("scrape")

    @property
    def apps(self) -> int:
        return len(self._apps)

    def start(self) -> None:
        self._supervisor.run("look", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)
        self._rounds.kill(timeout=deadline.at_most(1.0))

    def _run(self) -> None:
        while True:
            self.look()
            gevent.sleep(LOOK)

    def look(self) -> None:
        """Begin a round of each app whose moment has come."""
        now = self._clock()
        found: dict[str, list[Instance]] = {}
        for one in self._inventory.instances():
            if (
                (one.metrics_port or one.metrics_path)
                and one.state == "running"
                and not one.one_off
            ):
                found.setdefault(one.app, []).append(one)
        for name in self._apps.keys() - found.keys():
            if not self._apps[name].under_way:
                del self._apps[name]
        alive = {one.id for its in found.values() for one in its}
        for container in self._said.keys() - alive:
            self._say(self._said[container][0], container, None)
        for name, its in found.items():
            app = self._apps.get(name)
            if app is None:
                app = self._apps[name] = _App(_next(name, now))
            if now < app.due and app.due - now <= EVERY:  # further off: the clock was set back
                continue
            app.due = _next(name, now)
            if app.under_way:
                self.late += 1
                continue
            app.under_way = True
            self._rounds.start(gevent.Greenlet(self._round, name, app, its))

    # --- one round of an app -------------------------------------------------------------------

    def _round(self, name: str, app: _App, instances: list[Instance]) -> None:
        try:
            self.round(name, app, instances, self._clock())
        except Exception:
            log.exception("what %s exposes could not be read", name)
        finally:
            app.under_way = False

    def round(self, name: str, app: _App, instances: list[Instance], now: float) -> None:
        """Read what the instances of an app expose ``now``, and hand it on, put together."""
        for gone in app.read.keys() - {one.id for one in instances}:
            del app.read[gone]
        self._addresses.forget()
        asking = [gevent.Greenlet(self._one, name, app, one) for one in instances]
        for each in asking:
            self._rounds.start(each)
        gevent.joinall(asking)
        parts = [each.value for each in asking if isinstance(each.value, Rated)]
        samples = added_up(
            in_turns(parts), several=len(instances) > 1, whole=len(parts) == len(instances), now=now
        )
        if made := list(in_turns(samples)):
            self._sink.own(name, made)

    def _one(self, name: str, app: _App, instance: Instance) -> Rated | None:
        read = app.read.get(instance.id)
        if read is None:
            read = app.read[instance.id] = _Read(Counting(instance.short))
        try:
            what = exposed(instance.metrics_port, instance.metrics_path)
            with app.room, self._room:
                address = self._address(read, instance)
                self.asked += 1
                at = self._steady()
                answer = self._ask(address, what)
                reading = read_lines(answer, what)
        except NotExposed as e:
            read.until = 0.0
            self.failed += 1
            self._say(name, instance.id, e.why)
            return None
        self.samples += reading.samples
        self.bad_lines += reading.bad
        why = None
        if reading.first is not None:
            line, text = reading.first
            facts = {"count": reading.bad, "line": line, "text": text}
            why = Why(said.BAD_LINES, facts)
        self._say(name, instance.id, why)
        return read.counting.take(in_turns(reading.points), at)

    def _address(self, read: _Read, instance: Instance) -> str:
        if read.started != instance.started_at:
            if read.started is not None:
                read.counting.restarted()
            read.started, read.until = instance.started_at, 0.0
        if self._steady() >= read.until:
            read.address = self._addresses.of(instance)
            read.until = self._steady() + ADDRESS_FOR
        return read.address

    def _say(self, app: str, container: str, why: Why | None) -> None:
        before = self._said.pop(container, None)
        if before is not None and (why is None or before[0] != app):
            self._sink.say_exposed(before[0], container, None)
        if why is not None:
            self._said[container] = app, why
            if before != (app, why):
                self._sink.say_exposed(app, container, why)


class Addresses:
    """Where containers of this machine are reached, each on a network of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._bridge = Bridge(engine)
        self._over_bridge: dict[str, str] | None = None

    def forget(self) -> None:
        """Ask anew who is on the bridge."""
        self._over_bridge = None

    def of(self, instance: Instance) -> str:
        """Raises NotExposed."""
        if self._engine.is_remote:
            raise NotExposed(said.NOT_BESIDE)
        try:
            if self._over_bridge is None:
                self._over_bridge = self._on_bridge()
            its = list(self._engine.interfaces_of(instance.id))
        except (EngineRefused, EngineUnreachable) as e:
            raise NotExposed(said.NOT_ASKED, reason=str(e)) from None
        over = self._over_bridge.get(instance.id, "") if self._bridge.is_ours else ""
        if over and not is_inside(over):
            return over
        if not its:
            raise NotExposed(said.NO_ADDRESS)
        for interface in its:
            address = str(ip_interface(interface).ip)
            if not is_inside(address) and is_neighbour(interface):
                return address
        raise NotExposed(said.NOT_BESIDE)

    def _on_bridge(self) -> dict[str, str]:
        try:
            return self._bridge.addresses()
        except EngineRefused as e:  # a socket proxy may: containers of no service need none of it
            log.debug("nobody says who is on the bridge: %s", e)
            return {}


def read_lines(answer: Answer, what: Exposed) -> Reading:
    """What it says; gives way in between. Raises NotExposed."""
    facts = {"path": what.path, "port": what.port}
    exposition = Exposition(openmetrics=answer.openmetrics)
    try:
        for line in in_turns(_lines(answer.body)):
            exposition.line(line)
    except TooMany as e:
        sentence = said.TOO_MANY if e.most == MOST else said.TOO_MANY_LINES
        raise NotExposed(sentence, **facts, most=f"{e.most:,}") from None
    reading = exposition.done()
    if reading.bad and not reading.samples:
        raise NotExposed(said.NO_METRICS, **facts)
    return reading


def _lines(body: bytes) -> Iterator[bytes]:
    begin = 0
    while (end := body.find(b"\n", begin)) >= 0:
        yield body[begin:end]
        begin = end + 1
    if begin < len(body):
        yield body[begin:]


def _next(app: str, now: float) -> float:
    """The next moment of an app after ``now``: always the same within the 10 s."""
    at = 0.5 + crc32(app.encode()) % 1000 / 1000 * SPREAD
    due = now - now % EVERY + at
    return due if due > now else due + EVERY
