"""How many lines there are over time, from what is known of files and blocks: soon, then finer.

Of a segment and of a block it is known how many lines it has and from when until when. What lies in
one bin is counted by that alone; what lies in several is spread over them, and then looked at more
closely, the largest part first: a segment by its blocks, a block by its lines. So a log of ten million
lines has its first picture when the heads of its files are read, and is right to the line, or as
nearly as a bar can show, after a few hundred blocks.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from cloudbang.domain.time_bins import TimeBins, seconds_of
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.reader import (
    BlockRef,
    BlockScan,
    Query,
    SegmentRef,
    Snapshot,
    SnapshotStale,
)
from cloudbang.storage.logs.readings import ANY, HowFar

AHEAD = 3_600  # seconds that a clock may be ahead, for the range over which is counted
EVER = (-55_000_000_000, 245_000_000_000)
"""Seconds since 1970 between which is counted, the years 228 to 9733: bins of such a span, which begin
before it and end behind it, are of times that can be written."""
OLDEST = 10 * 365 * 86_400  # seconds before the newest: what is older has a time that is wrong
FINE = 100
"""A part with fewer lines than the highest bar divided by this is spread, and that is not seen."""
READS = 2_000  # blocks that are read for one picture: about two seconds
OFTEN = 3  # times that a file may be gone before its lines are
SECOND = 19  # bytes of a time up to its whole second

_Ref: TypeAlias = SegmentRef | BlockRef


class _Part(NamedTuple):
    """Lines of which it is known from when until when they are, in whole seconds."""

    lines: int
    oldest: int
    newest: int


@dataclass
class TimelineProgress(HowFar):
    """How far a picture is. ``ends``: the seq from which on nothing of an app is counted."""

    bins: TimeBins | None = None  # once the heads of all files are read
    counts: list[int] = field(
        default_factory=list
    )  # lines of each bin as far as it is known by now
    size: int = 0  # bytes of text in all that is counted
    exact: bool = False  # whether every line is counted where it is


@dataclass
class _Log:
    name: str
    scan: BlockScan
    stale: int = 0
    parts: list[tuple[SegmentRef, _Part]] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)


class TimelineScan:
    """One picture of several apps, in steps, each of them in a thread: of ``query`` its times count.
    ``progress`` is how far it is. It can be pickled between two steps, and go on in another process.
    """

    def __init__(self, cache: IndexCache, query: Query, now: int) -> None:
        self.progress = TimelineProgress()
        self._cache, self._query, self._now = cache, query, now
        self._logs: dict[str, _Log] = {}
        self._new: list[_Log] = []
        self._heap: list[tuple[int, int, str, _Ref, _Part]] = []
        self._sums: list[float] = []
        self._entered = self._reads = 0
        self._rough = self._busy = self._abandoned = False
        self._since = None if query.since is None else query.since // 1_000_000_000
        self._until = None if query.until is None else query.until // 1_000_000_000

    def add(self, app: str, view: Snapshot) -> None:
        """Count this app as well; before the first step."""
        log = _Log(app, BlockScan(view, self._cache, self._query, skip_missing=False))
        self._logs[app] = log
        self._new.append(log)
        self.progress.ends[app] = view.next

    def renew(self, app: str, view: Snapshot) -> None:
        """Begin this app anew where a file of it is gone: packed, or deleted with its lines."""
        log = self._logs[app]
        self.progress.stale = ""
        log.stale += 1
        log.scan.__exit__()
        log.scan = BlockScan(view, self._cache, self._query, skip_missing=log.stale > OFTEN)
        for at, count in enumerate(log.counts):
            self._sums[at] -= count
        log.counts.clear()
        self._heap = [entry for entry in self._heap if entry[2] != app]
        heapq.heapify(self._heap)
        self._new.append(log)
        self.progress.ends[app] = view.next

    def catch_up(self, told: TimelineProgress) -> None:
        """Each picture is whole: there is nothing that was told already."""

    def close(self) -> None:
        for log in self._logs.values():
            log.scan.__exit__()

    def abandon(self) -> None:
        """Close it from outside, perhaps while a step is still under way."""
        self._abandoned = True
        if not self._busy:
            self.close()

    def step(self, seconds: float, enough: int = ANY) -> None:
        """Go on for so long."""
        self._busy = True
        try:
            self._step(seconds)
        finally:
            self._tell()
            self._busy = False
            if self._abandoned:
                self.close()

    def _tell(self) -> None:
        told = self.progress
        told.counts = [max(round(count), 0) for count in self._sums]
        told.exact = told.done and not self._rough and not told.failed

    def _step(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._new and not self.progress.stale:
            log = self._new.pop()
            try:
                self._read_heads(log)
            except SnapshotStale:
                self.progress.stale = log.name
            except OSError as e:
                self.progress.failed[log.name] = e
            if time.monotonic() > deadline:
                return
        if self.progress.stale:
            return
        if self.progress.bins is None:
            self.progress.bins = self._range()
            self._sums = [0.0] * len(self.progress.bins.counts)
        for log in self._logs.values():
            if not log.counts:
                log.counts = [0.0] * len(self.progress.bins.counts)
                for ref, part in log.parts:
                    self._put(log, ref, part)
                log.parts.clear()
        while self._heap:
            if not self._refine():
                if self.progress.stale:
                    return
                break
            if time.monotonic() > deadline:
                return
        self._rough = bool(self._heap)
        self.progress.done = True
        self.close()

    def _read_heads(self, log: _Log) -> None:
        log.parts.clear()
        scan = log.scan
        for ref in scan.parts():
            total = scan.total(ref)
            if not total.lines:
                continue
            if (scan.since and total.newest < scan.since) or (
                scan.until and total.oldest > scan.until
            ):
                continue
            self.progress.size += total.plain
            part = _Part(total.lines, seconds_of(total.oldest), seconds_of(total.newest))
            log.parts.append((ref, part))

    def _range(self) -> TimeBins:
        parts = [part for log in self._logs.values() for _, part in log.parts]
        newest = max((part.newest for part in parts), default=self._now)
        oldest = min((part.oldest for part in parts), default=newest)
        return TimeBins(*range_of(oldest, newest, self._query, self._now))

    def _put(self, log: _Log, ref: _Ref, part: _Part) -> None:
        """Spread a part, and look at it more closely later where that may change anything."""
        if self._spread(log, part, 1):
            self._entered += 1
            heapq.heappush(self._heap, (-part.lines, self._entered, log.name, ref, part))

    def _spread(self, log: _Log, part: _Part, sign: int) -> bool:
        """Add a part, or with -1 take it away; gives whether it lies in more than one bin, or is cut."""
        assert self.progress.bins is not None
        start, width, counts, sums = (
            self.progress.bins.start,
            self.progress.bins.width,
            log.counts,
            self._sums,
        )
        last = len(counts) - 1
        low, high = part.oldest, part.newest + 1
        share = sign * part.lines / (high - low)
        cut = False
        if self._since is not None and low < self._since:
            low, cut = self._since, True
        if self._until is not None and high > self._until + 1:
            high, cut = self._until + 1, True
        first = min(max((low - start) // width, 0), last)
        final = min(max((high - 1 - start) // width, 0), last)
        if first == final:
            counts[first] += share * max(high - low, 0)
            sums[first] += share * max(high - low, 0)
            return cut
        for at in range(first, final + 1):
            begin = low if at == first else start + at * width
            end = high if at == final else start + (at + 1) * width
            counts[at] += share * (end - begin)
            sums[at] += share * (end - begin)
        return True

    def _refine(self) -> bool:
        """Look at the largest part that is spread; False where that is not worth it any more."""
        lines, _, app, ref, part = self._heap[0]
        log = self._logs[app]
        if -lines * FINE < max(self._sums):
            return False
        if isinstance(ref, BlockRef) and self._reads >= READS:
            return False
        heapq.heappop(self._heap)
        try:
            if isinstance(ref, SegmentRef):
                blocks = list(log.scan.spots_of(ref))
                self._spread(log, part, -1)
                for spot in blocks:
                    block = spot.block
                    oldest, newest = seconds_of(block.oldest), seconds_of(block.newest)
                    self._put(log, spot, _Part(block.lines, oldest, newest))
            else:
                self._reads += 1
                found = Counter(raw[:SECOND] for _, raw in log.scan.lines(ref))
                if len(self._logs) > 1:
                    log.scan.__exit__()  # one open file is enough
                self._spread(log, part, -1)
                for second, count in found.items():
                    at = seconds_of(second + b".000000000Z")
                    self._spread(log, _Part(count, at, at), 1)
        except SnapshotStale:
            self.progress.stale = app
            return False
        except OSError as e:
            self.progress.failed[app] = e
        return True


def range_of(oldest: int, newest: int, query: Query, now: int) -> tuple[int, int]:
    """Over which seconds is counted, of lines between these: those of the query, where it has some.
    Times that a wrong clock wrote do not count."""
    until = min(newest, now + AHEAD)
    if query.until is not None:
        until = _within(query.until)
    if query.since is None:
        return min(max(oldest, until - OLDEST), until), until
    since = _within(query.since)
    return since, max(since, until)


def _within(ns: int) -> int:
    first, last = EVER
    return min(max(ns // 1_000_000_000, first), last)
