"""What every file of SQLite's needs here: made for nobody else to read, transactions, and its errors
in words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cloudbang.errors import CloudBangError, StorageFailed, StorageFull

T = TypeVar("T")

BUSY_SECONDS = 5.0  # how long a write waits for the lock of another process


class DatabaseTooNew(CloudBangError):
    """A file was written by a newer CloudBang."""

    code = "database-too-new"
    sentence = (
        "{path} has the form {found}, but this CloudBang knows forms up to {known}: "
        "run the newer CloudBang that wrote it"
    )

    def __init__(self, path: str, found: str, known: str) -> None:
        self.path, self.found, self.known = path, found, known
        super().__init__(path, found, known)


def make_file(path: Path) -> None:
    """The file, empty where there is none. Raises StorageFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made here, so that nobody else can read it for a moment; SQLite gives the files
        # beside it the same permissions.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as e:
        raise StorageFailed(str(path), e.strerror or str(e)) from e


def in_words(path: Path, error: BaseException, read_seconds: float) -> CloudBangError:
    """What SQLite raised, as StorageFull or StorageFailed. ``read_seconds``: after which a read is
    broken off."""
    reason = {
        sqlite3.SQLITE_BUSY: f"another program has held its lock for {BUSY_SECONDS:g} s",
        sqlite3.SQLITE_INTERRUPT: f"reading took longer than {read_seconds:g} s",
    }
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(str(path))
    return StorageFailed(str(path), reason.get(code, str(error)))


def prepare(connection: sqlite3.Connection) -> None:
    """Transactions are begun and ended by hand; a lock is waited for; who reads waits for nobody."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA journal_mode = WAL")
    # A power cut may take the last transactions, never the database; a crash takes nothing.
    connection.execute("PRAGMA synchronous = NORMAL")


def transaction(connection: sqlite3.Connection, begin: str, work: Callable[[], T]) -> T:
    """``work()`` between ``begin`` and COMMIT: all of it is kept or, when it raises, nothing."""
    connection.execute(begin)
    try:
        result = work()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def within(seconds: float, connection: sqlite3.Connection, work: Callable[[], T]) -> T:
    """A transaction that reads, and is broken off by SQLite itself when it takes too long."""
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
    try:
        return transaction(connection, "BEGIN", work)
    finally:
        connection.set_progress_handler(None, 0)
