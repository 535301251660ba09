"""When a node is measured, whatever becomes of the clocks."""

from __future__ import annotations

from cloudbang.node.sampler.whole_seconds import WholeSeconds


class Clocks:
    """A wall clock and one that nobody sets."""

    def __init__(self, wall: float) -> None:
        self.wall, self.passed = wall, 0.0
        self.sleeps_longer = 0.0
        self.jump = 0.0  # while it sleeps

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds

    def sleep(self, seconds: float) -> None:
        self.go(seconds + self.sleeps_longer)
        self.wall += self.jump
        self.sleeps_longer = self.jump = 0.0

    def seconds(self) -> WholeSeconds:
        return WholeSeconds(lambda: self.wall, lambda: self.passed, self.sleep)


def test_each_whole_second_is_told_once_and_in_order() -> None:
    """However long was worked in between, within the second."""
    clocks = Clocks(1000.3)
    seconds = clocks.seconds()
    told = []
    for work in (0.01, 0.9, 0.0, 0.5):
        told.append(seconds.wait())
        clocks.go(work)
    assert told == [(1001, False), (1002, False), (1003, False), (1004, False)]
    assert seconds.missed == 0


def test_seconds_that_nobody_was_there_for_are_gaps() -> None:
    """They are counted, and not made up for."""
    clocks = Clocks(1000.0)
    seconds = clocks.seconds()
    assert seconds.wait() == (1001, False)
    clocks.go(3.2)
    assert seconds.wait() == (1004, False)
    assert 0.19 < seconds.late < 0.21
    clocks.sleeps_longer = 2.5
    assert seconds.wait() == (1007, False)
    assert seconds.missed == 4


def test_a_clock_that_jumps_is_followed() -> None:
    """An hour on or back: said once, and nothing is counted as missed."""
    clocks = Clocks(10_000.0)
    seconds = clocks.seconds()
    seconds.wait()
    clocks.jump = 3600.0
    assert seconds.wait() == (13602, True)
    assert seconds.wait() == (13603, False)
    clocks.go(0.2)
    clocks.wall -= 3600.0
    second, moved = seconds.wait()
    assert (second, moved) == (10004, True)
    assert seconds.wait() == (10005, False)
    assert seconds.missed == 0


def test_a_clock_that_is_corrected_a_little_repeats_no_second() -> None:
    """Half a second back: the next one is waited for."""
    clocks = Clocks(1000.0)
    seconds = clocks.seconds()
    seconds.wait()
    seconds.wait()
    clocks.go(0.1)
    clocks.wall -= 0.5
    assert seconds.wait() == (1003, False)


def test_a_machine_that_slept_has_a_gap_and_no_jump() -> None:
    """Time passed, though nothing ran."""
    clocks = Clocks(1000.0)
    seconds = clocks.seconds()
    seconds.wait()
    clocks.go(7200)
    second, moved = seconds.wait()
    assert (second, moved) == (8201, False)
