"""Pushes that follow each other quickly: the newest alone is deployed.

The first of them begins at once. Those after it wait until no newer one has come for a while; of
those that wait only the newest is kept anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET = 3.0  # seconds without a newer one
LONGEST = 30.0  # seconds that one may wait for that, however many come


class Settling:
    """By app, from memory: after a restart nobody waits for what may have been on its way."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        quiet: float = QUIET,
        longest: float = LONGEST,
    ) -> None:
        self._clock, self._quiet, self._longest = clock, quiet, longest
        self._last: dict[str, float] = {}  # when the newest came
        self._first: dict[str, float] = {}  # and the first of those that wait

    def came(self, app: str) -> None:
        """One has come that may be followed by others."""
        now = self._clock()
        if now - self._last.get(app, -self._quiet) < self._quiet:
            self._first.setdefault(app, now)
        self._last[app] = now

    def left(self, app: str) -> float:
        """Seconds until one that waits has its turn; 0 when it has."""
        first = self._first.get(app)
        if first is None:
            return 0.0
        until = min(self._last[app] + self._quiet, first + self._longest)
        return max(0.0, until - self._clock())

    def begins(self, app: str) -> None:
        """The newest has its turn."""
        self._first.pop(app, None)
