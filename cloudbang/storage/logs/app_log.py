"""One app's log: what the hub knows of it, and how it is found again at start.

The hub alone changes an :class:`AppLog`. Threads are handed what they need from it by value.
"""

from __future__ import annotations

import logging
import os
from bisect import bisect_right
from collections import deque
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from cloudbang.domain.lines import is_record
from cloudbang.storage.logs import index
from cloudbang.storage.logs.index import BLOCK_BYTES, MAX_KEYS, Block, CorruptIndex
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.marks import ResumeState, load_resume_state
from cloudbang.storage.logs.reader import Query, Snapshot, collect
from cloudbang.storage.logs.segment import Segment, find, remove, whole_lines

log = logging.getLogger(__name__)

LAST_BYTES = 4096  # of an app's newest line that are kept in memory


_key = itemgetter(slice(31, 50))  # a third faster than a loop that slices


class OpenBlock:
    """The block that the next lines go to."""

    __slots__ = ("at", "count", "keys", "newest", "number", "oldest", "size")

    def __init__(self, number: int, at: int) -> None:
        self.number, self.at = number, at
        self.count = self.size = 0
        self.oldest = self.newest = b""
        self.keys: set[bytes] = set()

    def add(self, records: list[bytes], size: int) -> None:
        """Records of ``size`` bytes together. 0.1 µs a line: this is on the way of every line."""
        oldest, newest = min(records)[:30], max(records)[:30]
        if not self.count or oldest < self.oldest:
            self.oldest = oldest
        if newest > self.newest:
            self.newest = newest
        self.keys.update(map(_key, records))
        self.count += len(records)
        self.size += size

    def freeze(self) -> Block:
        keys = frozenset(self.keys) if len(self.keys) <= MAX_KEYS else None
        return Block(
            self.number, self.count, self.at, self.size, self.size, self.oldest, self.newest, keys
        )


class Tail:
    """The newest records of an app in memory, for viewers who missed a few.

    Bounded by bytes; what does not fit is dropped from its old end and read from disk instead.
    """

    def __init__(self) -> None:
        self._firsts: deque[int] = deque()
        self._parts: deque[tuple[list[bytes], int]] = deque()
        self.size = 0

    def add(self, first: int, records: list[bytes], size: int, limit: int) -> None:
        self._firsts.append(first)
        self._parts.append((records, size))
        self.size += size
        while self.size > limit:
            self._firsts.popleft()
            self.size -= self._parts.popleft()[1]

    def after(self, seq: int, lines: int, size: int) -> list[bytes] | None:
        """Records from seq + 1 on: at least one, at most ``lines`` and ``size`` bytes of them.
        None when that one is not here."""
        at = bisect_right(self._firsts, seq + 1) - 1
        if at < 0:
            return None
        found: list[bytes] = []
        skip = seq + 1 - self._firsts[at]
        for i in range(at, len(self._parts)):
            for raw in self._parts[i][0][skip:]:
                size -= len(raw)
                if found and size < 0:
                    return found
                found.append(raw)
                if len(found) >= lines:
                    return found
            skip = 0
        return found or None

    def newest(self, lines: int, size: int) -> tuple[list[bytes], bool]:
        """The last records, at most ``lines`` and ``size`` bytes of them, newest first; and whether
        there would be more of them if older ones were here."""
        found: list[bytes] = []
        for records, _ in reversed(self._parts):
            for raw in reversed(records):
                size -= len(raw)
                if size < 0 or len(found) >= lines:
                    return found, False
                found.append(raw)
        return found, len(found) < lines


class Totals:
    """What the logs of one team hold together, counted as it changes."""

    __slots__ = ("bytes", "ever", "lines")

    def __init__(self) -> None:
        self.bytes = self.lines = 0
        self.ever = 0  # lines, those too that are gone


class AppLog:
    """The state of one app's log in memory: a few KB, and its tail.

    ``next`` the seq that its first line gets. ``totals`` are kept up to date, and so is
    ``written``: how many lines each app was given since somebody last looked.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        next: int = 1,
        totals: Totals | None = None,
        written: dict[str, int] | None = None,
    ) -> None:
        self.name, self.folder = name, folder
        self._closed: list[Segment] = []
        self._closed_bytes = 0
        self._counted = (0, 0)
        self._totals = totals or Totals()
        self._written = {} if written is None else written
        self.writing = 0  # appends that have not come back; meanwhile it is not forgotten
        self.active: Segment | None = None
        self.blocks: list[Block] = []  # the complete ones of the active segment
        self.open = OpenBlock(0, 0)
        self.indexed = 0  # how many of them are in its index file,
        self.index_size = 0  # and how many bytes that file has; 0: not begun
        self.next = next
        self.last: tuple[int, bytes] | None = None
        self.tail = Tail()
        self.marks = ResumeState()

    @property
    def closed(self) -> list[Segment]:
        """The segments that are not written to any more, by seq. Replaced as a whole."""
        return self._closed

    @closed.setter
    def closed(self, segments: list[Segment]) -> None:
        self._closed = segments
        self._closed_bytes = sum(segment.stored for segment in segments)
        self.count()

    def skip_index_grew(self, segment: Segment, size: int) -> None:
        """Take note that the file of a segment that says what is not in it has this size."""
        segment.skip_size = size
        self._closed_bytes = sum(one.stored for one in self._closed)
        self.count()

    def count(self) -> None:
        """Bring the totals up to date."""
        before, now = self._counted, (self.size, self.next - self.first)
        self._totals.bytes += now[0] - before[0]
        self._totals.lines += now[1] - before[1]
        self._counted = now

    @property
    def first(self) -> int:
        """The oldest seq kept; the next one when there is none."""
        if self.closed:
            return self.closed[0].first
        return self.active.first if self.active else self.next

    @property
    def size(self) -> int:
        return self._closed_bytes + (self.active.stored if self.active else 0)

    def view(self) -> Snapshot:
        blocks = self.blocks
        if self.open.count:
            blocks = [*blocks, self.open.freeze()]
        elif blocks:
            blocks = blocks.copy()
        return Snapshot(tuple(self.closed), self.active, blocks, self.first, self.next, self.marks)

    def written(self, records: list[bytes], data: bytes, tail_limit: int) -> int:
        """Take note that ``records`` are at the end of the active segment now. Gives their seq."""
        assert self.active is not None
        size, seq = len(data), self.next
        if self.open.size + size <= 2 * BLOCK_BYTES:
            self._to_block(records, size)
        else:
            part: list[bytes] = []
            held = 0
            for raw in records:
                part.append(raw)
                held += len(raw)
                if self.open.size + held >= BLOCK_BYTES:
                    self._to_block(part, held)
                    part, held = [], 0
            if part:
                self._to_block(part, held)
        self.active.size += size
        self.next += len(records)
        newest = records[-1]
        if len(newest) > LAST_BYTES:
            newest = newest[: LAST_BYTES - 1] + b"\n"
        self.last = (self.next - 1, newest)
        self.tail.add(seq, records, size, tail_limit)
        count = len(records)
        self._written[self.name] = self._written.get(self.name, 0) + count
        # What count() would find out, at a fifth of its price.
        totals, counted = self._totals, self._counted
        totals.ever += count
        totals.bytes += size
        totals.lines += count
        self._counted = (counted[0] + size, counted[1] + count)
        return seq

    def _to_block(self, records: list[bytes], size: int) -> None:
        self.open.add(records, size)
        if self.open.size >= BLOCK_BYTES:
            block = self.open.freeze()
            self.blocks.append(block)
            self.open = OpenBlock(block.number + block.lines, block.at + block.plain)

    def begin(self, segment: Segment | None) -> tuple[Segment, list[Block]] | None:
        """Go on in ``segment``, or, without one, where the next line says. Gives the one that is closed by it, with its blocks, if any."""
        ended, blocks = self.active, self.blocks
        if self.open.count:
            blocks = [*blocks, self.open.freeze()]
        self.active, self.blocks, self.open = segment, [], OpenBlock(0, 0)
        self.indexed = self.index_size = 0
        if not ended or not ended.size:
            return None
        ended.total = index.summary(blocks)
        self.closed = [*self.closed, ended]
        return ended, blocks

    def count_recovered(self) -> None:
        """The same once what was found on the disk is known."""
        self._totals.ever += self.next - 1
        self.count()

    def forget_lines(self) -> None:
        """Every line is deleted: nothing of them is left in memory either."""
        self.last = None
        self.tail = Tail()


class Recovery(NamedTuple):
    """An app's log as it was found, and how many bytes of a torn end were cut off it."""

    log: AppLog
    cut: int


def recover(
    name: str,
    folder: Path,
    cache: IndexCache,
    totals: Totals | None = None,
    written: dict[str, int] | None = None,
) -> Recovery:
    """Find an app's log again: finish what was interrupted, cut off a torn last record.

    Blocks on the disk: call it in a thread. Raises OSError.
    """
    found = AppLog(name, folder, totals=totals, written=written)
    found.marks = load_resume_state(folder)
    segments = find(folder)
    while segments and segments[0].first < found.marks.first:
        with suppress(OSError):
            remove(segments.pop(0))  # stopped in the middle of deleting
    found.next = found.marks.first
    torn = 0
    if segments and not segments[-1].compressed:
        active = segments.pop()
        found.active = active
        torn = _recover_active(found, active)
        found.next = max(found.next, active.first + found.open.number + found.open.count)
    elif segments:
        newest = segments[-1]
        found.next = max(found.next, newest.first + cache.total(newest).lines)
    found.closed = segments
    found.count_recovered()
    newest_line, _ = collect(
        found.view(), cache, Query(before=found.next, limit=1), seconds=5, skip_missing=True
    )
    if newest_line:
        seq, raw = newest_line[0]
        found.last = (seq, raw if len(raw) <= LAST_BYTES else raw[: LAST_BYTES - 1] + b"\n")
    return Recovery(found, torn)


def _recover_active(found: AppLog, active: Segment) -> int:
    """Index the segment that was written to last. Gives the bytes cut off its end."""
    # For reading: a folder that takes no writes has a log all the same.
    fd = os.open(active.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        blocks = _believable(fd, active)
        known = len(blocks)
        number, at = 0, 0
        if blocks:
            number = blocks[-1].number + blocks[-1].lines
            at = blocks[-1].at + blocks[-1].plain
        end = _whole_end(fd, at, active.size)
        torn = active.size - end
        if torn:
            log.warning("%s ends in %d bytes that are no whole record: cut off", active.path, torn)
            os.truncate(active.path, end)
            active.size = end
        blocks += index.cut(whole_lines(fd, at, end), number, at)
    finally:
        os.close(fd)
    if blocks and len(blocks) > known and blocks[-1].plain < BLOCK_BYTES:
        unfinished = blocks.pop()
        found.open = OpenBlock(unfinished.number, unfinished.at)
        found.open.count, found.open.size = unfinished.lines, unfinished.plain
        found.open.oldest, found.open.newest = unfinished.oldest, unfinished.newest
        # With too many to list, as many that are nobody's: it stays "too many" when it is frozen.
        nobody = (b"%d" % i for i in range(MAX_KEYS + 1))
        found.open.keys = set(nobody if unfinished.keys is None else unfinished.keys)
    elif blocks:
        found.open = OpenBlock(
            blocks[-1].number + blocks[-1].lines, blocks[-1].at + blocks[-1].plain
        )
    found.blocks = blocks
    found.indexed = 0  # the index file is begun again with the next line
    return torn


def _believable(fd: int, active: Segment) -> list[Block]:
    """The entries of the index that fit the file, without a hole."""
    try:
        raw = Path(active.index_path).read_bytes()
        entries = index.entries(raw, False, False, 0)
    except (CorruptIndex, FileNotFoundError):
        return []
    blocks: list[Block] = []
    number = at = 0
    for block in entries:
        if (block.number, block.at) != (number, at) or at + block.plain > active.size:
            break
        number, at = number + block.lines, at + block.plain
        blocks.append(block)
    if at and os.pread(fd, 1, at - 1) != b"\n":
        log.warning("the index of %s does not fit it: rebuilt", active.path)
        return []
    return blocks


def _whole_end(fd: int, start: int, end: int) -> int:
    """Where the last whole record before ``end`` ends; what follows it was torn while written.

    After a power cut the end may be zeros, or lines with zeros in them, so it is not enough to
    look for the last LF. Only the last lines are looked at: damage further up stays.
    """
    size = 4 * 1024 * 1024
    while True:
        begin = max(start, end - size)
        window = os.pread(fd, end - begin, begin)
        stop = len(window)
        while stop:
            last = window.rfind(b"\n", 0, stop) + 1
            if last == stop:
                last = window.rfind(b"\n", 0, stop - 1) + 1
                if is_record(window[last:stop]):
                    return begin + stop
            stop = last
        if begin == start:
            return start
        size *= 4  # nothing whole in it: look further up
