"""What was freed is given back to the machine.

glibc keeps freed memory for whoever asks next, in an arena for each thread: after a flood, a search
or a thousand downloads a process of ours held some 60 MB of nothing. ``malloc_trim`` gives it back.

What is large it takes from the machine by itself and gives back at once, but by its rules "large"
grows with what is freed: after the first line of a megabyte such lines lie among all else, and pages
of them that nobody read took three times what they were. So it is told once what large is.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Callable
from contextlib import suppress

import gevent
from gevent.threadpool import ThreadPool

from cloudbang.core.threads import in_thread

log = logging.getLogger(__name__)

MIB = 1 << 20
EVERY = 30.0  # seconds
LARGE = MIB // 2
KEPT = 4 * MIB  # at the end of an arena, which is asked for again at once
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # as mallopt(3) has them
WORTH = 8 * MIB  # more than after the last time: while it trims an arena, who needs that one waits


def resident() -> int:
    """Bytes of memory that this process has. Raises OSError where no file can be opened."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def keep_large_apart() -> None:
    """For the whole process: what is large is given back as soon as it is freed. Does nothing where
    the C library has no such settings (musl's does it anyway)."""
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is not None:
        tell(_MMAP_THRESHOLD, LARGE)
        tell(_TRIM_THRESHOLD, KEPT)  # or it would be 128 KiB from now on


class MemoryTrim:
    """Looks every 30 s whether there is more than there was. ``trim`` gives back what it can; None
    where the C library has no such call, and what is freed is its own affair."""

    def __init__(self, trim: Callable[[int], object] | None = None) -> None:
        self._trim = trim or getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._pool = ThreadPool(1)
        self._least = 0

    def run(self) -> None:
        """For a supervisor: forever."""
        while self._trim is not None:
            gevent.sleep(EVERY)
            self.look()

    def look(self) -> None:
        try:
            before = resident()
        except OSError:
            return  # no file can be opened at the moment
        self._least = min(self._least or before, before)
        if self._trim is None or before < self._least + WORTH:
            return
        in_thread(self._pool, self._trim, 0)
        with suppress(OSError):
            self._least = resident()
        log.debug("%.0f of %.0f MiB given back", (before - self._least) / MIB, before / MIB)
