"""How often a rule would have been an alert is what the same rule finds when the same happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cloudbang.domain.alerts.rules import (
    Condition,
    EventCondition,
    LogCondition,
    MetricCondition,
    Rule,
)
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.monitoring.alerts import backtest as module
from cloudbang.monitoring.alerts.backtest import SPAN, Backtest
from cloudbang.monitoring.query import Query
from tests.monitoring.alerts.ground import Ground, ground
from tests.monitoring.monitoring_support import A, House, T


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path) as one:
        yield one


class Numbers:
    """``values`` by app and metric, of the last hours; what is before was not measured."""

    def __init__(self, **values: Sequence[float | None]) -> None:
        self.values = values

    def means(
        self, app: str, names: Sequence[str], since: int, until: int, width: int
    ) -> dict[str, list[float | None]]:
        count = (until - since) // width
        if app == NODE:
            return {name: [1.0] * count for name in names}
        found = {name: list(self.values.get(f"{app}_{name}", ())) for name in names}
        return {name: [None] * (count - len(one)) + one for name, one in found.items()}


def times(found: module.Found | None) -> dict[str, int]:
    assert found is not None
    return {app: len(began) for app, began in found.began.items()}


def rule(condition: Condition, wait: float = 0, clear: float = 60, app: str = "") -> Rule:
    return Rule(1, "", app, "?", condition, "critical", wait, clear)


def test_a_metric_over_its_limit_for_so_long(made: Ground) -> None:
    """Three times for two minutes, once for one; a gap while the app did not run ends it."""
    high, low = [95.0] * 12, [10.0] * 30
    shares = Numbers(
        web_memory=[
            *low,
            *high,
            *low,
            *high,
            *low,
            *([95.0] * 6),
            *low,
            *high,
            *[None] * 30,
            *high,
        ],
        **{"web_memory.limit": [100.0] * 400, "db_memory": low},
    )
    found = Backtest(shares, made.events).look(
        rule(MetricCondition("memory", 0.9, 0.8, of="memory.limit"), wait=100), ["web", "db"]
    )
    assert times(found) == {"web": 4}
    assert found is not None
    assert (found.looked_at, found.of) == (2, 2)
    assert 0 < found.known < 0.05
    found = Backtest(Numbers(web_cpu=[None, 2.0]), made.events, lambda: T).look(
        rule(MetricCondition("cpu", 1, 0.5)), ["web"]
    )
    assert found is not None
    assert found.began == {"web": [T]}


@pytest.mark.parametrize(
    ("condition", "wait"),
    [
        (EventCondition("died"), 0),
        (EventCondition("oom"), 0),
        (EventCondition("crash-loop", 3, 0), 0),
        (EventCondition("unhealthy"), 60),
        (EventCondition("deployment-failed"), 0),
    ],
    ids=lambda one: one.occurrence if isinstance(one, EventCondition) else str(one),
)
def test_what_happened_is_counted_as_it_was_told(
    made: Ground, condition: EventCondition, wait: float
) -> None:
    """Of ends that were asked for, of a flap and of what lasts: as many as the engine makes."""
    made.settings.add_rule(rule(condition, wait))
    made.engine.reload()
    made.world.has("web")
    made.world.has("calm")
    made.look(5)
    for code, asked in ((1, False), (0, False), (143, True), (1, False)):
        made.dies("web", code, **({"asked": True} if asked else {}))
        made.look(5)
        made.happens("web", "start")
        made.world.has("web")
        made.look(150, 5)
    for _ in range(3):
        made.dies("web")
        made.world.has("web")
        made.happens("web", "start", ago=-0.5)
        made.look(20)
    made.happens("web", "oom")
    made.look(400, 5)
    for status, seconds in (("unhealthy", 30), ("healthy", 60), ("unhealthy", 90), ("healthy", 99)):
        made.world.has("web", health=status)
        made.happens("web", "health", status=status)
        made.look(seconds, 3)
    for outcome in ("began", "failed", "began", "serving"):
        made.happens("web", "deployment", outcome=outcome, number=1)
        made.look(100, 5)
    said = [one for one in made.marked if one.data["change"] in ("began", "flapping")]
    found = Backtest(Numbers(), made.events, made.clock.wall).look(
        rule(condition, wait), ["calm", "web"]
    )
    assert said
    assert times(found) == {"web": len(said)}


def test_of_what_nobody_can_know_beforehand_nothing_is_said(made: Ground) -> None:
    backtest = Backtest(Numbers(), made.events)
    for condition in (
        LogCondition("x", 1, 0),
        EventCondition("disk", 0.9, 0.8),
        EventCondition("certificate", 14, 15),
    ):
        assert backtest.look(rule(condition, app="web"), ["web"]) is None


def test_it_ends_in_its_time_and_says_of_how_many_it_speaks(
    made: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", -1.0)
    found = Backtest(Numbers(), made.events).look(rule(EventCondition("died")), ["web"] * 9)
    assert found is not None
    assert (found.looked_at, found.of, found.began) == (0, 9, {})


def test_numbers_come_from_what_is_kept(made: Ground) -> None:
    """Written or still in memory, as charts have them."""
    house = House()
    for n in range(300):
        memory = 95.0 if 100 <= n < 200 else 10.0
        one = InstanceSample(A, "web", {"memory": memory * 4096})
        house.second(T + n, Sweep(T + n, True, [one], {"web": [A]}, {("cpu", ()): 1.0}))
    query = Query(house.series, house.store, clock=house.clock)
    found = Backtest(query, made.events, lambda: T + 300).look(
        rule(MetricCondition("memory", 90 * 4096, 50 * 4096), wait=30), ["web"]
    )
    assert found is not None
    assert found.began == {"web": [T + 140.0]}
    assert found.known == pytest.approx(300 / SPAN)
