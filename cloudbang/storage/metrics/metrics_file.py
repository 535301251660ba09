"""``metrics.db``: its tables, where what stands in it, and how it is opened.

Nothing but the standard library's ``sqlite3``: what rolls up is a process of its own, every ten
minutes, and starts in a tenth of the time and memory that SQLAlchemy takes. There are five
statements here and no migrations: what is kept ages away by itself.
"""

from __future__ import annotations

import sqlite3
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from cloudbang.storage.sqlite import DatabaseTooNew, prepare, transaction

NAME = "metrics.db"
FORMAT = 1
PAGE_BYTES = 16384  # of which blocks of 1 to 3 kB leave little empty
WAL_BYTES = 4 * 1024 * 1024  # as large as the log stays once its content is in the file
CHECKPOINT = WAL_BYTES // 2 // PAGE_BYTES  # pages after which it begins anew

STEP = 10
"""Seconds of the finest tier, and of a slab."""

_TABLES = (
    # What a number means. Ids are never given twice: what is left of one that is gone is nobody's.
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app TEXT NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL, histogram INTEGER NOT NULL,
        unit TEXT NOT NULL, scale REAL NOT NULL,
        last INTEGER NOT NULL,  -- a day on which something came, in seconds
        UNIQUE (app, name, labels, histogram))""",
    # 10 s of all series each, by when they begin.
    """CREATE TABLE slabs (
        time INTEGER PRIMARY KEY, checksum INTEGER NOT NULL,
        points BLOB NOT NULL, histograms BLOB NOT NULL)""",
    # Some time of one series each: see row().
    "CREATE TABLE blocks (row INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    # Up to where a tier has all that the finer one has.
    "CREATE TABLE rolled (step INTEGER PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
    # Ids whose blocks are still to be deleted.
    "CREATE TABLE forgotten (id INTEGER PRIMARY KEY)",
)


class Kind(IntEnum):
    """What a block is of; ``HISTOGRAMS`` more, and it is of histograms."""

    PIECE = 0  # ten minutes by 10 s, until the hour is over
    HOUR = 1  # an hour by 10 s
    QUARTER = 2  # six hours by the minute
    DAYS = 3  # three days by 10 minutes
    DOZEN = -8  # twelve days by two hours; below the others, as all eight places above are taken


HISTOGRAMS = 4


def kind_of(kind: int) -> Kind:
    """Of values, also where it is of histograms."""
    return Kind(kind if kind in SHAPES else kind - HISTOGRAMS)


class Shape(NamedTuple):
    """``seconds`` of one block, ``step`` of one entry in it."""

    seconds: int
    step: int


SHAPES = {
    Kind.PIECE: Shape(600, 10),
    Kind.HOUR: Shape(3600, 10),
    Kind.QUARTER: Shape(6 * 3600, 60),
    Kind.DAYS: Shape(3 * 86400, 600),
    Kind.DOZEN: Shape(12 * 86400, 7200),
}

TIERS = ((Kind.QUARTER, Kind.HOUR), (Kind.DAYS, Kind.QUARTER), (Kind.DOZEN, Kind.DAYS))
"""What is rolled up, and what it is made of, in this order."""


def row(kind: int, start: int, series: int) -> int:
    """Where a block stands: those of one time beside each other, as they are written and deleted,
    so that pages are full, and free as a whole. 4 bits with the sign, 28 (ten minutes since 1970),
    32."""
    return kind << 60 | start // 600 << 32 | series


def rows(kind: int, since: int, until: int) -> tuple[int, int]:
    """The first and the last that a block can have that begins in ``[since, until)``."""
    return row(kind, max(since, 0), 0), row(kind, max(until + 599, 0), 0) - 1


def start_of(number: int) -> int:
    return (number >> 32 & (1 << 28) - 1) * 600


def series_of(number: int) -> int:
    return number & (1 << 32) - 1


def connect(path: Path, *, reads: bool = False) -> sqlite3.Connection:
    # One thread after the other may use a connection; never two at a time.
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # These two hold only where nothing has been written yet.
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        prepare(connection)
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
        if reads:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def make(path: Path, connection: sqlite3.Connection) -> None:
    """The tables, in a file that is empty. Raises DatabaseTooNew."""

    def work() -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise DatabaseTooNew(str(path), str(found), str(FORMAT))
        if not found:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")

    transaction(connection, "BEGIN IMMEDIATE", work)


def set_aside(path: Path, now: int) -> Path:
    """Give a file that is none of SQLite's another name, for who wants to look at it."""
    aside = path.with_name(f"{path.name}.damaged-{now}")
    path.rename(aside)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    return aside
