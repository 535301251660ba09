"""How fast one connection may ask: who asks faster is read more slowly."""

from __future__ import annotations

import time

import gevent


class TokenBucket:
    """So many at once, and so many a second after that."""

    __slots__ = ("_at_once", "_counted", "_left", "_per_second")

    def __init__(self, at_once: float, per_second: float) -> None:
        self._at_once, self._per_second = at_once, per_second
        self._left = at_once
        self._counted = time.monotonic()

    def take(self) -> None:
        """One more; waits while there were too many."""
        now = time.monotonic()
        earned = (now - self._counted) * self._per_second
        self._left = min(self._at_once, self._left + earned) - 1
        self._counted = now
        if self._left < 0:
            gevent.sleep(-self._left / self._per_second)
