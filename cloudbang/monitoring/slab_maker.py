"""The 10 s that are being put together, and those that are written once more for what came late."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent

from cloudbang.core.deadline import Deadline
from cloudbang.core.loop import in_turns
from cloudbang.domain.metrics.catalogue import OF_APPS
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.errors import CloudBangError
from cloudbang.monitoring.app_series import AppSeries
from cloudbang.monitoring.ring import Ring
from cloudbang.monitoring.slabs import STEP, Slab, SlabQueue, Store

log = logging.getLogger(__name__)

LATENCY = "http.latency"
"""What is distributed of the metrics that every app has."""
SETTLE = 3  # seconds after which little more comes of a second
HALF = 7  # seconds after which what there is of a slab is written, lest a kill costs more than 10 s
AMENDED = 6  # slabs that are written once more, each second


class SlabMaker:
    """Makes slabs of what is in memory of ``apps``, and hands them to a queue.

    ``next``: when the 10 s begin that are being put together; 0 before the first second.
    """

    def __init__(
        self, store: Store, apps: dict[str, AppSeries], clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._apps, self._clock = store, apps, clock
        self.queue = SlabQueue(store)
        self.next = 0
        self._half_at = 0  # the last one that was written as far as it was
        self._base: Slab | None = None
        """Of the first one, what the process before this one wrote; None before that is known."""
        self._histograms: dict[int, dict[SeriesKey, Histogram]] = {}
        self._late: dict[int, Slab] = {}

    def begin(self, time: int) -> None:
        """The first second of all, or the first one after the clock was set back, is then."""
        self.next, self._half_at, self._base = time - time % STEP, 0, None

    def add_histogram(self, time: int, key: SeriesKey, histogram: Histogram) -> Histogram:
        """It is a part of the 10 s that begin at ``time``; gives all there is of them."""
        made = self._histograms.setdefault(time - time % STEP, {}).setdefault(key, Histogram())
        made.merge(histogram)
        return made

    def forget(self, app: str) -> None:
        self.queue.forget(app)
        parts: list[dict[SeriesKey, Any]] = [*self._histograms.values()]
        for slab in (*self._late.values(), *filter(None, [self._base])):
            parts += [slab.points, slab.histograms]
        for part in parts:
            for key in [key for key in part if key.app == app]:
                del part[key]

    # --- what is written -----------------------------------------------------------------------

    def run(self) -> None:
        """For ever."""
        while True:
            gevent.sleep(1 - self._clock() % 1)
            if self.next:
                self.look(int(self._clock()))

    def look(self, now: int) -> None:
        """Once a second: hand over the 10 s that are over, or half of those that are not."""
        if self._base is None:
            self._base = self._written_before(self.next)
        self._close_until(now - SETTLE)
        if self._half_at != self.next and now - self.next >= HALF:
            self._half_at = self.next
            self._offer(self.next)
        self._take_late()
        for begin in sorted(self._late)[:AMENDED]:
            self._amend(begin, self._late.pop(begin))

    def _close_until(self, time: int) -> None:
        while self.next + STEP <= time:
            begin = self.next
            self._offer(begin)
            self.next = begin + STEP
            self._base = Slab(self.next, {}, {})
            self._histograms.pop(begin, None)
            for series in in_turns(list(self._apps.values())):
                if series.own is not None:
                    series.own.closed(begin)

    def _offer(self, begin: int) -> None:
        points: dict[SeriesKey, Aggregate] = {}
        histograms = dict(self._histograms.get(begin, {}))
        for app, series in in_turns(list(self._apps.items())):
            for name, labels, ring in series.written():
                if ring.end > begin and (made := ring.aggregate(begin, begin + STEP)):
                    points[SeriesKey(app, name, labels)] = made
            if series.own is not None:
                found = series.own.open(begin)
                points |= {SeriesKey(app, *key): one for key, one in found.points.items()}
                histograms |= {SeriesKey(app, *key): one for key, one in found.histograms.items()}
        if self._base is not None:
            _add(points, self._base.points)
            histograms = {key: _copy(one) for key, one in histograms.items()}
            _merge(histograms, self._base.histograms)
        if points or histograms:
            self.queue.offer(Slab(begin, points, histograms))

    def _written_before(self, begin: int) -> Slab:
        try:
            return self._on_disk(begin)
        except CloudBangError as e:
            log.warning("what was measured before the start is not added to: %s", e)
            return Slab(begin, {}, {})

    # --- what came after its slab was written ---------------------------------------------------

    def _take_late(self) -> None:
        for begin in [begin for begin in self._histograms if begin < self.next]:
            late = self._late.setdefault(begin, Slab(begin, {}, {}))
            _merge(late.histograms, self._histograms.pop(begin))
        for app, series in self._apps.items():
            if series.own is None:
                continue
            for begin, found in series.own.take_before(self.next).items():
                late = self._late.setdefault(begin, Slab(begin, {}, {}))
                _add(late.points, {SeriesKey(app, *key): v for key, v in found.points.items()})
                _merge(
                    late.histograms, {SeriesKey(app, *k): v for k, v in found.histograms.items()}
                )

    def _amend(self, begin: int, late: Slab) -> None:
        """Write a slab once more, with what came late."""
        waiting = self.queue.get(begin)
        try:
            there = waiting or self._on_disk(begin)
        except CloudBangError:
            self._late[begin] = late  # as everything else that cannot be written
            return
        _add(late.points, there.points)
        _merge(late.histograms, there.histograms)
        self.queue.offer(late)

    def _on_disk(self, begin: int) -> Slab:
        """A slab as it is kept. Raises StorageFailed, StorageFull."""
        keys = [key for app in self._store.apps() for key in self._store.series_of(app)]
        found = self._store.read(keys, begin, begin + STEP, STEP)
        points = {key: one for key, (one,) in found.items() if one is not None}
        histograms = {}
        for key in keys:
            if key not in points and (key.name not in OF_APPS or key.name == LATENCY):
                (one,) = self._store.read_histograms(key, begin, begin + STEP, STEP)
                if one is not None:
                    histograms[key] = one
        return Slab(begin, points, histograms)

    def finish(self, until: int, deadline: Deadline) -> None:
        """Write what was measured before ``until``, while there is time and it works."""
        if self.next and self._base is not None:
            self._close_until(until)
            self._offer(self.next)
        self.queue.finish(deadline)

    # --- what may not be on the disk yet --------------------------------------------------------

    def memory_of(self, key: SeriesKey, begin: int) -> Aggregate | None:
        """What memory has of the 10 s that begin then; for those that may not be on the disk yet."""
        if (waiting := self.queue.get(begin)) is not None and key in waiting.points:
            return waiting.points[key]
        series = self._apps.get(key.app)
        if series is None:
            return None
        if series.own is not None and series.own.known(key.name, key.labels):
            return series.own.open(begin).points.get((key.name, key.labels))
        ring = self._ring(key)
        made = ring.aggregate(begin, begin + STEP) if ring else None
        base = self._base.points.get(key) if self._base and begin == self.next else None
        return made + base if made and base else made or base

    def histogram_of(self, key: SeriesKey, begin: int) -> Histogram | None:
        """The same of what is distributed."""
        if (waiting := self.queue.get(begin)) is not None and key in waiting.histograms:
            return waiting.histograms[key]
        series = self._apps.get(key.app)
        own = series.own if series else None
        if own and (found := own.open(begin).histograms.get((key.name, key.labels))):
            return found
        return self._histograms.get(begin, {}).get(key)

    def unwritten(self) -> int:
        """When the oldest 10 s begin from which on the disk may not have anything yet."""
        begin = self.next
        while self.queue.get(begin - STEP) is not None:
            begin -= STEP
        return begin

    def _ring(self, key: SeriesKey) -> Ring | None:
        series = self._apps.get(key.app)
        return series.ring_of(key.name, key.labels) if series else None


def _add(to: dict[SeriesKey, Aggregate], more: Mapping[SeriesKey, Aggregate]) -> None:
    for key, one in more.items():
        to[key] = to[key] + one if key in to else one


def _merge(to: dict[SeriesKey, Histogram], more: Mapping[SeriesKey, Histogram]) -> None:
    for key, one in more.items():
        if key in to:
            to[key].merge(one)
        else:
            to[key] = one


def _copy(histogram: Histogram) -> Histogram:
    made = Histogram()
    made.merge(histogram)
    return made
