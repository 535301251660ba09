"""The moments at which a node is measured: whole seconds by the wall clock, each at most once."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import floor

import gevent

from cloudbang.core.wall_clock import passed

JUMP = 1.0  # seconds within one that a clock does not go by itself; a corrected one is a little off


class WholeSeconds:
    """``missed``: seconds that nobody was there for, since the start."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        passes: Callable[[], float] = passed,
        sleep: Callable[[float], object] = gevent.sleep,
    ) -> None:
        self._clock, self._passes, self._sleep = clock, passes, sleep
        self._apart = clock() - passes()
        self._last: int | None = None
        self.missed = 0
        self.late = 0.0  # seconds after the last whole one that it was told

    def wait(self) -> tuple[int, bool]:
        """Wait for the next one. Seconds since 1970, larger than the last ones; unless the clock was
        set meanwhile, which the second value tells: then it is the one that the clock is in."""
        moved = False
        while True:
            now = self._clock()
            moved = self._was_set(now) or moved
            second = floor(now) + 1
            if not moved and self._last is not None:
                second = max(floor(now), self._last + 1)
            if second > now:
                self._sleep(second - now)
            now = self._clock()
            moved = self._was_set(now) or moved
            second = floor(now)
            if moved or self._last is None or second > self._last:
                break
        if not moved and self._last is not None:
            self.missed += second - self._last - 1
        self._last, self.late = second, now - second
        return second, moved

    def _was_set(self, now: float) -> bool:
        apart = now - self._passes()
        by, self._apart = apart - self._apart, apart
        return abs(by) > JUMP
