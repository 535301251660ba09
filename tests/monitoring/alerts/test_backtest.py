"""How often a rule would have been an alert is what the same rule finds when the same happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudbang.config import StorageSettings
from cloudbang.domain.alerts.rules import (
    Condition,
    EventCondition,
    LogCondition,
    MetricCondition,
    Rule,
)
from cloudbang.domain.lines import format_time, record
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.monitoring.alerts import backtest as module
from cloudbang.monitoring.alerts.backtest import SPAN, Backtest, Kept, Log
from cloudbang.monitoring.query import Query
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.logs.reader import Page
from cloudbang.storage.logs.reader import Query as LogQuery
from cloudbang.web.api.search import with_wildcards
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


def backtest(
    kept: Kept, made: Ground, clock: Callable[[], float] = time.time, logs: Log | None = None
) -> Backtest:
    return Backtest(kept, made.events, logs or NoLogs(), with_wildcards, clock)


class NoLogs:
    def read(self, app: str, query: LogQuery) -> Page:
        raise AssertionError("nobody asks for lines")


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[LogStore]:
    path = tmp_path / "logs"
    store = LogStore(path, settings=StorageSettings(path=path))
    store.open()
    yield store
    store.close()


def write(logs: LogStore, texts: dict[int, str]) -> None:
    """Lines by their seconds."""
    records = [
        record(format_time(at * 10**9).encode(), b"0123456789ab", b"stdout", text.encode())
        for at, text in sorted(texts.items())
    ]
    logs.append("web", records)


def test_lines_of_a_log_by_their_rate(made: Ground, logs: LogStore) -> None:
    """Ten within five minutes: once, and again after it was over; nine of them never; what is older
    than a day counts for nothing."""
    ten = {1_000 + n: "ERROR payment" for n in range(10)}
    again = {40_000 + 20 * n: "error PAYMENT of 5" for n in range(12)}
    nine = {60_000 + n: "error payment" for n in range(9)}
    other = {n: f"fine {n}" for n in range(80_000, 80_100)}
    old = {at - SPAN: text for at, text in ten.items()}
    write(
        logs, {T - SPAN + at: text for at, text in {**old, **ten, **again, **nine, **other}.items()}
    )
    found = backtest(Numbers(), made, lambda: float(T), logs).look(
        rule(LogCondition("error*payment", 10, 0), app="web"), ["web"]
    )
    assert found is not None
    assert [at - (T - SPAN) for at in found.began["web"]] == pytest.approx([1_010, 40_190], abs=60)
    assert (found.known, found.looked_at) == (1.0, 1)


def test_of_a_log_that_takes_too_long_the_newest_hours_are_known(
    made: Ground, logs: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(logs, {T - 3600 * hours - 100: "error" for hours in range(24)})
    read, asked = logs.read, []

    def slow(app: str, query: LogQuery) -> Page:
        asked.append(query)
        if len(asked) == 6:
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1e12))
        return read(app, query)

    monkeypatch.setattr(logs, "read", slow)
    found = backtest(Numbers(), made, lambda: float(T), logs).look(
        rule(LogCondition("error", 1, 0, within=60), app="web"), ["web"]
    )
    assert found is not None
    assert found.known == pytest.approx(6 / 24)
    assert len(found.began["web"]) == 6


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
    found = backtest(shares, made).look(
        rule(MetricCondition("memory", 0.9, 0.8, of="memory.limit"), wait=100), ["web", "db"]
    )
    assert times(found) == {"web": 4}
    assert found is not None
    assert (found.looked_at, found.of) == (2, 2)
    assert 0 < found.known < 0.05
    found = backtest(Numbers(web_cpu=[None, 2.0]), made, lambda: T).look(
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
    found = backtest(Numbers(), made, made.clock.wall).look(rule(condition, wait), ["calm", "web"])
    assert said
    assert times(found) == {"web": len(said)}


def test_of_what_nobody_can_know_beforehand_nothing_is_said(made: Ground) -> None:
    looked = backtest(Numbers(), made)
    for condition in (
        EventCondition("disk", 0.9, 0.8),
        EventCondition("certificate", 14, 15),
    ):
        assert looked.look(rule(condition, app="web"), ["web"]) is None


def test_it_ends_in_its_time_and_says_of_how_many_it_speaks(
    made: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", -1.0)
    found = backtest(Numbers(), made).look(rule(EventCondition("died")), ["web"] * 9)
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
    found = backtest(query, made, lambda: T + 300).look(
        rule(MetricCondition("memory", 90 * 4096, 50 * 4096), wait=30), ["web"]
    )
    assert found is not None
    assert found.began == {"web": [T + 140.0]}
    assert found.known == pytest.approx(300 / SPAN)
