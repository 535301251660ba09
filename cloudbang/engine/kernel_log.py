"""What the kernel itself says of memory that ran out.

The engine is told of it by an event of the kernel's: beside the end of the container, and not before
it. On a busy machine that comes a second later, when the engine's answer about the container is
written and says otherwise; or never, when the control group is gone by then.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

PATH = "/dev/kmsg"
RECORD = 8192  # bytes of the longest one
WITHIN = 2.0  # seconds of reading; a log of 16 MB takes that
OF_A_GROUP = (b"oom-kill:constraint=CONSTRAINT_MEMCG", b"Task in ")  # since 4.19, and before


def now() -> float:
    """By the clock that the kernel's log has, in seconds: one that nobody corrects. The usual monotonic
    clock is seconds away from it after days."""
    return time.clock_gettime(time.CLOCK_MONOTONIC_RAW)


def says_out_of_memory(container: str, since: float = 0.0, path: str = PATH) -> bool:
    """Whether the kernel ended a process of that container (64 hex digits) because its limit was
    reached. ``since``, in seconds as ``now`` gives them: one that is started again had
    other ends before. False as well where that was long ago, or who asks may not read the log (of a
    container, or without being root). Reads a file that may be long: in a thread."""
    of_it = container.encode()
    until = time.monotonic() + WITHIN
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            while time.monotonic() < until:
                try:
                    record = os.read(file, RECORD)
                except BrokenPipeError:  # overwritten before it was read: the next one is there
                    continue
                if not record:
                    break
                head, _, said = record.partition(b";")
                if of_it in said and said.startswith(OF_A_GROUP) and _seconds(head) >= since:
                    return True
        finally:
            os.close(file)
    return False


def _seconds(head: bytes) -> float:
    """When a record was made: "priority,number,microseconds since the machine began,flags"."""
    try:
        return int(head.split(b",")[2]) / 1e6
    except (IndexError, ValueError):
        return 0.0
