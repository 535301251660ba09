"""What was measured, on disk: by 10 s for two days, by the minute for two weeks, by 10 minutes for
three months; and once more by two hours, for who looks at all of that at once.

Every 10 s one row with everything of that moment is written, so that a crash costs no more than that.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from cloudbang.config import MetricsSettings
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.points import FLOATING, rounded, to_scale
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.metrics import metrics_file, registry, slabs
from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import HISTOGRAMS, SHAPES, STEP, TIERS, Kind
from cloudbang.storage.metrics.reading import Reading, merged
from cloudbang.storage.metrics.registry import Entry, Name, Registry
from cloudbang.storage.metrics.roll_up import RollUp
from cloudbang.storage.sqlite import in_words, make_file, transaction, within
from cloudbang.storage.workers import Workers

log = logging.getLogger(__name__)

T = TypeVar("T")
READERS = 2  # threads
READ_SECONDS = 10.0  # how long one read may take

STEPS = (STEP, *(SHAPES[kind].step for kind, _ in TIERS))

# A slab is of now. What is written again and again until it goes may be late; what is of the future
# was measured by a clock that was wrong.
LATEST, AHEAD = 3600, 60


class MetricStore:
    """``<folder>/metrics.db``. Not to be used before :meth:`open` and after :meth:`close`.

    All calls that reach the file block the calling greenlet alone, and raise StorageFailed,
    StorageFull.
    """

    def __init__(
        self,
        folder: Path,
        settings: MetricsSettings,
        notices: Notices | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(folder) / metrics_file.NAME
        self._settings, self._clock = settings, clock
        self._notices = notices or Notices()
        self._writer: Workers[sqlite3.Connection] | None = None
        self._readers: Workers[sqlite3.Connection] | None = None
        self._registry = Registry()
        self._supervisor = Supervisor("metrics-store")
        self.roll_up = RollUp(self.path, settings, self._notices, clock, self._rolled_up)
        self.trouble: str | None = None
        """Why nothing can be written, in words; None when the last write went well."""
        self.slabs = 0
        self.misplaced = 0
        export(
            self,
            "metrics_store",
            counters={
                "slabs": "Stretches of 10 s that were written.",
                "misplaced": "Stretches of 10 s that were not kept: of the future or long ago.",
            },
        )

    def open(self) -> None:
        """Raises StorageFailed, DatabaseTooNew."""
        try:
            self._open()
        except StorageFailed as e:
            code = getattr(e.__cause__, "sqlite_errorcode", 0) & 0xFF
            if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise
            aside = metrics_file.set_aside(self.path, int(self._clock()))
            text = f"{self.path} was damaged and is now {aside}: measurements begin anew"
            self._notices.begin("metrics-begun-anew", text, path=str(self.path), lasts=86_400)
            self._open()

    def _open(self) -> None:
        make_file(self.path)
        self._writer = Workers(1, self._connect, str(self.path))
        self._readers = Workers(READERS, self._connect_to_read, str(self.path))
        try:
            self._run(self._writer, lambda c: metrics_file.make(self.path, c))
            self._registry.load(self._read(registry.read))
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Roll up and delete from now on."""
        self._supervisor.run("roll-up", self.roll_up.loop)

    def close(self, deadline: Deadline = UNHURRIED) -> None:
        """Close; pending work ends first, rolling up does not. May be called twice."""
        self._supervisor.stop(deadline)
        both = (self._readers, self._writer)  # the last to close tidies the files up
        self._readers = self._writer = None
        for workers in both:
            if workers is not None:
                workers.close()

    def write(
        self,
        time: int,
        points: Mapping[SeriesKey, Aggregate],
        histograms: Mapping[SeriesKey, Histogram] = {},
    ) -> None:
        """The 10 s that begin at ``time``, a multiple of 10. The same again replaces it. What is
        of the future, or over an hour ago, is counted and not kept: no clock measured it now."""
        if time % STEP:
            raise ValueError(f"{time} is no multiple of {STEP}")
        now = self._clock()
        if not now - LATEST <= time <= now + AHEAD:
            self.misplaced += 1
            log.warning("what was measured at %d is not kept: it is %d now", time, now)
            return
        names = [*((key, False) for key in points), *((key, True) for key in histograms)]
        wanted = self._registry.wanting(names, time)

        def work(c: sqlite3.Connection) -> dict[Name, Entry]:
            made = registry.write(c, wanted, time)
            slabs.put(
                c,
                time,
                _scaled(points, lambda key: made.get((key, False)) or self._entry(key, False)),
                {
                    (made.get((key, True)) or self._entry(key, True)).id: histogram.pack()
                    for key, histogram in histograms.items()
                },
            )
            return made

        try:
            self._registry.adopt(self._write(work))
        except CloudBangError as e:
            self.trouble = str(e)
            text = f"measurements cannot be kept: {e}"
            self._notices.begin("metrics-not-kept", text, path=str(self.path))
            raise
        if self.trouble:
            self._notices.end(
                "metrics-not-kept", "measurements are kept again", path=str(self.path)
            )
        self.trouble = None
        self.slabs += 1

    def read(
        self, keys: Sequence[SeriesKey], since: int, until: int, step: int, together: int = 1
    ) -> dict[SeriesKey, list[Aggregate | None]]:
        """Of each series an entry for every ``step`` (10, 60, 600) from the one in which ``since``
        is, until before ``until``; None where nothing was measured. ``together``: so many steps as
        one entry, from a multiple of that many on."""
        since, until = _whole(since, until, step, step * together)
        entries = {key: entry for key in keys if (entry := self._registry.get(key))}
        tiered = {e.id: e.scale for e in entries.values() if not e.instance}
        instances = {e.id: e.scale for e in entries.values() if e.instance}

        def work(c: sqlite3.Connection) -> tuple[dict[int, list[Aggregate | None]], int]:
            source = Reading(c)
            found = source.points(tiered, since, until, step) if tiered else {}
            if instances:
                finest = source.points(instances, since, until, STEP)
                found |= {number: p.rolled(step // STEP) for number, p in finest.items()}
            scales = tiered | instances
            return {
                number: (p.rolled(together) if together > 1 else p).aggregates(scales[number])
                for number, p in found.items()
            }, source.damaged

        found, damaged = self._read(work) if entries else ({}, 0)
        self.roll_up.say_damaged(damaged)
        nothing = (until - since) // (step * together)
        return {key: found[entries[key].id] if key in entries else [None] * nothing for key in keys}

    def read_histograms(
        self, key: SeriesKey, since: int, until: int, step: int, together: int = 1
    ) -> list[Histogram | None]:
        """The same of histograms, put together exactly."""
        since, until = _whole(since, until, step, step * together)
        entry = self._registry.get(key, True)
        if entry is None:
            return [None] * ((until - since) // (step * together))

        def work(c: sqlite3.Connection) -> tuple[list[Histogram | None], int]:
            source = Reading(c)
            packed = merged(source.histograms(entry.id, since, until, step), together)
            return [Histogram.unpack(one) if one else None for one in packed], source.damaged

        found, damaged = self._read(work)
        self.roll_up.say_damaged(damaged)
        return found

    def apps(self) -> list[str]:
        """Those of which something is kept, and the node."""
        return self._registry.apps()

    def series_of(self, app: str) -> list[SeriesKey]:
        """Every series of which something is kept, of values and of histograms."""
        return self._registry.of(app)

    def unit_of(self, key: SeriesKey) -> str:
        """As the catalogue says, or as was told; "" where nobody knows."""
        return self._registry.unit_of(key)

    def keep_unit(self, key: SeriesKey, unit: str) -> None:
        """The unit of a metric that is no catalogue's. Kept with the next slab that has it."""
        self._registry.tell_unit(key, unit)

    def forget(self, app: str) -> None:
        """Nothing of this app is to be found from now on."""
        self._write(lambda c: registry.forget(c, app))
        self._registry.forget(app)

    def oldest(self, step: int) -> int | None:
        """When the oldest begins that is kept by this step; None when there is nothing."""

        def work(c: sqlite3.Connection) -> int | None:
            kinds = [kind for kind in Kind if SHAPES[kind].step <= step]
            slab = c.execute("SELECT min(time) FROM slabs").fetchone()[0]
            found = [] if slab is None else [slab]
            for kind in kinds:
                for of in (0, HISTOGRAMS):
                    found += islice(Blocks(c).starts(kind + of), 1)
            return min(found) // step * step if found else None

        return self._read(work)

    def size(self) -> int:
        """Bytes that the files take."""
        total = 0
        for end in ("", "-wal"):
            try:
                total += (self.path.parent / (self.path.name + end)).stat().st_size
            except FileNotFoundError:
                continue
            except OSError as e:
                raise StorageFailed(str(self.path), e.strerror or str(e)) from e
        return total

    def _rolled_up(self, series: int) -> None:
        """Those whose data has gone are forgotten here as well."""
        if series != len(self._registry):
            self._registry.load(self._write(registry.read))  # after what is being written

    def _entry(self, key: SeriesKey, histogram: bool) -> Entry:
        entry = self._registry.get(key, histogram)
        if entry is None:  # forgotten since the write began
            raise StorageFailed(str(self.path), f"the series of {key.app} were just deleted")
        return entry

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run(self._readers, lambda c: within(READ_SECONDS, c, lambda: work(c)))

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._run(self._writer, lambda c: transaction(c, "BEGIN IMMEDIATE", lambda: work(c)))

    def _run(
        self,
        workers: Workers[sqlite3.Connection] | None,
        work: Callable[[sqlite3.Connection], T],
    ) -> T:
        if workers is None:
            raise StorageFailed(str(self.path), "the file is closed")
        try:
            return workers.run(work)
        except sqlite3.Error as e:
            raise in_words(self.path, e, READ_SECONDS) from e

    def _connect(self) -> sqlite3.Connection:
        return metrics_file.connect(self.path)

    def _connect_to_read(self) -> sqlite3.Connection:
        return metrics_file.connect(self.path, reads=True)


def _whole(since: int, until: int, step: int, width: int) -> tuple[int, int]:
    """Whole widths: from the one with ``since`` to the last that begins before ``until``."""
    if step not in STEPS:
        raise ValueError(f"nothing is kept by {step} s")
    since = since // width * width
    return since, max(since, -(-until // width) * width)


def _scaled(
    points: Mapping[SeriesKey, Aggregate], entry_of: Callable[[SeriesKey], Entry]
) -> list[tuple[int, tuple[int, float, float, float], bool]]:
    found = []
    for key, value in points.items():
        entry = entry_of(key)
        kept = to_scale(value, entry.scale)
        if kept is not None:
            if registry.is_rounded(entry.unit, entry.scale):
                kept = rounded(kept)
            found.append((entry.id, kept, entry.scale == FLOATING))
    return found
