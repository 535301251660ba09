"""The database: accounts, sessions, tokens, events, and what else is small and must last.

SQLite in WAL mode through SQLAlchemy's core. SQLite has one writer at a time and its calls block,
so one thread writes, and a few read beside it: the hub never waits for the disk or for the lock
that the command line may hold for a moment, and a read waits neither behind a write nor behind
another read that takes long. Whoever waits does so for a bounded time.
"""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import gevent
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.database import tables
from cloudbang.storage.sqlite import (
    DatabaseTooNew,
    in_words,
    make_file,
    prepare,
    transaction,
    within,
)
from cloudbang.storage.workers import Workers

log = logging.getLogger(__name__)

T = TypeVar("T")
FILE = "cloudbang.db"
READERS = 3  # threads; one is enough mostly, two more for when a search in a list takes long
READ_SECONDS = 10.0  # how long one read may take

# With no byte left on the disk somebody has to sign in to make room. So the database has pages of
# its own to write to: free ones in its file, and a log that was once as large and is written over.
ROOM = 512  # pages, of 4 KiB
CHECKPOINT = ROOM // 2  # pages of the log after which it begins anew
LOOK_FOR_ROOM = 60.0  # seconds between two looks at how many are left


def migrate(path: Path) -> None:
    """Bring the database at ``path`` to the newest form, in a child process.

    Alembic's imports would stay in this process for as long as it lives. Raises StorageFailed.
    """
    log.info("bringing %s to the form %s", path, tables.REVISION)
    done = subprocess.run(
        [sys.executable, "-m", "cloudbang.storage.database.migrations", str(path)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise StorageFailed(str(path), f"could not be brought to the newest form: {last}")


class Database:
    """``<folder>/cloudbang.db``. Not to be used before :meth:`open` and after :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / FILE
        self._engine: sa.Engine | None = None
        self._writer: Workers[sa.Connection] | None = None
        self._readers: Workers[sa.Connection] | None = None

    def open(self, migrate: Callable[[Path], None] = migrate) -> None:
        """Open, and bring an older one to the newest form first: ``migrate(path)`` does that, or
        raises what stands against it. Raises StorageFailed, DatabaseTooNew."""
        make_file(self.path)
        self._engine = sa.create_engine(
            f"sqlite:///{self.path}",
            poolclass=sa.pool.NullPool,
            # One thread after the other may use a connection; never two at a time.
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(self._engine, "connect", _prepare)
        self._writer = Workers(1, self._connect, str(self.path))
        self._readers = Workers(READERS, self._connect_to_read, str(self.path))
        try:
            found = self._run(self._writer, _found_revision)
            if found is None:
                found = self.write(_create)
            if found > tables.REVISION:
                raise DatabaseTooNew(str(self.path), found, tables.REVISION)
            if found < tables.REVISION:
                # From here and not from a thread: only the hub can wait for a child.
                migrate(self.path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close; pending work ends first. May be called twice."""
        both = (self._readers, self._writer)  # the last to close tidies the files up
        self._readers = self._writer = None
        for workers in both:
            if workers is not None:
                workers.close()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """``work(connection)`` in a transaction that only reads, beside the one that writes: it
        sees what was written before it began.

        ``work`` runs in a thread of the database's: it must not touch greenlets, and must return
        values, not cursors. Raises StorageFailed, also when it takes longer than READ_SECONDS.
        """
        return self._run(self._readers, lambda c: _within(READ_SECONDS, c, work))

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """``work(connection)`` in a transaction that writes: all of it is kept or, when it
        raises, nothing. Otherwise as :meth:`read`. Raises StorageFull, StorageFailed.

        Short, if it can be: nobody else writes meanwhile.
        """
        return self._run(self._writer, lambda c: _transaction(c, work, "BEGIN IMMEDIATE"))

    def keep_room(self) -> None:
        """Have some room that nobody else can take: make it at once, and again when half of it is
        used; forever."""
        enough = sys.maxsize  # at first it is made anew: the log that was as large is gone
        while True:
            try:
                self._run(self._writer, partial(_make_room, enough=enough))
                enough = ROOM // 2
            except CloudBangError as e:
                log.warning("no room can be kept for the database: %s", e)
            gevent.sleep(LOOK_FOR_ROOM)

    def version(self) -> int:
        """A number that changes when another process has written."""
        # The writer's connection: to a reader's, the writer is somebody else as well.
        return self._run(self._writer, _data_version)

    def _run(self, workers: Workers[sa.Connection] | None, work: Callable[[sa.Connection], T]) -> T:
        if workers is None:
            raise StorageFailed(str(self.path), "the database is closed")
        try:
            return workers.run(work)
        except (DBAPIError, sqlite3.Error) as e:
            raise in_words(self.path, getattr(e, "orig", None) or e, READ_SECONDS) from e

    def _connect(self) -> sa.Connection:
        assert self._engine is not None
        # Transactions are begun and ended by hand below, in the words SQLite needs.
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _connect_to_read(self) -> sa.Connection:
        connection = self._connect()
        connection.exec_driver_sql("PRAGMA query_only = ON")
        return connection


# What runs in the database's threads.


def _transaction(connection: sa.Connection, work: Callable[[sa.Connection], T], begin: str) -> T:
    return transaction(_plain(connection), begin, lambda: work(connection))


def _within(seconds: float, connection: sa.Connection, work: Callable[[sa.Connection], T]) -> T:
    return within(seconds, _plain(connection), lambda: work(connection))


def _plain(connection: sa.Connection) -> sqlite3.Connection:
    plain: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return plain


def _make_room(connection: sa.Connection, enough: int) -> None:
    """Have ROOM pages free, unless there are ``enough`` of them."""
    if int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()) >= enough:
        return

    def fill(c: sa.Connection) -> None:
        # Free pages are taken first, so the file grows by what is missing and the log by all.
        c.exec_driver_sql("CREATE TABLE room (content BLOB)")
        c.exec_driver_sql("INSERT INTO room VALUES (zeroblob(?))", (ROOM * 4096,))

    def empty(c: sa.Connection) -> None:
        c.exec_driver_sql("DROP TABLE IF EXISTS room")

    # In transactions of their own: pages that one takes and gives back are written nowhere.
    for work in (empty, fill):
        _transaction(connection, work, "BEGIN IMMEDIATE")
    try:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").close()
    finally:
        _transaction(connection, empty, "BEGIN IMMEDIATE")


def _data_version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())


def _found_revision(connection: sa.Connection) -> str | None:
    """The revision of this database, "" of one from before there were any; None of a new one."""
    found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {row[0] for row in found}
    if not names:
        return None
    if "alembic_version" not in names:
        return ""
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(revision or "")


def _create(connection: sa.Connection) -> str:
    """Give an empty database the newest form at once: running all migrations takes a second."""
    if (found := _found_revision(connection)) is not None:
        return found  # another process was quicker
    tables.metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (tables.REVISION,))
    return tables.REVISION


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    prepare(connection)
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
    connection.execute("PRAGMA foreign_keys = ON")
