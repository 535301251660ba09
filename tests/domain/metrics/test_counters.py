"""Rates, whatever happens to who counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.metrics.counters import Events, Rates


def test_a_rate_is_growth_over_time() -> None:
    """By when each was read, not by when it should have been."""
    rates = Rates()
    assert rates.of("cpu", 10.0, 100.0, 1) is None
    assert rates.of("cpu", 11.25, 101.0, 1) == 0.8
    assert rates.of("cpu", 12.25, 101.0, 1) == 0.0  # paused: it does nothing, and that is known


def test_a_counter_that_begins_anew_is_a_gap_and_no_spike() -> None:
    """Neither up nor down."""
    rates = Rates()
    rates.of("network.sent", 1.0, 1e9, 1)
    assert rates.of("network.sent", 2.0, 500.0, 1) is None
    assert rates.of("network.sent", 3.0, 700.0, 1) == 200.0


def test_one_that_is_another_is_not_compared() -> None:
    """A container that was started anew may have counted further by now."""
    rates = Rates()
    rates.of("cpu", 1.0, 1.0, 1)
    rates.forget()
    assert rates.of("cpu", 2.0, 5.0, 1) is None


def test_a_long_gap_has_no_rate() -> None:
    """Nobody knows when within it things happened."""
    rates = Rates()
    rates.of("cpu", 1.0, 1.0, 1)
    assert rates.of("cpu", 3.5, 2.0, 1) == 0.4
    assert rates.of("cpu", 9.0, 3.0, 1) is None
    assert rates.of("cpu", 10.0, 4.0, 1) == 1.0
    assert rates.of("disk.read", 1.0, 1.0, 5) is None
    assert rates.of("disk.read", 15.0, 8.0, 5) == 0.5


def test_two_readings_of_one_moment_have_no_rate() -> None:
    """And not an endless one."""
    rates = Rates()
    rates.of("cpu", 1.0, 1.0, 1)
    assert rates.of("cpu", 1.0, 2.0, 1) is None


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 1e12)), min_size=2))
def test_no_rate_is_negative_or_more_than_what_was_counted(
    steps: list[tuple[float, float]],
) -> None:
    """Whatever the counter does."""
    rates, at = Rates(), 0.0
    for passed, count in steps:
        at += passed
        rate = rates.of("x", at, count, 1)
        assert rate is None or 0 <= rate <= 1e12 / 0.009


def test_what_happened_is_counted_over_restarts() -> None:
    """The group that counted is gone; what it said stays."""
    kills = Events()
    kills.take(2)
    assert kills.count == 2
    kills.restart(unseen=1)
    assert (kills.count, kills.counted) == (3, 0)
    kills.take(1)
    assert kills.count == 4
    kills.take(0)  # begun anew, and nobody said so
    assert kills.count == 4
