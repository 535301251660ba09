"""What fails is tried again, alone, until it goes well or is gone; that is said once when it begins
and once when it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from gevent.event import Event as Flag

from cloudbang.core.supervise import backoff


class Attempts:
    """One thing that is tried again. Whoever tries it does the waiting."""

    __slots__ = ("_begins", "_ends", "_now", "_times", "_waits", "failing")

    def __init__(
        self,
        first: float,
        ceiling: float,
        *,
        begins: Callable[[str], None],
        ends: Callable[[], None],
    ) -> None:
        """Waits of ``first`` seconds, doubling up to ``ceiling``. ``begins(reason)`` is called at
        the first failure and when the reason is another one, ``ends()`` when it goes well again."""
        self._times, self._begins, self._ends = (first, ceiling), begins, ends
        self._waits: Iterator[float] | None = None
        self._now = Flag()
        self.failing = ""  # the reason; "" while all is well

    def failed(self, reason: str) -> float:
        """It failed; seconds to wait before the next try."""
        if reason != self.failing:
            self.failing = reason
            self._begins(reason)
        if self._waits is None:
            self._waits = backoff(*self._times)
        return next(self._waits)

    def went_well(self) -> None:
        self._waits = None
        if self.failing:
            self.failing = ""
            self._ends()

    def wait(self, seconds: float) -> None:
        """Wait for the next try, or until :meth:`now`. One that was said since the last wait counts:
        it may have come while the try that failed was under way."""
        self._now.wait(seconds)
        self._now.clear()

    def now(self) -> None:
        """Try again without waiting any longer: what was in the way may be gone."""
        self._now.set()


class Retries:
    """Many things, each by its name: one that fails for long keeps no other from its turn."""

    def __init__(
        self,
        ask: Callable[[str], None],
        first: float,
        ceiling: float,
        *,
        begins: Callable[[str, str], None],
        ends: Callable[[str], None],
    ) -> None:
        """``ask(name)`` is called when it is time, may not wait, and leads to ``failed``,
        ``went_well`` or ``gone``; ``begins(name, reason)`` and ``ends(name)`` as of Attempts."""
        self._ask, self._times = ask, (first, ceiling)
        self._begins, self._ends = begins, ends
        self._failing: dict[str, Attempts] = {}  # as many as there are things at most
        self._due: dict[str, float] = {}
        self._earlier = Flag()

    def __len__(self) -> int:
        return len(self._failing)

    def failed(self, name: str, reason: str) -> None:
        attempts = self._failing.get(name)
        if attempts is None:
            attempts = self._failing[name] = Attempts(
                *self._times,
                begins=lambda reason: self._begins(name, reason),
                ends=lambda: self._ends(name),
            )
        self._due[name] = time.monotonic() + attempts.failed(reason)
        self._earlier.set()

    def went_well(self, name: str) -> None:
        self._due.pop(name, None)
        if attempts := self._failing.pop(name, None):
            attempts.went_well()

    def gone(self, name: str) -> None:
        """There is nothing to ask about any more, and nothing to say of it."""
        self._due.pop(name, None)
        self._failing.pop(name, None)

    def loop(self) -> None:
        """For a supervisor: ask when it is time."""
        while True:
            # Woken by each failure: the new one may be due before those that wait already.
            due = min(self._due.values(), default=None)
            self._earlier.wait(None if due is None else max(0.0, due - time.monotonic()))
            self._earlier.clear()
            now = time.monotonic()
            for name in [name for name, due in self._due.items() if due <= now]:
                del self._due[name]
                self._ask(name)
