"""A call in a thread of a pool, with its failure as an ordinary exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gevent.threadpool import ThreadPool

T = TypeVar("T")


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
