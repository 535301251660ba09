"""What goes wrong with CloudBang itself, or with what it asks, is no alert about an app: of whatever
kind, in whatever order. And what then happens to an app is one all the same."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from random import Random

import pytest

from cloudbang.domain.alerts.rules import (
    DEFAULTS,
    LogCondition,
    MetricCondition,
    Rule,
    TrafficCondition,
)
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.alerts.measured import LogRules, MetricRules
from cloudbang.monitoring.alerts.traffic_rules import TrafficRules
from cloudbang.monitoring.app_series import AppSeries
from cloudbang.monitoring.traffic.recent import Lately, Subject
from cloudbang.web.api.search import with_wildcards
from tests.monitoring.alerts.ground import Ground
from tests.support import LONG

APPS = ("web", "db", "cache")
STEPS = 60


class Numbers:
    """Well while they are fresh; what is left of old ones is not."""

    def __init__(self) -> None:
        self.stale, self.newest, self.missing = False, 0, False

    def window(self, key: SeriesKey, seconds: int) -> list[float | None]:
        if self.missing:
            return [None] * 10
        return [95.0 if self.stale else 20.0] if key.name == "memory" else [100.0]

    def of(self, app: str) -> AppSeries | None:
        return None


class Counted:
    """Answers that are quick; or nobody knows, or nobody asks."""

    def __init__(self) -> None:
        self.away = self.silent = False

    def of(self, subject: Subject, seconds: float) -> Lately | None:
        latency = Histogram()
        if not self.silent:
            latency.add(0.1, 100)
        return None if self.away else Lately(latency.count, 0, latency, seconds)


class Lines:
    """A log that can be away; what comes of it then is the last hour's."""

    def __init__(self) -> None:
        self.away, self.count = False, 0

    def next_seq(self, app: str) -> int:
        if self.away:
            raise StorageFailed("/data", "locked")
        return self.count + 1

    def newest(self, app: str, lines: int, size: int) -> tuple[int, list[bytes]]:
        return self.count - lines + 1, [b"fine"] * lines


class Faults:
    """What may go wrong; each lasts for some looks and is over."""

    def __init__(self, made: Ground, chance: Random) -> None:
        self.made, self.chance = made, chance
        self.numbers, self.lines, self.counted = Numbers(), Lines(), Counted()
        made.measured += [
            MetricRules(self.numbers, made.world, lambda: APPS),
            TrafficRules(self.counted, made.world, lambda: APPS, made.clock.monotonic),
            LogRules(self.lines, made.world, with_wildcards, made.clock.monotonic),
        ]
        self.names = (
            *("locked", "engine", "clock", "starved", "behind", "log", "traffic", "restart"),
        )

    def look(self, seconds: float) -> None:
        """As the engine's loop does: what fails is tried again."""
        for _ in range(int(seconds)):
            self.made.clock.pass_(1)
            self.lines.count += 3
            with contextlib.suppress(StorageFailed):
                self.made.engine.look()

    def go_wrong(self, name: str) -> None:
        seconds = self.chance.choice((2, 20, 200))
        getattr(self, f"_{name}")(seconds)
        self.look(self.chance.choice((1, 15, 90)))

    def _locked(self, seconds: float) -> None:
        """Nothing can be read, or nothing be written, in the midst of a look."""
        store, events = self.made.store, self.made.events

        def fails(*_: object, **__: object) -> object:
            raise StorageFailed("cloudbang.db", "database is locked")

        with pytest.MonkeyPatch.context() as patch:
            for place, name in self.chance.sample(
                [(store, "save"), (store, "compose"), (store, "remind"), (events, "after")], 2
            ):
                patch.setattr(place, name, fails)
            self.look(seconds)

    def _engine(self, seconds: float) -> None:
        """It is restarted: what runs ends with it, or is cut off and found again."""
        world, apps = self.made.world, self.chance.sample(APPS, 2)
        for app in apps:
            self.made.dies(app, self.chance.choice((0, 1, 137, 143, 255)))
        self.look(self.chance.choice((0, 1)))
        world.engine_state = "connecting"
        self.look(seconds)
        world.engine_state = "connected"
        for app in apps:
            code = self.chance.choice((0, 137, 255))
            self.made.happens(app, "die", ago=seconds, exit_code=code, source="inspection")
            self.look(self.chance.choice((0, 1, 3)))
            self.made.happens(app, "start")
            world.has(app)

    def _clock(self, _seconds: float) -> None:
        self.made.clock.set_by += self.chance.choice((-1, 1)) * self.chance.choice((61, 3600, 1e5))

    def _starved(self, seconds: float) -> None:
        """No turn for so long, and a moment in which a container is as it was long ago."""
        self.made.world.has("web", health="unhealthy")
        self.made.happens("web", "health", status="unhealthy")
        self.look(2)
        self.made.clock.pass_(seconds)
        self.made.world.has("web", health="healthy")
        self.made.happens("web", "health", status="healthy")

    def _behind(self, seconds: float) -> None:
        """The sampler: old numbers, or none."""
        self.numbers.stale, self.numbers.missing = self.chance.choice(
            ((True, False), (True, True), (False, True))
        )
        self.look(seconds)
        self.numbers.stale = self.numbers.missing = False

    def _log(self, seconds: float) -> None:
        self.lines.away = True
        self.look(seconds)
        self.lines.away = False

    def _traffic(self, seconds: float) -> None:
        """The gateway's log is behind, or nobody asks for anything."""
        self.counted.away, self.counted.silent = self.chance.choice(((True, False), (False, True)))
        self.look(seconds)
        self.counted.away = self.counted.silent = False

    def _restart(self, _seconds: float) -> None:
        measured = self.made.measured
        self.made.restart()
        assert self.made.measured is measured


def rules() -> Sequence[Rule]:
    """All that there is by default, and one of each other kind; each is quick to begin."""
    memory = MetricCondition("memory", 0.9, 0.8, of="memory.limit")
    return (
        *(
            rule
            for rule in DEFAULTS
            if rule.name not in ("A certificate ends", "The disk fills up")
        ),
        Rule(0, "", "", "Memory", memory, wait=10),
        Rule(0, "", "", "Slow", TrafficCondition("p95", 1.0, 0.5), wait=10),
        Rule(0, "", "web", "Errors", LogCondition("error", 1, 0)),
    )


@pytest.mark.parametrize("seed", range(60 if LONG else 3))
def test_no_fault_of_ones_own_is_an_alert_and_hides_none(made: Ground, seed: int) -> None:
    for rule in rules():
        made.settings.add_rule(rule)
    made.engine.reload()
    for app in APPS:
        made.world.has(app)
    faults = Faults(made, Random(seed))
    faults.look(5)
    done: list[str] = []
    for _ in range(STEPS if LONG else 10):
        done.append(faults.chance.choice(faults.names))
        faults.go_wrong(done[-1])
        found = [(one.what, one.app) for one in made.store.find({"default"})]
        assert not found, done
    faults.look(40)
    made.dies("db", 3)
    made.happens("cache", "oom")
    faults.look(10)
    found = [(one.what, one.app) for one in made.store.find({"default"}, state="open")]
    assert sorted(found) == [("died", "db"), ("oom", "cache")], done


@pytest.mark.parametrize("name", ["locked", "engine", "clock", "starved", "behind", "log"])
def test_each_fault_by_itself_ends_no_alert_that_is_on(made: Ground, name: str) -> None:
    """What is down stays told as down, and nothing is told of it again."""
    for rule in rules():
        made.settings.add_rule(rule)
    made.engine.reload()
    for app in APPS:
        made.world.has(app)
    made.world.has("broken")
    faults = Faults(made, Random(1))
    faults.look(5)
    made.dies("broken")
    faults.look(5)
    for _ in range(3):
        faults.go_wrong(name)
    assert [(one.app, one.state) for one in made.store.find({"default"})] == [("broken", "firing")]
    assert [one.data["change"] for one in made.marked] == ["began"]
