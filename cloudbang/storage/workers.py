"""Threads that work on a database, each with a connection of its own while it does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import gevent
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from cloudbang.core.threads import in_thread
from cloudbang.errors import StorageFailed


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T")
C = TypeVar("C", bound=Closable)
TURN_SECONDS = 10.0  # overload: who has had no turn by then is told so, and nothing was done

CLOSE_SECONDS = 1.0  # what is cut off then is undone when the database is opened again


class Workers(Generic[C]):
    """``count`` threads. Connections are made when they are needed first, and kept."""

    def __init__(self, count: int, connect: Callable[[], C], path: str) -> None:
        self._connect, self._path = connect, path
        self._pool = ThreadPool(count)
        self._turns = BoundedSemaphore(count)
        # Used by the threads alone: the last one used is used again, so that few are open.
        self._idle: deque[C] = deque()

    def run(self, work: Callable[[C], T]) -> T:
        """``work(connection)`` in a thread: the greenlet waits, the hub goes on.

        Raises what ``work`` raises, and StorageFailed when there was no turn.
        """
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise StorageFailed(self._path, f"it was too busy for {TURN_SECONDS:g} s: try again")
        try:
            return in_thread(self._pool, self._use, work)
        finally:
            self._turns.release()

    def close(self) -> None:
        """End, once what has begun has ended; or without that, when it takes too long."""
        with gevent.Timeout(CLOSE_SECONDS, False):
            self._pool.join()
            self._pool.apply(self._close)
            self._pool.kill()

    def _use(self, work: Callable[[C], T]) -> T:
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            return work(connection)
        finally:
            self._idle.append(connection)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close()
