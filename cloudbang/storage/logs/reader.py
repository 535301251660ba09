"""Reading an app's lines: pages, positions in time, what a container left off at.

A read works on a :class:`Snapshot`: which segments there were and how far they went at one moment.
It runs in a thread while the hub goes on writing; nothing it looks at is changed under it, only
deleted or packed, which it sees as a missing file (:class:`SnapshotStale`) and is then asked again with
a fresh view.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import zstandard

from cloudbang.domain.lines import format_time
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import BlockSearch, Hit, hits
from cloudbang.storage.logs.index import Block, Summary, summary
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.marks import ResumeState
from cloudbang.storage.logs.segment import Segment, lines_of, open_file, read_block

Lines = list[tuple[int, bytes]]

SLICE = 0.025  # seconds of reading in a thread after which others have their turn

PAGE_BYTES = 16 * 1024 * 1024  # 5,000 lines may be 1 MiB each


class SnapshotStale(Exception):
    """A file of the view is gone. Only ever seen inside the store, which then looks again."""


@dataclass(frozen=True)
class Query:
    """Which lines. ``after`` and ``before`` are exclusive seqs, ``since`` and ``until`` inclusive
    times in nanoseconds. ``match`` is given the whole record, as in the file; a
    :class:`~cloudbang.storage.logs.block_search.BlockSearch` is asked for whole blocks first.

    The first ``limit`` of them in the order of seq; with only ``before`` or ``until``, the last.
    """

    after: int | None = None
    before: int | None = None
    since: int | None = None
    until: int | None = None
    container: str | None = None  # 12 hex digits, or the full id
    stream: str | None = None
    match: Callable[[bytes], bool] | None = None
    limit: int = 500
    size: int = PAGE_BYTES  # of lines after which it is enough, though there are more
    account: Hashable = ""  # for whom: threads that read are shared out between accounts
    levels: frozenset[str] | None = None  # of entries, and "none"; see ``entry_pages``

    @property
    def backwards(self) -> bool:
        onward = self.after is not None or self.since is not None
        return not onward and (self.before is not None or self.until is not None)


class Page(NamedTuple):
    """Lines, oldest first. ``cursor`` is where a search ran out of time or its page was full, to go
    on from with ``after`` (or ``before``, when it searches backwards); None when it looked
    everywhere."""

    lines: Lines
    first: int  # the oldest seq kept
    next: int  # the seq that the next line will get
    cursor: int | None = None


class Sizes(NamedTuple):
    """What a search found without the lines: their seqs in order, and their bytes together."""

    seqs: list[int]
    size: int
    cursor: int | None = None

    @property
    def found(self) -> int:
        return len(self.seqs)


class Snapshot(NamedTuple):
    """What there was to read at one moment."""

    closed: tuple[Segment, ...]
    active: Segment | None
    active_blocks: list[Block]
    first: int
    next: int
    marks: ResumeState  # of the same moment: a line is in one of the two, and not in both

    def bare(self) -> Snapshot:
        """Without the marks, which only who resumes needs and may be large."""
        return self._replace(marks=ResumeState())


NOTHING = Snapshot((), None, [], 0, 0, ResumeState())


def time_key(name: str, ns: int | None) -> bytes | None:
    """A time as records begin with it. Raises BadRequest for one beyond the year 9999."""
    if ns is None:
        return None
    try:
        return format_time(ns).encode()
    except ValueError:
        raise BadRequest(name, ns, "a time between the years 1 and 9999") from None


_number = attrgetter("number")


class SegmentRef(NamedTuple):
    segment: Segment
    end: int  # seq at which the next one starts


class BlockRef(NamedTuple):
    segment: Segment
    block: Block
    seq: int  # of the block's first line
    end: int  # seq at which the next segment starts: a damaged index may say more


class BlockScan:
    """The blocks of a view that may hold lines of a query, and their lines, one file open."""

    def __init__(
        self, view: Snapshot, cache: IndexCache, query: Query, *, skip_missing: bool
    ) -> None:
        self.view, self.cache = view, cache
        self.low = max(view.first, 0 if query.after is None else query.after + 1)
        self.high = view.next if query.before is None else min(view.next, query.before)
        self.since = time_key("since", query.since)
        self.until = time_key("until", query.until)
        self._span = self.since, self.until
        self.container = query.container[:12].encode() if query.container else None
        self.stream = query.stream.encode() if query.stream else None
        self._match = query.match
        self._skip_missing = skip_missing
        self._unpack = zstandard.ZstdDecompressor()
        self._fd = -1
        self._open: Segment | None = None

    def __enter__(self) -> BlockScan:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._open = -1, None

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which opens its files itself."""
        return {
            **self.__dict__,
            "view": self.view.bare(),
            "_fd": -1,
            "_open": None,
            "_unpack": None,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _unpack=zstandard.ZstdDecompressor())

    def spots(self, backwards: bool = False) -> Iterator[BlockRef]:
        """In the order of seq, or against it. Raises Stale."""
        for part in self.parts(backwards):
            yield from self.spots_of(part, backwards)

    def parts(self, backwards: bool = False) -> list[SegmentRef]:
        """The segments that may hold lines of the query, as far as their seqs say."""
        view = self.view
        segments = [*view.closed, view.active] if view.active else list(view.closed)
        if not segments or self.low >= self.high:
            return []
        firsts = [s.first for s in segments]
        ends = [*firsts[1:], view.next]
        start = max(bisect_right(firsts, self.low) - 1, 0)
        stop = bisect_right(firsts, self.high - 1)
        order = range(stop - 1, start - 1, -1) if backwards else range(start, stop)
        return [SegmentRef(segments[i], ends[i]) for i in order]

    def spots_of(self, part: SegmentRef, backwards: bool = False) -> Iterator[BlockRef]:
        """The blocks of one segment. Raises Stale."""
        segment, end = part
        blocks = self._blocks(segment)
        empty = self.cache.without(segment, blocks, self._match)
        # From the block on that holds the first seq, or up to the one that holds the last.
        if backwards:
            to = bisect_left(blocks, self.high - segment.first, key=_number)
            chosen = reversed(blocks[:to])
        else:
            at = bisect_right(blocks, self.low - segment.first, key=_number)
            chosen = iter(blocks[max(at - 1, 0) :])
        for block in chosen:
            seq = segment.first + block.number
            if seq >= min(end, self.high):
                if backwards:
                    continue
                return
            if seq + block.lines <= self.low:
                if backwards:
                    return
                continue
            if block.number not in empty and self._wanted(block):
                yield BlockRef(segment, block, seq, end)

    def total(self, part: SegmentRef) -> Summary:
        """What a segment holds together. Raises Stale."""
        if part.segment is self.view.active:
            return summary(self.view.active_blocks)
        try:
            return self.cache.total(part.segment)
        except FileNotFoundError:
            if self._skip_missing:
                return summary([])
            raise SnapshotStale from None

    def _blocks(self, segment: Segment) -> list[Block]:
        if segment is self.view.active:
            return self.view.active_blocks
        try:
            if self.since or self.until:
                total = self.cache.total(segment)
                if (self.since and total.newest < self.since) or (
                    self.until and total.oldest > self.until
                ):
                    return []
            return self.cache.blocks(segment, self.container)
        except FileNotFoundError:
            if self._skip_missing:
                return []
            raise SnapshotStale from None

    def _wanted(self, block: Block) -> bool:
        if (self.since and block.newest < self.since) or (self.until and block.oldest > self.until):
            return False
        if block.keys is None:
            return True
        if self.container and not any(key.startswith(self.container) for key in block.keys):
            return False
        return not self.stream or any(key[13:] == self.stream for key in block.keys)

    def wants_all(self, spot: BlockRef) -> bool:
        """Whether every line of the block is known to fit the query, without reading it."""
        _, block, seq, end = spot
        if seq < self.low or seq + block.lines > min(end, self.high):
            return False
        if (self.since and block.oldest < self.since) or (self.until and block.newest > self.until):
            return False
        if not (self.container or self.stream):
            return True
        return block.keys is not None and all(
            (not self.container or key.startswith(self.container))
            and (not self.stream or key[13:] == self.stream)
            for key in block.keys
        )

    def cursor(self, spot: BlockRef, backwards: bool) -> int:
        """Where to go on when this block was not looked at any more."""
        if backwards:
            return min(spot.seq + spot.block.lines, self.high)
        return max(spot.seq - 1, self.low - 1)

    def lines(
        self,
        spot: BlockRef,
        *,
        first: int | None = None,
        last: int | None = None,
        since: bytes | None = None,
        until: bytes | None = None,
    ) -> Lines:
        """The lines of one block that fit the query, without their LF. Raises Stale.

        No more than its ``first`` or ``last`` ones need be given, and none of before ``since`` or
        behind ``until``, which pages of lines that are not filtered make use of.
        """
        _, block, seq, end = spot
        raw = lines_of(self._read(spot))
        a = max(self.low - seq, 0)
        b = min(self.high, end) - seq
        since = max(filter(None, (since, self.since)), default=None)
        until = min(filter(None, (until, self.until)), default=None)
        container, stream = self.container, self.stream
        if not (since or until or container or stream):
            b = min(b, len(raw)) if first is None else min(b, len(raw), a + first)
            a = a if last is None else max(a, b - last)
            return list(enumerate(raw[a:b], seq + a))
        since = since if since and block.oldest < since else None
        until = until if until and block.newest > until else None
        every = enumerate(raw[a:b], seq + a)
        # Each in one go: who opens a log of many apps waits for this.
        if since and until:
            found = [x for x in every if since <= x[1][:30] <= until]
        elif since:
            found = [x for x in every if x[1][:30] >= since]
        elif until:
            found = [x for x in every if x[1][:30] <= until]
        else:
            found = list(every)
        if container:
            found = [x for x in found if x[1][31:43] == container]
        if stream:
            found = [x for x in found if x[1][44:50] == stream]
        return found

    def whole(self, spot: BlockRef) -> Lines:
        """The lines of one block of the query's container and stream, whatever else it asks for,
        with their LF."""
        container, stream = self.container, self.stream
        lines = enumerate(lines_of(self._read(spot)), spot.seq)
        return [
            (seq, raw + b"\n")
            for seq, raw in lines
            if seq < spot.end
            and (not container or raw[31:43] == container)
            and (not stream or raw[44:50] == stream)
        ]

    def fits(self, raw: bytes) -> bool:
        """Whether a line is of the query's time, also where less of it is looked at."""
        since, until = self._span
        return not ((since and raw[:30] < since) or (until and raw[:30] > until))

    def matching(self, spot: BlockRef) -> Lines:
        """The lines of one block that fit the query, what it matches included, with their LF."""
        segment, block, seq, end = spot
        match = self._match
        assert match is not None
        plain = self._read(spot)
        found = list(hits(match, plain))
        if not found:
            if plain and isinstance(match, BlockSearch) and segment is not self.view.active:
                self.cache.empty.add(segment.path, match, block.number)
            return []
        since, until, container, stream = self.since, self.until, self.container, self.stream
        low, high = self.low - seq, min(self.high, end) - seq

        def fits(hit: Hit) -> bool:
            number, at, _ = hit
            return (
                low <= number < high
                and not (since and plain[at : at + 30] < since)
                and not (until and plain[at : at + 30] > until)
                and not (container and plain[at + 31 : at + 43] != container)
                and not (stream and plain[at + 44 : at + 50] != stream)
            )

        return [(seq + one.number, plain[one.start : one.stop + 1]) for one in found if fits(one)]

    def _read(self, spot: BlockRef) -> bytes:
        """The text of a block. Raises Stale."""
        segment = spot.segment
        if segment is not self._open:
            self.__exit__()
            self._open = segment
            try:
                self._fd = open_file(segment)
            except FileNotFoundError:
                if not self._skip_missing:
                    raise SnapshotStale from None
        if self._fd < 0:
            return b""
        return read_block(self._fd, segment, spot.block, self._unpack)


def collect(
    view: Snapshot,
    cache: IndexCache,
    query: Query,
    *,
    seconds: float,
    blocks: int = 1_000_000,
    skip_missing: bool = False,
) -> tuple[Lines, int | None]:
    """The lines of ``query`` and, when ``seconds``, ``blocks`` or its size ran out first, the cursor.

    Backwards, the lines still come oldest first. Raises Stale, BadRequest, OSError.
    """
    found: Lines = []
    deadline = time.monotonic() + seconds
    backwards, match, limit = query.backwards, query.match, query.limit
    looked = 0  # always at one block, or a slow disk would let nobody get on
    size = 0
    with BlockScan(view, cache, query, skip_missing=skip_missing) as walk:
        for spot in walk.spots(backwards):
            if looked and (looked >= blocks or size >= query.size or time.monotonic() > deadline):
                return (found[::-1] if backwards else found), walk.cursor(spot, backwards)
            looked += 1
            had = len(found)
            few = limit - len(found)
            if match is None:
                lines = walk.lines(spot, last=few) if backwards else walk.lines(spot, first=few)
                lines = [(seq, raw + b"\n") for seq, raw in lines]
            else:
                lines = walk.matching(spot)
            if backwards:
                lines.reverse()
            found += lines[:few]
            if len(found) >= limit:
                break
            size += sum(len(line) for _, line in found[had:])
    return (found[::-1] if backwards else found), None


def measure(
    view: Snapshot,
    cache: IndexCache,
    query: Query,
    *,
    seconds: float,
    skip_missing: bool = False,
) -> Sizes:
    """What :func:`collect` would find, without the lines. A block of which the index says that all
    of it fits is not read; then the size is that of the part of it. Raises as that."""
    found: list[int] = []
    size = 0
    deadline = time.monotonic() + seconds
    backwards, match, limit = query.backwards, query.match, query.limit
    cursor: int | None = None
    looked = False
    with BlockScan(view, cache, query, skip_missing=skip_missing) as walk:
        for spot in walk.spots(backwards):
            if looked and (size >= query.size or time.monotonic() > deadline):
                cursor = walk.cursor(spot, backwards)
                break
            looked = True
            missing = limit - len(found)
            if match is None and walk.wants_all(spot):
                all_of_them = range(spot.seq, spot.seq + spot.block.lines)
                chosen = list(all_of_them[-missing:] if backwards else all_of_them[:missing])
                size += spot.block.plain * len(chosen) // spot.block.lines
            else:
                lines = walk.lines(spot) if match is None else walk.matching(spot)
                lines = lines[-missing:] if backwards else lines[:missing]
                chosen = [seq for seq, _ in lines]
                size += sum(len(raw) + (match is None) for _, raw in lines)
            found += reversed(chosen) if backwards else chosen
            if len(found) >= limit:
                break
    return Sizes(found[::-1] if backwards else found, size, cursor)
