"""What stands out about an app, from what is measured."""

from __future__ import annotations

import pytest

from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.monitoring.advice import busy_now, sizes
from cloudbang.monitoring.query import Query
from tests.monitoring.monitoring_support import A, B, House, KeptStore, T, sweep

DAY = 86_400


def test_who_holds_an_app_up_is_named_from_the_last_minute() -> None:
    house = House()
    node = {("cpu", ()): 3.8, ("cpu.count", ()): 4.0, ("cpu.steal", ()): 0.0}
    waits = {A: {"cpu": 0.2, "pressure.cpu": 0.4}, B: {"cpu": 3.4, "pressure.cpu": 0.0}}
    for at in range(T, T + 61):
        house.second(at, sweep(at, {"web": [A], "job": [B]}, waits, node=node))
    (found,) = busy_now("web", ["web", "job"], house.series)
    assert (found.resource, found.cause, found.by) == ("cpu", "neighbour", "job")
    assert found.waits == pytest.approx(0.4)
    assert busy_now("job", ["web", "job"], house.series) == []
    for at in range(T + 61, T + 121):  # it was not measured any more
        house.second(at, sweep(at, {"web": [A], "job": [B]}, {}, node=node))
    assert busy_now("web", ["web", "job"], house.series) == []


def test_limits_are_held_against_what_is_kept() -> None:
    store, now = KeptStore(), T + 5 * DAY
    for at in range(T, now, 600):
        values = {"memory": 1e8, "memory.anon": 5e7, "memory.limit": 1e9}
        points = {SeriesKey("web", name): Aggregate(1, v, v, v) for name, v in values.items()}
        store.slabs[at] = points, {}
    house = House(store, now=now)
    house.run(now, now + 1)
    (found,) = sizes("web", Query(house.series, store, clock=house.clock), house.clock)
    assert (found.name, found.fit, found.limit) == ("memory", "large", 1e9)
    assert found.days == pytest.approx(5, abs=0.02)
