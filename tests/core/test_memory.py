"""Memory that was freed goes back to the machine; that costs nothing where there is none of it."""

from __future__ import annotations

import os

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
