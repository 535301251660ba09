"""Counting the patterns of one block of a log.

What is counted are entries: a failure with its trace is one, by what its first line says, or, where
that says only that a trace follows, by its last.
"""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.domain.entries import EntryReader
from cloudbang.domain.line_shape import shape_of
from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.patterns import TRACEBACK, Patterns

Key = tuple[str, str]
"""The level of an entry, "" for none, and its pattern."""


@dataclass(slots=True)
class Tally:
    """Of one pattern: how often, which seqs and times (the 30 bytes of a record) came first and last,
    and how many in each hour, by the 13 bytes that say which."""

    count: int
    first: int
    last: int
    first_time: bytes
    last_time: bytes
    hours: dict[bytes, int]

    def add(self, seq: int, time: bytes) -> None:
        self.count += 1
        if time >= self.last_time:
            self.last, self.last_time = seq, time
        elif time < self.first_time:
            self.first, self.first_time = seq, time
        hour = time[:13]
        self.hours[hour] = self.hours.get(hour, 0) + 1


def count_block(
    plain: bytes,
    first: int,
    patterns: Patterns,
    since: bytes = b"",
    until: bytes = b"",
    end: int | None = None,
) -> dict[Key, Tally]:
    """The patterns of a block whose first line has the seq ``first``: of entries that begin from
    ``since`` on and before ``until`` (times of records; empty for no limit) and before seq ``end``."""
    records = [raw + b"\n" for raw in plain.split(b"\n")[:-1]]
    if end is not None:
        records = records[: max(end - first, 0)]
    levels, grown = EntryReader().read(first, records)
    heads: dict[int, tuple[str | None, int]] = {}
    within: set[int] = set()
    for entry in grown.values():
        key = records[entry.first - first][31:50]
        its = [s for s in range(entry.first, entry.last + 1) if records[s - first][31:50] == key]
        heads[entry.first] = entry.level, its[-1]
        within.update(its[1:])
    begun: set[bytes] = set()
    found: dict[Key, Tally] = {}
    of, get = patterns.of, found.get
    for seq, raw in enumerate(records, first):
        stream = raw[31:50]
        if stream not in begun:
            # What goes on from the block before is of an entry that was counted there.
            if raw[44:50] == b"marker" or _goes_on(raw):
                continue
            begun.add(stream)
        if seq in within:
            continue
        time = raw[:30]
        if (since and time < since) or (until and time >= until):
            continue
        text = raw[TEXT_AT:-1]
        level = levels[seq - first]
        if seq in heads:
            level, last = heads[seq]
            if text.lstrip(b" \t|+").startswith(TRACEBACK):
                text = records[last - first][TEXT_AT:-1]
        elif not text or text.isspace():
            continue
        key_of = (level or "", of(text))
        tally = get(key_of)
        if tally is None:
            found[key_of] = Tally(1, seq, seq, time, time, {time[:13]: 1})
        else:
            tally.add(seq, time)
    return found


def _goes_on(raw: bytes) -> bool:
    shape = shape_of(raw)
    return shape.blank or bool(shape.frame) or (shape.indented and not shape.timed)
