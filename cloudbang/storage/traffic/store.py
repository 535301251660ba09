"""``traffic.db``: what apps' requests add up to, and up to where the log was read, in one transaction.

That is what makes it exact: whoever is killed reads on from where the numbers end. Each tally is
added to the 10 s and to the 10 minutes that it belongs to; once 10 minutes are over, their heaviest
addresses are added to the hour. What is older than a tier is kept for is deleted.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from cloudbang.core.counters import export
from cloudbang.domain.metrics.clients import DAY_BITS, WINDOW, Distinct
from cloudbang.domain.metrics.tally import Tally
from cloudbang.errors import StorageFailed
from cloudbang.storage.sqlite import (
    DatabaseTooNew,
    in_words,
    make_file,
    prepare,
    transaction,
    within,
)
from cloudbang.storage.traffic.packing import pack, unpack
from cloudbang.storage.workers import Workers

log = logging.getLogger(__name__)

T = TypeVar("T")
NAME = "traffic.db"
FORMAT = 2
READERS = 2
READ_SECONDS = 10.0
MOST_BYTES = 256 * 1024 * 1024  # the finest tier is shortened first

FINE, MIDDLE, COARSE = 10, 600, 3600  # seconds of one row
KEPT = {FINE: 2 * 3600, MIDDLE: 14 * 86_400, COARSE: 90 * 86_400}  # seconds
SETTLED = 120  # seconds after their end, 10 minutes are cut to their heaviest addresses
RUNNING_TOP, TOP = 200, 20  # addresses of 10 minutes that have not ended, and of those that have
AHEAD = 3600  # seconds; what is of a later time was counted by a clock that was wrong

_TABLES_1 = (
    """CREATE TABLE tallies (
        width INTEGER NOT NULL, app TEXT NOT NULL, time INTEGER NOT NULL,
        settled INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL,
        PRIMARY KEY (width, app, time)) WITHOUT ROWID""",
    "CREATE TABLE apps (app TEXT PRIMARY KEY, templates TEXT NOT NULL, day INTEGER NOT NULL,"
    " clients BLOB NOT NULL) WITHOUT ROWID",
    # The place in the log, and since when there is one.
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE salts (day INTEGER PRIMARY KEY, salt BLOB NOT NULL)",
)
_TABLES_2 = (
    # Who was seen in the last minutes, as hashes.
    "CREATE TABLE seen (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, app TEXT NOT NULL,"
    " body BLOB NOT NULL)",
    "CREATE INDEX seen_time ON seen (time)",
)

_ONE = "SELECT settled, body FROM tallies WHERE width = ? AND app = ? AND time = ?"
_CHANGE = "UPDATE tallies SET body = ? WHERE width = ? AND app = ? AND time = ?"
_SETTLE = "UPDATE tallies SET settled = 1, body = ? WHERE width = ? AND app = ? AND time = ?"
_OVER = "SELECT time, body FROM tallies WHERE width = ? AND app = ? AND NOT settled AND time <= ?"
_BETWEEN = "SELECT time, body FROM tallies WHERE width = ? AND app = ? AND time >= ? AND time < ?"
_FORGET_AHEAD = "DELETE FROM tallies WHERE width = ? AND time > ?"
_SEEN = "SELECT app, body FROM seen WHERE time > ? ORDER BY id"
_BETWEEN_UNSETTLED = _BETWEEN + " AND NOT settled"


class AppState(NamedTuple):
    """What is known of an app beside its numbers: see ``Templates.state``; ``day`` since 1970, and
    its clients."""

    templates: list[str]
    day: int
    clients: Distinct


class Seen(NamedTuple):
    """Who was seen, by app: what ``Online.news`` gives, made with this ``key``."""

    key: bytes
    apps: Mapping[str, list[bytes]]


class Loaded(NamedTuple):
    """``place``: as it was committed last; ``began``: when the first commit was, in seconds;
    ``seen``: in the last 5 minutes, None for nobody."""

    place: str | None
    began: int | None
    apps: dict[str, AppState]
    seen: Seen | None = None


class TrafficStore:
    """``<folder>/traffic.db``. Calls wait for threads; they raise StorageFailed, StorageFull.

    ``shrunk``: how often something was deleted early, since there was no room for it."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.path = Path(folder) / NAME
        self._most = most_bytes
        self._writer: Workers[sqlite3.Connection] | None = None
        self._readers: Workers[sqlite3.Connection] | None = None
        self._tidied = 0
        self.shrunk = self.damaged = 0
        shrunk = "Times that traffic was forgotten early, for want of room."
        damaged = "Kept tallies of traffic that could not be read."
        export(self, "traffic_store", counters={"shrunk": shrunk, "damaged": damaged})

    def open(self) -> None:
        """Raises DatabaseTooNew as well. What is no database any more is put aside, and begun
        anew: it is no reason not to start."""
        make_file(self.path)
        if _is_damaged(self.path):
            log.error("%s is damaged: it is put aside, and traffic is counted anew", self.path)
            self.damaged += 1
            self.path.replace(self.path.with_suffix(".damaged"))
            for rest in ("-wal", "-shm"):
                self.path.with_name(NAME + rest).unlink(missing_ok=True)
            make_file(self.path)
        self._writer = Workers(1, self._connect, str(self.path))
        self._readers = Workers(READERS, self._connect_to_read, str(self.path))
        try:
            self._write(self._make)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        both, self._readers, self._writer = (self._readers, self._writer), None, None
        for workers in both:
            if workers is not None:
                workers.close()

    # -- what is asked of it

    def load(self, now: float = 0.0) -> Loaded:
        """Where to go on, at ``now``."""

        def work(c: sqlite3.Connection) -> Loaded:
            facts = dict(c.execute("SELECT name, value FROM facts"))
            apps = {}
            for app, templates, day, clients in c.execute("SELECT * FROM apps"):
                try:
                    known = AppState(json.loads(templates), day, Distinct(DAY_BITS, clients))
                except ValueError:
                    continue  # it is learned again
                apps[app] = known
            began = facts.get("began")
            seen: dict[str, list[bytes]] = {}
            for app, body in c.execute(_SEEN, (int(now) - WINDOW,)):
                seen.setdefault(app, []).append(body)
            key = bytes.fromhex(facts.get("seen_key", ""))
            return Loaded(
                facts.get("place"),
                int(began) if began else None,
                apps,
                Seen(key, seen) if key and seen else None,
            )

        return self._read(work)

    def salt(self, day: int) -> bytes:
        """That of the day; those of other days are gone with it."""

        def work(c: sqlite3.Connection) -> bytes:
            c.execute("DELETE FROM salts WHERE day <> ?", (day,))
            found = c.execute("SELECT salt FROM salts").fetchone()
            if found:
                return bytes(found[0])
            made = os.urandom(32)
            c.execute("INSERT INTO salts VALUES (?, ?)", (day, made))
            return made

        return self._write(work)

    def commit(
        self,
        place: str | None,
        tallies: Mapping[tuple[str, int], Tally],
        apps: Mapping[str, AppState],
        now: int,
        seen: Seen | None = None,
        *,
        began: int | None = None,
        steady: bool = True,
    ) -> None:
        """Add tallies, by app and the 10 s that begin then, and remember the place behind all that
        went into them: all of it or nothing. ``seen``: since the last time, at ``now``.
        ``began``: since when it is counted, where that is not now; ``steady``: whether the clock was
        right for long enough to say what is old."""

        def work(c: sqlite3.Connection) -> None:
            for (app, time), tally in tallies.items():
                self._add(c, FINE, app, time, tally)
                middle = time - time % MIDDLE
                if self._add(c, MIDDLE, app, middle, tally, RUNNING_TOP):
                    self._add(c, COARSE, app, time - time % COARSE, tally, RUNNING_TOP)
            for app, state in apps.items():
                values = (app, json.dumps(state.templates), state.day, bytes(state.clients))
                c.execute("REPLACE INTO apps VALUES (?, ?, ?, ?)", values)
            if place is not None:
                c.execute("REPLACE INTO facts VALUES ('place', ?)", (place,))
            if seen is not None:
                c.execute("REPLACE INTO facts VALUES ('seen_key', ?)", (seen.key.hex(),))
                rows = [(now, app, body) for app, its in seen.apps.items() for body in its]
                c.executemany("INSERT INTO seen (time, app, body) VALUES (?, ?, ?)", rows)
            c.execute("DELETE FROM seen WHERE time <= ? OR time > ?", (now - WINDOW, now))
            c.execute("INSERT OR IGNORE INTO facts VALUES ('began', ?)", (str(began or now),))
            if now - now % MIDDLE > self._tidied or now < self._tidied - MIDDLE:
                self._settle(c, now)
                self._expire(c, now, steady)

        self._write(work)
        if now - now % MIDDLE > self._tidied or now < self._tidied - MIDDLE:
            self._tidied = now

    def read(
        self,
        app: str,
        width: int,
        since: int,
        until: int,
        then: Callable[[list[tuple[int, Tally]]], T],
    ) -> T:
        """What ``then`` makes, in the thread, of the tallies of an app by time, from ``since`` up to
        but without ``until``: of 10 s, 10 minutes or an hour. The last hours are made of 10 minutes
        as far as those are not settled."""

        def work(c: sqlite3.Connection) -> T:
            found = self._rows(c, width, app, since, until, _BETWEEN)
            if width == COARSE:
                found += self._rows(c, MIDDLE, app, since, until, _BETWEEN_UNSETTLED)
            return then(found)

        return self._read(work)

    def forget(self, app: str) -> None:
        """Everything of an app."""

        def work(c: sqlite3.Connection) -> None:
            for width in KEPT:
                c.execute("DELETE FROM tallies WHERE width = ? AND app = ?", (width, app))
            c.execute("DELETE FROM apps WHERE app = ?", (app,))
            c.execute("DELETE FROM seen WHERE app = ?", (app,))

        self._write(work)

    def size(self) -> int:
        """Bytes of the file."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    # -- in the threads

    def _make(self, c: sqlite3.Connection) -> None:
        found = c.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise DatabaseTooNew(str(self.path), str(found), str(FORMAT))
        for format, tables in ((1, _TABLES_1), (2, _TABLES_2)):
            if found < format:
                for statement in tables:
                    c.execute(statement)
        c.execute(f"PRAGMA user_version = {FORMAT}")

    def _add(
        self, c: sqlite3.Connection, width: int, app: str, time: int, tally: Tally, most: int = 0
    ) -> bool:
        """Add to a row; whether it was settled already."""
        key = (width, app, time)
        found = c.execute(_ONE, key).fetchone()
        whole = self._unpack(found[1], key) if found else None
        if whole is None:
            whole = Tally()
        whole.merge(tally)
        if most:
            whole.cut(most)
        body = pack(whole)
        if found:
            c.execute(_CHANGE, (body, *key))
            return bool(found[0])
        c.execute("INSERT INTO tallies (width, app, time, body) VALUES (?, ?, ?, ?)", (*key, body))
        return False

    def _settle(self, c: sqlite3.Connection, now: int) -> None:
        """10 minutes that are over: cut to their heaviest addresses, and added to their hour."""
        for app in self._apps(c):
            rows = c.execute(_OVER, (MIDDLE, app, now - MIDDLE - SETTLED)).fetchall()
            for time, body in rows:
                tally = self._unpack(body, (MIDDLE, app, time)) or Tally()
                tally.cut(TOP)
                c.execute(_SETTLE, (pack(tally), MIDDLE, app, time))
                self._add(c, COARSE, app, time - time % COARSE, tally, RUNNING_TOP)

    def _expire(self, c: sqlite3.Connection, now: int, steady: bool) -> None:
        apps = self._apps(c)
        for width, kept in KEPT.items() if steady else ():
            self._delete(c, width, apps, now - kept)
            c.execute(_FORGET_AHEAD, (width, now + AHEAD))
        for width in (FINE, MIDDLE, COARSE):
            kept = KEPT[width]
            while self._used(c) > self._most and kept > 2 * width:
                kept //= 2
                self._delete(c, width, apps, now - kept)
                self.shrunk += 1
        c.execute("PRAGMA incremental_vacuum(500)")

    def _delete(self, c: sqlite3.Connection, width: int, apps: Sequence[str], before: int) -> None:
        c.executemany(
            "DELETE FROM tallies WHERE width = ? AND app = ? AND time < ?",
            [(width, app, before) for app in apps],
        )

    def _rows(
        self, c: sqlite3.Connection, width: int, app: str, since: int, until: int, which: str
    ) -> list[tuple[int, Tally]]:
        found = []
        for time, body in c.execute(which, (width, app, since - since % width, until)):
            tally = self._unpack(body, (width, app, time))
            if tally is not None:
                found.append((time, tally))
        return found

    def _unpack(self, body: bytes, key: tuple[int, str, int]) -> Tally | None:
        """None of one that is damaged: it costs itself alone."""
        try:
            return unpack(body)
        except ValueError as e:
            self.damaged += 1
            log.warning("%s, %s of %d s at %d: %s", self.path, key[1], key[0], key[2], e)
            return None

    @staticmethod
    def _apps(c: sqlite3.Connection) -> list[str]:
        return [app for (app,) in c.execute("SELECT app FROM apps")]

    @staticmethod
    def _used(c: sqlite3.Connection) -> int:
        pages, free, size = (
            c.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    # -- connections

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, check_same_thread=False)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        prepare(connection)
        connection.execute("PRAGMA journal_size_limit = 4194304")
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run(self._writer, lambda c: transaction(c, "BEGIN IMMEDIATE", lambda: work(c)))

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run(self._readers, lambda c: within(READ_SECONDS, c, lambda: work(c)))

    def _run(
        self, workers: Workers[sqlite3.Connection] | None, work: Callable[[sqlite3.Connection], T]
    ) -> T:
        if workers is None:
            raise StorageFailed(str(self.path), "it is closed")
        try:
            return workers.run(work)
        except sqlite3.Error as e:
            raise in_words(self.path, e, READ_SECONDS) from e


def _is_damaged(path: Path) -> bool:
    """Whether SQLite cannot read the file at all; what is amiss within it is found when it is read."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as e:
        return e.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
    finally:
        connection.close()
    return False
