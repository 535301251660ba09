"""From slabs to blocks to tiers: at every moment all of it is there, once, by every step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.storage.metrics import rolling_process
from cloudbang.storage.metrics.metrics_file import HISTOGRAMS, Kind
from tests.storage.metrics.truth import DAY, T0, Truth

HOUR = 3600


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    made = Truth(tmp_path)
    yield made
    made.store.close()


def test_a_running_hour_is_right_at_any_moment(truth: Truth) -> None:
    """Partly slabs, partly pieces, partly an hour's block: nothing is missing at the seams."""
    for n in range(8):
        truth.time_passes(570, every=10 + n // 4 * 20)
        truth.check(T0, int(truth.clock.now))
        truth.roll_up()
        truth.check(T0 + 130, int(truth.clock.now) - 70)
        truth.check(T0, int(truth.clock.now) + 900)
    kinds = truth.kinds()
    assert kinds[Kind.HOUR] == kinds[Kind.HOUR + HISTOGRAMS] * len(truth.keys) == len(truth.keys)
    assert kinds[-1] < 60


def test_each_tier_has_what_the_finer_one_had(truth: Truth) -> None:
    """Days go by: hours, quarters, days; gaps are gaps in each; an instance has 10 s alone."""
    for n in range(10):
        truth.time_passes(9 * HOUR, every=590, missing=0.5)
        truth.clock.now += HOUR * (n % 3)  # nobody measured
        truth.roll_up(steady=False)
    end = int(truth.clock.now)
    assert end > T0 + 3 * DAY
    kinds = truth.kinds()
    assert kinds[Kind.QUARTER]
    assert kinds[Kind.DAYS] == len(truth.keys) - 1
    truth.check(T0, end, (60, 600))
    truth.check(T0 + 5 * HOUR - 70, T0 + 7 * HOUR, (10,))
    together = truth.store.read(truth.keys[:1], T0, end, 600, 36)[truth.keys[0]]
    assert together == truth.expected(truth.keys[0], T0, -(-end // 21600) * 21600, 21600)


def test_the_coarsest_is_made_of_days_once_twelve_are_over(truth: Truth) -> None:
    """What is there of them by two hours is what the ten minutes say, before and after."""
    for n in range(13):
        truth.time_passes(DAY, every=3590, missing=0.5)
        truth.roll_up(steady=False)
        if n in (3, 11):
            assert not truth.kinds().get(Kind.DOZEN)
            truth.check(T0, int(truth.clock.now), (7200,))
    kinds = truth.kinds()
    assert kinds[Kind.DOZEN] == len(truth.keys) - 1
    assert kinds[Kind.DOZEN + HISTOGRAMS] == 1
    assert kinds[Kind.DAYS] == 4 * (len(truth.keys) - 1)
    truth.check(T0, int(truth.clock.now), (600, 7200))
    together = truth.store.read(truth.keys[:1], T0, T0 + 12 * DAY, 7200, 6)[truth.keys[0]]
    assert together == truth.expected(truth.keys[0], T0, T0 + 12 * DAY, 43_200)


def test_once_more_changes_nothing(truth: Truth) -> None:
    """Whoever is not sure whether it was done does it again."""
    truth.time_passes(7 * HOUR, every=50)
    truth.roll_up()
    kinds = truth.kinds()
    truth.roll_up()
    assert truth.kinds() == kinds
    truth.check(T0, T0 + 8 * HOUR)


def test_what_comes_late_is_in_every_tier(truth: Truth) -> None:
    """The store was away for most of an hour, and over a quarter's end."""
    truth.time_passes(6 * HOUR - 1200, every=100)
    truth.clock.now = T0 + 6 * HOUR + 900
    truth.roll_up()
    for time in range(T0 + 6 * HOUR - 1200, T0 + 6 * HOUR, 100):
        truth.slab(time)
    truth.check(T0, T0 + 7 * HOUR)
    truth.roll_up()
    truth.check(T0, T0 + 7 * HOUR)
    assert truth.kinds()[-1] == 0


def test_a_clock_that_went_back_replaces_what_it_said(truth: Truth) -> None:
    """An hour ahead, then right again: what is measured at those moments in the end stands."""
    truth.time_passes(HOUR, every=50, missing=0)
    truth.clock.now += HOUR
    truth.time_passes(HOUR, every=50, missing=0)
    truth.roll_up(steady=False)
    truth.clock.now -= 2 * HOUR + 600
    for _ in range(4):
        truth.time_passes(HOUR, every=50, missing=0)
        truth.roll_up(steady=False)
        truth.check(T0, int(truth.clock.now))
    truth.check(T0, T0 + 6 * HOUR)


def test_what_is_of_the_future_goes_once_the_clock_is_right(truth: Truth) -> None:
    """A clock that was ten years ahead for a while."""
    truth.time_passes(HOUR, every=100)
    truth.clock.now += 3650 * DAY
    truth.time_passes(HOUR, every=100)
    truth.clock.now += HOUR
    truth.roll_up(steady=False)
    truth.clock.now = float(T0 + HOUR)
    truth.time_passes(8 * HOUR, every=100)
    truth.roll_up(steady=False)
    truth.check(T0, T0 + 9 * HOUR)
    ahead = T0 + 3650 * DAY
    assert any(truth.store.read(truth.keys, ahead, ahead + 2 * HOUR, 600)[truth.keys[0]])
    truth.roll_up(steady=True)
    assert not any(truth.store.read(truth.keys, ahead, ahead + 2 * HOUR, 600)[truth.keys[0]])
    truth.check(T0, T0 + 9 * HOUR)


def test_a_damaged_block_costs_that_one(truth: Truth) -> None:
    """The rest is read, and rolled up; how many there were is said."""
    key, other = truth.keys[0], truth.keys[1]
    truth.time_passes(2 * HOUR, every=100, missing=0)
    truth.clock.now += 60
    truth.roll_up()
    with sqlite3.connect(truth.store.path) as c:
        first = "(SELECT min(row) FROM blocks WHERE row >> 60 = 1)"
        c.execute(f"UPDATE blocks SET data = zeroblob(40) WHERE row = {first}")
    c.close()
    found = truth.store.read([key, other], T0, T0 + 2 * HOUR, 600)
    whole = truth.expected(key, T0, T0 + 2 * HOUR, 600)
    assert sorted([found[key][:6], found[other][:6]], key=str)[1] == [None] * 6
    assert found[key][6:] == whole[6:]
    assert truth.store.roll_up.damaged == 1
    truth.time_passes(5 * HOUR, every=100)
    assert truth.roll_up()["damaged"]
    truth.check(T0 + HOUR, T0 + 7 * HOUR, (60, 600))


def test_a_series_that_is_forgotten_leaves_nothing(truth: Truth) -> None:
    """Neither in blocks nor in slabs that are waiting; the others stay."""
    truth.time_passes(HOUR + 300, every=50)
    truth.roll_up()
    truth.store.forget("app1")
    before = truth.kinds()
    assert truth.store.read(truth.keys[1:2], T0, T0 + HOUR, 600)[truth.keys[1]] == [None] * 6
    truth.clock.now += 1200
    truth.roll_up()
    with sqlite3.connect(truth.store.path) as c:
        assert c.execute("SELECT count(*) FROM forgotten").fetchone() == (0,)
        ids = {i for (i,) in c.execute("SELECT id FROM series")}
        assert {r & 0xFFFFFFFF for (r,) in c.execute("SELECT row FROM blocks")} == ids
    c.close()
    assert truth.kinds()[Kind.HOUR] == before[Kind.HOUR] - 1
    del truth.keys[1]
    truth.check(T0, T0 + 2 * HOUR)


def test_the_process_does_it_and_says_so(truth: Truth) -> None:
    """As it runs beside the server: told by its line, also what went wrong."""
    truth.time_passes(HOUR + 60, every=50)
    store = truth.store
    assert store.roll_up.once()
    assert store.roll_up.used > 0
    assert truth.kinds()[Kind.HOUR] == len(truth.keys)
    truth.check(T0, T0 + 2 * HOUR)
    with sqlite3.connect(store.path) as c:
        c.execute("DROP TABLE blocks")
    c.close()
    assert not store.roll_up.once()
    assert store.roll_up.failed == 1
    assert [n.code for n in store._notices.now()] == ["metrics-not-rolled-up"]


def test_instances_are_kept_by_ten_seconds_alone(truth: Truth) -> None:
    """Where they are, also their minutes are known."""
    truth.time_passes(13 * HOUR, every=100)
    truth.roll_up()
    key = SeriesKey("app0", "cpu", (("container", "0123456789ab"),))
    assert key in truth.keys
    truth.check(T0, T0 + 13 * HOUR, (60,))
    assert truth.kinds()[Kind.QUARTER] == 2 * (len(truth.keys) - 1)


def test_a_file_that_is_none_is_set_aside(tmp_path: Path) -> None:
    """Measurements begin anew, and that is said; what was there is still there to look at."""
    (tmp_path / "metrics.db").write_bytes(b"no database " * 1000)
    truth = Truth(tmp_path)
    truth.time_passes(60)
    truth.check(T0, T0 + 60)
    assert [n.code for n in truth.store._notices.now()] == ["metrics-begun-anew"]
    assert len(list(tmp_path.glob("metrics.db.damaged-*"))) == 1
    truth.store.close()


def test_two_at_once_do_no_harm(truth: Truth) -> None:
    """A process that a killed server left works beside the next one's."""
    truth.time_passes(2 * HOUR, every=50)
    connections = []

    def meanwhile(step: str) -> None:
        if step == "before slabs" and not connections:
            connections.append(step)
            truth.roll_up()

    c = rolling_process.metrics_file.connect(truth.store.path)
    limits = rolling_process.Limits(2 * DAY, 14 * DAY, 90 * DAY, 1 << 30)
    rolling_process.once(c, int(truth.clock.now), limits, True, meanwhile)
    c.close()
    assert connections
    truth.check(T0, T0 + 2 * HOUR)


def test_own_values_stay_what_they_are_in_a_block(truth: Truth) -> None:
    """Nine digits, whatever their size."""
    key = SeriesKey("app0", "ratio")
    values = [1 / 3, 2e-7, 123456.789, 5e14, 0.0]
    for n, value in enumerate(values):
        truth.clock.now = T0 + 10.0 * n
        truth.store.write(T0 + 10 * n, {key: Aggregate(1, value, value, value)})
    before = truth.store.read([key], T0, T0 + 50, 10)
    truth.clock.now = T0 + 2.0 * HOUR
    truth.roll_up()
    assert truth.kinds()[-1] == 0
    assert truth.store.read([key], T0, T0 + 50, 10) == before
    means = [p.mean for p in before[key] if p]
    assert means == pytest.approx(values, rel=1e-8)
