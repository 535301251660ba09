"""How long the hub keeps a greenlet waiting that is due: the one number that says all is well."""

from __future__ import annotations

import time
from collections import deque

import gevent


class LoopLag:
    """Wakes every ``interval`` seconds and notes by how much it was late, in seconds."""

    def __init__(self, interval: float = 0.1, keep: int = 600) -> None:
        self.worst = 0.0
        self._interval = interval
        self._seen: deque[float] = deque(maxlen=keep)  # the last minute at 100 ms

    def run(self) -> None:
        """Measure forever."""
        while True:
            due = time.monotonic() + self._interval
            gevent.sleep(self._interval)
            late = max(0.0, time.monotonic() - due)
            self._seen.append(late)
            self.worst = max(self.worst, late)

    def quantile(self, q: float) -> float:
        """Seconds that a share ``q`` of the last minute's wake-ups was not later than."""
        seen = sorted(self._seen)
        return seen[min(len(seen) - 1, int(q * len(seen)))] if seen else 0.0
