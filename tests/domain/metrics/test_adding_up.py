"""What several instances count becomes what the app does: no spike, no dip, nothing made up."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from cloudbang.domain.metrics.adding_up import MOST_COUNTERS, Counting, added_up
from cloudbang.domain.metrics.exposition import Exposition, Point
from cloudbang.domain.metrics.own_samples import Growth, NotTaken, Sample

NOW = 1_764_444_600.0


def points(text: str) -> list[Point]:
    made = Exposition()
    for line in text.encode().split(b"\n"):
        made.line(line)
    return made.done().points


class Two:
    """Two instances of an app, read every 10 s."""

    def __init__(self) -> None:
        self.a, self.b = Counting("a" * 12), Counting("b" * 12)
        self.at = 0.0

    def read(self, a: str | None, b: str | None, *, several: bool = True) -> dict[str, Any]:
        """By name, with the container where it has one, what is measured of the app."""
        self.at += 10
        parts = [
            counting.take(points(text), self.at)
            for counting, text in ((self.a, a), (self.b, b))
            if text is not None
        ]
        whole = None not in (a, b) if several else a is not None
        found = {}
        for one in added_up(parts, several=several, whole=whole, now=NOW):
            assert isinstance(one, Sample), one
            labels = dict(one.labels)
            found[" ".join([one.name, *labels.values()])] = one.value
        return found


def test_counters_are_rates_of_each_and_then_added_up() -> None:
    two = Two()
    assert two.read("jobs_total 100", "jobs_total 5000") == {}
    assert two.read("jobs_total 200", "jobs_total 5010") == {"jobs_total": 11.0}


def test_gauges_of_several_are_told_apart_and_of_one_are_the_apps() -> None:
    two = Two()
    assert two.read("queue 3", "queue 4") == {"queue aaaaaaaaaaaa": 3.0, "queue bbbbbbbbbbbb": 4.0}
    assert two.read("queue 3", None, several=False) == {"queue": 3.0}


def test_one_that_cannot_be_read_is_a_gap_and_no_dip_and_afterwards_no_spike() -> None:
    two = Two()
    two.read("jobs_total 0", "jobs_total 0")
    two.read("jobs_total 100", "jobs_total 100")
    assert two.read("jobs_total 200", None) == {}
    assert two.read("jobs_total 300", "jobs_total 300") == {"jobs_total": 20.0}


def test_one_that_began_anew_makes_no_spike() -> None:
    two = Two()
    two.read("jobs_total 100000", "jobs_total 0")
    assert two.read("jobs_total 30", "jobs_total 10") == {"jobs_total": 4.0}
    two.a.restarted()
    # It has counted further than the one before it: in how long, nobody knows.
    assert two.read("jobs_total 9000", "jobs_total 20") == {"jobs_total": 1.0}
    assert two.read("jobs_total 9010", "jobs_total 30") == {"jobs_total": 2.0}
    two.a.restarted()
    assert two.read("jobs_total 50", "jobs_total 40") == {"jobs_total": 6.0}


def test_one_that_comes_makes_no_step() -> None:
    two = Two()
    two.read("jobs_total 0", None, several=False)
    two.read("jobs_total 10", None, several=False)
    assert two.read("jobs_total 20", "jobs_total 70000") == {"jobs_total": 1.0}
    assert two.read("jobs_total 30", "jobs_total 70010") == {"jobs_total": 2.0}


def histogram(*upto: int) -> str:
    buckets = [
        f'took_seconds_bucket{{le="{le}"}} {n}'
        for le, n in zip(("0.1", "0.5", "+Inf"), upto, strict=True)
    ]
    return "\n".join(["# TYPE took_seconds histogram", *buckets])


def test_histograms_are_what_each_has_grown_by() -> None:
    two = Two()
    assert two.read(histogram(1, 2, 3), histogram(500, 600, 700)) == {}
    found = two.read(histogram(11, 22, 33), histogram(500, 610, 710))
    bounds = (0.1, 0.5, inf)
    expected = Growth(((bounds, (10.0, 20.0, 30.0)), (bounds, (0.0, 10.0, 10.0))), 4.0)
    assert found == {"took_seconds": expected}
    found = two.read(histogram(1, 1, 1), histogram(500, 610, 710))  # the first began anew
    assert found["took_seconds"].parts[0] == (bounds, (1.0, 1.0, 1.0))
    two.a.restarted()
    found = two.read(histogram(900, 900, 900), histogram(500, 610, 720))
    assert found["took_seconds"] == Growth(((bounds, (0.0, 0.0, 10.0)),), 1.0)


def test_other_buckets_than_before_are_a_gap() -> None:
    two = Two()
    two.read(histogram(1, 2, 3), None, several=False)
    other = histogram(1, 2, 3).replace("0.5", "0.7")
    assert two.read(other, None, several=False) == {}


def test_units_of_rates() -> None:
    counting = Counting("a" * 12)
    counting.take(points("a_bytes_total 1\nb_total 1"), 0.0)
    rated = counting.take(points("a_bytes_total 11\nb_total 11"), 10.0)
    made = added_up([rated], several=False, whole=True, now=NOW)
    assert [(one.unit, one.value) for one in made if isinstance(one, Sample)] == [
        ("bytes/s", 1.0),
        ("1/s", 1.0),
    ]


def test_times_that_a_program_says_itself() -> None:
    """A measurement that is told again is not another one; a rate is by those times."""
    counting = Counting("a" * 12)

    def read(at: float, text: str) -> dict[str, Any]:
        rated = counting.take(points(text), at)
        made = added_up([rated], several=False, whole=True, now=NOW)
        return {one.name: (one.time, one.value) for one in made if isinstance(one, Sample)}

    def told(time: float, queue: int, jobs: int) -> str:
        at = int((NOW + time) * 1000)
        return f"queue {queue} {at}\njobs_total {jobs} {at}"

    assert read(0, told(-60, 3, 0)) == {"queue": (NOW - 60, 3.0)}
    assert read(10, told(-60, 3, 0)) == {}
    assert read(20, told(-30, 4, 60)) == {"queue": (NOW - 30, 4.0), "jobs_total": (NOW, 2.0)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cpu 1", "cpu is what CloudBang itself measures: another name, please"),
        ("x" * 129 + " 1", "cannot be a name"),
        ('a{x="' + "y" * 129 + '"} 1', "the label x is not a text of at most 128 characters"),
        ("a 1 1", "s ago; at most 3600 s are taken"),
        ("a_total -1", "a counter is not negative, and this one is -1.0"),
    ],
)
def test_what_is_not_taken_says_why(text: str, why: str) -> None:
    rated = Counting("a" * 12).take(points(text), 0.0)
    found = list(added_up([rated], several=True, whole=True, now=NOW))
    (refused,) = found
    assert isinstance(refused, NotTaken)
    assert why in str(refused)


def test_there_is_an_end_to_counters() -> None:
    counting = Counting("a" * 12)
    many = points("\n".join(f"n{n}_total 1" for n in range(MOST_COUNTERS + 5)))
    for _ in range(2):
        rated = counting.take(many, 0.0)
        assert len(rated.refused) == 5
    assert "n2000_total is one too many" in str(rated.refused[0])
