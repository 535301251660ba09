"""Keys first: while somebody types in one session, the floods of the others are read more slowly.

A flood does not only take this process's time. The program that prints, the engine and its shim
work for it as well, and on a small machine a key's echo waits for all of them in turn. Reading
slowly makes them wait instead; nothing is lost, and nobody reads that fast.

Each read sets them to work for some milliseconds, until what was read is there again: so the best
moment for one is just after an echo, when the next key is farthest away.
"""

from __future__ import annotations

import time
from collections import deque

from gevent.event import Event as Turn

FLOOD = 16 * 1024  # bytes in one read that make it a flood
RECENT = 1.0  # seconds after a key in which the others' floods give way
PAUSE = 0.03  # seconds between two reads of floods, all of them together
COUNTED = 0.5  # seconds that a flood counts as one after its last read


class Fairness:
    """One for all sessions. Sessions are known by their ids; times in monotonic seconds."""

    def __init__(self) -> None:
        self.waiting: deque[Turn] = deque()
        """Floods that wait for an echo, the next first."""
        self._let_at = 0.0  # when one of them was let read
        self._typist = ""
        self._typed_at = self._other_typed_at = -RECENT  # by the typist, and by another before
        self._floods: dict[str, float] = {}

    def typed(self, session: str, now: float) -> None:
        """Somebody typed there."""
        if session != self._typist:
            self._typist, self._other_typed_at = session, self._typed_at
        self._typed_at = now

    def echoed(self, now: float) -> None:
        """A key was answered: a good moment for the flood that has waited longest."""
        if self.waiting and now - self._let_at >= PAUSE:
            self._let_at = now
            self.waiting.popleft().set()

    def give_way(self, seconds: float) -> None:
        """Wait for an echo that lets this flood go on, at most so long."""
        turn = Turn()
        self.waiting.append(turn)
        try:
            turn.wait(seconds)
        finally:
            if not turn.is_set():
                self.waiting.remove(turn)
                self._let_at = time.monotonic()

    def pause(self, session: str, size: int) -> float:
        """Seconds to give way at most after a read of ``size`` bytes there: 0 mostly."""
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
        return PAUSE * (len(self._floods) + 1)

    def _forget(self, now: float) -> None:
        for session, at in list(self._floods.items()):
            if now - at > COUNTED:
                del self._floods[session]
