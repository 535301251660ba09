"""What happens to slabs: turned into blocks, rolled up, and deleted when they are old or too much.

In a process of its own, every ten minutes, so that nobody waits for it: turning ten minutes of 4,000
series by a quarter of a turn takes a second of a processor. It may end at any moment, by a kill -9
as well: every step writes what it reads the same way however often it is done, and what it was made
of goes in the transaction that has the last of it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import zstandard

from cloudbang.domain.metrics.packing import Damaged
from cloudbang.domain.metrics.points import Points
from cloudbang.domain.metrics.slab_packing import unpack_by_id, unpack_slab
from cloudbang.storage.metrics import slabs
from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import HISTOGRAMS, SHAPES, TIERS, Kind, row
from cloudbang.storage.metrics.reading import Packed, merged
from cloudbang.storage.metrics.registry import is_of_instance, is_rounded
from cloudbang.storage.sqlite import transaction

T = TypeVar("T")
GRACE = 30  # seconds after which nothing more is awaited of ten minutes that are over
SERIES = 100  # that are written in one transaction: others wait for about 50 ms
REST = 0.005  # seconds between two, in which others have the lock

_DECOMPRESSOR = zstandard.ZstdDecompressor()  # this process has one thread
_PIECE = SHAPES[Kind.PIECE].seconds


class Series(NamedTuple):
    """``instance``: of one container, which is kept by 10 s alone."""

    scale: float
    histogram: bool
    instance: bool
    unit: str


class Rolling:
    """One time through. ``now`` in seconds; ``at(step)`` is called wherever it may be killed."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: int,
        at: Callable[[str], None] = lambda step: None,
    ) -> None:
        self._connection, self._now, self._at = connection, now, at
        self._blocks = Blocks(connection)
        self._damaged_slabs = 0

    @property
    def damaged(self) -> int:
        return self._damaged_slabs + self._blocks.damaged

    def run(self) -> None:
        self._series = _series(self._connection)
        self._slabs_to_pieces()
        self._pieces_to_hours()
        for kind, source in TIERS:
            self._roll_up(kind, SHAPES[kind].step, source)

    # -- slabs

    def _slabs_to_pieces(self) -> None:
        for (start,) in self._all("SELECT DISTINCT time / 600 * 600 FROM slabs ORDER BY time"):
            if start + _PIECE + GRACE <= self._now:
                self._slabs_of(start)

    def _slabs_of(self, start: int) -> None:
        """Ten minutes of slabs: a piece of every series, and they are gone."""
        points: dict[int, Points] = {}
        packed: dict[int, Packed] = {}
        done = []
        for moment, checksum, of_points, of_histograms in self._all(
            "SELECT time, checksum, points, histograms FROM slabs WHERE time >= ? AND time < ?",
            (start, start + _PIECE),
        ):
            done.append((moment, checksum))
            step = (moment - start) // 10
            try:
                _turn(step, of_points, points)
                _turn_histograms(step, of_histograms, packed)
            except (zstandard.ZstdError, Damaged):
                self._damaged_slabs += 1

        def put(number: int) -> None:
            self._lay_points(row(Kind.PIECE, start, number), points[number], number)

        def put_histograms(number: int) -> None:
            self._lay_packed(row(Kind.PIECE + HISTOGRAMS, start, number), packed[number])

        self._in_parts("piece", points, put)
        self._in_parts("piece", packed, put_histograms)

        def finish() -> None:
            # One that was written again meanwhile is another.
            self._connection.executemany("DELETE FROM slabs WHERE time = ? AND checksum = ?", done)
            for kind, _ in TIERS:
                seconds, step = SHAPES[kind]
                begun = start // seconds * seconds
                self._connection.execute(
                    "UPDATE rolled SET until = ? WHERE step = ? AND until > ?", (begun, step, begun)
                )

        self._write("slabs", finish)

    # -- pieces

    def _pieces_to_hours(self) -> None:
        seconds = SHAPES[Kind.HOUR].seconds
        starts = {
            start // seconds * seconds
            for kind in (Kind.PIECE, Kind.PIECE + HISTOGRAMS)
            for start in self._blocks.starts(kind)
        }
        for start in sorted(starts):
            if start + seconds + GRACE <= self._now and not self._waiting(start, start + seconds):
                self._hour(start)

    def _hour(self, start: int) -> None:
        places = range(start, start + SHAPES[Kind.HOUR].seconds, _PIECE)

        def put(number: int) -> None:
            whole = Points.nothing(360)
            for place in places:
                piece = row(Kind.PIECE, place, number)
                block = self._blocks.points(piece, self._scale(number))
                if block is not None:
                    whole.lay(block, (place - start) // 10)
                self._blocks.delete(piece)
            self._lay_points(row(Kind.HOUR, start, number), whole, number)

        def put_histograms(number: int) -> None:
            whole: Packed = []
            for place in places:
                piece = row(Kind.PIECE + HISTOGRAMS, place, number)
                whole += _as_long(self._blocks.histograms(piece) or [], 60)
                self._blocks.delete(piece)
            self._lay_packed(row(Kind.HOUR + HISTOGRAMS, start, number), whole)

        for kind, work in ((Kind.PIECE, put), (Kind.PIECE + HISTOGRAMS, put_histograms)):
            ids = self._blocks.ids(kind, start, start + SHAPES[Kind.HOUR].seconds)
            self._in_parts("hour", ids, work)

    # -- tiers

    def _roll_up(self, kind: Kind, step: int, source: Kind) -> None:
        seconds = SHAPES[kind].seconds
        settled = self._settled(source)
        mark = self._mark(step)
        for start in self._spans(source, mark, seconds):
            if start + seconds > settled:
                break
            self._span(kind, step, source, start)
        reached = min(settled, self._now - GRACE) // seconds * seconds
        if reached > self._mark(step):
            self._write("mark", lambda: self._set_mark(step, reached))

    def _span(self, kind: Kind, step: int, source: Kind, start: int) -> None:
        seconds, (source_seconds, source_step) = SHAPES[kind].seconds, SHAPES[source]
        places = range(start, start + seconds, source_seconds)

        def put(number: int) -> None:
            whole = Points.nothing(seconds // source_step)
            for place in places:
                block = self._blocks.points(row(source, place, number), self._scale(number))
                if block is not None:
                    whole.lay(block, (place - start) // source_step)
            rolled = whole.rolled(step // source_step)
            if is_rounded(self._series[number].unit, self._scale(number)):
                rolled = rolled.rounded()
            self._lay_points(row(kind, start, number), rolled, number)

        def put_histograms(number: int) -> None:
            whole: Packed = []
            for place in places:
                block = self._blocks.histograms(row(source + HISTOGRAMS, place, number)) or []
                whole += _as_long(block, source_seconds // source_step)
            rolled = merged(whole, step // source_step)
            self._lay_packed(row(kind + HISTOGRAMS, start, number), rolled)

        for of, work in ((0, put), (HISTOGRAMS, put_histograms)):
            ids = self._blocks.ids(source + of, start, start + seconds)
            tiered = [n for n in ids if n in self._series and not self._series[n].instance]
            self._in_parts("tier", tiered, work)
        self._write("mark", lambda: self._set_mark(step, start + seconds))

    def _spans(self, source: Kind, since: int, seconds: int) -> Iterator[int]:
        """When what is to be rolled up begins, from ``since`` on."""
        starts = {
            start // seconds * seconds
            for kind in (source, source + HISTOGRAMS)
            for start in self._blocks.starts(kind, since)
        }
        yield from sorted(starts)

    def _settled(self, source: Kind) -> int:
        """Up to where nothing more comes into a kind."""
        if source != Kind.HOUR:
            return self._mark(SHAPES[source].step)
        firsts = [self._now - GRACE]
        firsts += [t for (t,) in self._all("SELECT min(time) FROM slabs") if t is not None]
        for kind in (Kind.PIECE, Kind.PIECE + HISTOGRAMS):
            firsts += list(self._blocks.starts(kind))[:1]
        return min(firsts) // 3600 * 3600

    def _mark(self, step: int) -> int:
        found = self._all("SELECT until FROM rolled WHERE step = ?", (step,))
        return int(found[0][0]) if found else 0

    def _set_mark(self, step: int, until: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO rolled (step, until) VALUES (?, ?)", (step, until)
        )

    def _waiting(self, since: int, until: int) -> bool:
        return bool(
            self._all("SELECT 1 FROM slabs WHERE time >= ? AND time < ? LIMIT 1", (since, until))
        )

    # -- writing

    def _lay_points(self, number: int, points: Points, series: int) -> None:
        """Over what is there already, if anything is: what is new stands."""
        scale = self._scale(series)
        below = self._blocks.points(number, scale)
        if below is not None and len(below) == len(points):
            below.lay(points, 0)
            points = below
        if points:
            self._blocks.put_points(number, points, scale)

    def _lay_packed(self, number: int, packed: Packed) -> None:
        below = _as_long(self._blocks.histograms(number) or [], len(packed))
        packed = [new or old for new, old in zip(packed, below, strict=True)]
        if any(packed):
            self._blocks.put_histograms(number, packed)

    def _scale(self, series: int) -> float:
        known = self._series.get(series)
        return known.scale if known else 1.0

    def _in_parts(self, step: str, ids: Iterable[int], work: Callable[[int], None]) -> None:
        """``work(id)`` for each series that still is."""
        ordered = sorted(ids)
        for first in range(0, len(ordered), SERIES):
            part = ordered[first : first + SERIES]

            def some(part: list[int] = part) -> None:
                living = self._all(
                    "SELECT id FROM series WHERE id BETWEEN ? AND ?", (part[0], part[-1])
                )
                for number in sorted({number for (number,) in living} & set(part)):
                    work(number)

            if first:
                time.sleep(REST)
            self._write(step, some)

    def _write(self, step: str, work: Callable[[], T]) -> T:
        self._at(f"before {step}")

        def within() -> T:
            found = work()
            self._at(f"in {step}")
            return found

        found = transaction(self._connection, "BEGIN IMMEDIATE", within)
        self._at(f"after {step}")
        return found

    def _all(self, statement: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()


def _series(connection: sqlite3.Connection) -> dict[int, Series]:
    found = connection.execute("SELECT id, scale, histogram, labels, unit FROM series")
    return {
        number: Series(scale, bool(histogram), is_of_instance(labels), unit)
        for number, scale, histogram, labels, unit in found
    }


def _turn(step: int, packed: bytes, found: dict[int, Points]) -> None:
    """Hand what is in a slab to its series. Raises ZstdError, Damaged."""
    slab = unpack_slab(_DECOMPRESSOR.decompress(packed, slabs.MOST_BYTES))
    columns = (chain(whole, other) for whole, other in zip(slab.whole, slab.floating, strict=True))
    for number, *kept in zip(slab.ids, slab.samples, *columns, strict=True):
        points = found.get(number)
        if points is None:
            points = found[number] = Points.nothing(_PIECE // 10)
        points.put(step, kept)  # type: ignore[arg-type]


def _turn_histograms(step: int, packed: bytes, found: dict[int, Packed]) -> None:
    if not packed:
        return
    by_id = unpack_by_id(_DECOMPRESSOR.decompress(packed, slabs.MOST_BYTES))
    for number, histogram in by_id.items():
        found.setdefault(number, [None] * (_PIECE // 10))[step] = histogram


def _as_long(packed: Packed, steps: int) -> Packed:
    return [*packed, *[None] * (steps - len(packed))][:steps]
