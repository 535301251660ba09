"""What a deployment changed: a verdict only from what was measured, and only where it is no chance."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from cloudbang.domain.deploy.deployment import Deployment, Step
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.lines import format_time
from cloudbang.domain.metrics.comparison import Row, Side, compare, stretches, verdict
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, aggregate

T = 1_764_444_600
STEPS = {"cpu": 1, "memory": 1, "http.requests": 1, "http.errors": 1, "log.errors": 1}


def side(
    since: int = T,
    seconds: int = 900,
    *,
    measured: tuple[int, int] = (0, 900),
    took: tuple[float, ...] = (),
    **values: float,
) -> Side:
    """Each second the same value of each metric, within what of it was ``measured``; the answers
    ``took`` so long, each as often as the others."""
    rows: dict[str, list[Aggregate | None]] = {}
    for name, value in values.items():
        rows[name.replace("_", ".")] = [
            aggregate([value] * 10) if measured[0] <= at < measured[1] else None
            for at in range(0, seconds, 10)
        ]
    histogram = Histogram()
    whole = sum(one.total for one in rows.get("http.requests", ()) if one)
    for one in took:
        histogram.add(one, max(round(whole / len(took)), 1))
    return Side(since, since + seconds, 10, rows, histogram if took else None, STEPS)


def row(rows: list[Row], name: str) -> Row:
    return next(one for one in rows if one.name == name)


def changes(before: Side, after: Side, *, ended: bool = True) -> dict[str, str]:
    return {one.name: one.why or one.change for one in compare(before, after, ended=ended)}


def test_what_got_worse_is_said_with_its_numbers() -> None:
    before = side(
        cpu=0.5, memory=100e6, log_errors=0.0, http_requests=10, http_errors=0, took=(0.1,)
    )
    after = side(
        cpu=0.9, memory=190e6, log_errors=0.5, http_requests=10, http_errors=1, took=(0.3,)
    )
    rows = compare(before, after, ended=True)
    assert {one.name: one.change for one in rows} == dict.fromkeys(
        ("http.latency", "http.errors", "log.errors", "cpu", "memory"), "more"
    )
    latency = row(rows, "http.latency")
    assert latency.before == pytest.approx(0.1, rel=0.011)
    assert latency.after == pytest.approx(0.3, rel=0.011)
    assert row(rows, "http.errors") == Row("http.errors", "of requests", 0.0, 0.1, "more")
    assert verdict(rows) == "worse"
    assert verdict(compare(after, before, ended=True)) == "better"


def test_the_same_is_the_same() -> None:
    one = side(
        cpu=0.5, memory=100e6, log_errors=0.1, http_requests=10, http_errors=0.1, took=(0.1,)
    )
    rows = compare(one, one, ended=True)
    assert {one.change for one in rows} == {"same"}
    assert verdict(rows) == "same"


def test_nothing_is_said_of_what_was_not_measured() -> None:
    """Neither of nothing on one side nor of nothing on both, and never a zero."""
    there, nothing = side(cpu=0.5, memory=1e8, log_errors=0.0), side()
    assert set(changes(nothing, nothing).values()) == {"not-measured"}
    assert verdict(compare(nothing, nothing, ended=True)) == "unknown"
    assert changes(nothing, there)["cpu"] == "not-before"
    assert changes(there, nothing)["memory"] == "not-after"
    assert row(compare(there, nothing, ended=True), "memory").after is None
    assert changes(there, there)["http.latency"] == "not-measured"


def test_while_little_has_passed_it_is_too_early_and_later_it_was_too_short() -> None:
    before = side(cpu=0.5, memory=100e6, log_errors=0.0)
    after = side(cpu=5.0, memory=900e6, log_errors=9.0, measured=(0, 30))
    assert changes(before, after, ended=False)["cpu"] == "too-early"
    assert changes(before, after)["cpu"] == "too-short"
    assert verdict(compare(before, after, ended=False)) == "unknown"
    # Of what is used three minutes have to be there: one cannot be told from chance.
    after = side(cpu=5.0, memory=900e6, log_errors=9.0, measured=(0, 120))
    assert changes(before, after, ended=False) == {
        "http.latency": "not-measured",
        "http.errors": "not-measured",
        "log.errors": "more",
        "cpu": "too-early",
        "memory": "too-early",
    }


def test_of_a_few_requests_nothing_is_said() -> None:
    before = side(http_requests=0.1, http_errors=0.0, took=(0.1,))
    after = side(http_requests=0.1, http_errors=0.05, took=(0.9,))
    found = changes(before, after)
    assert (found["http.latency"], found["http.errors"]) == ("too-little", "too-little")
    assert verdict(compare(before, after, ended=True)) == "unknown"


def test_a_few_more_errors_are_chance() -> None:
    """One or three more of a thousand requests, or of lines, are no verdict."""
    before = side(http_requests=1.0, http_errors=0.0, took=(0.1,), log_errors=0.0)
    after = side(http_requests=1.0, http_errors=0.003, took=(0.1,), log_errors=0.003)
    found = changes(before, after)
    assert (found["http.errors"], found["log.errors"]) == ("same", "same")


def test_what_differs_by_itself_is_no_change() -> None:
    """A load that comes and goes by the minute: the mean differs by a third, and means nothing."""
    rng = random.Random(7)

    def uneven(level: float) -> Side:
        values: list[Aggregate | None] = []
        for _ in range(15):
            values += [aggregate([level * rng.choice((0.1, 3.0))] * 10)] * 6
        return Side(T, T + 900, 10, {"cpu": values}, None, STEPS)

    cpu = max(
        (row(compare(uneven(0.5), uneven(0.5), ended=True), "cpu") for _ in range(20)),
        key=lambda one: (one.after or 0) / (one.before or 1),
    )
    assert (cpu.after or 0) > 1.33 * (cpu.before or 0)
    assert cpu.change == "same"
    assert changes(side(cpu=0.5), side(cpu=0.66))["cpu"] == "more"


def test_a_percentile_within_its_bounds_is_the_same() -> None:
    """A hundred answers, of which a few more were slow: the 95th percentile jumps, by chance."""
    before, after = Histogram(), Histogram()
    for histogram, slow in ((before, 4), (after, 6)):
        histogram.add(0.1, 100 - slow)
        histogram.add(1.0, slow)
    asked = {"http.requests": [aggregate([1.0] * 10)] * 10}
    sides = [Side(T, T + 100, 10, asked, one, STEPS) for one in (before, after)]
    latency = row(compare(*sides, ended=True), "http.latency")
    assert (latency.before, latency.after) == (
        pytest.approx(0.1, rel=0.011),
        pytest.approx(1.0, rel=0.011),
    )
    assert latency.change == "same"


def test_what_people_get_counts_before_what_it_needs() -> None:
    before = side(cpu=0.5, memory=100e6, http_requests=10, http_errors=0, took=(0.3,))
    faster = side(cpu=0.9, memory=100e6, http_requests=10, http_errors=0, took=(0.1,))
    broken = side(cpu=0.1, memory=100e6, http_requests=10, http_errors=5, took=(0.1,))
    assert verdict(compare(before, faster, ended=True)) == "better"
    assert verdict(compare(before, broken, ended=True)) == "mixed"
    quiet = side(cpu=0.5, memory=100e6)
    assert verdict(compare(quiet, side(cpu=0.9, memory=100e6), ended=True)) == "dearer"
    assert verdict(compare(quiet, side(cpu=0.1, memory=100e6), ended=True)) == "cheaper"


# --- when --------------------------------------------------------------------------------------


def at(seconds: int) -> str:
    return format_time((T + seconds) * 1_000_000_000)


def deployed(id: int, begun: int, finished: int, *, built: int = 100) -> Deployment:
    steps = (
        Step("build", "done", at(begun - built), at(begun)),
        Step("start", "done", at(begun), at(finished)),
    )
    return Deployment(
        *(id, "web", id, id, id - 1 or None, "ben", at(begun - built), steps),
        state="serving",
        finished=at(finished),
        settled=True,
    )


def test_before_is_until_its_containers_are_touched_and_after_is_from_its_end() -> None:
    found = stretches(deployed(2, 1000, 1030), [], T + 1330)
    assert found is not None
    assert found.before == (T + 100, T + 1000)
    assert found.after == (T + 1030, T + 1330)
    assert (found.cut, found.ended) == (False, False)
    later = stretches(deployed(2, 1000, 1030), [], T + 90_000)
    assert later is not None
    assert (later.after, later.ended) == ((T + 1030, T + 1930), True)


def test_another_deployment_within_the_minutes_cuts_them() -> None:
    others = [deployed(1, 500, 520), deployed(3, 1230, 1240), deployed(4, 1500, 1510)]
    found = stretches(deployed(2, 1000, 1030), others, T + 1330)
    assert found is not None
    assert (found.before, found.after) == ((T + 520, T + 1000), (T + 1030, T + 1230))
    assert (found.cut, found.ended) == (True, True)
    # One that only fetched and built touched nothing.
    built = replace(deployed(3, 1230, 1240), steps=(Step("build", "failed", at(1130), at(1140)),))
    found = stretches(deployed(2, 1000, 1030), [built], T + 1330)
    assert found is not None
    assert not found.cut


def test_of_what_replaced_nothing_or_did_not_serve_there_is_no_comparison() -> None:
    assert stretches(deployed(1, 0, 10), [], T + 100) is None
    failed = replace(deployed(2, 0, 10), state="failed", failure=Failure("exited"))
    assert stretches(failed, [], T + 100) is None
