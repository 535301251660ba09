"""Events are kept for so many days."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

import gevent

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed, StorageFull

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks
DAY_NS = 86_400 * 10**9


class Events(Protocol):
    """The store of events."""

    def prune(self, before: str) -> int: ...


class EventRetention:
    """Deletes what is older than ``days``, once an hour, and knows what that is."""

    def __init__(
        self,
        events: Events,
        days: float,
        every: float = EVERY,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._events, self._every, self._clock = events, every, clock
        self._keep_ns = int(days * DAY_NS)
        self._started, self._began = clock(), time.monotonic_ns()
        self._supervisor = Supervisor("event-retention")

    def oldest(self) -> str:
        """The time of the oldest event that is kept, in RFC 3339 with nanoseconds."""
        # A clock that jumps ahead while we run makes nothing old.
        passed = time.monotonic_ns() - self._began
        now = min(self._clock(), self._started + passed)
        return format_time(max(now - self._keep_ns, 0))

    def start(self) -> None:
        self._supervisor.run("prune", self._prune)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def _prune(self) -> None:
        while True:
            # Not at once: a machine's clock may be set right a moment after its start.
            gevent.sleep(self._every)
            try:
                gone = self._events.prune(self.oldest())
            except (StorageFull, StorageFailed) as e:
                log.warning("old events could not be deleted: %s", e)
                continue
            if gone:
                log.info("%d events were older than %g days", gone, self._keep_ns / DAY_NS)
