"""Lines of several apps in one order, that of their times: what a merged log and a search over all read.

A place in that order is a :class:`Place`: time, app and seq. It says alone what comes before it and
what after, so that a page that goes on from one skips and doubles nothing, whatever came meanwhile:
of each app those lines count that have a seq below a fixed end, and their order does not change.

Blocks are read in the order of the times in them, from the newest or from the oldest, whichever app
they are of; a line is given as soon as no block that is still to be read can have one before it.

With a filter entries are found, and given whole: each has the place of the first of its lines that
fits, as in the log of its app (``entry_pages``).
"""

from __future__ import annotations

import heapq
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TypeAlias

from cloudbang.storage.logs.entry_pages import FoundEntry, around_in, entries_of_block
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place, Progress
from cloudbang.storage.logs.reader import (
    BlockRef,
    BlockScan,
    Lines,
    SegmentRef,
    Snapshot,
    SnapshotStale,
)
from cloudbang.storage.logs.readings import ANY

HELD_BYTES = 2 * 1024 * 1024
"""Of lines that wait for their turn. Those beyond it are dropped, the last ones first, and what is
given ends before them: a cursor goes on there."""

OFTEN = 3  # times that a file may be gone before its lines are


_Ref: TypeAlias = SegmentRef | BlockRef
_Key: TypeAlias = tuple[int, int, int]  # of a line: its time, its app's rank, its seq
_Found: TypeAlias = tuple[int, bytes, FoundEntry | None]  # seq and raw of a line, what it is in


class _Log:
    """What is read of one app."""

    def __init__(self, name: str, rank: int, end: int, scan: BlockScan) -> None:
        self.name, self.rank, self.end = name, rank, end
        self.stale = 0
        self.use(scan)

    def use(self, scan: BlockScan) -> None:
        self.scan = scan
        self.parts = {part.segment.first: part for part in scan.parts()}


class MergedScan:
    """One reading of several apps, in steps, each of them in a thread; ``progress`` is how far it is.

    It can be pickled between two steps, and go on in another process.
    """

    def __init__(self, cache: IndexCache, asked: MergedQuery) -> None:
        self.asked = asked
        self.progress = Progress()
        self._at: Place | None = None  # the last line that was given
        self._cache = cache
        self._logs: dict[str, _Log] = {}
        self._new: list[_Log] = []
        self._heap: list[tuple[int, int, str, _Ref]] = []
        self._held: list[tuple[_Key, MergedLine]] = []
        self._held_bytes = 0
        self._busy = self._abandoned = False
        self._entered = 0  # makes each entry of the heap another
        self._left, self._room = asked.query.limit, asked.query.size
        self._last: _Key | None = None  # from here on lines were dropped for want of room
        self._told: Place | None = (
            None  # what comes before it, and so many counts, were told already
        )
        self._told_counts = 0

    def add(self, app: str, view: Snapshot) -> None:
        """Read this app as well; in the order of their names, before the first step."""
        end = self.asked.ends.get(app, view.next)
        log = _Log(app, len(self._logs), end, self._scan(view, end))
        self._logs[app] = log
        self._new.append(log)
        self.progress.ends[app] = view.first, end

    def renew(self, app: str, view: Snapshot) -> None:
        """Go on with a fresh view where a file is gone: packed, or deleted with its lines."""
        log = self._logs[app]
        self.progress.stale = ""
        log.stale += 1
        log.scan.__exit__()
        log.use(self._scan(view, log.end, skip_missing=log.stale > OFTEN))
        self.progress.ends[app] = view.first, log.end

    def catch_up(self, told: Progress) -> None:
        """Come to where another one was, and tell nothing again that it told. Counts are in the order of
        blocks, and are left out by their number."""
        self._told = told.at
        self._told_counts = told.counted_so_far - self.progress.counted_so_far

    def close(self) -> None:
        for log in self._logs.values():
            log.scan.__exit__()

    def step(self, seconds: float, enough: int = ANY) -> None:
        """Go on for so long, or until there are so many bytes of lines whose turn it is."""
        self._busy = True
        self.progress.given, self.progress.counted = [], []
        try:
            self._step(seconds, self._room - enough)
        finally:
            self._tell()
            self._busy = False
            if self._abandoned:
                self.close()

    def _step(self, seconds: float, enough: int) -> None:
        deadline = time.monotonic() + seconds
        while self._new and not self.progress.stale:
            self._begin(self._new.pop())
            if time.monotonic() > deadline:
                return
        while self._heap and not self.progress.stale and (self._left > 0 or self.asked.count):
            entry = heapq.heappop(self._heap)
            app, ref = entry[2:]
            try:
                self._take(self._logs[app], ref)
            except SnapshotStale:
                heapq.heappush(self._heap, entry)
                self.progress.stale = app
                return
            except OSError as e:
                self._give_up(app, e)
            self._give()
            if time.monotonic() > deadline or self._room <= enough:
                return
        if not self.progress.stale:
            self._give()
            self.progress.done = True

    def abandon(self) -> None:
        """Close it from outside, perhaps while a step is still under way."""
        self._abandoned = True
        if not self._busy:
            self.close()

    def _tell(self) -> None:
        told, heap = self.progress, self._heap
        told.counted_so_far += len(told.counted)
        if self._told_counts:
            again = min(self._told_counts, len(told.counted))
            self._told_counts -= again
            del told.counted[:again]
        if self._told:
            last, sign = self._told, -1 if self.asked.backwards else 1
            told.given = [one for one in told.given if _passed(one.place, last, sign)]
        told.at = self._at
        told.begun = not self._new
        told.cursor = self._at if self._left <= 0 else None
        told.edge = abs(heap[0][0]).to_bytes(30, "big") if heap else b""

    def _scan(self, view: Snapshot, end: int, *, skip_missing: bool = False) -> BlockScan:
        asked = self.asked
        query = replace(asked.query, after=None, before=end)
        scan = BlockScan(view, self._cache, query, skip_missing=skip_missing)
        if asked.after:
            scan.since = max(scan.since or b"", asked.after.time)
        if asked.before:
            scan.until = min(scan.until or asked.before.time, asked.before.time)
        return scan

    def _begin(self, log: _Log) -> None:
        try:
            for part in log.parts.values():
                self._enter(log, part)
        except SnapshotStale:
            self._new.append(log)
            self._drop(log.name)
            self.progress.stale = log.name
        except OSError as e:
            self._give_up(log.name, e)

    def _give_up(self, app: str, reason: OSError) -> None:
        self.progress.failed[app] = reason
        self._drop(app)

    def _drop(self, app: str) -> None:
        self._heap = [entry for entry in self._heap if entry[2] != app]
        heapq.heapify(self._heap)

    def _enter(self, log: _Log, ref: _Ref) -> None:
        """Put a segment or a block where its turn is: by the first time that may be in it."""
        scan = log.scan
        if isinstance(ref, BlockRef):
            oldest, newest = ref.block.oldest, ref.block.newest
        else:
            total = scan.total(ref)
            oldest, newest = total.oldest, total.newest
            if (scan.since and newest < scan.since) or (scan.until and oldest > scan.until):
                return
            self.progress.of += total.plain
            oldest, newest = max(oldest, scan.since or b""), min(newest, scan.until or newest)
            self.progress.oldest = min(self.progress.oldest or oldest, oldest)
            self.progress.newest = max(self.progress.newest, newest)
        if self.asked.backwards:
            order = -int.from_bytes(min(newest, scan.until or newest), "big")
        else:
            order = int.from_bytes(max(oldest, scan.since or oldest), "big")
        self._entered += 1
        heapq.heappush(self._heap, (order, self._entered, log.name, ref))

    def _take(self, log: _Log, ref: _Ref) -> None:
        part = log.parts.get(ref.segment.first)
        if part is None:
            return  # deleted meanwhile
        if isinstance(ref, SegmentRef):
            size = log.scan.total(part).plain
            for spot in log.scan.spots_of(part):
                self._enter(log, spot)
                size -= spot.block.plain
            self.progress.looked += max(size, 0)  # what need not be looked at
            return
        if part.segment.path != ref.segment.path:
            spots = log.scan.spots_of(part)
            found = next((spot for spot in spots if spot.block.number == ref.block.number), None)
            if found is None:
                self.progress.looked += ref.block.plain
                return
            ref = found
        self._read(log, ref)
        self.progress.looked += ref.block.plain

    def _read(self, log: _Log, ref: BlockRef) -> None:
        asked = self.asked
        found = self._found_in(log, ref)
        if len(self._logs) > 1:
            log.scan.__exit__()  # one open file is enough, and there may be thousands of apps
        if self._left <= 0 and not (asked.after or asked.before):
            self.progress.found += len(found)
            self.progress.counted += [
                (raw[:30], entry.level if entry else None) for _, raw, entry in found
            ]
            return
        new = self._placed(log, found)
        self.progress.found += len(new)
        if asked.count:
            self.progress.counted += [
                (raw[:30], it.level if it else None) for _, (_, raw, it) in new
            ]
        if self._left > 0 and new:
            self._hold(new)

    def _found_in(self, log: _Log, ref: BlockRef) -> Sequence[_Found]:
        """What a block has: entries and where they were found, or all lines whose turn may come."""
        if self.asked.filtered:
            scan = log.scan
            around = around_in(
                scan.view, self._cache, self.asked.query, skip_missing=log.stale > OFTEN
            )
            return entries_of_block(scan, ref, self.asked.query, around)
        if self.asked.count:
            lines = log.scan.lines(ref)
        elif len(self._held) >= self._left:
            # What is farther than all that can be given need not come: most of a block, in a log of
            # many apps.
            edge = self._held[self._left - 1][1].place.time
            backwards = self.asked.backwards
            since, until = (edge, None) if backwards else (None, edge)
            lines = log.scan.lines(ref, since=since, until=until)
        else:
            lines = self._near(log.scan.lines(ref))
        return [(seq, raw + b"\n", None) for seq, raw in lines]

    def _near(self, lines: Lines) -> Lines:
        """Without those that are farther than all that can be given. Telling that by their times alone
        is a tenth of putting them in order."""
        left, backwards = self._left, self.asked.backwards
        if len(lines) <= left:
            return lines
        # Of the time at which the page begins some lines may be on the other side of it.
        times = sorted(raw[:30] for _, raw in lines)
        if backwards and self.asked.before:
            left += len(times) - bisect_left(times, self.asked.before.time)
        elif not backwards and self.asked.after:
            left += bisect_right(times, self.asked.after.time)
        if len(times) <= left:
            return lines
        edge = times[-left] if backwards else times[left - 1]
        if backwards:
            return [line for line in lines if line[1][:30] >= edge]
        return [line for line in lines if line[1][:30] <= edge]

    def _placed(self, log: _Log, found: Sequence[_Found]) -> list[tuple[_Key, MergedLine]]:
        """Those that are between the edges of the page, and in which order they come."""
        low, high = self.asked.after, self.asked.before
        sign = -1 if self.asked.backwards else 1
        rank = sign * log.rank
        new: list[tuple[_Key, MergedLine]] = []
        for seq, raw, entry in found:
            place = Place(raw[:30], log.name, seq)
            if (low is None or place > low) and (high is None or place < high):
                key = (sign * int.from_bytes(place.time, "big"), rank, sign * seq)
                new.append((key, MergedLine(place, raw, entry)))
        return new

    def _hold(self, new: list[tuple[_Key, MergedLine]]) -> None:
        held = self._held + new
        held.sort(key=_key)
        self._held_bytes += sum(line.size for _, line in new)
        self._held_bytes -= sum(line.size for _, line in held[self._left :])
        del held[self._left :]
        size = 0
        for at, (key, line) in enumerate(held):
            if self._last is None and self._held_bytes <= HELD_BYTES:
                break  # all of them may stay
            size += line.size
            if (self._last and key >= self._last) or (size > HELD_BYTES and at):
                self._last = min(self._last, key) if self._last else key
                self._held_bytes = size - line.size
                del held[at:]
                break
        self._held = held

    def _give(self) -> None:
        """The lines before which nothing can come any more."""
        given = self.progress.given
        edge = self._heap[0][0] if self._heap else None
        number = 0
        for key, line in self._held:
            if self._left <= 0 or (edge is not None and key[0] >= edge):
                break
            given.append(line)
            number += 1
            self._left -= line.lines if self.asked.by_lines else 1
            self._room -= line.size
            self._held_bytes -= line.size
            if self._room <= 0:
                self._left = 0
        del self._held[:number]
        if self._last and not self._held and (edge is None or self._last[0] < edge):
            self._left = 0  # what comes now is what was dropped, or beyond it
        if self._left <= 0:
            self._held.clear()
            self._held_bytes = 0
        if number:
            self._at = given[-1].place


_key = itemgetter(0)


def _passed(place: Place, last: Place, sign: int) -> bool:
    return place > last if sign > 0 else place < last
