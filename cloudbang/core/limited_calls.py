"""Looks at processes that may take for ever: in threads, with a limit.

What ``/proc/PID/cwd`` and ``root`` lead to is a container's file system. One that hangs (NFS whose
server is away, a FUSE program that has stopped) holds whoever looks, and that must not be all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent.threadpool import ThreadPool

from cloudbang.core.threads import in_thread

log = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 4  # overload: when all of them hang, nobody is told anything more
LIMIT = 2.0  # seconds
STOP_WITHIN = 0.5  # seconds; a thread that hangs ends with the process


class LimitedCalls:
    """``look(default, function, *args)`` is what the function gives, or ``default`` when that
    takes too long or the files cannot be looked at."""

    def __init__(self) -> None:
        self._pool = ThreadPool(THREADS)

    def __call__(self, default: T, function: Callable[..., T], *args: Any) -> T:
        found = default
        try:
            with gevent.Timeout(LIMIT, False):
                found = in_thread(self._pool, function, *args)
        except OSError as e:
            log.debug("a process cannot be looked at: %s", e)
        return found

    def stop(self) -> None:
        with gevent.Timeout(STOP_WITHIN, False):
            self._pool.kill()
