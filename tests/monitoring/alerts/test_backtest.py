"""How often a rule would have been an alert is what the same rule finds when the same happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudbang.config import StorageSettings
from cloudbang.domain.alerts.rules import (
    Condition,
    EventCondition,
    LogCondition,
    Measure,
    MetricCondition,
    Rule,
    TrafficCondition,
)
from cloudbang.domain.lines import format_time, record
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.monitoring.alerts import backtest as module
from cloudbang.monitoring.alerts.backtest import SPAN, Backtest, Log
from cloudbang.monitoring.alerts.measured import Life
from cloudbang.monitoring.alerts.past import Kept
from cloudbang.monitoring.query import Query
from cloudbang.monitoring.traffic.recent import Counted, Subject
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.logs.reader import Page
from cloudbang.storage.logs.reader import Query as LogQuery
from cloudbang.web.api.search import with_wildcards
from tests.monitoring.alerts.ground import Ground
from tests.monitoring.monitoring_support import A, House, T


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

    def means_of(
        self, keys: Sequence[SeriesKey], since: int, until: int, width: int
    ) -> dict[SeriesKey, list[float | None]]:
        return {}

    def keys(self, app: str, names: Collection[str]) -> list[SeriesKey]:
        return []

    def distributed(
        self, key: SeriesKey, since: int, until: int, width: int
    ) -> list[Histogram | None]:
        return []


def times(found: module.Found) -> dict[str, int]:
    return {app: len(began) for app, began in found.began.items()}


def rule(condition: Condition, wait: float = 0, clear: float = 60, app: str = "") -> Rule:
    return Rule(1, "", app, "?", condition, "critical", wait, clear)


def backtest(
    kept: Kept, made: Ground, clock: Callable[[], float] = time.time, logs: Log | None = None
) -> Backtest:
    logs = logs or NoLogs()
    return Backtest(kept, made.events, logs, with_wildcards, clock, requests=NoRequests())


class NoRequests:
    def past(self, subject: Subject, width: int, since: int, until: int) -> list[Counted]:
        raise AssertionError("nobody asks for addresses")


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


def test_a_rule_of_a_team_tells_nothing_of_the_machine(made: Ground) -> None:
    """Nor of the domains of others: those are the installation's."""
    life = Life(0.0, T + 5 * 86_400)
    looked = Backtest(
        *(Numbers(), made.events, NoLogs(), with_wildcards, lambda: float(T)),
        requests=NoRequests(),
        certificates=lambda: {"a.example": ("web", life), "b.example": ("secret", life)},
    )
    certificate = rule(EventCondition("certificate", 14, 15))
    assert [one.what for one in looked.look(certificate, ["web"]).now] == ["a.example"]
    for condition in (EventCondition("disk", 0.9, 0.8), EventCondition("certificate", 14, 15)):
        found = looked.look(replace(rule(condition), team="blue"), ["web"])
        assert (found.now, found.began, found.of) == ([], {}, 0)


def test_a_certificate_by_the_one_that_there_is_now(made: Ground) -> None:
    """When it came too near to its end, and how many days are left; what is renewed each week has
    its own quarter."""
    lives = {
        "ends.example": Life(T - 80 * 86_400, T + 13.5 * 86_400),
        "fine.example": Life(T - 80 * 86_400, T + 60 * 86_400),
        "week.example": Life(T - 2 * 86_400, T + 5 * 86_400),
        "new.example": Life(T - 600, T + 1_000),
    }
    looked = Backtest(
        *(Numbers(), made.events, NoLogs(), with_wildcards, lambda: float(T)),
        requests=NoRequests(),
        certificates=lambda: {host: ("web", life) for host, life in lives.items()},
    )
    found = looked.look(rule(EventCondition("certificate", 14, 15)), ["web"])
    assert list(found.began) == ["ends.example"]
    assert found.began["ends.example"][0] == pytest.approx(T - 43_200, abs=700)
    assert [one.what for one in found.now] == ["new.example", "week.example", "ends.example"]
    assert found.now[2].value == pytest.approx(13.5)
    assert (found.looked_at, found.of) == (4, 4)


def test_a_disk_by_its_share_and_by_how_it_fills_up(made: Ground) -> None:
    """The machine's metrics through what judges later; how it is now stands beside it."""
    house = House()
    path = (("path", "/data"),)
    begin, whole = T - 3 * 3600, 100e9
    for at in range(begin, T, 60):  # a tenth of a per cent a minute: it is full in a day
        node = {("disk.used", path): 60e9 + (at - begin) / 60 * 1e8, ("disk.limit", path): whole}
        house.second(at, Sweep(at, True, [], {}, node))
    query = Query(house.series, house.store, clock=house.clock)
    looked = backtest(query, made, lambda: float(T))
    found = looked.look(rule(EventCondition("disk", 0.9, 0.87, days=3)), [])
    assert list(found.began) == ["/data"]
    # As soon as half an hour of it is known.
    assert found.began["/data"][0] == pytest.approx(begin + 1800, abs=200)
    (now,) = found.now
    assert (now.what, now.value) == ("/data", pytest.approx(0.78, abs=0.01))
    assert now.days is not None
    assert now.days < 1
    assert found.known == pytest.approx(3 / 24, abs=0.01)
    assert looked.look(rule(EventCondition("disk", 0.9, 0.87)), []).began == {}


class Asked:
    """What was counted of ``web``, each 10 s as it is told: requests and failures, and how long those
    took that were answered; before that nobody looked."""

    def __init__(self, *parts: tuple[int, int, float]) -> None:
        self.parts = parts

    def means(
        self, app: str, names: Sequence[str], since: int, until: int, width: int
    ) -> dict[str, list[float | None]]:
        count = (until - since) // 10
        found: dict[str, list[float | None]] = {}
        for n, name in enumerate(("http.requests", "http.errors")):
            told = [part[n] / 10 for part in self.parts]
            found[name] = [None] * (count - len(told)) + told
        return {name: found[name] for name in names}

    def means_of(self, *_: object) -> dict[SeriesKey, list[float | None]]:
        return {}

    def keys(self, app: str, names: Collection[str]) -> list[SeriesKey]:
        return [SeriesKey(app, "http.requests")] if app == "web" else []

    def distributed(
        self, key: SeriesKey, since: int, until: int, width: int
    ) -> list[Histogram | None]:
        found: list[Histogram | None] = [None] * ((until - since) // 10 - len(self.parts))
        for requests, _, took in self.parts:
            one = Histogram()
            if requests:
                one.add(took, requests)
            found.append(one)
        return found


FAST, SLOW, NONE = (10, 0, 0.1), (10, 0, 2.0), (0, 0, 0.0)
FAILS = (10, 5, 0.1)


@pytest.mark.parametrize(
    ("measure", "begin", "end", "parts", "times"),
    [
        ("p95", 1.0, 0.5, [FAST] * 60 + [SLOW] * 30 + [FAST] * 90 + [SLOW] * 30, 2),
        ("p95", 1.0, 0.5, [FAST] * 60 + [(1, 0, 2.0)] + [FAST] * 90, 0),  # one of hundreds
        ("p95", 1.0, 0.5, [SLOW] * 60 + [NONE] * 300 + [SLOW] * 60, 1),  # nobody asked: no end
        ("p95", 1.0, 0.5, [SLOW] * 60 + [NONE] * 500 + [SLOW] * 60, 2),  # not for ever
        ("p95", 1.0, 0.5, [NONE] * 500, 0),
        ("errors", 0.2, 0.1, [FAST] * 60 + [FAILS] * 60 + [FAST] * 60, 1),
        ("errors", 0.6, 0.1, [FAST] * 60 + [FAILS] * 60 + [FAST] * 60, 0),
        ("requests", 5.0, 4.0, [FAST] * 60, 0),
        ("requests", 1.0, 0.8, [NONE] * 60 + [(100, 0, 0.1)] * 60, 1),
    ],
)
def test_what_people_get(
    made: Ground,
    measure: Measure,
    begin: float,
    end: float,
    parts: list[tuple[int, int, float]],
    times: int,
) -> None:
    """Of all requests of the last five minutes; where nobody asks nobody knows, and that is no end."""
    kept = Asked(*parts)
    found = backtest(kept, made, lambda: float(T)).look(
        rule(TrafficCondition(measure, begin, end), app="web"), ["web", "nobodys"]
    )
    assert len(found.began.get("web", ())) == times
    assert (found.looked_at, found.of) == (1, 1)
    assert found.known == pytest.approx(len(parts) * 10 / SPAN)


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
