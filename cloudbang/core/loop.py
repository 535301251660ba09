"""Giving way: what a greenlet does that has much to do and waits for nothing."""

from __future__ import annotations

import gevent


def yield_to_loop() -> None:
    """One turn of the loop for everything else that is ready: I/O, timers, other greenlets.

    ``gevent.sleep(0)`` would not let I/O and timers run, and ``sleep(1e-5)`` sleeps for at least
    the millisecond that epoll counts in. An idle watcher of the highest priority makes the loop
    look around once without waiting, and is not starved by a busy one.
    """
    gevent.idle(gevent.get_hub().loop.MAXPRI)
