"""The database: made, migrated, written by two processes, full, unreadable."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import gevent
import pytest
import sqlalchemy as sa

from cloudbang.domain.events import Event
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.storage.database import tables
from cloudbang.storage.database.database import Database, migrate
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.sqlite import DatabaseTooNew
from tests.support import patient

WHEN = "2026-07-01T12:00:00.000000000Z"


def shape(path: Path) -> list[tuple[str, str, str]]:
    """Tables, columns and indexes of a database file, as values that can be compared."""
    with sqlite3.connect(path) as c:
        names = [n for (n,) in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = []
        for name in sorted(names):
            for column in c.execute(f"SELECT * FROM pragma_table_info('{name}')"):
                found.append((name, "column", str(column[1:])))
            for key in c.execute(f"SELECT * FROM pragma_foreign_key_list('{name}')"):
                found.append((name, "key", str(key[2:])))
            for _, index, unique, *_rest in c.execute(f"SELECT * FROM pragma_index_list('{name}')"):
                columns = c.execute(f"SELECT name FROM pragma_index_info('{index}')").fetchall()
                found.append((name, "index", f"{unique} {columns}"))
    c.close()
    return sorted(found)


def test_a_new_database_and_a_migrated_one_are_the_same(database: Database, tmp_path: Path) -> None:
    """A fresh database is made at once, an old one step by step; both end up alike."""
    stepwise = tmp_path / "stepwise.db"
    migrate(stepwise)
    assert shape(stepwise) == shape(database.path)


def test_the_newest_revision_is_the_one_the_tables_name() -> None:
    """Who adds a migration and forgets REVISION is told here, not by a user."""
    from alembic.script import ScriptDirectory

    from cloudbang.storage.database.migrations.__main__ import configuration

    scripts = ScriptDirectory.from_config(configuration(Path("none.db")))
    assert scripts.get_current_head() == tables.REVISION


def test_an_old_database_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    """A database from before the first revision is brought to the newest one."""
    with sqlite3.connect(tmp_path / "cloudbang.db") as c:
        c.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    c.close()
    database = Database(tmp_path)
    database.open()
    events = EventStore(database)
    assert events.add(Event("web", WHEN, "start"))
    database.close()


def test_a_database_without_terminals_gets_them(tmp_path: Path) -> None:
    """One of the first revision keeps what is in it, and looks like a new one afterwards."""
    from alembic import command

    from cloudbang.storage.database.migrations.__main__ import configuration

    old, new = Database(tmp_path / "old"), Database(tmp_path / "new")
    old.path.parent.mkdir()
    command.upgrade(configuration(old.path), "0001")
    with sqlite3.connect(old.path) as c:
        c.execute("INSERT INTO accounts VALUES (7, 'Ada', 'ada', 'hash', 'admin', 1, NULL)")
        c.execute("INSERT INTO sessions VALUES (9, x'00', 7, 1, 1, '192.0.2.1', 'a browser')")
        c.execute("INSERT INTO events VALUES (5, 'web', '', 'start', ?, '{}')", (WHEN,))
        assert not c.execute("SELECT * FROM sqlite_master WHERE name = 'terminals'").fetchall()
    c.close()
    old.open()
    new.open()
    assert EventStore(old).list("web") == [Event("web", WHEN, "start", id=5)]
    assert old.read(lambda c: c.execute(sa.select(tables.sessions.c.account_id)).scalar()) == 7
    assert old.read(lambda c: c.execute(sa.select(tables.terminals)).all()) == []
    roles = old.read(lambda c: c.execute(sa.select(tables.memberships)).all())
    assert [tuple(row) for row in roles] == [(7, "default", "admin")]
    old.close()
    new.close()
    assert shape(old.path) == shape(new.path)


def test_tokens_of_before_have_no_end(tmp_path: Path) -> None:
    """What was handed out goes on as it was."""
    from alembic import command

    from cloudbang.storage.database.migrations.__main__ import configuration

    old = Database(tmp_path)
    command.upgrade(configuration(old.path), "0014")
    with sqlite3.connect(old.path) as c:
        c.execute("INSERT INTO accounts VALUES (7, 'Ada', 'ada', 'hash', 1, NULL)")
        c.execute("INSERT INTO api_tokens VALUES (3, x'00', 'ci', 7, 'admin', 5, 6)")
    c.close()
    old.open()
    token = old.read(lambda c: c.execute(sa.select(tables.api_tokens)).mappings().one())
    ends = old.read(lambda c: c.execute(sa.select(tables.accounts.c.ends_at)).scalar_one())
    old.close()
    assert ends is None
    assert {name: token[name] for name in ("ends_at", "old_digest", "secret_at", "rotation")} == {
        **{"ends_at": None, "old_digest": None},
        **{"secret_at": 5, "rotation": 0},
    }
    assert (token["digest"], token["account_id"], token["seen_at"]) == (b"\0", 7, 6)


def test_a_database_of_a_newer_cloudbang_is_refused(tmp_path: Path) -> None:
    """Going back to an older CloudBang says so in a sentence and changes nothing."""
    first = Database(tmp_path)
    first.open()
    first.write(
        lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num='9999'").rowcount
    )
    first.close()
    with pytest.raises(DatabaseTooNew, match="9999"):
        Database(tmp_path).open()


def test_what_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    """A file that is no database stops the start with its path, and is left as it is."""
    (tmp_path / "cloudbang.db").write_bytes(b"these are notes, not a database" * 100)
    with pytest.raises(StorageFailed, match=r"cloudbang\.db"):
        Database(tmp_path).open()
    assert (tmp_path / "cloudbang.db").read_bytes().startswith(b"these are notes")


def test_only_its_owner_reads_it(database: Database, tmp_path: Path) -> None:
    """Hashes of passwords are for nobody else on the machine."""
    EventStore(database).add(Event("web", WHEN, "start"))
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("cloudbang.db*")}
    assert "cloudbang.db-wal" in modes
    assert set(modes.values()) == {0o600}


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    """When the work of a transaction raises, all of it is undone and the error is the work's."""

    def work(c: sa.Connection) -> None:
        c.execute(sa.insert(tables.settings).values(key="a", value="b"))
        raise KeyError("the work's own")

    with pytest.raises(KeyError, match="own"):
        database.write(work)
    assert database.read(lambda c: c.execute(sa.select(tables.settings)).all()) == []


def test_the_hub_runs_while_another_process_holds_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write waits for another process's transaction; nothing else in this one does."""
    monkeypatch.setattr(
        "cloudbang.storage.sqlite.BUSY_SECONDS", 600
    )  # if the hub waited, so would this
    database = Database(tmp_path)
    database.open()
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('BEGIN IMMEDIATE')\n"
            "print('held', flush=True)\n"
            "sys.stdin.readline()\n"
            "c.execute('COMMIT')\n",
            str(database.path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin
    assert child.stdout
    try:
        assert child.stdout.readline() == b"held\n"
        writing = gevent.spawn(EventStore(database).add, Event("web", WHEN, "start"))
        for _ in range(50):
            gevent.sleep(0.005)
        assert not writing.ready()
        assert EventStore(database).list("web") == []
        child.stdin.write(b"\n")
        child.stdin.flush()
        assert writing.get(timeout=patient(10))
    finally:
        child.kill()
        child.communicate()
        database.close()


def test_version_tells_of_other_processes_only(database: Database, tmp_path: Path) -> None:
    """The version changes when somebody else has written."""
    before = database.version()
    EventStore(database).add(Event("web", WHEN, "start"))
    assert database.version() == before
    with sqlite3.connect(database.path) as c:
        c.execute("INSERT INTO settings VALUES ('a', 'b')")
    c.close()
    assert database.version() != before


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    """Asking after the end is an error of its own, not a crash."""
    database = Database(tmp_path)
    database.open()
    database.close()
    database.close()
    with pytest.raises(StorageFailed, match="closed"):
        database.read(lambda c: 1)


def test_work_of_many_greenlets_is_done_one_by_one(database: Database) -> None:
    """Whoever writes at the same time, each transaction is whole."""
    events = EventStore(database)
    adding = [
        gevent.spawn(events.add, Event("web", f"2026-07-01T12:00:{n:02d}.000000000Z", "start"))
        for n in range(60)
    ]
    gevent.joinall(adding, raise_error=True)
    assert sorted(one.value.id for one in adding) == list(range(1, 61))


# Events


def test_an_event_told_twice_is_kept_once(database: Database) -> None:
    """Same app, container, kind and time: the second is known."""
    events = EventStore(database)
    event = Event("web", WHEN, "die", "0123456789ab", {"exit_code": 137})
    kept = events.add(event)
    assert kept
    assert kept.id == 1
    assert events.add(event) is None
    assert events.list("web") == [kept]


def test_events_of_a_span_oldest_first(database: Database) -> None:
    """The newest within a span, both ends included, in the order of time."""
    events = EventStore(database)
    times = [f"2026-07-01T12:00:0{n}.000000000Z" for n in range(6)]
    for time_ in reversed(times):
        events.add(Event("web", time_, "start"))
    events.add(Event("other", times[2], "start"))
    assert [e.time for e in events.list("web", times[1], times[4])] == times[1:5]
    assert [e.time for e in events.list("web", limit=2)] == times[4:]
    assert events.newest_time() == times[5]


def test_a_crash_loop_keeps_a_bounded_number(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest events of an app make room; other apps keep theirs."""
    monkeypatch.setattr("cloudbang.storage.database.events.KEEP_PER_APP", 20)
    monkeypatch.setattr("cloudbang.storage.database.events._TRIM_EVERY", 10)
    events = EventStore(database)
    events.add(Event("quiet", WHEN, "start"))
    for n in range(60):
        events.add(Event("loop", f"2026-07-01T12:00:{n:02d}.000000000Z", "die"))
    left = events.list("loop", limit=1000)
    assert 20 <= len(left) < 30
    assert left[-1].time.startswith("2026-07-01T12:00:59")
    assert len(events.list("quiet")) == 1


def test_a_full_disk_is_storage_full(database: Database) -> None:
    """No room is said as such, what was written before stays, and it goes on with room again."""
    events = EventStore(database)
    events.add(Event("web", WHEN, "start"))
    database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 40").all())
    big = {"x": "y" * 50_000}
    with pytest.raises(StorageFull):
        _ = [
            events.add(Event("web", f"2027-01-01T00:00:0{n}.0Z", "start", "", big))
            for n in range(9)
        ]
    assert events.list("web")[0].time == WHEN
    database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").all())
    assert events.add(Event("web", "2028-01-01T00:00:00.000000000Z", "start", "", big))
