"""Pages of entries: lines with the level that each gives itself, and which of them belong together.

Entries are not kept: lines are the truth, and what a line is and belongs to is read off them when
they are read (``domain.entries``). A line that stands alone belongs to nothing before it, so that
reading may begin at any line: it goes back to the last such line of each stream, and no further.

With a filter an entry is wanted or not as a whole. It is found where the first of its lines is that
fits: so pages that meet neither leave one out nor give one twice, in whichever direction they go.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cloudbang.domain.entries import EntryReader
from cloudbang.domain.entry import LINES_AT_MOST, comes_later
from cloudbang.domain.line_shape import Shape, shape_of
from cloudbang.storage.logs.block_search import BlockSearch
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.reader import (
    BlockRef,
    BlockScan,
    Lines,
    Query,
    Snapshot,
    collect,
)

STEP, STEPS = 250, 4  # lines that are read at once around those that are asked for, and how often
STEP_BYTES = 512 * 1024
NEXT = 20  # lines among which the next one of a stream most likely is
NO_LEVEL = "none"  # asks for entries that do not say how bad they are

Extent = tuple[int, int, str | None, str, str]
"""First and last seq of an entry of several lines, its level, its container and its stream."""

Around = Callable[[int, bool], Lines]
"""Lines next to a seq (exclusive), before it or after it, in order and with their LF."""


@dataclass
class Entries:
    """Lines in order, the level of each, and the entries of several lines among them."""

    lines: Lines = field(default_factory=list)
    levels: list[str | None] = field(default_factory=list)
    extents: list[Extent] = field(default_factory=list)
    cursor: int | None = None

    @property
    def found(self) -> int:
        return len(self.lines)

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(len(raw) for _, raw in self.lines)

    def and_then(self, newer: Entries) -> Entries:
        """These and others that were found after them; the cursor is nobody's."""
        if not self.lines or not newer.lines or self.lines[-1][0] < newer.lines[0][0]:
            lines, levels = self.lines + newer.lines, self.levels + newer.levels
        else:  # of two streams at once
            both = zip(self.lines + newer.lines, self.levels + newer.levels, strict=True)
            merged = sorted(both, key=lambda one: one[0][0])
            lines, levels = [line for line, _ in merged], [level for _, level in merged]
        return Entries(lines, levels, sorted(self.extents + newer.extents))


class EntryPage(NamedTuple):
    """A page of them, the oldest seq that is kept, and the seq that the next line will get."""

    entries: Entries
    first: int
    next: int


def _stands_alone(raw: bytes, shape: Shape) -> bool:
    """Whether a line belongs to none before it, whatever those were: who has not read them knows."""
    return shape.alone or raw[44:50] == b"marker"


def describe(lines: Lines, around: Around) -> Entries:
    """Of lines that are each whole streams from their first to their last: what they are. An entry
    may begin before them; one that goes on after them is known as far as they go."""
    first_of: dict[bytes, bytes] = {}
    shapes = [shape_of(raw) for _, raw in lines]
    for (_, raw), shape in zip(lines, shapes, strict=True):
        key = raw[31:50]
        if key not in first_of:
            first_of[key] = b"" if _stands_alone(raw, shape) else raw
    unsure = {key for key, raw in first_of.items() if raw}
    context: Lines = []
    start = lines[0][0] if lines else 0
    for _ in range(STEPS):
        if not unsure:
            break
        older = around(start, True)
        if not older:
            break
        start = older[0][0]
        context[:0] = older
        for _, raw in reversed(older):
            if (key := raw[31:50]) in unsure and _stands_alone(raw, shape_of(raw)):
                unsure.discard(key)
    reader = EntryReader()
    grown: dict[int, Extent] = {}
    for seq, raw in context:
        if first_of.get(raw[31:50]):
            _, entry = reader.feed(seq, raw)
            if entry is not None:
                grown[entry.first] = entry.extent
    begin = lines[0][0] if lines else 0
    levels: list[str | None] = []
    for (seq, raw), shape in zip(lines, shapes, strict=True):
        level, entry = reader.feed(seq, raw, shape)
        levels.append(level)
        if entry is not None:
            grown[entry.first] = entry.extent
    return Entries(lines, levels, sorted(e for e in grown.values() if e[1] >= begin))


class FoundEntry(NamedTuple):
    """An entry as it is kept: ``lines`` with the level of each."""

    level: str | None
    lines: list[tuple[int, bytes, str | None]]

    @property
    def first(self) -> int:
        return self.lines[0][0]

    @property
    def extent(self) -> Extent:
        raw = self.lines[0][1]
        who, where = raw[31:43].decode("ascii", "replace"), raw[44:50].decode("ascii", "replace")
        return (self.first, self.lines[-1][0], self.level, who, where)


class Found(NamedTuple):
    """An entry that is wanted, and the first of its lines that fits: there it is found."""

    seq: int
    raw: bytes
    entry: FoundEntry


class EntryFinder:
    """Knows of each of some lines its whole entry; reads on around them where it must."""

    def __init__(self, lines: Lines, around: Around) -> None:
        self._lines = list(lines)
        self._seqs = [seq for seq, _ in lines]
        self._shapes: dict[int, Shape] = {}
        self._around = around
        self._back = self._on = STEPS
        self._known: dict[int, FoundEntry] = {}

    def entry_of(self, seq: int) -> FoundEntry | None:
        """The entry that this line is in; None when the line is not here."""
        if (known := self._known.get(seq)) is not None:
            return known
        at = bisect_left(self._seqs, seq)
        if at >= len(self._seqs) or self._seqs[at] != seq:
            return None
        if (lone := self._by_itself(at)) is not None:
            return lone
        self._read_from(self._start_of(at), seq)
        return self._known.get(seq)

    def _by_itself(self, at: int) -> FoundEntry | None:
        """The line where it and the next of its stream stand alone, as most lines of most logs do:
        what :meth:`_read_from` finds, for a tenth of the time."""
        seq, raw = self._lines[at]
        shape = self._shape(seq, raw)
        if not _stands_alone(raw, shape):
            return None
        key = raw[31:50]
        for number, other in self._lines[at + 1 : at + NEXT]:
            if other[31:50] == key:
                if not _stands_alone(other, self._shape(number, other)):
                    return None
                level = None if key[13:] == b"marker" else shape.level
                return FoundEntry(level, [(seq, raw, level)])
        return None

    def _shape(self, seq: int, raw: bytes) -> Shape:
        shape = self._shapes.get(seq)
        if shape is None:
            shape = self._shapes[seq] = shape_of(raw)
        return shape

    def _start_of(self, at: int) -> int:
        """Where to read from: the last line of the same stream that stands alone."""
        key = self._lines[at][1][31:50]
        for _ in range(LINES_AT_MOST):
            seq, raw = self._lines[at]
            if _stands_alone(raw, self._shape(seq, raw)):
                break
            before = at - 1
            while True:
                while before >= 0 and self._lines[before][1][31:50] != key:
                    before -= 1
                if before >= 0:
                    break
                added = self._extend_back()
                if not added:
                    return at
                at, before = at + added, added - 1
            if comes_later(raw, self._lines[before][1]):
                break
            at = before
        return at

    def _read_from(self, at: int, seq: int) -> None:
        """Read the stream from a line on, past that of ``seq``, until what it is in has ended."""
        key = self._lines[at][1][31:50]
        reader = EntryReader()
        read: list[tuple[int, bytes, str | None]] = []
        ends: dict[int, tuple[int, str | None]] = {}  # by the first seq of an entry
        while len(read) < 2 * LINES_AT_MOST:
            if at >= len(self._lines):
                if not self._extend_on():
                    break
                continue
            number, raw = self._lines[at]
            at += 1
            if raw[31:50] != key:
                continue
            shape = self._shape(number, raw)
            if number > seq and (_stands_alone(raw, shape) or comes_later(raw, read[-1][1])):
                break
            level, entry = reader.feed(number, raw, shape)
            read.append((number, raw, level))
            if entry is not None:
                ends[entry.first] = entry.last, entry.level
        i = 0
        while i < len(read):
            first, _, level = read[i]
            last, level = ends.get(first, (first, level))
            stop = i + 1
            while stop < len(read) and read[stop][0] <= last:
                stop += 1
            found = FoundEntry(level, read[i:stop])
            for number, _, _ in found.lines:
                self._known[number] = found
            i = stop

    def _extend_back(self) -> int:
        older = self._around(self._seqs[0], True) if self._back else []
        self._back -= 1 if self._back else 0
        self._lines[:0] = older
        self._seqs[:0] = [seq for seq, _ in older]
        return len(older)

    def _extend_on(self) -> bool:
        newer = self._around(self._seqs[-1], False) if self._on else []
        self._on -= 1 if self._on else 0
        self._lines += newer
        self._seqs += [seq for seq, _ in newer]
        return bool(newer)


def around_in(view: Snapshot, cache: IndexCache, query: Query, *, skip_missing: bool) -> Around:
    """Reads lines next to a seq, of the query's container and stream."""
    plain = Query(container=query.container, stream=query.stream, limit=STEP, size=STEP_BYTES)

    def around(seq: int, back: bool) -> Lines:
        part = replace(plain, before=seq) if back else replace(plain, after=seq)
        return collect(view, cache, part, seconds=1.0, blocks=2, skip_missing=skip_missing)[0]

    return around


def collect_entries(
    view: Snapshot,
    cache: IndexCache,
    query: Query,
    *,
    seconds: float,
    blocks: int = 1_000_000,
    skip_missing: bool = False,
) -> Entries:
    """The entries of ``query``: one of their lines is matched, and their level is wanted.

    As many whole ones as are needed for its limit and size. ``cursor`` says where to go on when
    there may be more. Raises as ``reader.collect``.
    """
    deadline = time.monotonic() + seconds
    around = around_in(view, cache, query, skip_missing=skip_missing)
    backwards = query.backwards
    chosen: list[FoundEntry] = []
    lines = size = looked = 0
    cursor: int | None = None
    with BlockScan(view, cache, query, skip_missing=skip_missing) as walk:
        for spot in walk.spots(backwards):
            if looked and (looked >= blocks or time.monotonic() > deadline):
                cursor = walk.cursor(spot, backwards)
                break
            looked += 1
            found = entries_of_block(walk, spot, query, around)
            for at, _, entry in reversed(found) if backwards else found:
                chosen.append(entry)
                lines += len(entry.lines)
                size += sum(len(raw) for _, raw, _ in entry.lines)
                if lines >= query.limit or size >= query.size:
                    cursor = at
                    break
            if cursor is not None:
                break
    merged = sorted(line for entry in chosen for line in entry.lines)
    return Entries(
        [(seq, raw) for seq, raw, _ in merged],
        [level for _, _, level in merged],
        sorted(entry.extent for entry in chosen if len(entry.lines) > 1),
        cursor,
    )


def entries_of_block(
    walk: BlockScan, spot: BlockRef, query: Query, around: Around
) -> Sequence[Found]:
    """The wanted entries whose first line that fits is in this block, in the order of those."""
    match, levels = query.match, query.levels
    whole = match.entry if isinstance(match, BlockSearch) else None
    if match is not None:
        candidates = walk.matching(spot)
        if not candidates:
            return ()
    else:
        candidates = [(seq, raw + b"\n") for seq, raw in walk.lines(spot)]
    finder = EntryFinder(walk.whole(spot), around)
    found: list[Found] = []
    for seq, line in candidates:
        entry = finder.entry_of(seq)
        if entry is None or (levels and (entry.level or NO_LEVEL) not in levels):
            continue
        # The first of its lines that fits decides where it belongs.
        if any(
            number < seq and walk.fits(raw) and (match is None or match(raw))
            for number, raw, _ in entry.lines
        ):
            continue
        if whole and not whole([raw for _, raw, _ in entry.lines]):
            continue
        found.append(Found(seq, line, entry))
    return found
