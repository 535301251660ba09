"""The cards: what they say is what was measured, over the end of the server as well."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.monitoring.cards import Comparison, beside, comparison
from cloudbang.monitoring.query import Query
from tests.domain.metrics.test_comparison import deployed
from tests.monitoring.monitoring_support import House, T


class Deployed:
    """Deployments as the service finds them: the newest first."""

    def __init__(self, *all_: Deployment) -> None:
        self.all = sorted(all_, key=lambda one: -one.id)
        self.asked = 0

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]:
        self.asked += 1
        return [one for one in self.all if before is None or one.id < before][:limit]


DEPLOYED = deployed(2, 900, 905)


def minutes(house: House, since: int, until: int, took: float, **values: float) -> None:
    """``web`` is asked once a second, each time for so long."""
    for at in range(since, until, 10):
        histogram = Histogram()
        histogram.add(took, 10)
        for second in range(at, min(at + 10, until)):
            house.series.record("web", second, {("http.requests", ()): 1.0, ("http.errors", ()): 0})
        house.series.record_histogram("web", at, "http.latency", (), histogram)
        house.run(at, min(at + 10, until), **values)


def card(house: House) -> Comparison:
    query = Query(house.series, house.store, clock=house.clock)
    found = comparison(DEPLOYED, Deployed(DEPLOYED), query, house.clock)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def house() -> House:
    """15 minutes, a deployment, and 5 minutes of what came of it."""
    made = House()
    minutes(made, T, T + 905, 0.1, memory=100e6)
    minutes(made, T + 905, T + 1210, 0.4, memory=300e6)
    return made


def test_a_card_grows_and_ends_with_what_was_measured(house: House) -> None:
    found = card(house)
    assert not found.stretches.ended
    assert (found.before.since, found.before.until) == (T, T + 900)
    assert (found.after.since, found.after.until) == (T + 910, T + 1200)
    assert (found.before.requests, found.after.requests) == (900, 290)
    rows = {row.name: row for row in found.rows}
    assert rows["http.latency"].before == pytest.approx(0.1, rel=0.011)
    assert rows["http.latency"].after == pytest.approx(0.4, rel=0.011)
    assert (rows["memory"].before, rows["memory"].after) == pytest.approx((100e6, 300e6))
    assert {name: row.change for name, row in rows.items()} == {
        "http.latency": "more",
        "http.errors": "same",
        "log.errors": "same",
        "cpu": "same",
        "memory": "more",
    }
    assert found.verdict == "worse"


def test_after_a_restart_it_says_the_same(house: House) -> None:
    before = card(house)
    later = House(house.store, now=T + 1225)
    later.run(T + 1225, T + 1226, memory=300e6)
    after = card(later)
    assert (after.before.since, after.before.until) == (T, T + 900)
    assert [(row.name, row.change) for row in after.rows] == [
        (row.name, row.change) for row in before.rows
    ]
    assert after.verdict == "worse"


def test_of_a_machine_that_was_not_measured_it_says_nothing() -> None:
    found = card(House(now=T + 5_000))
    assert found.stretches.ended
    assert found.verdict == "unknown"
    assert {(row.before, row.after, row.why) for row in found.rows} == {
        (None, None, "not-measured")
    }


def test_what_was_deployed_beside_it_is_found_however_much_came_after() -> None:
    every = [deployed(id, id * 1_000, id * 1_000 + 10) for id in range(1, 140)]
    house = Deployed(*every)
    assert {one.id for one in beside(every[19], house)} == {*range(15, 20), *range(21, 140)}
    assert house.asked == 4
