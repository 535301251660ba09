"""What programs measure of themselves: taken, or refused with a sentence; bounded, whatever comes."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.metrics.own_samples import NotTaken, sample
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.monitoring.query import Asked, Query
from tests.monitoring.monitoring_support import A, House, T, sweep


def own(house: House, *samples: Any) -> tuple[int, list[tuple[int, str]]]:
    taken, refused = house.series.own("web", samples)
    return taken, [(index, str(why)) for index, why in refused]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("orders", "a sample is an object"),
        ({"name": "a", "value": float("nan")}, "the value is nan, not a finite number"),
        ({"name": "a", "value": float("inf")}, "the value is inf, not a finite number"),
        ({"name": "a", "value": 10**400}, "not a finite number"),
        ({"name": "a", "value": True}, "the value is True, not a finite number"),
        ({"name": "a"}, "the value is None, not a finite number"),
        ({"name": "a", "value": -1, "kind": "counter"}, "a counter is not negative"),
        ({"name": "a", "value": 1, "kind": "x"}, "the kind is 'x', not gauge"),
        ({"name": "a", "value": 1, "kind": ["gauge"]}, "the kind is ['gauge'], not gauge"),
        ({"name": "a", "value": 1, "time": T + 61}, "the time is 61 s ahead; at most 60 s"),
        ({"name": "a", "value": 1, "time": T - 3601}, "the time is 3601 s ago; at most 3600 s"),
        ({"name": "a", "value": 1, "time": "yesterday"}, "'yesterday' is not a time"),
        ({"name": "a", "value": 1, "time": []}, "[] is not a time"),
        ({"name": "", "value": 1}, "'' cannot be a name"),
        ({"name": "a b", "value": 1}, "'a b' cannot be a name"),
        ({"name": "x" * 129, "value": 1}, "cannot be a name"),
        ({"name": "cpu", "value": 1}, "cpu is what CloudBang itself measures"),
        ({"name": "memory.mine", "value": 1}, "what CloudBang itself measures"),
        ({"name": "a", "value": 1, "unit": 5}, "the unit is not a text of at most 32"),
        ({"name": "a", "value": 1, "unit": "x" * 33}, "the unit is not a text"),
        ({"name": "a", "value": 1, "labels": []}, None),
        ({"name": "a", "value": 1, "labels": [1]}, "the labels are not an object"),
        ({"name": "a", "value": 1, "labels": {"container": "x"}}, "cannot be called 'container'"),
        ({"name": "a", "value": 1, "labels": {"x": 1}}, "the label x is not a text"),
        ({"name": "a", "value": 1, "colour": "red"}, "there is no field 'colour'"),
        ({"name": "a", "kind": "histogram", "value": 1}, "has 1 to 200 buckets"),
        ({"name": "a", "kind": "histogram", "value": {"buckets": [1]}}, "a bucket is"),
        (
            {"name": "a", "kind": "histogram", "value": {"buckets": [[2, 1], [1, 2]]}},
            "the bounds of the buckets do not grow",
        ),
        (
            {"name": "a", "kind": "histogram", "value": {"buckets": [[1, 3], [2, 2]]}},
            "the counts of the buckets do not grow",
        ),
    ],
)
def test_what_cannot_be_taken_says_why(bad: Any, why: str | None) -> None:
    if why is None:
        sample(bad, T)
        return
    with pytest.raises(NotTaken) as refused:
        sample(bad, T)
    assert why in str(refused.value)


def test_the_others_are_taken_and_each_that_is_not_is_named() -> None:
    house = House()
    good = {"name": "orders", "value": 12.5, "unit": "1/s"}
    assert own(house, good, {**good, "value": float("nan")}, {**good, "name": "sales"}) == (
        2,
        [(1, "the value is nan, not a finite number")],
    )
    assert house.series.latest("web", "orders") == (T, 12.5)
    assert (house.series.samples, house.series.refused) == (2, 1)
    assert house.bus.sent["metric/web/"] == [(T, [["orders", {}, 12.5], ["sales", {}, 12.5]])]


def test_several_within_ten_seconds_are_put_together_exactly() -> None:
    house = House()
    for at in range(T, T + 14):
        house.second(at, sweep(at, {"web": [A]}, {A: {"cpu": 0.5}}))
        if at < T + 10:
            own(house, {"name": "queue", "value": at - T}, {"name": "queue", "value": 1.5})
    found = house.store.slabs[T][0][SeriesKey("web", "queue")]
    assert found == Aggregate(20, 60.0, 0.0, 9.0)


def test_what_came_in_a_second_that_is_not_measured_yet_is_shown() -> None:
    """It was told to who listens: who asks a moment later finds it, where its 10 s begin as well."""
    house = House()
    house.run(T, T + 20)
    house.clock.now = T + 20.7
    assert own(house, {"name": "orders", "value": 12.5})[0] == 1
    query = Query(house.series, house.store, clock=house.clock)
    for until in (None, T + 21, T + 100):
        (series,) = query.answer(Asked("web", ["orders"], until=until))["series"]
        assert series["points"][-1] == (T + 20, 12.5, 12.5, 12.5), until
    assert query.answer(Asked("web", ["orders"], until=T + 20))["series"] == []
    (series,) = query.answer(Asked("web", ["orders"], T - 280, points=30))["series"]
    assert len(series["points"]) <= 30


def test_what_came_before_anything_was_measured_is_shown() -> None:
    """A server that has just started: nothing was measured yet, and the disk has nothing."""
    house = House()
    house.clock.now = T + 7.2
    own(house, {"name": "orders", "value": 12.5})
    query = Query(house.series, house.store, clock=house.clock)
    (series,) = query.answer(Asked("web", ["orders"]))["series"]
    assert series["points"][-1] == (T, 12.5, 12.5, 12.5)
    house.run(T + 8, T + 10)
    (series,) = query.answer(Asked("web", ["orders"]))["series"]
    assert series["points"][-1] == (T, 12.5, 12.5, 12.5)


def test_its_unit_is_kept_and_shown() -> None:
    house = House()
    own(house, {"name": "sent", "value": 0, "unit": "bytes", "kind": "counter"})
    house.clock.now = T + 2
    own(house, {"name": "sent", "value": 100, "unit": "bytes", "kind": "counter"})
    house.run(T + 2, T + 14)
    query = Query(house.series, house.store, clock=house.clock)
    (made,) = query.answer(Asked("web", ["sent"], T, T + 10))["series"]
    assert (made["unit"], made["points"]) == ("bytes/s", [(T, 50.0, 50.0, 50.0)])


def test_a_counter_is_shown_as_how_fast_it_grows_and_one_that_began_anew_makes_no_spike() -> None:
    house = House()
    seen = []
    for value in (1_000, 1_010, 1_030, 5, 15):
        own(house, {"name": "jobs", "kind": "counter", "value": value})
        seen.append(house.series.of("web").own.open(T).points.get(("jobs", ())))  # type: ignore[union-attr]
        house.clock.now += 1
    made = seen[-1]
    assert made is not None
    assert (made.samples, made.least, made.most) == (4, 5.0, 20.0)


def test_two_counts_of_one_second_are_no_division_by_zero() -> None:
    house = House()
    for value in (1, 2, 3):
        assert own(house, {"name": "jobs", "kind": "counter", "value": value})[0] == 1
    house.clock.now += 2
    own(house, {"name": "jobs", "kind": "counter", "value": 9})
    assert house.series.latest("web", "jobs") == (T, 4.0)  # since the first of them


def test_a_histogram_of_prometheus_becomes_quantiles_and_a_rate() -> None:
    house = House()

    def counts(*upto: int) -> dict[str, Any]:
        bounds = [0.1, 0.2, 0.4, "+Inf"]
        buckets = [list(pair) for pair in zip(bounds, upto, strict=True)]
        return {"name": "took", "kind": "histogram", "unit": "s", "value": {"buckets": buckets}}

    own(house, counts(1_000, 1_000, 1_000, 1_000))
    house.clock.now = T + 5
    own(house, counts(1_000, 1_080, 1_100, 1_100))
    at, half = house.series.latest("web", "took", (("quantile", "0.5"),)) or (0, 0)
    assert at == T
    assert half == pytest.approx(0.15, rel=0.1)
    assert house.series.latest("web", "took.count") == (T, 20.0)
    house.run(T + 5, T + 14)
    query = Query(house.series, house.store, clock=house.clock)
    made = query.answer(Asked("web", ["took"], T, T + 10))["series"]
    assert [one["labels"] for one in made] == [{"quantile": q} for q in ("0.5", "0.95", "0.99")]
    assert {one["unit"] for one in made} == {"s"}
    house.clock.now = T + 20
    own(house, counts(5, 5, 5, 5))  # it began anew
    _, fast = house.series.latest("web", "took", (("quantile", "0.99"),)) or (0, 1.0)
    assert 0 < fast <= 0.1


@pytest.mark.slow("100,000 samples")
def test_a_hundred_thousand_names_are_five_hundred_and_said() -> None:
    house = House()
    names = [{"name": f"n{n}", "value": n} for n in range(100_000)]
    parts = [names[at : at + 5_000] for at in range(0, len(names), 5_000)]
    taken = sum(house.series.own("web", part)[0] for part in parts)
    assert taken == 500
    series = house.series.of("web")
    assert series is not None
    assert series.own is not None
    assert len(series.rings) == len(series.own) == 500
    assert series.own.refused_count == 99_500
    assert list(series.own.refused)[:2] == ["n500", "n501"]
    assert len(series.own.refused) == 100
    assert own(house, {"name": "n3", "value": 1})[0] == 1, "those that are there go on"
    _, refused = own(house, {"name": "late", "value": 1})
    assert refused == [(0, "late is one too many: an app has at most 500 series of its own")]


def test_the_places_of_silent_ones_are_free_after_an_hour() -> None:
    house = House()
    own(house, *({"name": f"n{n}", "value": n} for n in range(600)))
    house.clock.now = T + 3_700
    assert own(house, {"name": "new", "value": 1}) == (1, [])
    series = house.series.of("web")
    assert series is not None
    assert series.own is not None
    assert series.own.refused == {}


def test_a_name_keeps_its_kind() -> None:
    house = House()
    own(house, {"name": "jobs", "value": 1})
    assert own(house, {"name": "jobs", "value": 1, "kind": "counter"})[1] == [
        (0, "jobs is a gauge, as its first sample said")
    ]


def test_what_comes_an_hour_late_stands_where_it_was_measured() -> None:
    house = House()
    house.run(T - 60, T)
    house.clock.now = T + 600
    house.run(T + 600, T + 602)
    assert own(house, {"name": "orders", "value": 7, "time": T - 33}) == (1, [])
    house.run(T + 602, T + 604)
    points = house.store.slabs[T - 40][0]
    assert points[SeriesKey("web", "orders")] == Aggregate(1, 7.0, 7.0, 7.0)
    assert points[SeriesKey("web", "cpu")].samples == 10


def test_labels_make_series_of_their_own() -> None:
    house = House()
    mail = {"name": "queue", "value": 3, "labels": {"queue": "mail", "a": "b"}}
    own(house, mail, {"name": "queue", "value": 4})
    assert house.series.latest("web", "queue", (("a", "b"), ("queue", "mail"))) == (T, 3.0)
    assert house.series.latest("web", "queue") == (T, 4.0)
