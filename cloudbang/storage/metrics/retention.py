"""What goes: what is too old, what is of series that are gone, and what is too much.

In the process that rolls up. A tier loses nothing that the next one does not have yet.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import HISTOGRAMS, SHAPES, TIERS, Kind, row, rows
from cloudbang.storage.metrics.registry import DAY, is_of_instance
from cloudbang.storage.sqlite import transaction

# What comes late, at most an hour, is rolled up again with what was there: that much of each tier
# stays, however little room there is.
_AT_LEAST = {
    Kind.HOUR: 8 * 3600,
    Kind.QUARTER: 4 * DAY,
    Kind.DAYS: 16 * DAY,  # twelve that are not over, and what waits for its three
    Kind.DOZEN: 16 * DAY,
}
_ENOUGH = 0.95  # of the bound: so that not every time something has to go
_AHEAD = 3600  # seconds; what is of a later time was measured by a clock that was wrong
_LOOSE_BYTES = 4 * 1024 * 1024  # free room in the file that is kept for what comes
_PAGES = 256  # given back to the disk at a time
# Days and what is made of them are kept equally long.
_NEXT = {source: SHAPES[kind].step for kind, source in TIERS if source != Kind.DAYS}


@dataclass(frozen=True)
class Limits:
    """For how many seconds each kind is kept, and how many bytes all may take."""

    hours: int
    quarters: int
    days: int
    max_bytes: int

    def seconds(self, kind: Kind) -> int:
        return {Kind.HOUR: self.hours, Kind.QUARTER: self.quarters}.get(kind, self.days)


class Retention:
    def __init__(
        self,
        connection: sqlite3.Connection,
        now: int,
        limits: Limits,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        self._connection, self._now, self._limits, self._at = connection, now, limits, at
        self._blocks = Blocks(connection)

    def forgotten(self) -> None:
        """Delete what is left of series that are gone."""
        ids = [number for (number,) in self._connection.execute("SELECT id FROM forgotten")]
        if not ids:
            return
        kinds = [kind + of for kind in Kind for of in (0, HISTOGRAMS)]
        places = [(kind, start) for kind in kinds for start in self._blocks.starts(kind)]
        for number in ids:

            def work(number: int = number) -> None:
                self._connection.executemany(
                    "DELETE FROM blocks WHERE row = ?",
                    [(row(kind, start, number),) for kind, start in places],
                )
                self._connection.execute("DELETE FROM forgotten WHERE id = ?", (number,))

            self._write("forgotten", work)

    def too_old(self) -> None:
        """Only by a clock that has been right for a while."""
        for kind in _AT_LEAST:
            self._delete(kind, 0, self._now - self._limits.seconds(kind) - SHAPES[kind].seconds)
        future = self._now + _AHEAD
        for kind in Kind:
            self._delete(kind, (future // SHAPES[kind].seconds + 1) * SHAPES[kind].seconds, 1 << 36)
        self._write(
            "future",
            lambda: self._connection.execute("DELETE FROM slabs WHERE time > ?", (future,)),
        )
        self._series_without_data()

    def too_much(self) -> bool:
        """The oldest of the finest tier goes first. Whether something had to go."""
        most = self._limits.max_bytes
        if self.used() <= most:
            return False
        for kind in _AT_LEAST:
            until = self._now - _AT_LEAST[kind]
            for start in list(self._starts(kind, 0, until - SHAPES[kind].seconds)):
                if self.used() <= most * _ENOUGH:
                    return True
                self._delete(kind, start, start + 1)
        return True

    def give_back(self) -> None:
        """Free pages to the disk, but for some."""
        free = self._number("freelist_count") - _LOOSE_BYTES // self._number("page_size")
        if free <= 0:
            return
        while free > 0:
            # As a script: one that is executed ends after its first page.
            self._connection.executescript(f"PRAGMA incremental_vacuum({min(free, _PAGES)})")
            self._at("after vacuum")
            free -= _PAGES
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def used(self) -> int:
        """Bytes that are taken in the file."""
        pages = self._number("page_count") - self._number("freelist_count")
        return pages * self._number("page_size")

    def _delete(self, kind: Kind, since: int, until: int) -> None:
        """Blocks that begin in ``[since, until)``, each moment by itself."""
        for start in list(self._starts(kind, since, until)):
            for of in (0, HISTOGRAMS):
                self._write(
                    "expire",
                    lambda k=kind + of, s=start: self._connection.execute(  # type: ignore[misc]
                        "DELETE FROM blocks WHERE row BETWEEN ? AND ?", rows(k, s, s + 1)
                    ),
                )

    def _starts(self, kind: Kind, since: int, until: int) -> list[int]:
        """Of those, what the next tier has already."""
        if kind in _NEXT and since <= self._now:
            mark = self._connection.execute(
                "SELECT until FROM rolled WHERE step = ?", (_NEXT[kind],)
            ).fetchone()
            until = min(until, mark[0] if mark else 0)
        found = {s for of in (0, HISTOGRAMS) for s in self._blocks.starts(kind + of, since, until)}
        return sorted(found)

    def _series_without_data(self) -> None:
        def work() -> None:
            gone = [
                (number,)
                for number, labels, last in self._connection.execute(
                    "SELECT id, labels, last FROM series"
                )
                if last + 2 * DAY + self._kept(labels) < self._now
            ]
            self._connection.executemany("DELETE FROM series WHERE id = ?", gone)
            self._connection.executemany("INSERT INTO forgotten VALUES (?)", gone)

        self._write("series", work)

    def _kept(self, labels: str) -> int:
        return self._limits.hours if is_of_instance(labels) else self._limits.days

    def _write(self, step: str, work: Callable[[], object]) -> None:
        self._at(f"before {step}")

        def within() -> None:
            work()
            self._at(f"in {step}")

        transaction(self._connection, "BEGIN IMMEDIATE", within)
        self._at(f"after {step}")

    def _number(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
