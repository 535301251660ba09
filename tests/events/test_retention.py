"""Events are kept for so many days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.events.retention import DAY_NS, EventRetention
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import AT_ONCE, EventStore
from tests.support import wait_until

NOW = parse_time("2026-07-01T12:00:00.000000000Z")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path)
    made.open()
    yield made
    made.close()


def event(app: str, days: float, n: int = 0) -> Event:
    return Event(app, format_time(NOW - int(days * DAY_NS) + n), "die")


def test_what_is_older_goes_by_itself(database: Database) -> None:
    """From all apps, whenever it was written down; what is younger stays."""
    events = EventStore(database)
    events.add_batch([event("web", 89.9), event("web", 90.1), event("api", 400), event("api", 1)])
    retention = EventRetention(events, days=90, every=0.05, clock=lambda: NOW)
    retention.start()
    wait_until(lambda: len(events.list("api")) == 1)
    wait_until(lambda: len(events.list("web")) == 1)
    retention.stop()
    assert events.list("web")[0].time == event("web", 89.9).time


def test_it_goes_in_small_transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever there is to be deleted, others write in between."""
    monkeypatch.setattr("cloudbang.storage.database.events._SCAN", 700)
    events = EventStore(database)
    events.add_batch([event("web", 100, n) for n in range(2_000)])
    events.add_batch([event("web", 1, n) for n in range(3)])
    counts: list[int] = []
    write = database.write

    def counted(work):
        counts.append(write(work))
        return counts[-1]

    monkeypatch.setattr(database, "write", counted)
    assert events.prune(format_time(NOW - 90 * DAY_NS)) == 2_000
    assert max(counts) <= AT_ONCE
    assert len(events.list("web")) == 3


def test_an_empty_database_has_nothing_old(database: Database) -> None:
    """Nothing to look through."""
    assert EventStore(database).prune(format_time(NOW)) == 0


def test_a_clock_that_jumps_ahead_makes_nothing_old(database: Database) -> None:
    """A year passes in a second only for a clock that was set."""
    now = [NOW]
    retention = EventRetention(EventStore(database), days=90, clock=lambda: now[0])
    before = retention.oldest()
    now[0] += 365 * DAY_NS
    assert parse_time(retention.oldest()) - parse_time(before) < 60 * 10**9
    now[0] = NOW - 365 * DAY_NS
    assert parse_time(retention.oldest()) == NOW - 455 * DAY_NS
