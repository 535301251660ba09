"""Keys first: while somebody types in one session, the floods of the others are read more slowly.

A flood does not only take this process's time. The program that prints, the engine and its shim
work for it as well, and on a small machine a key's echo waits for all of them in turn. Reading
slowly makes them wait instead; nothing is lost, and nobody reads that fast.
"""

from __future__ import annotations

import time

FLOOD = 16 * 1024  # bytes in one read that make it a flood
RECENT = 1.0  # seconds after a key in which the others' floods give way
PAUSE = 0.02  # seconds between two reads of a flood, times the floods there are
COUNTED = 0.5  # seconds that a flood counts as one after its last read


class Fairness:
    """One for all sessions. Sessions are known by their ids; times in monotonic seconds."""

    def __init__(self) -> None:
        self._typist = ""
        self._typed_at = self._other_typed_at = -RECENT  # by the typist, and by another before
        self._floods: dict[str, float] = {}

    def typed(self, session: str, now: float) -> None:
        """Somebody typed there."""
        if session != self._typist:
            self._typist, self._other_typed_at = session, self._typed_at
        self._typed_at = now

    def pause(self, session: str, size: int) -> float:
        """Seconds to wait after a read of ``size`` bytes there: 0 mostly."""
        if size < FLOOD:
            return 0.0
        now = time.monotonic()
        self._floods[session] = now
        typed_at = self._typed_at if session != self._typist else self._other_typed_at
        if now - typed_at > RECENT:
            if len(self._floods) > 1:
                self._forget(now)
            return 0.0
        self._forget(now)
        return PAUSE * len(self._floods)

    def _forget(self, now: float) -> None:
        for session, at in list(self._floods.items()):
            if now - at > COUNTED:
                del self._floods[session]
