"""A step whose time ran out while nobody looked, as when this server was halted with its machine, or had
to wait for a processor: it looks once more before it says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from cloudbang.core import looks
from cloudbang.deploy import probe, watch, worker
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.limits import StepLimits
from cloudbang.deploy.steps import health as health_step
from cloudbang.deploy.steps import switch as switch_step
from cloudbang.deploy.watch import Watch
from cloudbang.deploy.worker import Worker
from cloudbang.domain.deploy.failure import Ended, Task
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.errors import EngineUnreachable

HALTED = 3600.0  # seconds: longer than any step may take


class Clock:
    """Stands still while things are done; a sleep takes what the next one of ``sleeps`` says."""

    def __init__(self) -> None:
        self.now, self.sleeps = 1000.0, iter(())

    def sleep(self, seconds: float) -> None:
        gevent.sleep(0)
        self.now += next(self.sleeps, seconds)


class Engine:
    """One task, and what state it is in at each look; ``away``: for how long each
    further question is not answered."""

    is_remote = False
    clock: Clock

    def __init__(self) -> None:
        self.states, self._state = iter(["running"]), ""
        self.away: Iterator[float] = iter(())

    def tasks(self, service: str, network: str = "") -> list[Task]:
        self._state = next(self.states, self._state)
        return [Task("t1", "1", self._state, "running", container="c1", address="127.0.0.1")]

    def how_it_fares(self, container: str) -> Ended | None:
        return None

    def presence(self) -> Any:
        return SimpleNamespace(read_now=lambda: None, close=lambda: None)

    def ping(self, within: float) -> None:
        for seconds in self.away:
            self.clock.now += seconds
            raise EngineUnreachable("nowhere", "nobody listens")

    def swarm(self) -> Any:
        return SimpleNamespace(manager=True)

    def gateway_of(self, network: str) -> str:
        return ""

    def addresses_on(self, network: str) -> dict[str, str]:
        return {}


class Work:
    """What the steps know of a deployment."""

    def __init__(self, **spec: object) -> None:
        read, _ = read_spec({"image": "web", **spec})
        self.app, self.step = "web", "health"
        self.release = Release("web", 2, read, image_id="sha256:0")
        self.previous = Release("web", 1, read, image_id="sha256:0")
        self.engine, self.told = Engine(), [{}]
        self.output = SimpleNamespace(follow=lambda tasks: None, finish=lambda container: None)
        self.log = SimpleNamespace(say=lambda *said: None)
        self.parts = SimpleNamespace(engine=self.engine, limits=StepLimits(), gateway=self)
        self.record = SimpleNamespace(now=SimpleNamespace(stop_first=False, steps=()))
        self.watch = self.new_watch()
        self.flights: Iterator[int] = iter(())

    def new_watch(self) -> Watch:
        return Watch(self.engine, self.release, self.output)  # type: ignore[arg-type]

    def watch_again(self) -> None:
        self.watch = self.new_watch()

    def tell(self, told: Mapping[str, Any]) -> None:
        self.told.append(dict(told))

    def in_flight(self, *_: object) -> int:
        return next(self.flights)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (watch, health_step, switch_step, looks):
        monkeypatch.setattr(
            module, "time", SimpleNamespace(monotonic=lambda: made.now, time=lambda: made.now)
        )
    for module in (health_step, switch_step, worker):
        monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=made.sleep))
    return made


def test_one_that_answers_by_then_is_healthy(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked last before its time was over, when it was just starting."""
    said = iter(["port 8080 does not answer: Connection refused", ""])
    monkeypatch.setattr(probe, "tcp", lambda *_: next(said))
    clock.sleeps = iter([HALTED])
    work = Work(port=8080, health={"tcp": True, "within": 5})
    health_step.health(work)  # type: ignore[arg-type]
    assert work.told[-1]["healthy"] == 1


def test_one_that_does_not_is_not(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of its last answer; without a halt as soon as its time is over."""
    monkeypatch.setattr(probe, "tcp", lambda *_: "nobody listens")
    for sleeps in ([HALTED], []):
        clock.sleeps = iter(sleeps)
        work = Work(port=8080, health={"tcp": True, "within": 5})
        with pytest.raises(StepFailed) as failed:
            health_step.health(work)  # type: ignore[arg-type]
        assert (failed.value.failure.kind, failed.value.failure.said) == (
            "unhealthy",
            "nobody listens",
        )
    assert failed.value.failure.after == pytest.approx(5, abs=1)


def test_a_job_that_is_gone_may_yet_be_started_again(clock: Clock) -> None:
    """How long it has been gone for nobody knows who did not look."""
    work = Work(job=True)
    work.engine.states = iter(["running", "running", "shutdown", "running", "complete"])
    clock.sleeps = iter([0.2, 60.0])
    health_step.health(work)  # type: ignore[arg-type]
    assert work.told[-1] == {"ended": 1, "of": 1}


def test_an_instance_that_is_missing_has_its_time_to_come_back(clock: Clock) -> None:
    work = Work()
    work.engine.states = iter(["running", "starting", "running"])
    clock.sleeps = iter([HALTED, 0.2])
    health_step.verify(work)  # type: ignore[arg-type]


def test_requests_that_were_answered_by_then_are_not_cut_off(clock: Clock) -> None:
    work = Work(port=8080, route={})
    work.flights = iter([3, 0])
    clock.sleeps = iter([HALTED])
    switch_step.drain(work)  # type: ignore[arg-type]
    assert work.told[-1] == {"in_flight": 0, "finished": 3, "cut": 0}


def test_an_engine_that_is_back_by_then_is_back(clock: Clock) -> None:
    """Halted within a question, which then has had no answer in time."""
    work = Work()
    work.engine.clock, work.engine.away = clock, iter([0.0, HALTED])
    one = Worker(work)  # type: ignore[arg-type]
    assert one._wait_for_engine("start", "nobody listens") is None
    work.engine.away = repeat(1.0)
    failure = one._wait_for_engine("start", "nobody listens")
    assert failure is not None
    assert failure.kind == "engine-away"
