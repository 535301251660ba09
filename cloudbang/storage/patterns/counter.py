"""How often the patterns of an app came in two stretches of time: what the process keeps and gives.

A block of a log is counted once, and what was found in it is kept for the next who asks, as long as
there is room. Where there are more blocks than fit into the time that one question has, those that
are counted are spread over the whole stretch, the same ones whoever asks: what is said then is an
estimate, and how much of the text it is of is said with it. The next question goes on from there.
"""

from __future__ import annotations

import os
import time
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

import zstandard

from cloudbang.domain.lines import format_time, record_ns
from cloudbang.domain.pattern_groups import group_of, grouped
from cloudbang.domain.patterns import Patterns, expression_of
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import Segment, open_file, read_block
from cloudbang.storage.patterns.block_counts import Key, Tally, count_block

KEPT_BYTES = 24 * 1024 * 1024  # of what was found in blocks
APPS = 50  # of which patterns are known
PATTERNS = 20_000  # of an app; those beyond are counted together
OPEN = 16  # files
HOUR_NS = 3_600_000_000_000
RANKS = {"error": 0, "warning": 1}
OTHERS = ("", "")


class Ref(NamedTuple):
    """A block: its segment, the seq of its first line, the seq from which on there is nothing, and
    whether it may still grow."""

    segment: Segment
    block: Block
    first: int
    end: int
    grows: bool

    @property
    def key(self) -> tuple[str, int, int, int]:
        """The same before and after its segment is packed."""
        return (self.segment.stem, self.block.number, self.block.lines, self.block.plain)


class _Found(NamedTuple):
    """What was found in a block: of each pattern its number, count, first and last seq, first and last
    time; and by hours its number, the hour, count."""

    rows: array[int]
    hours: array[int]

    @property
    def size(self) -> int:
        return 8 * (len(self.rows) + len(self.hours)) + 400


class _App:
    """The patterns of one app, by number. Those of which many were one with others are found so."""

    def __init__(self) -> None:
        self.numbers: dict[Key, int] = {OTHERS: 0}
        self.keys: list[Key] = [OTHERS]
        self.groups: set[str] = set()
        self.patterns = Patterns()

    def number(self, key: Key) -> int:
        found = self.numbers.get(key)
        if found is None:
            level, pattern = key
            group = (level, group_of(pattern, self.groups))
            found = self.numbers.get(group)
            if found is None and len(self.keys) < PATTERNS:
                found = self.numbers[group] = len(self.keys)
                self.keys.append(group)
            found = found or 0
            if len(self.numbers) < 2 * PATTERNS:
                self.numbers[key] = found
        return found


class Sum:
    """Of one pattern in one stretch."""

    __slots__ = ("count", "first", "first_ns", "hours", "last", "last_ns")

    def __init__(self) -> None:
        self.count = 0
        self.first = self.last = 0
        self.first_ns, self.last_ns = 1 << 62, -1
        self.hours: dict[int, int] = {}

    def add(self, count: int, first: int, last: int, first_ns: int, last_ns: int) -> None:
        self.count += count
        if first_ns < self.first_ns:
            self.first, self.first_ns = first, first_ns
        if last_ns >= self.last_ns:
            self.last, self.last_ns = last, last_ns


class Stretch:
    """A stretch of time and its blocks."""

    def __init__(self, since: bytes, until: bytes, refs: Iterable[Ref]) -> None:
        self.since, self.until = since, until
        self.exact: list[Ref] = []  # those of which a part may be outside, or that still grow
        self.whole: list[Ref] = []
        for ref in refs:
            inside = ref.block.oldest >= since and ref.block.newest < until
            (self.whole if inside and not ref.grows else self.exact).append(ref)
        self.of = sum(ref.block.plain for ref in self.whole)
        self.looked = 0
        self.read = 0  # bytes of the exact ones
        self.sums: dict[int, Sum] = {}
        self.sampled: dict[int, Sum] = {}

    @property
    def share(self) -> float:
        """Of the whole blocks, how much was counted."""
        return self.looked / self.of if self.of else 1.0


class Counter:
    """See the module. Used by one thread."""

    def __init__(self) -> None:
        self._apps: OrderedDict[str, _App] = OrderedDict()
        self._kept: OrderedDict[tuple[str, int, int, int], _Found] = OrderedDict()
        self._held = 0
        self._files: OrderedDict[str, int] = OrderedDict()
        self._unpack = zstandard.ZstdDecompressor()

    def count(self, name: str, stretches: list[Stretch], seconds: float) -> None:
        """Count for so long, at least one block of each that is not known yet. Raises FileNotFoundError where
        a file is gone, OSError."""
        deadline = time.monotonic() + seconds
        app = self._app(name)
        try:
            for stretch in stretches:
                for ref in stretch.exact:
                    found = count_block(
                        self._text(ref),
                        ref.first,
                        app.patterns,
                        stretch.since,
                        stretch.until,
                        ref.end,
                    )
                    stretch.read += ref.block.plain
                    self._add(stretch.sums, self._pack(app, found))
            order = sorted(
                (zlib.crc32(f"{ref.segment.stem} {ref.block.number}".encode()), at, ref)
                for at, stretch in enumerate(stretches)
                for ref in stretch.whole
            )
            looked: set[int] = set()
            for _, at, ref in order:
                known = self._kept.get(ref.key)
                if known is None:
                    if at in looked and time.monotonic() > deadline:
                        continue  # what is known already counts all the same
                    looked.add(at)
                    known = self._pack(app, count_block(self._text(ref), ref.first, app.patterns))
                    self._keep(ref.key, known)
                else:
                    self._kept.move_to_end(ref.key)
                stretches[at].looked += ref.block.plain
                self._add(stretches[at].sampled, known)
        finally:
            self._close()

    def answer(self, name: str, stretches: list[Stretch], limit: int) -> dict[str, Any]:
        """What was counted: two stretches, the one that is asked about and the one before it."""
        app = self._app(name)
        numbers = {n for s in stretches for n in (*s.sums, *s.sampled)}
        texts = {app.keys[n][1] for n in numbers}
        groups = grouped(texts)
        app.groups |= set(groups.values())
        rows: dict[Key, list[Sum]] = {}
        others = [0, 0]
        for at, stretch in enumerate(stretches):
            scale = 1 / stretch.share if stretch.share else 0.0
            for sums, times in ((stretch.sums, 1.0), (stretch.sampled, scale)):
                for number, one in sums.items():
                    if number == 0:
                        others[at] += round(one.count * times)
                        continue
                    level, text = app.keys[number]
                    key = (level, groups.get(text, text))
                    pair = rows.setdefault(key, [Sum(), Sum()])
                    whole = pair[at]
                    whole.add(
                        round(one.count * times), one.first, one.last, one.first_ns, one.last_ns
                    )
                    for hour, count in one.hours.items():
                        whole.hours[hour] = whole.hours.get(hour, 0) + round(count * times)
        order = sorted(
            rows.items(),
            key=lambda row: (
                row[1][0].count == 0,
                RANKS.get(row[0][0], 2),
                row[1][1].count > 0,
                -row[1][0].count,
                -row[1][1].count,
                row[0],
            ),
        )
        for _, (now, before) in order[limit:]:
            others[0] += now.count
            others[1] += before.count
        return {
            "patterns": [_row(key, *pair) for key, pair in order[:limit]],
            "more": max(len(order) - limit, 0),
            "others": others,
            "looked": [stretch.read + stretch.looked for stretch in stretches],
            "of": [stretch.read + stretch.of for stretch in stretches],
        }

    def _app(self, name: str) -> _App:
        app = self._apps.get(name)
        if app is None:
            app = self._apps[name] = _App()
            if len(self._apps) > APPS:
                self._apps.popitem(last=False)
                # Numbers mean nothing without their app.
                self._kept.clear()
                self._held = 0
        self._apps.move_to_end(name)
        return app

    def _pack(self, app: _App, found: dict[Key, Tally]) -> _Found:
        rows, hours = array("q"), array("q")
        for key, tally in found.items():
            number = app.number(key)
            rows.extend(
                (
                    number,
                    tally.count,
                    tally.first,
                    tally.last,
                    record_ns(tally.first_time),
                    record_ns(tally.last_time),
                )
            )
            for hour, count in tally.hours.items():
                hours.extend((number, record_ns(hour + b":00:00.000000000Z") // HOUR_NS, count))
        return _Found(rows, hours)

    @staticmethod
    def _add(sums: dict[int, Sum], found: _Found) -> None:
        rows, hours = found
        for at in range(0, len(rows), 6):
            number = rows[at]
            one = sums.get(number)
            if one is None:
                one = sums[number] = Sum()
            one.add(rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4], rows[at + 5])
        for at in range(0, len(hours), 3):
            of = sums[hours[at]].hours
            of[hours[at + 1]] = of.get(hours[at + 1], 0) + hours[at + 2]

    def _keep(self, key: tuple[str, int, int, int], found: _Found) -> None:
        self._kept[key] = found
        self._held += found.size
        while self._held > KEPT_BYTES and len(self._kept) > 1:
            self._held -= self._kept.popitem(last=False)[1].size

    def _text(self, ref: Ref) -> bytes:
        path = ref.segment.path
        fd = self._files.get(path)
        if fd is None:
            fd = self._files[path] = open_file(ref.segment)
            if len(self._files) > OPEN:
                os.close(self._files.popitem(last=False)[1])
        return read_block(fd, ref.segment, ref.block, self._unpack)

    def _close(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])


def _row(key: Key, now: Sum, before: Sum) -> dict[str, Any]:
    level, text = key
    # What is gone was there before.
    seen = now if now.count else before
    return {
        "pattern": text,
        "level": level or None,
        "count": now.count,
        "before": before.count,
        "first": format_time(max(seen.first_ns, 0)),
        "last": format_time(max(seen.last_ns, 0)),
        "seq": seen.last,
        "hours": [(hour * 3600, count) for hour, count in sorted(now.hours.items())],
        "expression": expression_of(text),
    }
