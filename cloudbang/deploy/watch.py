"""Whether a new release serves: its tasks as the engine tells of them, its instances asked from
outside; from its start until it is believed."""

from __future__ import annotations

import time
from collections.abc import Iterable

import gevent
from gevent.pool import Group

from cloudbang.deploy import probe
from cloudbang.deploy.bridge import NAME, Bridge, is_ours
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.observer import EVERY, Observed, Observer
from cloudbang.deploy.output import Output
from cloudbang.domain.deploy.failure import Task
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import STEADY, Spec
from cloudbang.domain.lines import parse_time
from cloudbang.engine import Engine, EngineStream
from cloudbang.errors import EngineRefused


class Watch:
    """``look()`` again and again, at most every ``EVERY`` seconds; ``close()`` at the end."""

    def __init__(
        self, engine: Engine, release: Release, output: Output, *, forgiving: bool = False
    ) -> None:
        """``forgiving``: what is there at the first look is not held against it."""
        self._engine, self._release, self._output = engine, release, output
        self._forgiving = forgiving
        self._observer: Observer | None = None
        self._presence: EngineStream | None = None
        self._since: dict[str, float] = {}  # by task: since when it runs
        self._probes = Group()
        self._asked: dict[str, float] = {}  # when a task was asked last; inf while it is
        self._answered: dict[str, float] = {}  # when it was asked what it answered last
        self._proven: set[str] = set()
        self._bridge = Bridge(engine)
        self.why_not = ""  # what the last one that did not answer said

    def look(self) -> Observed:
        """As it is now. Raises StepFailed as soon as anything says that it will not serve,
        EngineUnreachable, EngineRefused."""
        self._notice_absence()
        observer = self._observer
        if observer is None:
            observer = self._observer = self._new_observer()
        seen = observer.look()
        self._output.follow(seen.tasks)
        now = time.monotonic()
        for task in seen.running:
            self._since.setdefault(task.id, now - self._ran_before(task))
        if seen.failure is not None:
            if seen.ended is not None:
                self._output.finish(seen.ended.container)
            raise StepFailed(seen.failure)
        return seen

    def healthy(self, seen: Observed) -> list[Task]:
        """Those of the running tasks that are proven to serve; the others are asked meanwhile."""
        spec = self._release.spec
        for task in seen.running:
            if task.id in self._proven or time.monotonic() - self._asked.get(task.id, 0.0) < EVERY:
                continue
            if is_asked(spec):
                self._asked[task.id] = float("inf")
                self._probes.start(gevent.Greenlet(self._ask, task))
            elif spec.health.kind == "command" or self.ran(task) >= STEADY:
                self._proven.add(task.id)  # with a check of the engine's, running is healthy
        return [task for task in seen.running if task.id in self._proven]

    def asked_after(self, seen: Observed, moment: float) -> bool:
        """Whether those of the running tasks that are not proven were asked after that moment, by the
        monotonic clock, and have not answered well. Before it nobody may have had the time to: while
        this server was halted, or on a busy machine."""
        if not is_asked(self._release.spec):
            return True
        left = [task.id for task in seen.running if task.id not in self._proven]
        return all(self._answered.get(id, 0.0) > moment for id in left)

    def ended_well(self, seen: Observed) -> int:
        """Tasks that have done what they were for, and ended."""
        if not self._release.spec.may_end:
            return 0
        newest: dict[str, Task] = {}
        for task in seen.tasks:
            newest.setdefault(task.slot, task)
        return sum(task.state == "complete" for task in newest.values())

    def ran(self, task: Task) -> float:
        """Seconds since a task began to run."""
        return time.monotonic() - self._since.get(task.id, time.monotonic())

    def youngest(self, tasks: Iterable[Task]) -> float:
        """Seconds that all of these have run."""
        return min((self.ran(task) for task in tasks), default=0.0)

    def close(self) -> None:
        self._probes.kill()
        if self._presence is not None:
            self._presence.close()
            self._presence = None

    def _notice_absence(self) -> None:
        """An engine that is quick may have been away between two looks: what ran has ended with it
        then, by no fault of its own."""
        if self._presence is not None and _has_ended(self._presence):
            self._presence.close()
            self._presence = self._observer = None
            self._forgiving = True
        if self._presence is None:
            self._presence = self._engine.presence()

    def _new_observer(self) -> Observer:
        return Observer(
            self._engine,
            self._release.service,
            one_off=self._release.spec.may_end,
            forgiving=self._forgiving,
        )

    def _ran_before(self, task: Task) -> float:
        """Seconds that a task ran before it was seen, by the engine's clock where that is ours."""
        if self._engine.is_remote:
            return 0.0
        try:
            ran = time.time() - parse_time(task.since) / 1e9
        except ValueError:
            return 0.0
        return ran if 0 < ran < 3600 else 0.0

    def _address(self, task: Task) -> str:
        if self._release.spec.on_host:  # it has none of its own
            own = self._engine.gateway_of(NAME)
            return "127.0.0.1" if not own or is_ours(own) else own
        over_bridge = self._bridge.address(task.container)
        if self._bridge.is_ours:
            return over_bridge or task.address
        return task.address or over_bridge

    def _ask(self, task: Task) -> None:
        spec = self._release.spec
        port = spec.health.port or spec.port
        within = spec.health.timeout or probe.WITHIN
        began = time.monotonic()
        try:
            address = self._address(task)
            if spec.health.kind == "http":
                host = spec.route.host if spec.route else ""
                why_not = probe.http(address, port, spec.health.http, host, within)
            else:
                why_not = probe.tcp(address, port, within)
        except EngineRefused as e:
            why_not = str(e)
        except Exception as e:  # said when the time is over; the next look may go well
            why_not = str(e)
        self._asked[task.id], self._answered[task.id] = time.monotonic(), began
        if why_not:
            self.why_not = why_not
        else:
            self._proven.add(task.id)


def _has_ended(stream: EngineStream) -> bool:
    while data := stream.read_now():
        pass
    return data == b""


def is_asked(spec: Spec) -> bool:
    """Whether it is asked from outside whether it is well."""
    return spec.health.kind in ("http", "tcp") or (not spec.health.kind and bool(spec.port))
