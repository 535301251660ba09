"""Calls in threads: of a pool, with a limit or without, and of one that stands ready."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent import get_hub, monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP_WITHIN = 0.5  # seconds; a thread that hangs ends with the process


def in_thread(pool: ThreadPool, function: Callable[..., T], *args: Any) -> T:
    """``function(*args)`` in a thread; the calling greenlet waits, the hub goes on.

    Raises what the function raised. gevent's own ``apply`` prints a traceback of it besides, as
    if nobody caught it.
    """
    value: Any
    failure, value = pool.apply(_caught, (function, args))
    if failure is not None:
        raise failure
    return value


def _caught(function: Callable[..., T], args: tuple[Any, ...]) -> tuple[Exception | None, T | None]:
    try:
        return None, function(*args)
    except Exception as e:
        return e, None


class LimitedCalls:
    """Calls that may take for ever, ``threads`` at a time. ``call(default, function, *args)`` is
    what the function gives, or ``default`` when that takes longer than ``limit`` seconds or fails
    with an OSError."""

    def __init__(self, threads: int, limit: float) -> None:
        self._pool, self._limit = ThreadPool(threads), limit

    def __call__(self, default: T, function: Callable[..., T], *args: Any) -> T:
        found = default
        try:
            with gevent.Timeout(self._limit, False):
                found = in_thread(self._pool, function, *args)
        except OSError as e:
            log.debug("%s%r failed: %s", function.__name__, args, e)
        return found

    def stop(self) -> None:
        with gevent.Timeout(STOP_WITHIN, False):
            self._pool.kill()


class ReadyThread:
    """One thread of the system that waits for its next call, one call after another.

    Handing a call over costs a lock that is released, and its answer one write to the loop; a
    pool's task takes about five times as much. For what happens a hundred times a second.
    """

    def __init__(self) -> None:
        self._wake = monkey.get_original("_thread", "allocate_lock")()
        self._wake.acquire()
        self._call: Callable[[], object] | None = None
        self._turn = BoundedSemaphore()
        self._caller: gevent.Greenlet | None = None
        self._busy = False
        self._answer = get_hub().loop.async_()
        self._answer.start(self._answered)
        monkey.get_original("_thread", "start_new_thread")(self._work, ())

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """``function(*args)`` in the thread; the calling greenlet waits, the hub goes on.

        Raises what it raised. Who is ended while it waits leaves the call to be done all the same.
        """
        answer: list[tuple[Exception | None, T | None]] = []
        with self._turn:
            while self._busy:  # the one before was ended while it waited
                gevent.sleep(0.001)
            self._call = lambda: answer.append(_caught(function, args))
            self._caller, self._busy = gevent.getcurrent(), True
            self._wake.release()
            try:
                while self._busy:
                    get_hub().switch()
            finally:
                self._caller = None
        failure, value = answer[0]
        if failure is not None:
            raise failure
        result: Any = value
        return result

    def close(self) -> None:
        """End it, once it has done what it does now."""
        while self._busy:
            gevent.sleep(0.001)
        self._call = None
        self._wake.release()
        self._answer.close()

    def _answered(self) -> None:
        self._busy = False
        if self._caller is not None:
            self._caller.switch()

    def _work(self) -> None:
        while True:
            self._wake.acquire()
            if self._call is None:
                return
            self._call()
            self._answer.send()
