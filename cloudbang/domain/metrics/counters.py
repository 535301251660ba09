"""Rates from counters that only grow, whatever happens to who counts.

Times are seconds of CLOCK_MONOTONIC: nobody sets it, and it stands still while the machine sleeps,
as the counters do.
"""

from __future__ import annotations

LONGEST = 3.0
LEAST = 5.0
"""Steps between two readings of which a rate is made, and seconds where steps are short. Over a
longer time nobody knows when within it things happened: it is a gap, and counting begins anew."""


class Rates:
    """The rates of some counters of one thing, by name."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, float]] = {}  # when it was read, and what it said

    def of(self, name: str, at: float, count: float, step: float) -> float | None:
        """Growth for each second since the last reading. None when there is none to compare with:
        at the first, after a gap, and when the counter has begun anew."""
        before = self._last.get(name)
        self._last[name] = (at, count)
        if before is None:
            return None
        passed, grown = at - before[0], count - before[1]
        if grown < 0 or not 0 < passed <= max(LONGEST * step, LEAST):
            return None
        return grown / passed

    def forget(self) -> None:
        """It is another one that counts from here on, though it may have counted further."""
        self._last.clear()


class Events:
    """A count that goes on where the counter that it comes from begins anew, such as a control
    group's with each restart of its container."""

    __slots__ = ("_before", "_now")

    def __init__(self) -> None:
        self._before = 0
        self._now = 0

    @property
    def count(self) -> int:
        return self._before + self._now

    @property
    def counted(self) -> int:
        """Since the counter began."""
        return self._now

    def take(self, count: int) -> None:
        """The counter says so."""
        if count < self._now:
            self.restart()
        self._now = count

    def restart(self, unseen: int = 0) -> None:
        """The counter begins anew; ``unseen``: what it no more got to say."""
        self._before += self._now + unseen
        self._now = 0
