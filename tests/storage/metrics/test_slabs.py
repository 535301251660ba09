"""Slabs: what was measured in 10 s is there, at once and after a kill, and nothing else is."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.config import MetricsSettings
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.errors import StorageFailed
from cloudbang.storage.metrics.store import MetricStore
from cloudbang.storage.sqlite import DatabaseTooNew

T0 = 1_700_000_400  # a multiple of 600
CPU, MEMORY = SeriesKey("web", "cpu"), SeriesKey("web", "memory")
OWN = SeriesKey("web", "orders", (("kind", "paid"),))


class Clock:
    def __init__(self) -> None:
        self.now = float(T0 + 60)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[MetricStore]:
    made = MetricStore(tmp_path, MetricsSettings(), clock=clock)
    made.open()
    yield made
    made.close()


def of(value: float, samples: int = 10) -> Aggregate:
    return Aggregate(samples, value * samples, value, value)


def test_what_is_written_is_read_by_every_step(store: MetricStore) -> None:
    """Min, max, sum and count by 10 s; put together from these by the minute and by ten."""
    store.write(T0, {CPU: Aggregate(10, 3.5, 0.1, 0.9), OWN: of(1 / 8)})
    store.write(T0 + 20, {CPU: of(0.5, 4)})
    assert store.read([CPU, OWN, MEMORY], T0 + 3, T0 + 30, 10) == {
        CPU: [Aggregate(10, 3.5, 0.1, 0.9), None, of(0.5, 4)],
        OWN: [of(1 / 8), None, None],
        MEMORY: [None, None, None],
    }
    whole = Aggregate(14, 5.5, 0.1, 0.9)
    assert store.read([CPU], T0, T0 + 61, 60) == {CPU: [whole, None]}
    assert store.read([CPU], T0 - 1, T0 + 1, 600) == {CPU: [None, whole]}
    assert store.oldest(10) == store.oldest(600) == T0


def test_numbers_are_kept_by_the_metrics_scale_and_own_ones_as_they_are(store: MetricStore) -> None:
    """At most half a step of the scale off; what nobody knows beforehand not at all."""
    store.write(T0, {CPU: Aggregate(1, 0.12344, 0.12344, 0.12344), OWN: of(0.123456789e-9, 1)})
    found = store.read([CPU, OWN], T0, T0 + 10, 10)
    assert found == {CPU: [of(0.1234, 1)], OWN: [of(0.123456789e-9, 1)]}


def test_the_same_slab_again_replaces_it(store: MetricStore) -> None:
    """Whoever does not know whether it was written writes it again."""
    for value in (1.0, 2.0):
        store.write(T0, {CPU: of(value)})
    assert store.read([CPU], T0, T0 + 10, 60) == {CPU: [of(2.0)]}
    assert store.slabs == 2


def test_what_is_no_number_is_left_out(store: MetricStore) -> None:
    """The others of that moment are kept."""
    bad = {SeriesKey("web", f"x{n}"): of(v) for n, v in enumerate((float("nan"), float("inf")))}
    huge = {MEMORY: of(1e300)}
    store.write(T0, {**bad, **huge, CPU: of(1)})
    assert store.read([*bad, *huge, CPU], T0, T0 + 10, 10) == {
        **{key: [None] for key in (*bad, *huge)},
        CPU: [of(1)],
    }


def test_it_is_there_after_a_start(store: MetricStore, tmp_path: Path, clock: Clock) -> None:
    """Series keep their numbers, units and scales; nothing is doubled."""
    store.keep_unit(OWN, "orders/s")
    store.write(T0, {OWN: of(2)})
    store.close()
    again = MetricStore(tmp_path, MetricsSettings(), clock=clock)
    again.open()
    again.write(T0 + 10, {OWN: of(3), CPU: of(1)})
    assert again.read([OWN], T0, T0 + 20, 10) == {OWN: [of(2), of(3)]}
    assert again.series_of("web") == [CPU, OWN]
    assert again.unit_of(OWN) == "orders/s"
    assert again.unit_of(CPU) == again.unit_of(SeriesKey(NODE, "cpu")) == "cores"
    assert again.unit_of(SeriesKey("web", "nobody knows")) == ""
    again.keep_unit(OWN, "1/s")
    again.write(T0 + 20, {OWN: of(3)})
    assert again.unit_of(OWN) == "1/s"
    again.close()


def test_histograms_are_put_together(store: MetricStore) -> None:
    """Three of 10 s are one of a minute: every count is in it."""
    key, whole = SeriesKey("web", "http.latency"), Histogram()
    for n in range(3):
        one = Histogram()
        one.add(0.1 * (n + 1), 5)
        whole.merge(one)
        store.write(T0 + 10 * n, {CPU: of(1)}, {key: one})
    assert store.read_histograms(key, T0, T0 + 60, 60) == [whole]
    by_ten = store.read_histograms(key, T0, T0 + 40, 10)
    assert [h and h.count for h in by_ten] == [5, 5, 5, None]
    assert store.read_histograms(CPU, T0, T0 + 20, 10) == [None, None]
    assert store.series_of("web") == [CPU, key]


def test_what_no_clock_measured_now_is_not_kept(store: MetricStore, clock: Clock) -> None:
    """A clock that was wrong for a moment leaves nothing in the years to come."""
    for moment in (T0 + 86_400, T0 - 86_400, 0):
        store.write(moment, {CPU: of(1)})
    assert (store.slabs, store.misplaced) == (0, 3)
    clock.now += 86_400
    store.write(T0 + 86_400, {CPU: of(1)})
    assert store.oldest(10) == T0 + 86_400


def test_an_app_is_forgotten(store: MetricStore) -> None:
    """Its series are gone at once, others stay; one of the same name is another."""
    other = SeriesKey("db", "cpu")
    store.write(T0, {CPU: of(1), other: of(2)})
    store.forget("web")
    assert store.series_of("web") == []
    assert store.read([CPU, other], T0, T0 + 10, 10) == {CPU: [None], other: [of(2)]}
    store.write(T0 + 10, {CPU: of(5)})
    assert store.read([CPU], T0, T0 + 20, 10) == {CPU: [None, of(5)]}


def test_a_damaged_slab_costs_that_one(store: MetricStore) -> None:
    """The others of that minute are read."""
    for n in range(3):
        store.write(T0 + 10 * n, {CPU: of(n)})
    with sqlite3.connect(store.path) as c:
        c.execute("UPDATE slabs SET points = x'00112233' WHERE time = ?", (T0 + 10,))
    assert store.read([CPU], T0, T0 + 30, 10) == {CPU: [of(0), None, of(2)]}


def test_a_newer_form_is_refused(store: MetricStore, tmp_path: Path) -> None:
    """Nothing of it is touched."""
    store.close()
    with sqlite3.connect(store.path) as c:
        c.execute("PRAGMA user_version = 99")
    newer = MetricStore(tmp_path, MetricsSettings())
    with pytest.raises(DatabaseTooNew, match="99"):
        newer.open()


def test_a_lock_of_another_process_is_said_and_ends(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write says so after a while and can be done again; a read does not mind."""
    monkeypatch.setattr("cloudbang.storage.sqlite.BUSY_SECONDS", 0.1)
    store = MetricStore(tmp_path, MetricsSettings(), clock=clock)
    store.open()
    store.write(T0, {CPU: of(1)})
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed, match="another program has held its lock"):
        store.write(T0 + 10, {CPU: of(2), MEMORY: of(4096)})
    assert store.trouble
    assert store.read([CPU], T0, T0 + 20, 10) == {CPU: [of(1), None]}
    other.execute("COMMIT")
    other.close()
    store.write(T0 + 10, {CPU: of(2), MEMORY: of(4096)})
    assert store.trouble is None
    assert store.read([MEMORY], T0, T0 + 20, 10) == {MEMORY: [None, of(4096)]}
    store.close()


def test_nobody_else_reads_the_file(store: MetricStore) -> None:
    """It says what runs here."""
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert store.size() > 0
    with sqlite3.connect(store.path) as c:
        assert c.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert c.execute("PRAGMA journal_mode").fetchone() == ("wal",)
