"""Memory that was freed goes back to the machine; that costs nothing where there is none of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from gevent.threadpool import ThreadPool

from cloudbang.core import memory
from cloudbang.core.memory import MIB, WORTH, MemoryTrim, resident


def fill(parts: int) -> list[bytes]:
    """60 MB in small pieces, of which one in fifty stays: nothing that lies together is free."""
    return [os.urandom(12_000) for _ in range(parts)][::50]


def test_what_threads_freed_is_given_back() -> None:
    trim = MemoryTrim()
    trim.look()
    before = resident()
    pool = ThreadPool(4)
    kept = pool.map(fill, [5_000] * 4)
    held = resident() - before
    assert held > 40 * MIB, "the C library gives back by itself: then all this is for nothing"
    trim.look()
    assert resident() - before < held / 3
    assert kept[0]
    pool.kill()


LONG_LINES = """
import os, sys, threading
from cloudbang.core.memory import MIB, keep_large_apart, resident

def some(parts):
    kept.append([os.urandom(size) for _ in range(parts) for size in (MIB, 500)][1::2])

kept = []
if "apart" in sys.argv:
    keep_large_apart()
some(2)  # after which glibc would no more take these for large
before = resident()
for turn in range(4):
    thread = threading.Thread(target=some, args=(25,))
    thread.start()
    thread.join()
print((resident() - before) // MIB)
"""


def test_what_is_large_is_given_back_at_once() -> None:
    """Long lines, and between them short ones that stay; in a process in which nothing was before."""

    def more(*arguments: str) -> int:
        command = [sys.executable, "-c", LONG_LINES, *arguments]
        return int(subprocess.run(command, check=True, capture_output=True).stdout)

    assert more() > 20, "the C library does so by itself: then all this is for nothing"
    assert more("apart") < 5


def test_only_what_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time it has grown by as much again, and not where a file cannot be opened."""
    asked: list[int] = []
    trim = MemoryTrim(asked.append)

    def look(*had: int) -> None:
        for one in had:
            monkeypatch.setattr(memory, "resident", lambda: one)  # noqa: B023 - looked at in this turn
            trim.look()

    look(100 * MIB, 100 * MIB + WORTH - 1, 90 * MIB, 90 * MIB + WORTH - 1)
    assert asked == []
    look(90 * MIB + WORTH, 91 * MIB + WORTH, 90 * MIB + 2 * WORTH)
    assert asked == [0, 0]

    def refused() -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(memory, "resident", refused)
    trim.look()
    assert asked == [0, 0]
