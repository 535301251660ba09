"""When to read again: at once while it is quiet, at a common beat while it is busy.

Reading each line of a busy container by itself costs ten times as much as reading fifty lines
at once. The beat is shared by all readers, so that their lines go to the disk together.
"""

from __future__ import annotations

import time
from typing import Any

import gevent
from gevent.hub import get_hub

BEAT = 0.08  # seconds
SHORTEST = 0.001  # seconds of a pause in a flood
CLOSE = 0.005  # seconds between two reads that count as one right after the other
MANY = 4  # reads right after one another before a container counts as busy

FEW = 5  # lines of a beat that are not worth having waited for
POOR = 3  # beats in a row with that few before a container counts as quiet again

HALF_FULL = 100_000
"""Half of what the kernel holds for the engine before the engine has to wait for us. It counts
each write of a line as its bytes and LINE_COST more, so some 280 short lines fill it."""
LINE_COST = 768
FULL = 170_000


class SharedTick:
    """Wakes everybody who waits, together, every 80 ms; sleeps while nobody waits."""

    def __init__(self, seconds: float = BEAT) -> None:
        self._seconds = seconds
        self._waiting: dict[gevent.Greenlet, None] = {}
        self._timer: Any = None

    def wait(self) -> None:
        """Until the next beat."""
        me = gevent.getcurrent()
        self._waiting[me] = None
        if self._timer is None:
            self._timer = get_hub().loop.timer(self._until_next())
            self._timer.start(self._tick)
        try:
            get_hub().switch()
        finally:
            self._waiting.pop(me, None)

    def _until_next(self) -> float:
        return self._seconds - time.monotonic() % self._seconds

    def _tick(self) -> None:
        timer, self._timer = self._timer, None
        timer.close()
        for greenlet in list(self._waiting):
            if greenlet in self._waiting:
                greenlet.switch()


class ReadScheduler:
    """The pauses of one reader: long enough to be worth it, too short to fill the buffer."""

    def __init__(self, tick: SharedTick) -> None:
        self._tick = tick
        self._before = 0.0
        self._close = 0
        self._busy = False
        self._poor = 0
        self._flood = False

    def after_read(self, size: int, lines: int) -> None:
        """Pause as the bytes and lines just read suggest."""
        now = time.monotonic()
        passed = now - self._before
        self._before = now
        if not self._busy:
            self._flood = False
            self._close = self._close + 1 if passed < CLOSE else 0
            self._busy = self._close >= MANY
            self._poor = 0
            return
        filled = size + lines * LINE_COST
        # The time in which as much would come as fills half the buffer. If it was full the engine
        # had to wait for us, and how fast it would be is not known.
        pause = passed * HALF_FULL / filled if filled < FULL else 0.0
        self._flood = pause < BEAT
        if self._flood:
            self._poor = 0
            gevent.sleep(max(pause, SHORTEST))
        elif self._stays_busy(lines):
            self._tick.wait()

    def nothing_there(self) -> bool:
        """Whether a pause was made; if not it is quiet, and the next line is to be waited for."""
        if self._flood:
            return False  # the engine is slower than we are: it wakes us
        if self._busy and self._stays_busy(0):
            self._tick.wait()
            return True
        self._close = 0
        return False

    def woken(self) -> None:
        """Something is there after a wait: in a flood, let a little more come."""
        if self._flood:
            gevent.sleep(SHORTEST)

    def _stays_busy(self, lines: int) -> bool:
        self._poor = self._poor + 1 if lines < FEW else 0
        self._busy = self._poor < POOR
        return self._busy
