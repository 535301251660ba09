"""How many lines apps log, and how many errors: a failure counts once, however many lines tell it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cloudbang.domain.entries import EntryReader
from cloudbang.domain.line_shape import shape_of
from cloudbang.domain.lines import format_time

OF_NOW = 30  # seconds: lines that are older were read late, and are no rate of this second
SECOND = 19  # characters of a time up to its whole second

# Lines whose level is looked at, each second; a few µs each. Of an app that logs more, and where all
# log more, as many evenly, and its errors are as many among all as among those.
OF_AN_APP, OF_ALL = 1_000, 4_000


class Rates(NamedTuple):
    """Of one app, in one second."""

    lines: int
    errors: float


class LogRates:
    """Counts what was stored, between two :meth:`take`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}
        self._looked_at = 0
        self._readers: dict[str, EntryReader] = {}  # of apps that logged in the last second

    def stored(self, batch: Sequence[tuple[str, int, list[bytes]]]) -> None:
        """Listener of the log store: app, the first seq, records."""
        now = int(self._clock())
        oldest = format_time((now - OF_NOW) * 1_000_000_000)[:SECOND].encode()
        for app, first, records in batch:
            new = records
            if records[0][:SECOND] < oldest:
                new = [raw for raw in records if raw[:SECOND] >= oldest]
            if new:
                first += len(records) - len(new)
                self._count(app, self._counts.setdefault(app, _Count()), first, new)

    def _count(self, app: str, count: _Count, first: int, records: list[bytes]) -> None:
        left = min(OF_AN_APP - count.looked_at, OF_ALL - self._looked_at)
        count.lines += len(records)
        if left <= 0:
            return
        whole = len(records) <= left
        seen = records if whole else records[:: -(-len(records) // left)]
        count.looked_at += len(seen)
        self._looked_at += len(seen)
        if whole:
            reader = self._readers.setdefault(app, EntryReader())
            count.errors += reader.errors(first, seen)
        else:  # of some of its lines nobody knows what they belong to
            self._readers.pop(app, None)
            count.errors += sum(shape_of(raw).level == "error" for raw in seen)

    def take(self) -> dict[str, Rates]:
        """What came since the last time, of apps that logged."""
        counts, self._counts, self._looked_at = self._counts, {}, 0
        self._readers = {app: one for app, one in self._readers.items() if app in counts}
        return {
            app: Rates(count.lines, count.errors * count.lines / max(count.looked_at, 1))
            for app, count in counts.items()
        }


class _Count:
    __slots__ = ("errors", "lines", "looked_at")

    def __init__(self) -> None:
        self.lines = self.errors = self.looked_at = 0
