"""What is packed comes out as it went in, and what was never packed does not come out at all."""

from __future__ import annotations

from contextlib import suppress
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.metrics.packing import (
    Damaged,
    pack_points,
    pack_some,
    unpack_points,
    unpack_some,
)
from cloudbang.domain.metrics.points import FLOATING, Kept, Points, from_scale, rounded, to_scale
from cloudbang.domain.metrics.series import Aggregate, aggregate
from cloudbang.domain.metrics.slab_packing import pack_by_id, pack_slab, unpack_by_id, unpack_slab

SCALES = st.sampled_from([0.0001, 0.00001, 0.01, 0.1, 1.0, 4096.0])
VALUES = st.floats(-1e9, 1e9) | st.integers(-5, 5).map(float)
WHOLE = st.integers(-(2**40), 2**40) | st.integers(-3, 3)


def points_of(rows: list[Kept | None]) -> Points:
    found = Points.nothing(len(rows))
    for step, row in enumerate(rows):
        if row:
            found.put(step, row)
    return found


@st.composite
def kept(draw: st.DrawFn, scale: float | None = None) -> tuple[Kept, float]:
    scale = draw(SCALES) if scale is None else scale
    values = draw(st.lists(VALUES, min_size=1, max_size=12))
    made = aggregate(values)
    assert made
    found = to_scale(made, scale)
    assert found
    return found, scale


@st.composite
def series(draw: st.DrawFn) -> tuple[Points, float]:
    """Gaps of any length; numbers that are still, wander or leap."""
    scale = draw(SCALES | st.just(FLOATING))
    row = st.none() | kept(scale).map(lambda found: found[0])
    runs = draw(st.lists(st.tuples(row, st.integers(1, 20)), min_size=1, max_size=30))
    return points_of([one for one, times in runs for _ in range(times)]), scale


@given(st.lists(VALUES, min_size=1, max_size=20), SCALES)
def test_a_number_is_half_a_step_off_at_most(values: list[float], scale: float) -> None:
    """Least and most; of a sum that of two numbers; the count is what it was."""
    made = aggregate(values)
    assert made
    found = from_scale(to_scale(made, scale) or (1, 0, 0, 0), scale)
    off = scale * 0.5000001 + 1e-6
    assert found.samples == made.samples
    assert found.least == pytest.approx(made.least, abs=off)
    assert found.most == pytest.approx(made.most, abs=off)
    assert found.total == pytest.approx(made.total, abs=2 * off)


@given(kept(FLOATING))
def test_own_numbers_keep_nine_digits_and_whole_ones_all(found: tuple[Kept, float]) -> None:
    """Nobody knows their scale."""
    again = to_scale(from_scale(found[0], FLOATING), FLOATING)
    assert again == found[0]


def test_what_is_no_number_is_not_kept() -> None:
    """Nor what is absurdly large."""
    for value in (nan, inf, -inf, 1e300):
        assert to_scale(Aggregate(1, value, value, value), 0.1) is None
    assert to_scale(Aggregate(0, 0.0, inf, -inf), 1.0) is None
    assert to_scale(Aggregate(1, 1e300, 1e300, 1e300), FLOATING) == (1, 1e300, 1e300, 1e300)


@given(series())
@settings(max_examples=50)
def test_a_block_is_what_it_was(case: tuple[Points, float]) -> None:
    """Every number, every count and every gap."""
    points, scale = case
    assert unpack_points(pack_points(points, scale), scale) == points


@given(st.lists(st.tuples(st.integers(1, 2**30), WHOLE, WHOLE, WHOLE), min_size=1, max_size=50))
def test_a_block_takes_any_whole_numbers(rows: list[Kept]) -> None:
    """Of more samples than two, whatever the four numbers are to each other."""
    points = points_of([(n + 2, t, low, high) for n, t, low, high in rows])
    assert unpack_points(pack_points(points, 1.0), 1.0) == points


def test_two_own_numbers_are_what_each_was_shortened_to() -> None:
    """Their sum was shortened, too, and does not say what they are."""
    made = aggregate([123456.789, 0.00123456789])
    assert made
    found = to_scale(made, FLOATING)
    assert found
    assert found[1] != found[2] + found[3]
    points = points_of([found] * 3)
    assert unpack_points(pack_points(points, FLOATING), FLOATING) == points


def test_the_widest_steps_go_in() -> None:
    """From one end of what is kept to the other, and back."""
    far = 2**62 - 1
    for pattern in ([far, -far] * 5, [0] * 50 + [far, -far], [-far, *range(-far, -far + 40), far]):
        points = points_of([(3, n, n, n) for n in pattern])
        assert unpack_points(pack_points(points, 1.0), 1.0) == points


@given(st.binary(max_size=200), st.sampled_from([1.0, FLOATING]))
def test_what_nobody_packed_is_damaged(data: bytes, scale: float) -> None:
    """Whatever it is: nothing hangs, nothing takes all memory, nothing else is raised."""
    for unpack in (lambda d: unpack_points(d, scale), unpack_slab, unpack_by_id, unpack_some):
        with suppress(Damaged):
            unpack(b"\1" + data)


@given(series(), st.data())
@settings(max_examples=30)
def test_a_block_that_is_cut_off_is_damaged(
    case: tuple[Points, float], data: st.DataObject
) -> None:
    """Anywhere."""
    packed = pack_points(*case)
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(Damaged):
        unpack_points(packed[:cut], case[1])


@given(st.dictionaries(st.integers(1, 2**32 - 1), kept(), max_size=10))
@settings(max_examples=30)
def test_a_slab_is_what_it_was(rows: dict[int, tuple[Kept, float]]) -> None:
    """Of every series its own numbers, whole or not."""
    floating = {n: n % 3 == 0 for n in rows}
    slab = unpack_slab(pack_slab([(n, row, floating[n]) for n, (row, _) in rows.items()]))
    assert {n: slab.at(i) for i, n in enumerate(slab.ids)} == {n: r for n, (r, _) in rows.items()}


@given(st.dictionaries(st.integers(1, 2**32 - 1), st.binary(max_size=30), max_size=20))
def test_packed_things_are_what_they_were(things: dict[int, bytes]) -> None:
    """By id, and by step: what is empty is not there."""
    assert unpack_by_id(pack_by_id(things)) == things
    by_step = [thing or None for thing in things.values()]
    assert unpack_some(pack_some(by_step)) == by_step


@given(st.lists(st.none() | st.lists(VALUES, min_size=1, max_size=10), min_size=1, max_size=40))
def test_what_is_rolled_up_is_as_if_measured_so(moments: list[list[float] | None]) -> None:
    """Six steps as one are all samples of the six; what was not measured has no part in it."""
    kept = [to_scale(aggregate(values), 1.0) if values else None for values in moments]  # type: ignore[arg-type]
    rolled = points_of(kept).rolled(6)
    for step in range(len(rolled)):
        mine = [row for row in kept[6 * step : 6 * step + 6] if row]
        assert rolled.samples[step] == sum(row[0] for row in mine)
        if mine:
            assert rolled.totals[step] == sum(row[1] for row in mine)
            assert rolled.leasts[step] == min(row[2] for row in mine)
            assert rolled.mosts[step] == max(row[3] for row in mine)
    assert len(rolled) == -(-len(moments) // 6)


def test_later_lies_over_earlier_and_gaps_hide_nothing() -> None:
    """Also where it begins before, or ends after."""
    below = points_of([(1, n, n, n) for n in range(6)])
    below.lay(points_of([(1, 9, 9, 9), None, (1, 8, 8, 8)]), 4)
    below.lay(points_of([(1, 7, 7, 7), (1, 6, 6, 6)]), -1)
    below.lay(points_of([(1, 5, 5, 5)]), 6)
    assert below.totals == [6, 1, 2, 3, 9, 5]


@given(st.lists(st.integers(0, 2**45), min_size=1, max_size=12))
def test_bytes_a_second_keep_their_first_digits(values: list[int]) -> None:
    """0.05 % off at most; what is small, and the sum of it, is exact."""
    made = aggregate([float(v) for v in values])
    assert made
    kept = to_scale(made, 1.0)
    assert kept
    samples, total, least, most = rounded(kept)
    assert samples == len(values)
    if sum(values) // samples < 4096:
        assert (total, least, most) == kept[1:]
    assert least == pytest.approx(min(values), rel=0.0005)
    assert most == pytest.approx(max(values), rel=0.0005)
    assert total == pytest.approx(sum(values), rel=0.001)
