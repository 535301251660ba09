"""The database: accounts, sessions, tokens, events, and what else is small and must last.

SQLite in WAL mode through SQLAlchemy's core. SQLite has one writer anyway and its calls block,
so one thread does all of the work: the hub never waits for the disk or for the lock that the
command line may hold for a moment, and a connection is never shared.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from gevent.threadpool import ThreadPool
from sqlalchemy.exc import DBAPIError

from cloudbang.errors import CloudBangError, StorageFailed, StorageFull
from cloudbang.storage.database import tables

log = logging.getLogger(__name__)

T = TypeVar("T")
FILE = "cloudbang.db"
BUSY_SECONDS = 5.0  # how long a write waits for the lock of another process


class DatabaseTooNew(CloudBangError):
    """The database was written by a newer CloudBang."""

    code = "database-too-new"
    sentence = (
        "{path} has the form {found}, but this CloudBang knows forms up to {known}: "
        "run the newer CloudBang that wrote it"
    )

    def __init__(self, path: str, found: str, known: str) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__(path, found, known)


class Database:
    """``<folder>/cloudbang.db``. Not to be used before :meth:`open` and after :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / FILE
        self._pool: ThreadPool | None = None
        self._connection: sa.Connection | None = None
        self._engine: sa.Engine | None = None

    def open(self) -> None:
        """Open, and bring it to the newest form first. Raises StorageFailed, DatabaseTooNew."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPool(1)
        try:
            if not self._in_thread(self._open):
                # From here and not from the thread: only the hub can wait for a child.
                migrate(self.path)
                self._in_thread(self._connect)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close; pending work ends first. May be called twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.apply(self._close)
            pool.join()
            pool.kill()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """``work(connection)`` in a transaction that only reads.

        ``work`` runs in the database's own thread: it must not touch greenlets, and must return
        values, not cursors. Raises StorageFailed.
        """
        return self._in_thread(self._transaction, work, "BEGIN")

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """``work(connection)`` in a transaction that writes: all of it is kept or, when it
        raises, nothing. Otherwise as :meth:`read`. Raises StorageFull, StorageFailed."""
        return self._in_thread(self._transaction, work, "BEGIN IMMEDIATE")

    def version(self) -> int:
        """A number that changes when another process has written."""
        return self._in_thread(self._version)

    def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        if self._pool is None:
            raise StorageFailed(str(self.path), "the database is closed")
        # Carried over as a value: gevent prints the traceback of whatever a thread raises.
        result, error = self._pool.apply(_outcome, (work, args))
        if isinstance(error, (DBAPIError, sqlite3.Error)):
            raise self._error(error) from error
        if error is not None:
            raise error
        return cast(T, result)

    def _error(self, e: Exception) -> CloudBangError:
        cause = getattr(e, "orig", None) or e
        if "database or disk is full" in str(cause):
            return StorageFull(str(self.path))
        return StorageFailed(str(self.path), str(cause))

    # From here on in the database's thread.

    def _transaction(self, work: Callable[[sa.Connection], T], begin: str) -> T:
        connection = self._connection
        assert connection is not None
        connection.exec_driver_sql(begin)
        try:
            result = work(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                connection.exec_driver_sql("ROLLBACK")
            raise
        return result

    def _version(self) -> int:
        assert self._connection is not None
        return int(self._connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def _open(self) -> bool:
        """False when it has to be migrated first."""
        try:
            # Made here, so that nobody else can read it for a moment; SQLite gives the files
            # beside it the same permissions.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as e:
            raise StorageFailed(str(self.path), e.strerror or str(e)) from e
        self._connect()
        found = self._transaction(self._found_revision, "BEGIN IMMEDIATE")
        if found > tables.REVISION:
            raise DatabaseTooNew(str(self.path), found, tables.REVISION)
        if found < tables.REVISION:
            self._close()
        return found == tables.REVISION

    def _connect(self) -> None:
        self._engine = sa.create_engine(f"sqlite:///{self.path}", poolclass=sa.pool.StaticPool)
        sa.event.listen(self._engine, "connect", _prepare)
        # Transactions are begun and ended by hand above, in the words SQLite needs.
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @staticmethod
    def _found_revision(connection: sa.Connection) -> str:
        """The revision of this database; an empty one is given the newest form at once, since
        importing alembic costs half a second and 10 MB."""
        names = sa.inspect(connection).get_table_names()
        if not names:
            tables.metadata.create_all(connection, checkfirst=False)
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (tables.REVISION,))
            return tables.REVISION
        if "alembic_version" not in names:
            return ""
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return str(found or "")


def _outcome(work: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    try:
        return work(*args), None
    except Exception as e:
        return None, e


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


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A power cut may take the last transactions, never the database; a crash takes nothing.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
