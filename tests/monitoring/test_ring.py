"""The last 15 minutes of a series: gaps are gaps, whatever the clock does."""

from __future__ import annotations

from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.metrics.series import Aggregate
from cloudbang.monitoring.ring import KEPT, Ring

T = 1_764_444_600


def filled(step: int = 1, count: int = 20) -> Ring:
    ring = Ring(step)
    for n in range(count):
        ring.put(T + n * step, float(n))
    return ring


def test_what_was_put_is_found_where_it_was_measured() -> None:
    ring = filled()
    assert ring.between(T + 3, T + 6) == [3.0, 4.0, 5.0]
    assert ring.last() == (T + 19, 19.0)
    assert ring.end == T + 20
    assert Ring(1).last() is None
    assert Ring(1).between(T, T + 2) == [None, None]


def test_before_and_after_there_is_nothing() -> None:
    ring = filled()
    assert ring.between(T - 2, T + 1) == [None, None, 0.0]
    assert ring.between(T + 19, T + 22) == [19.0, None, None]
    assert ring.between(T + 30, T + 32) == [None, None]
    assert ring.between(T - 5_000, T - 4_998) == [None, None]
    assert ring.between(T + 5, T + 5) == []


def test_seconds_that_were_missed_are_gaps() -> None:
    ring = filled(count=3)
    ring.put(T + 6, 6.0)
    ring.put(T + 7, None)
    assert ring.between(T, T + 9) == [0.0, 1.0, 2.0, None, None, None, 6.0, None, None]
    assert ring.last() == (T + 6, 6.0)
    assert ring.aggregate(T, T + 10) == Aggregate(4, 9.0, 0.0, 6.0)
    assert ring.aggregate(T + 3, T + 6) is None


def test_a_gap_longer_than_all_that_is_kept_leaves_nothing_of_before() -> None:
    ring = filled(count=KEPT)
    ring.put(T + 3 * KEPT, 1.0)
    assert ring.between(T + 2 * KEPT, T + 3 * KEPT) == [None] * KEPT
    assert ring.between(T + 3 * KEPT, T + 3 * KEPT + 1) == [1.0]


def test_the_oldest_give_way() -> None:
    ring = filled(count=KEPT + 10)
    assert ring.between(T + 8, T + 12) == [None, None, 10.0, 11.0]


def test_a_value_that_comes_late_takes_its_place() -> None:
    ring = filled(count=5)
    ring.put(T + 2, 22.0)
    ring.put(T - KEPT, 1.0)  # nowhere
    assert ring.between(T, T + 5) == [0.0, 1.0, 22.0, 3.0, 4.0]
    ring.put(T - 3, 33.0)
    assert ring.between(T - 3, T + 1) == [33.0, None, None, 0.0]
    assert ring.end == T + 5


@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_slow_series_has_a_value_a_step_wherever_in_it_it_was_measured(at: int) -> None:
    ring = Ring(5)
    ring.put(T + at, 1.0)
    ring.put(T + 10, 3.0)
    assert ring.between(T + 2, T + 15) == [1.0, None, 3.0]
    assert ring.end == T + 15


def test_a_clock_that_was_set_back_takes_the_future_away() -> None:
    ring = filled(count=20)
    ring.cut(T + 5)
    assert ring.between(T + 3, T + 8) == [3.0, 4.0, None, None, None]
    ring.put(T + 5, 55.0)
    assert ring.between(T + 3, T + 8) == [3.0, 4.0, 55.0, None, None]
    ring.cut(T - 5 * KEPT)
    assert ring.last() is None
    ring.put(T - 5 * KEPT, 7.0)
    assert ring.last() == (T - 5 * KEPT, 7.0)
    ring.cut(T)  # nothing there
    assert ring.last() == (T - 5 * KEPT, 7.0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "cut"]), st.integers(-12, 12) | st.integers(-950, 950)),
        max_size=40,
    )
)
def test_it_is_what_a_table_by_times_would_be(steps: list[tuple[str, int]]) -> None:
    """Wherever it is put and cut, whether it is full yet or not."""
    ring, known, now = Ring(1), dict[int, float](), T
    for number, (what, by) in enumerate(steps):
        now += by
        if what == "cut":
            ring.cut(now)
            known = {at: value for at, value in known.items() if at < now}
        elif now >= ring.end - KEPT:
            ring.put(now, float(number))
            known[now] = float(number)
        known = {at: value for at, value in known.items() if at >= ring.end - KEPT}
        begin = min(known, default=now) - 2
        assert ring.between(begin, now + 3) == [known.get(at) for at in range(begin, now + 3)]
    assert ring.last() == (max(known.items()) if known else None)


def test_what_was_measured_for_a_moment_takes_little_room() -> None:
    """There may be thousands of containers that lived for a second."""
    rings = [Ring(1) for _ in range(1_000)]
    for ring in rings:
        ring.put(T, 1.0)
    assert sum(getsizeof(ring) + getsizeof(ring._values) for ring in rings) < 250_000
