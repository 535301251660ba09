"""Where one greenlet waits until something calls it, at the price of a switch and little more.

gevent's Event and its ``hub.wait`` make and drop a Timeout, a link and a Waiter each time. That is
nothing once a second; on the way of every line and of every key it was a third of the price.
"""

from __future__ import annotations

from typing import Any

import gevent
from gevent.hub import get_hub


class Parking:
    """For one greenlet at a time. A call that comes while nobody waits is not lost: the next
    :meth:`wait` returns at once. Several calls count as one."""

    __slots__ = ("_called", "_waiting", "_watcher")

    def __init__(self, readable: int = -1) -> None:
        """``readable``: a descriptor; it calls as well while it can be read."""
        self._called = False
        self._waiting: gevent.Greenlet | None = None
        self._watcher: Any = None if readable < 0 else get_hub().loop.io(readable, 1)

    def wait(self) -> bool:
        """Wait for a call. The descriptor may have called as well as somebody: look at both.

        Whether others had a turn meanwhile: not where it had been called before.
        """
        gives_way = not self._called
        if gives_way:
            hub, me = get_hub(), gevent.getcurrent()
            self._waiting = me
            try:
                if self._watcher is None:
                    hub.switch()
                else:
                    self._watcher.start(me.switch)
                    hub.switch()
            finally:
                self._waiting = None
                if self._watcher is not None:
                    self._watcher.stop()
        self._called = False
        return gives_way

    def call(self) -> None:
        """Let whoever waits go on, in the next turn of the loop."""
        if not self._called:
            self._called = True
            if self._waiting is not None:
                get_hub().loop.run_callback(self._wake)

    def close(self) -> None:
        """Let go of the descriptor, before it may be somebody else's; who waits goes on."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self.call()

    def _wake(self) -> None:
        # Whoever waited may have been woken by the descriptor, or ended, since the call.
        if self._called and self._waiting is not None:
            self._waiting.switch()
