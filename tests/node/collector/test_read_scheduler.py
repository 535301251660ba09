"""Quiet containers are read at once, busy ones together at a tick."""

from __future__ import annotations

import time

import gevent
import pytest

from cloudbang.node.collector.read_scheduler import (
    MANY,
    SHORTEST,
    SLOW,
    TICK,
    ReadScheduler,
    SharedTick,
)
from tests.support import patient


def test_all_who_wait_for_a_tick_are_woken_together() -> None:
    """Whenever they came, one after the other in one turn of the loop; the slow ones at theirs."""
    numbers: list[int] = []  # of the ticks that came
    early: list[int] = []

    class Counted(SharedTick):
        def _tick(self) -> None:
            numbers.append(self._due)
            super()._tick()
            assert all(due > numbers[-1] for due in self._waiting.values())

    tick = Counted(0.02)
    woken: list[str] = []

    def reader(name: str, every: int, times: int) -> None:
        for _ in range(times):
            gevent.sleep(0.0005)  # a busy machine lets some come late, who wait for a later tick
            tick.wait(every)
            woken.append(name)  # within the tick
            assert numbers[-1] % every == 0
            if time.monotonic() < numbers[-1] * 0.02:
                early.append(numbers[-1])

    readers = [gevent.spawn(reader, "quick", 1, 10) for _ in range(5)]
    readers += [gevent.spawn(reader, "slow", 5, 2) for _ in range(5)]
    gevent.joinall(readers, timeout=patient(5), raise_error=True)
    assert (woken.count("quick"), woken.count("slow")) == (50, 10)
    assert numbers == sorted(set(numbers))
    assert early == []


def test_who_is_ended_while_waiting_is_forgotten() -> None:
    """The others' tick comes all the same."""
    tick = SharedTick(0.01)
    ended, other = gevent.spawn(tick.wait), gevent.spawn(tick.wait)
    gevent.sleep(0)
    ended.kill()
    other.join(patient(1))
    assert other.ready()


def _taken(pace: ReadScheduler, lines: int, reads: int, apart: float) -> list[tuple[bool, float]]:
    """Whether each of so many reads was followed by a pause, and how long that took."""
    taken = []
    for _ in range(reads):
        gevent.sleep(apart)
        began = time.monotonic()
        paused = pace.after_read(lines * 150, lines)
        taken.append((paused, time.monotonic() - began))
    return taken


def test_a_line_now_and_then_is_never_waited_with() -> None:
    """Who is looked at and logs less often than a tick comes, or a few lines at once: no pause."""
    pace = ReadScheduler(SharedTick(), lambda: True)
    assert not any(paused for paused, _ in _taken(pace, 1, 5, 2 * TICK))
    assert not any(paused for paused, _ in _taken(pace, 1, MANY - 1, 0))


def test_lines_that_come_evenly_are_read_at_the_tick() -> None:
    """One a millisecond and so one a read: after a few the rest come many at a time."""
    pace = ReadScheduler(SharedTick(), lambda: True)
    # A busy machine may come late for one, which is not soon after the one before then.
    assert any(paused for _ in range(50) for paused, _ in _taken(pace, 1, MANY + 1, 0.001))
    assert all(pace.after_read(8 * 150, 8) for _ in range(5))
    # A tick at which nothing came: from there on it is quiet again.
    assert not pace.nothing_there()
    assert not pace.after_read(150, 1)


def test_nobody_looks_so_it_can_wait() -> None:
    """The slow tick, for as long as there are lines and a little longer; then it is waited for."""
    pace = ReadScheduler(SharedTick(), lambda: False)
    _taken(pace, 1, 1, 0.001)
    began = time.monotonic()
    for _ in range(5):  # the first may come just before a slow tick, and so may the second
        assert pace.after_read(150, 1)
    assert time.monotonic() - began > 2 * SLOW * TICK * 0.9
    quiet = 0
    while pace.nothing_there():
        quiet += 1
        assert quiet < 20
    assert quiet > 1


def test_a_flood_is_read_before_it_fills_the_engines_buffer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With as much in a read as the engine's side holds, the pause is the shortest there is."""
    pace = ReadScheduler(SharedTick(), lambda: False)
    taken = _taken(pace, 300, 20, 0)[1:]
    assert all(paused for paused, _ in taken)
    asked: list[float] = []
    monkeypatch.setattr("cloudbang.node.collector.read_scheduler.gevent.sleep", asked.append)
    assert pace.after_read(300 * 150, 300)
    assert asked == [SHORTEST]
