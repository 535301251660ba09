"""What is too old goes, and what is too much; nothing goes that the next tier does not have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.config import MetricsSettings
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.storage.metrics.metrics_file import Kind
from tests.storage.metrics.truth import DAY, Truth

HOUR = 3600


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    shorter = MetricsSettings(ten_seconds_hours=12, minute_days=7, ten_minutes_days=7)
    made = Truth(tmp_path, settings=shorter)
    yield made
    made.store.close()


def days(truth: Truth, count: int, every: int = 1190) -> None:
    for _ in range(count * 2):
        truth.time_passes(DAY // 2, every=every, missing=0)
        truth.roll_up()


def test_each_tier_is_kept_for_as_long_as_is_said(truth: Truth) -> None:
    """By 10 s half a day, by the others a week; a reading further back finds none of it."""
    days(truth, 12)
    now = int(truth.clock.now)
    assert now - 15 * HOUR < (truth.store.oldest(10) or 0) <= now - 12 * HOUR
    assert now - 7.5 * DAY < (truth.store.oldest(60) or 0) <= now - 7 * DAY
    assert now - 11 * DAY < (truth.store.oldest(600) or 0) <= now - 7 * DAY
    truth.check(now - 12 * HOUR, now, (10,))
    truth.keys.pop()  # the instance, which has no minutes
    truth.check(now - 7 * DAY, now, (60, 600))


def test_a_clock_that_is_new_deletes_nothing(truth: Truth) -> None:
    """A month ahead for a while: what is a day old is not a month old."""
    days(truth, 1)
    before = truth.store.oldest(600)
    truth.clock.now += 30 * DAY
    truth.roll_up(steady=False)
    assert truth.store.oldest(600) == before


def test_series_without_data_are_forgotten(truth: Truth) -> None:
    """An instance's with its 10 s, an app's with its last ten minutes; names come again as others."""
    gone, instance = SeriesKey("gone", "cpu"), truth.keys.pop()
    truth.keys.append(gone)
    truth.time_passes(2 * HOUR, every=600, missing=0)
    truth.keys.remove(gone)
    days(truth, 4)
    truth.store._rolled_up(-1)
    assert instance not in truth.store.series_of("app0")
    assert truth.store.series_of("gone") == [gone]
    days(truth, 9)
    truth.store._rolled_up(-1)
    assert truth.store.series_of("gone") == []
    assert len(truth.store.series_of("app0")) == 4
    truth.roll_up()
    with sqlite3.connect(truth.store.path) as c:
        assert c.execute("SELECT count(*) FROM forgotten").fetchone() == (0,)
    c.close()
    truth.keys.append(gone)
    truth.time_passes(60)
    truth.check(int(truth.clock.now) - DAY, int(truth.clock.now), (60,))


def test_the_finest_tier_shrinks_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the next; the newest of each stays, and the file gives room back to the disk."""
    monkeypatch.setattr("cloudbang.storage.metrics.retention._ENOUGH", 1.0)
    monkeypatch.setattr("cloudbang.storage.metrics.metrics_file.PAGE_BYTES", 512)
    truth = Truth(tmp_path)
    days(truth, 6)
    truth.keys.pop()  # the instance, which has no minutes
    now = int(truth.clock.now)
    full = truth.kinds()
    told = truth.roll_up(max_bytes=int(truth.roll_up()["used"]) - 1)
    assert told["shrunk"]
    some = truth.kinds()
    assert some[Kind.HOUR] < full[Kind.HOUR]
    assert some[Kind.QUARTER] == full[Kind.QUARTER]
    truth.check(now - 6 * DAY, now, (60, 600))
    truth.roll_up(max_bytes=1)
    least = truth.kinds()
    assert 0 < least[Kind.QUARTER] < full[Kind.QUARTER]
    truth.check(now - 7 * HOUR, now, (10, 60, 600))
    assert not truth.roll_up()["shrunk"]
    truth.store.close()


def test_that_it_had_to_shrink_is_said(truth: Truth) -> None:
    """By the store's notice, with how much there is instead."""
    days(truth, 2)
    store = truth.store
    store.roll_up._settings = truth.settings.model_copy(update={"max_bytes": 1})
    assert store.roll_up.once()
    (notice,) = store._notices.now()
    assert notice.code == "metrics-shrunk"
    assert notice.setting == "metrics.max_bytes"


def test_room_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was large is not for ever."""
    monkeypatch.setattr("cloudbang.storage.metrics.retention._LOOSE_BYTES", 0)
    monkeypatch.setattr("cloudbang.storage.metrics.metrics_file.PAGE_BYTES", 512)
    truth = Truth(tmp_path)
    truth.time_passes(3 * HOUR, missing=0)
    truth.clock.now += 60
    truth.roll_up()
    before = truth.store.size()
    for n in range(2):
        truth.store.forget(f"app{n}")
    truth.roll_up()
    assert truth.store.size() < before / 2
    truth.store.close()
