"""One deadline for many steps: it is handed down, so that all of them together keep it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

import gevent

log = logging.getLogger(__name__)


class Deadline:
    """The moment, ``seconds`` from now, by which something has to be done."""

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; 0 afterwards."""
        return max(0.0, self._at - time.monotonic())

    def at_most(self, seconds: float) -> float:
        """What one wait may take: ``seconds``, or what is left of them."""
        return min(self.left, seconds)

    def keeping(self, seconds: float) -> Deadline:
        """The moment ``seconds`` earlier: so much is kept for what comes after."""
        return Deadline(self._at - seconds - time.monotonic())


UNHURRIED = Deadline(math.inf)  # then each wait takes at most what it allows itself


class StopOrder:
    """What was started, in order; it is stopped in the opposite order, by one deadline."""

    def __init__(self) -> None:
        self._stops: list[tuple[str, Callable[[Deadline], object], float]] = []

    def add(self, name: str, stop: Callable[[Deadline], object], keep: float = 0.0) -> None:
        """Call ``stop(deadline)`` before everything that was added earlier.

        ``keep``: seconds that are left to those, however long it hangs.
        """
        self._stops.append((name, stop, keep))

    def stop(self, deadline: Deadline) -> None:
        """Stop all of it. What fails is logged, what hangs is broken off; the rest goes on."""
        while self._stops:
            name, stop, keep = self._stops.pop()
            own = deadline.keeping(keep)
            limit = gevent.Timeout(own.left)
            try:
                with limit:
                    stop(own)
            except gevent.Timeout as e:
                if e is not limit:
                    raise
                log.error("%s did not stop in time and is left as it is", name)
            except Exception:
                log.exception("%s could not be stopped", name)
