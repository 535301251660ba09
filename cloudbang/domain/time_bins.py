"""Counting over time: bins of a width that a person would choose."""

from __future__ import annotations

from copy import copy

from cloudbang.domain.lines import parse_time

MINUTE, HOUR, DAY = 60, 3600, 86_400
WIDTHS = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28)),
)
MOST = 120  # bins


class TimeBins:
    """So many bins of ``width`` seconds from ``start`` on (seconds since 1970, a multiple of it).
    What lies outside is counted in the first or the last one."""

    def __init__(self, since: int, until: int) -> None:
        span = max(until - since, 0)
        self.width = next((w for w in WIDTHS if span / w < MOST - 1), span // (MOST - 2) + 1)
        self.start = since - since % self.width
        self.counts = [0] * min((until - self.start) // self.width + 1, MOST)
        self._minutes: dict[bytes, int] = {}
        self._changed: set[int] = set()

    def like(self) -> TimeBins:
        """The same bins, with nothing in them."""
        other = copy(self)
        other.counts = [0] * len(self.counts)
        other._changed = set()
        return other

    def add(self, times: list[bytes]) -> None:
        """Count these, each as the 30 bytes in front of a record."""
        last, changed = len(self.counts) - 1, self._changed
        for time in times:
            at = (self._seconds(time) - self.start) // self.width
            at = 0 if at < 0 else min(at, last)
            self.counts[at] += 1
            changed.add(at)

    def changed(self) -> list[tuple[int, int]]:
        """Number and count of the bins that changed since this was asked last."""
        found = [(at, self.counts[at]) for at in sorted(self._changed)]
        self._changed.clear()
        return found

    def _seconds(self, time: bytes) -> int:
        minute = time[:17]
        begins = self._minutes.get(minute)
        if begins is None:
            begins = seconds_of(minute + b"00.000000000Z")
            if len(self._minutes) > 10_000:
                self._minutes.clear()
            self._minutes[minute] = begins
        second = time[17:19]
        return begins + int(second) if second.isdigit() else begins


def seconds_of(time: bytes) -> int:
    """Seconds since 1970 of a record's time; 0 of one that is damaged."""
    try:
        return parse_time(time.decode("ascii")) // 1_000_000_000
    except ValueError:
        return 0
