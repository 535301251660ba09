"""The time of day, and when somebody has set it."""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP = 30.0  # seconds; a clock that is merely corrected goes a little faster or slower


def passed() -> float:
    """Seconds that pass whatever is set, also while the machine sleeps (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class WallClock:
    """Seconds since 1970. ``on_jump(by)`` is called before the first answer after the clock was set
    by so many seconds: what was noted before may be moved along, and so be judged by what passed.
    ``least``: seconds from which on it is no correction."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        passes: Callable[[], float] = passed,
        on_jump: Callable[[float], None] = lambda by: None,
        least: float = JUMP,
    ) -> None:
        self._clock, self._passes, self._on_jump = clock, passes, on_jump
        self._least = least
        self._apart = clock() - passes()

    def __call__(self) -> float:
        now = self._clock()
        by = now - self._passes() - self._apart
        if abs(by) > self._least:
            self._apart += by
            self._on_jump(by)
        return now
