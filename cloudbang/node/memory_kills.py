"""Ends by SIGKILL that nobody asked for, and of which the engine does not tell why.

It tells of memory that ran out beside a container's end, and on a busy machine sometimes never: the
kernel's own log is looked into then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import gevent
from gevent import get_hub
from gevent.queue import Queue

from cloudbang.core.threads import in_thread
from cloudbang.engine import EngineEvent, kernel_log

AROUND = 15.0  # seconds before an end in which what is said of its container is of that end
LATE = 1.0  # seconds in which the engine may yet tell it by itself
MOST = (
    256  # that wait to be looked for; of a machine all of whose containers were killed, the first
)


class MemoryKills:
    """``run`` in a greenlet of its own; ``tell`` gets the event that the engine owes."""

    def __init__(
        self,
        is_told: Callable[[EngineEvent], bool],
        tell: Callable[[EngineEvent], None],
        kernel_says: Callable[[str, float], bool] = kernel_log.says_out_of_memory,
        late: float = LATE,
    ) -> None:
        """``is_told``: whether the container of an end is gone, or of that end it is known that its
        memory ran out; ``kernel_says``: as ``kernel_log.says_out_of_memory``."""
        self._is_told, self._tell, self._kernel_says = is_told, tell, kernel_says
        self._late = late
        self._waiting: Queue[tuple[float, float, EngineEvent]] = Queue(MOST)

    def ended(self, event: EngineEvent) -> None:
        """A container was killed and nobody had told it to end; its "die"."""
        if not self._waiting.full():
            since = kernel_log.now() - AROUND
            self._waiting.put_nowait((time.monotonic() + self._late, since, event))

    def run(self) -> None:
        while True:
            due, since, event = self._waiting.get()
            gevent.sleep(max(0.0, due - time.monotonic()))
            if not self._is_told(event) and in_thread(
                get_hub().threadpool, self._kernel_says, event.container, since
            ):
                self._tell(replace(event, action="oom"))
