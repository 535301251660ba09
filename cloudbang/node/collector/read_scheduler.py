"""When to read again: at once while it is quiet, at a common tick while it is busy.

Reading each line of a busy container by itself costs ten times as much as reading fifty lines
at once. The tick is shared by all readers, so that their lines go to the disk and the bus together.
Who is looked at is read at every tick. A log that nobody looks at can wait for a slower one, since
the engine holds it as well as we do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.hub import get_hub

TICK = 0.008  # seconds
SLOW = 25  # ticks between two readings of what nobody looks at
PACES = (SLOW, 10, 5, 2, 1)  # in ticks: few different ones, so that many readers meet
SHORTEST = 0.001  # seconds of a pause in a flood
MANY = 3  # reads within a tick of one another before a container counts as busy
EMPTY = 4  # slow ticks in a row without a line before the next one is waited for

HALF_FULL = 100_000
"""Half of what the kernel holds for the engine before the engine has to wait for us. It counts
each write of a line as its bytes and LINE_COST more, so some 280 short lines fill it."""
LINE_COST = 768
FULL = 170_000
LITTLE = 17_000  # no flood, however quickly it came


class SharedTick:
    """Wakes everybody whose tick it is, together; sleeps while nobody waits."""

    def __init__(self, seconds: float = TICK) -> None:
        self._seconds = seconds
        self._waiting: dict[gevent.Greenlet, int] = {}  # the number of the tick of each
        self._timer: Any = None
        self._due = 0

    def wait(self, every: int = 1) -> None:
        """Until the next tick whose number is a multiple of ``every``."""
        me = gevent.getcurrent()
        due = (int(time.monotonic() / self._seconds) // every + 1) * every
        self._waiting[me] = due
        if self._timer is None or due < self._due:
            self._wake_at(due)
        try:
            get_hub().switch()
        finally:
            self._waiting.pop(me, None)

    def _wake_at(self, due: int) -> None:
        if self._timer is not None:
            self._timer.close()
        self._due = due
        self._timer = get_hub().loop.timer(max(0.0, due * self._seconds - time.monotonic()))
        # Counted from now, and not from when this turn of the loop began: it would be early.
        self._timer.start(self._tick, update=True)

    def _tick(self) -> None:
        self._timer.close()
        self._timer = None
        now = self._due
        for greenlet in [g for g, due in self._waiting.items() if due <= now]:
            if self._waiting.pop(greenlet, None) is not None:
                greenlet.switch()
        if self._waiting:
            due = min(self._waiting.values())
            if self._timer is None or due < self._due:
                self._wake_at(due)


class ReadScheduler:
    """The pauses of one reader: long enough to be worth it, too short to fill the buffer."""

    def __init__(self, tick: SharedTick, watched: Callable[[], bool], *, live: bool = True) -> None:
        """``watched()``: whether somebody looks; ``live``: whether the log is still written to."""
        self._tick, self._watched, self._live = tick, watched, live
        self._before = 0.0
        self._close = 0  # reads in a row that came right after one another
        self._empty = EMPTY  # slow ticks in a row that brought nothing
        self._flood = False

    def after_read(self, size: int, lines: int) -> bool:
        """Pause as the bytes and lines just read suggest. Whether a pause was made: if not, the
        next line is to be waited for."""
        now = time.monotonic()
        passed = now - self._before
        self._before = now
        filled = size + lines * LINE_COST
        # The time in which as much would come as fills half the buffer. If it was full the engine
        # had to wait for us, and how fast it would be is not known.
        pause = passed * HALF_FULL / filled if filled < FULL else 0.0
        self._flood = pause < TICK and filled > LITTLE
        self._empty = 0
        if self._flood:
            gevent.sleep(max(pause, SHORTEST))
            return True
        if not self._live:
            return False
        if not self._watched():
            self._tick.wait(next((n for n in PACES if n * TICK <= pause), 1))
            return True
        if self._close < MANY:
            self._close = self._close + 1 if passed < TICK else 0
        if self._close < MANY:
            return False
        self._tick.wait()
        return True

    def nothing_there(self) -> bool:
        """Whether a pause was made; if not it is quiet, and the next line is to be waited for."""
        self._close = 0
        if self._flood:
            return False  # the engine is slower than we are: it wakes us
        self._empty += 1
        if self._live and self._empty <= EMPTY and not self._watched():
            self._tick.wait(SLOW)
            return True
        return False

    def woken(self) -> None:
        """Something is there after a wait: in a flood, let a little more come."""
        if self._flood:
            gevent.sleep(SHORTEST)
