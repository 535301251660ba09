"""How fast one connection may ask, and how often one may try: in time, and in a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

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
        self._earn()
        self._left -= 1
        if self._left < 0:
            gevent.sleep(-self._left / self._per_second)

    def try_take(self) -> bool:
        """One more, if there were not too many."""
        self._earn()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _earn(self) -> None:
        now = time.monotonic()
        earned = (now - self._counted) * self._per_second
        self._left = min(self._at_once, self._left + earned)
        self._counted = now


class FixedWindow:
    """So many for each key in a while that begins with the first of them."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        # All last equally long, so the first ends first: how many, and when it is over.
        self._windows: dict[Hashable, tuple[int, float]] = {}

    def add(self, key: Hashable) -> None:
        """One more."""
        self._forget_ended()
        count, ends = self._windows.get(key, (0, self._clock() + self._seconds))
        self._windows[key] = (count + 1, ends)

    def forget(self, key: Hashable) -> None:
        """None of this key were."""
        self._windows.pop(key, None)

    def wait(self, key: Hashable) -> float:
        """Seconds until there may be one more; 0 for now."""
        self._forget_ended()
        count, ends = self._windows.get(key, (0, 0.0))
        return ends - self._clock() if count >= self._most else 0.0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._windows

    def __len__(self) -> int:
        """Keys that are remembered."""
        self._forget_ended()
        return len(self._windows)

    def _forget_ended(self) -> None:
        now = self._clock()
        while self._windows:
            key = next(iter(self._windows))
            if self._windows[key][1] > now:
                break
            del self._windows[key]
