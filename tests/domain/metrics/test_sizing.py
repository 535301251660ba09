"""Whether a limit fits: only after days, only against the limit that there is."""

from __future__ import annotations

from cloudbang.domain.metrics.series import Aggregate, aggregate
from cloudbang.domain.metrics.sizing import Sized, sized_cpu, sized_memory

DAY = 144  # stretches of ten minutes
MIB = 2.0**20


def days(count: float, value: float) -> list[Aggregate | None]:
    return [aggregate([value])] * int(count * DAY)


def test_a_limit_that_is_far_too_large_is_said_with_the_number() -> None:
    used = [*days(13, 150 * MIB), aggregate([100 * MIB, 190 * MIB])]
    limits = [*days(13, 512 * MIB), aggregate([512 * MIB])]
    found = sized_memory(used, used, limits, 600)
    assert found is not None
    assert (found.fit, found.limit, found.usual) == ("large", 512 * MIB, 150 * MIB)
    assert (found.most, found.wanted) == (190 * MIB, 256 * MIB)
    assert round(found.days) == 13


def test_a_limit_that_programs_fill_is_too_small_and_one_that_files_fill_is_not() -> None:
    used, limits = days(5, 62 * MIB), days(5, 64 * MIB)
    found = sized_memory(used, days(5, 60 * MIB), limits, 600)
    assert found is not None
    assert (found.fit, found.wanted) == ("small", 96 * MIB)
    files = sized_memory(used, days(5, 10 * MIB), limits, 600)
    assert files is not None
    assert files.fit == "fits"


def test_before_three_days_nothing_is_said_and_gaps_are_no_days() -> None:
    assert sized_memory(days(2.9, 1e6), days(2.9, 1e6), days(2.9, 1e9), 600) is None
    gaps: list[Aggregate | None] = [*days(2, 1e6), *[None] * DAY * 5]
    assert sized_memory(gaps, gaps, days(7, 1e9), 600) is None
    assert sized_memory(days(5, 1e6), days(5, 1e6), [None] * 5 * DAY, 600) is None  # no limit


def test_what_was_used_under_another_limit_does_not_count() -> None:
    used = [*days(10, 100 * MIB), *days(2, 100 * MIB)]
    limits = [*days(10, 128 * MIB), *days(2, 512 * MIB)]
    assert sized_memory(used, used, limits, 600) is None
    limits = [*days(8, 128 * MIB), *days(4, 512 * MIB)]
    found = sized_memory(used, used, limits, 600)
    assert found is not None
    assert (found.fit, round(found.days)) == ("large", 4)


def test_processors() -> None:
    large = sized_cpu(days(5, 0.2), days(5, 0.0), days(5, 4.0), 600)
    assert large == Sized("cpu", "large", 4.0, 0.2, 0.2, 0.3, 5.0)
    small = sized_cpu(days(5, 0.5), days(5, 0.3), days(5, 0.5), 600)
    assert small is not None
    assert (small.fit, small.wanted) == ("small", 0.7)
    fits = sized_cpu(days(5, 0.4), days(5, 0.0), days(5, 0.5), 600)
    assert fits is not None
    assert fits.fit == "fits"
