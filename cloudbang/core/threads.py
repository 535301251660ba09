"""Calls in threads of a pool: with their failure as an ordinary exception, or with a limit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
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
