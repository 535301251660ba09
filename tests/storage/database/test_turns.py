"""One writes, some read: who waits for whom, and for how long."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest
import sqlalchemy as sa
from gevent import monkey

from cloudbang.domain.events import Event
from cloudbang.errors import StorageFailed
from cloudbang.storage.database import tables
from cloudbang.storage.database.database import READERS, Database
from cloudbang.storage.database.events import EventStore
from tests.storage.database.test_database import WHEN
from tests.support import patient, wait_until

_Event = monkey.get_original("threading", "Event")  # the threads of the database are native ones

# Some ten seconds of counting, in which SQLite never waits for anything.
LONG = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000000) "
    "SELECT count(*) FROM n"
)


def count_for_long(c: sa.Connection) -> int:
    return int(c.exec_driver_sql(LONG).scalar_one())


def names(c: sa.Connection) -> list[str]:
    return [row.key for row in c.execute(sa.select(tables.settings.c.key))]


def test_a_read_does_not_wait_behind_a_write(database: Database) -> None:
    """While something is written for long, what was there before is read at once."""
    begun, go_on = _Event(), _Event()

    def work(c: sa.Connection) -> None:
        c.execute(sa.insert(tables.settings).values(key="a", value="b"))
        begun.set()
        go_on.wait(600)

    writing = gevent.spawn(database.write, work)
    wait_until(begun.is_set)
    assert database.read(names) == []
    assert not writing.ready()
    go_on.set()
    writing.get(timeout=patient(10))
    assert database.read(names) == ["a"]


def test_reads_go_beside_each_other(database: Database) -> None:
    """A search that takes long keeps neither another read nor a write waiting."""
    begun, go_on = [_Event() for _ in range(READERS - 1)], _Event()

    def search(c: sa.Connection, mine: Any) -> None:
        names(c)
        mine.set()
        go_on.wait(600)

    searching = [gevent.spawn(database.read, partial(search, mine=mine)) for mine in begun]
    try:
        wait_until(lambda: all(mine.is_set() for mine in begun))
        assert EventStore(database).add(Event("web", WHEN, "start"))
        assert len(EventStore(database).list("web")) == 1
        assert not any(one.ready() for one in searching)
    finally:
        go_on.set()
    gevent.joinall(searching, timeout=patient(10), raise_error=True)


def test_a_read_that_takes_too_long_is_broken_off(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends with a sentence, and the thread that worked on it reads on for others."""
    monkeypatch.setattr("cloudbang.storage.database.database.READ_SECONDS", 0.2)
    for _ in range(READERS + 1):
        with pytest.raises(StorageFailed, match="reading took longer"):
            database.read(count_for_long)
    assert database.read(names) == []


def test_who_gets_no_turn_is_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait is bounded; what was not begun by then is never done."""
    monkeypatch.setattr("cloudbang.storage.workers.TURN_SECONDS", 0.2)
    begun, go_on = _Event(), _Event()
    writing = gevent.spawn(database.write, lambda c: (begun.set(), go_on.wait(600)))
    wait_until(begun.is_set)
    with pytest.raises(StorageFailed, match="too busy"):
        EventStore(database).add(Event("web", WHEN, "start"))
    go_on.set()
    writing.get(timeout=patient(10))
    assert EventStore(database).list("web") == []
    assert EventStore(database).add(Event("web", WHEN, "start"))


def test_a_reader_writes_nothing(database: Database) -> None:
    """What is asked of the readers cannot change anything by mistake."""
    with pytest.raises(StorageFailed, match="readonly"):
        database.read(lambda c: c.execute(sa.delete(tables.settings)).rowcount)


def test_a_lock_that_stays_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that never lets go: a write says so after a while, a read does not mind."""
    monkeypatch.setattr("cloudbang.storage.sqlite.BUSY_SECONDS", 0.2)
    database = Database(tmp_path)
    database.open()
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StorageFailed, match="another program has held its lock"):
            EventStore(database).add(Event("web", WHEN, "start"))
        assert EventStore(database).list("web") == []
    finally:
        other.execute("COMMIT")
        other.close()
    assert EventStore(database).add(Event("web", WHEN, "start"))
    database.close()
