"""What a chart is given: the right tier, at most its points, and nothing where nothing was measured."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.monitoring.query import Asked, Query
from tests.monitoring.monitoring_support import A, B, House, KeptStore, T, sweep
from tests.monitoring.test_series import seconds

CPU = SeriesKey("web", "cpu")


def ask(house: House, **asked: Any) -> dict[str, Any]:
    query = Query(house.series, house.store, clock=house.clock)
    return query.answer(Asked(**{"app": "web", "names": ["cpu"], **asked}))


def points(house: House, **asked: Any) -> list[tuple[Any, ...]]:
    (series,) = ask(house, **asked)["series"]
    return list(series["points"])


def test_the_last_minutes_come_second_by_second() -> None:
    house = House()
    house.run(T, T + 30)
    answer = ask(house, since=T + 10, until=T + 13)
    assert answer["kept"] == 1
    (series,) = answer["series"]
    assert {k: series[k] for k in ("name", "unit", "labels", "step", "width")} == {
        "name": "cpu",
        "unit": "cores",
        "labels": {},
        "step": 1,
        "width": 1,
    }
    assert series["points"] == [(T + at, 0.5, 0.5, 0.5) for at in (10, 11, 12)]


def test_unasked_it_is_the_last_five_minutes_and_the_second_that_nobody_measured_is_no_gap() -> (
    None
):
    house = House()
    house.run(T, T + 400)
    house.clock.now = T + 401.9
    found = points(house)
    assert found[0] == (T + 100, 0.5, 0.5, 0.5)
    assert found[-1] == (T + 399, 0.5, 0.5, 0.5)
    house.clock.now = T + 410
    assert points(house)[-1] == (T + 410, None, None, None), "now it is one"


@pytest.mark.parametrize(("most", "width"), [(300, 1), (100, 2), (30, 10), (5, 60), (1, 600)])
def test_at_most_as_many_points_as_were_asked_for(most: int, width: int) -> None:
    house = House()
    house.run(T, T + 200)
    found = points(house, since=T, until=T + 200, points=most)
    assert len(found) <= most
    assert [at % width for at, *_ in found] == [0] * len(found)
    assert found[0][0] == T
    if width > 1:
        assert found[1:] == [] or found[1][0] - found[0][0] == width


@pytest.mark.parametrize("most", [1, 2, 3, 7, 300, 2_000])
@pytest.mark.parametrize("span", [1, 59, 3_601, 86_400, 90 * 86_400])
def test_whatever_is_asked_there_are_no_more_points(most: int, span: int) -> None:
    house = House()
    house.run(T, T + 12)
    assert 1 <= len(points(house, since=T + 10 - span, until=T + 10, points=most)) <= most


def test_a_gap_is_one_in_every_width_that_it_fills() -> None:
    house = House()
    house.run(T, T + 60)
    for at in range(T + 60, T + 120):
        house.second(at, sweep(at, {"web": [A]}, {}))
    house.run(T + 120, T + 180)
    for most, begin in ((300, T), (18, T), (3, T)):
        found = points(house, since=T, until=T + 180, points=most)
        assert [p[1] for p in found] == [None if T + 60 <= p[0] < T + 120 else 0.5 for p in found]
        assert found[0][0] == begin


def test_after_a_restart_what_was_before_comes_from_the_disk() -> None:
    house = House()
    house.run(T, T + 100)
    house.series.stop()
    again = House(house.store, T + 130)
    again.run(T + 130, T + 160)
    answer = ask(again, since=T, until=T + 160)
    assert answer["kept"] == 10
    found = answer["series"][0]["points"]
    assert [p[2] for p in found] == [0.5] * 10 + [None] * 3 + [0.5] * 3


def test_the_newest_is_there_though_the_disk_has_it_not_yet() -> None:
    house = House()
    house.run(T, T + 100)
    house.store.away = True
    house.run(T + 100, T + 237)
    house.store.away = False
    for width, count in ((10, 24), (60, 4)):
        found = points(house, since=T - 7_200, until=T + 237, points=7_440 // width + 3)
        assert [p[2] for p in found if p[2] is not None] == [0.5] * count
        assert found[-1][0] == (T + 236) // width * width


def test_nothing_is_counted_twice_where_memory_and_disk_meet() -> None:
    """At each second, also when half a slab is written: a minute has at most 60 samples."""
    house = House()
    for at in range(T, T + 130):
        house.second(at, sweep(at, {"web": [A]}, {A: {"cpu": 0.5 if at % 60 else 60.5}}))
        query = Query(house.series, house.store, clock=house.clock)
        made = query._from_disk([CPU], T, at + 1, 60)[CPU]
        assert sum(one.samples for one in made if one) == at - T + 1


def test_the_tier_is_the_finest_that_is_kept_of_that_time() -> None:
    house = House()
    house.run(T, T + 2)
    hour = 3_600
    for ago, kept in ((1, 1), (hour, 10), (47 * hour, 10), (49 * hour, 60), (15 * 24 * hour, 600)):
        assert ask(house, since=T + 1 - ago, until=T + 1)["kept"] == kept


def test_the_node_and_single_instances_are_asked_for_alike() -> None:
    house = House()
    for at in range(T, T + 20):
        found = {A: {"cpu": 0.25}, B: {"cpu": 0.5}}
        house.second(at, sweep(at, {"web": [A, B]}, found, node={("cpu", ()): 2.0}))
    assert len(ask(house)["series"]) == 1
    labels = [one["labels"] for one in ask(house, instances=True)["series"]]
    assert labels == [{}, {"container": "a" * 12}, {"container": "b" * 12}]
    (node,) = ask(house, app=NODE, since=T, until=T + 1)["series"]
    assert node["points"] == [(T, 2.0, 2.0, 2.0)]


def test_names_choose_and_without_them_there_is_everything() -> None:
    house = House()
    values = {"cpu": 0.5, "memory": 1e9, "memory.anon": 1e8}
    for at in range(T, T + 10):
        house.second(at, sweep(at, {"web": [A]}, {A: values}))
    every = [one["name"] for one in ask(house, names=[])["series"]]
    assert every == ["cpu", "log.errors", "log.lines", "memory", "memory.anon"]
    assert [one["name"] for one in ask(house, names=["memory.*"])["series"]] == ["memory.anon"]
    assert ask(house, names=["nothing"])["series"] == []
    assert ask(house, app="nobody")["series"] == []


def test_slow_ones_have_a_point_each_five_seconds() -> None:
    house = House()
    for at in range(T, T + 20):
        values = {"memory.anon": 4096.0} if at % 5 == 0 else {}
        house.second(at, sweep(at, {"web": [A]}, {A: values}))
    found = points(house, names=["memory.anon"], since=T + 2, until=T + 20)
    assert [p[0] - T for p in found] == [0, 5, 10, 15]
    assert {p[2] for p in found} == {4096}


def test_quantiles_are_of_all_that_was_counted_in_the_width() -> None:
    house = House()
    for at in range(T, T + 60):
        house.second(at, sweep(at, {"web": [A]}, {A: {"cpu": 0.5}}))
        if at % 10 == 9:
            slow = at == T + 29
            house.series.record_histogram(
                "web", at // 10 * 10, "http.latency", (), seconds(*[2.0 if slow else 0.1] * 10)
            )
    for width, most in ((10, 300), (60, 1)):
        made = ask(house, names=["http.latency"], since=T, until=T + 60, points=most)["series"]
        by = {one["labels"]["quantile"]: one["points"] for one in made}
        assert list(by) == ["0.5", "0.95", "0.99"]
        assert all(one["width"] == width and one["unit"] == "s" for one in made)
        assert by["0.95"][2 if width == 10 else 0][2] == pytest.approx(2.0, rel=0.011)
        assert by["0.5"][0][1] == pytest.approx(0.1, rel=0.011)


def test_the_least_and_the_most_survive_what_is_coarse() -> None:
    house = House(KeptStore())
    for at in range(T, T + 30):
        house.second(at, sweep(at, {"web": [A]}, {A: {"cpu": 4.0 if at == T + 7 else 0.0}}))
    (found,) = points(house, since=T, until=T + 30, points=1)
    assert found == (T, 0.0, pytest.approx(4 / 30, rel=1e-5), 4.0)
    assert house.store.slabs[T][0][CPU] == Aggregate(10, 4.0, 0.0, 4.0)


def test_of_what_was_cut_for_want_of_room_the_coarser_tier_is_shown() -> None:
    house, hour = House(), 3_600
    house.run(T, T + 2)
    assert ask(house, since=T - 20 * hour)["kept"] == 10, "nothing is kept of it anywhere"
    house.store.oldest = {10: T - 12 * hour, 60: T - 90 * hour, 600: None}.get  # type: ignore[method-assign, assignment]
    for ago, kept in ((11, 10), (20, 60), (47, 60)):
        assert ask(house, since=T - ago * hour)["kept"] == kept
