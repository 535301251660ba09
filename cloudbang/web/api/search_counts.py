"""How many lines of the last hour a saved search finds, as a sidebar shows it.

Counted when somebody asks, a minute at a time: what was counted a while ago is not read again. One
asking reads for a moment only; of a log in which an hour is more than that, the count says that it
is not complete, and the next one reads on from there.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from gevent.lock import BoundedSemaphore

from cloudbang.domain.time_bins import seconds_of
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery

FRESH = 50.0  # seconds for which a count is given again as it is
EACH = 0.4  # seconds of reading for one count
HOUR = 60  # minutes, and the one that is now
LATE = 2  # minutes in which a line of a minute may still come
ANEW = 1_800.0  # seconds after which all of it is counted anew, for what came later than that
KEPT = 500  # counts that are remembered; those that nobody has asked for longest go first
MINUTE_NS = 60 * 1_000_000_000


class Count(NamedTuple):
    """``complete``: false where that many, and perhaps more, were found; ``at``: when it was
    counted, in seconds since 1970."""

    lines: int
    complete: bool
    at: float


@dataclass
class _Counted:
    """``minutes``: lines by the minute since 1970; every line from ``since`` up to but without
    ``until`` is in them."""

    begun: float
    apps: frozenset[str]
    minutes: dict[int, int]
    since: int
    until: int
    busy: BoundedSemaphore
    last: Count | None = None


class SearchCounts:
    """See the module. One object for all people: who may see what is asked before."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: OrderedDict[object, _Counted] = OrderedDict()

    def of(
        self, store: LogStore, apps: Sequence[str], query: Query, key: object, deadline: float
    ) -> Count | None:
        """The count of lines of these apps that ``query`` wants, whatever its times; ``key`` tells
        it from others. None where it is not known by the ``deadline`` (of the monotonic clock)."""
        now = self._clock()
        known = self._entry((frozenset(apps), key), apps, now)
        fresh = known.last is not None and 0 <= now - known.last.at < FRESH
        if fresh or time.monotonic() >= deadline or not known.busy.acquire(blocking=False):
            return known.last
        try:
            self._count(store, query, known, now, min(deadline, time.monotonic() + EACH))
        finally:
            known.busy.release()
        return known.last

    def lines_deleted(self, app: str, _first: int, _end: int) -> None:
        """Somebody deleted lines of an app."""
        for key in [key for key, one in self._known.items() if app in one.apps]:
            del self._known[key]

    def _entry(self, key: object, apps: Sequence[str], now: float) -> _Counted:
        minute = int(now) // 60
        known = self._known.get(key)
        if known is not None:
            complete = known.last is not None and known.last.complete
            old = complete and now - known.begun > ANEW
            # The clock was set, or nobody asked for an hour.
            apart = not known.until - 1 <= minute < known.until + HOUR
            if not (old or apart) or known.busy.locked():
                self._known.move_to_end(key)
                return known
        known = _Counted(now, frozenset(apps), {}, minute + 1, minute + 1, BoundedSemaphore(1))
        self._known[key] = known
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return known

    def _count(
        self, store: LogStore, query: Query, known: _Counted, now: float, deadline: float
    ) -> None:
        minute = int(now) // 60
        first = minute - HOUR
        if known.last is not None:
            again = max(known.until - LATE, known.since, first)
            back_to = self._read(store, query, known, again, minute, deadline)
            # What is between is not known: from there on it is counted anew.
            known.since = max(known.since, back_to) if back_to > again else known.since
        if known.since > first and time.monotonic() < deadline:
            last = minute if known.last is None else known.since - 1
            known.since = self._read(store, query, known, first, last, deadline)
        known.until = minute + 1
        begin = max(first, known.since)
        known.minutes = {one: lines for one, lines in known.minutes.items() if one >= begin}
        known.last = Count(sum(known.minutes.values()), known.since <= first, now)

    @staticmethod
    def _read(
        store: LogStore, query: Query, known: _Counted, first: int, last: int, deadline: float
    ) -> int:
        """Count the lines of these minutes anew, from the newest back; gives the minute from which
        on all were counted. All there are to read are begun with, however long that takes."""
        minutes: dict[int, int] = {}
        begins: dict[bytes, int] = {}
        since, until = first * MINUTE_NS, (last + 1) * MINUTE_NS - 1
        asked = MergedQuery(replace(query, since=since, until=until, limit=0), count=True)
        back_to = first
        for _, scan in store.merged.read(known.apps, asked):
            for at, _ in scan.counted:
                text = at[:17]
                if (one := begins.get(text)) is None:
                    one = begins[text] = seconds_of(text + b"00.000000000Z") // 60
                minutes[one] = minutes.get(one, 0) + 1
            if scan.begun and not scan.done and time.monotonic() >= deadline:
                # All that is newer than this was counted.
                edge = seconds_of(scan.edge) // 60 + 1 if scan.edge else first
                back_to = min(max(first, edge), last + 1)
                break
        known.minutes = {m: n for m, n in known.minutes.items() if not first <= m <= last}
        known.minutes |= {m: n for m, n in minutes.items() if m >= back_to}
        return back_to
