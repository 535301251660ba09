"""When to read again: at once while it is quiet, at a common beat while it is busy.

Reading each line of a busy container by itself costs ten times as much as reading twenty lines
at once. The beat is shared by all readers, so that their lines go to the disk together.
"""

from __future__ import annotations

import time
from typing import Any

import gevent
from gevent.hub import get_hub

BEAT = 0.02  # seconds
FLOOD_PAUSE = 0.001  # seconds; the engine's buffer of about 28 KB lasts for a little more
FLOOD_BYTES = 10 * 1024  # a read as large as this means that the engine has more
CLOSE = 0.005  # seconds between two reads that count as one right after the other
MANY = 4  # reads right after one another before a container counts as busy


class Beat:
    """Wakes everybody who waits, together, every 20 ms; sleeps while nobody waits."""

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
            self._timer.start(self._beat)
        try:
            get_hub().switch()
        finally:
            self._waiting.pop(me, None)

    def _until_next(self) -> float:
        return self._seconds - time.monotonic() % self._seconds

    def _beat(self) -> None:
        timer, self._timer = self._timer, None
        timer.close()
        for greenlet in list(self._waiting):
            if greenlet in self._waiting:
                greenlet.switch()


class Pace:
    """The pauses of one reader."""

    def __init__(self, beat: Beat) -> None:
        self._beat = beat
        self._before = 0.0
        self._close = 0

    def after_read(self, size: int) -> None:
        """Pause as ``size`` bytes just read suggest."""
        if size >= FLOOD_BYTES:
            gevent.sleep(FLOOD_PAUSE)
            return
        now = time.monotonic()
        if self._close >= MANY:
            self._beat.wait()
            self._before = time.monotonic()
            return
        self._close = self._close + 1 if now - self._before < CLOSE else 0
        self._before = now

    def nothing_there(self) -> None:
        """A read found nothing: it is quiet (again)."""
        self._close = 0
