"""What was measured in 10 s, on its way to the disk: kept and tried again while that takes nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import gevent

from cloudbang.core.counters import export
from cloudbang.core.deadline import Deadline
from cloudbang.core.parking import Parking
from cloudbang.core.supervise import backoff
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.errors import CloudBangError

log = logging.getLogger(__name__)

STEP = 10  # seconds of a slab

MOST = 90
"""Slabs that wait: 15 minutes, as long as what is in them is in memory anyway. Overload policy: the
oldest is dropped and counted."""


class Store(Protocol):
    """What is asked of the metrics on disk. Each call blocks the calling greenlet alone, and raises
    StorageFailed, StorageFull."""

    def write(
        self,
        time: int,
        points: Mapping[SeriesKey, Aggregate],
        histograms: Mapping[SeriesKey, Histogram] = {},
    ) -> None: ...
    def read(
        self, keys: Sequence[SeriesKey], since: int, until: int, step: int, together: int = 1
    ) -> dict[SeriesKey, list[Aggregate | None]]: ...
    def read_histograms(
        self, key: SeriesKey, since: int, until: int, step: int, together: int = 1
    ) -> list[Histogram | None]: ...
    def apps(self) -> list[str]: ...
    def series_of(self, app: str) -> list[SeriesKey]: ...
    def unit_of(self, key: SeriesKey) -> str: ...
    def keep_unit(self, key: SeriesKey, unit: str) -> None: ...
    def oldest(self, step: int) -> int | None: ...
    def forget(self, app: str) -> None: ...


class Slab(NamedTuple):
    """Of the 10 s that begin at ``time``."""

    time: int
    points: dict[SeriesKey, Aggregate]
    histograms: dict[SeriesKey, Histogram]


class SlabQueue:
    """Slabs by when they begin, the oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[int, Slab] = {}
        self._ready = Parking()
        self.trouble: str | None = None
        """Why nothing can be written; None when the last one was."""
        self.written = self.dropped = self.failed = 0
        export(
            self,
            "metrics_slabs",
            counters={
                "written": "Stretches of 10 s of all metrics that were written.",
                "dropped": "Stretches of 10 s of all metrics that are lost: too many waited.",
                "failed": "Tries to write one that failed; it is tried again.",
            },
            gauges={"waiting": "Stretches of 10 s of all metrics that wait to be written."},
        )

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def offer(self, slab: Slab) -> None:
        """It will be written; in place of one of the same time that waits."""
        self._waiting[slab.time] = slab
        if len(self._waiting) > MOST:
            del self._waiting[min(self._waiting)]
            self.dropped += 1
        self._ready.call()

    def get(self, time: int) -> Slab | None:
        """One that is not written yet."""
        return self._waiting.get(time)

    def forget(self, app: str) -> None:
        """What waits of an app is not wanted any more."""
        for time, (_, points, histograms) in list(self._waiting.items()):
            self._waiting[time] = Slab(
                time,
                {key: one for key, one in points.items() if key.app != app},
                {key: one for key, one in histograms.items() if key.app != app},
            )

    def run(self) -> None:
        """For ever: write what comes."""
        waits = backoff()
        while True:
            if not self._waiting:
                self._ready.wait()
                continue
            if self._write_one():
                waits = backoff()
            else:
                gevent.sleep(next(waits))

    def finish(self, deadline: Deadline) -> None:
        """Write what waits, while there is time and it works."""
        with gevent.Timeout(deadline.at_most(1.0), False):
            while self._waiting and self._write_one():
                pass

    def _write_one(self) -> bool:
        slab = self._waiting[min(self._waiting)]
        try:
            self._store.write(*slab)
        except CloudBangError as e:
            self.failed += 1
            if self.trouble is None:
                log.warning("metrics are not written, and kept until they are: %s", e)
            self.trouble = str(e)
            return False
        if self.trouble is not None:
            log.warning("metrics are written again")
        self.trouble = None
        self.written += 1
        # What came in its place meanwhile is more than what was written.
        if self._waiting.get(slab.time) is slab:
            del self._waiting[slab.time]
        return True
