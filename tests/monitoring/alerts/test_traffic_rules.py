"""Rules about what people get, over requests that were counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.domain.alerts.incidents import item_of
from cloudbang.domain.alerts.rules import NoRule, Rule, TrafficCondition, condition_of
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.alerts.texts import sentence
from cloudbang.monitoring.alerts.traffic_rules import SILENT, TrafficRules
from cloudbang.monitoring.traffic import traffic as traffic_module
from cloudbang.monitoring.traffic.recent import Lately, Subject
from tests.monitoring.alerts.ground import Clock, Ground, World
from tests.monitoring.traffic.ground import Ground as Traffic
from tests.monitoring.traffic.ground import line
from tests.support import wait_until


class Counted:
    """What was counted lately; None: nobody knows."""

    def __init__(self) -> None:
        self.lately: Lately | None = None

    def of(self, subject: Subject, seconds: float) -> Lately | None:
        return self.lately

    def says(self, requests: int, errors: int = 0, took: float = 0.1) -> None:
        latency = Histogram()
        if requests:
            latency.add(took, requests)
        self.lately = Lately(requests, errors, latency, 300.0)


def look(rules: TrafficRules, its: TrafficCondition, app: str = "web") -> tuple[str, object]:
    found = list(rules.look([Rule(1, "", app, "?", its)]))
    return (found[0].verdict, found[0].facts.get("value")) if found else ("", None)


def test_of_each_measure_its_number() -> None:
    world, counted = World(), Counted()
    world.has("web")
    rules = TrafficRules(counted, world, lambda: ["web"])
    counted.says(100, 7, 1.5)
    assert look(rules, TrafficCondition("p95", 1.0, 0.8)) == ("over", "1.5")
    assert look(rules, TrafficCondition("errors", 0.05, 0.01)) == ("over", "7")
    assert look(rules, TrafficCondition("requests", 1.0, 0.2)) == ("between", "0.333")
    assert look(rules, TrafficCondition("requests", 0.5, 0.6, below=True)) == ("over", "0.333")
    counted.says(19, 19, 9.0)  # of so few nobody knows, but how many there were
    assert look(rules, TrafficCondition("p95", 1.0, 0.8)) == ("unknown", None)
    assert look(rules, TrafficCondition("errors", 0.05, 0.01)) == ("unknown", None)
    assert look(rules, TrafficCondition("p95", 1.0, 0.8, least=5)) == ("over", "9")
    counted.says(0)
    assert look(rules, TrafficCondition("requests", 1.0, 0.2)) == ("under", "0")
    counted.lately = None
    assert look(rules, TrafficCondition("requests", 1.0, 0.2)) == ("unknown", None)


def test_no_requests_are_no_sign_that_all_is_well() -> None:
    """Unknown for an hour; then over for want of requests, and said to be so. While the log is not
    read nobody is silent."""
    world, counted, clock = World(), Counted(), Clock()
    world.has("web")
    rules = TrafficRules(counted, world, lambda: ["web"], clock.monotonic)
    its = TrafficCondition("p99", 1.0, 0.8)
    counted.says(50, took=3.0)
    assert look(rules, its)[0] == "over"
    counted.lately = None
    for _ in range(3):
        clock.pass_(SILENT)
        assert look(rules, its)[0] == "unknown"
    counted.says(3)
    clock.pass_(SILENT - 1)
    assert look(rules, its)[0] == "unknown"
    clock.pass_(1)
    (found,) = rules.look([Rule(1, "", "web", "?", its)])
    assert found.verdict == "under"
    assert found.facts["silent"] is True
    counted.says(50)
    assert look(rules, its)[0] == "under"


def test_the_end_says_whether_it_is_known_to_be_well(made: Ground) -> None:
    counted, world = Counted(), made.world
    world.has("web")
    rule = Rule(0, "", "web", "Slow", TrafficCondition("p95", 1.0, 0.8, address="GET /a/:id"))
    made.settings.add_rule(rule)
    made.engine.reload()
    made.measured.append(TrafficRules(counted, world, lambda: ["web"], made.clock.monotonic))

    def said(requests: int, took: float, seconds: float) -> str:
        counted.says(requests, took=took)
        made.look(seconds, 5)
        (one, *_) = made.store.find({"default"})
        change = "ended" if one.state == "resolved" else "began"
        return sentence(item_of(one, change), lambda text: text)

    assert said(50, 2.0, 20) == "web takes 2 s to answer GET /a/:id (p95)"
    assert said(50, 0.1, 90) == "web takes 0.1 s again to answer GET /a/:id (p95)"
    said(50, 2.0, 20)
    assert "takes 2 s" in said(0, 0.0, SILENT - 60)
    assert "too few have asked" in said(0, 0.0, 300)


def test_an_app_that_nobody_can_ask_any_more() -> None:
    world, counted = World(), Counted()
    world.has("web")
    counted.says(50, took=3.0)
    rules = TrafficRules(counted, world, lambda: [])
    (found,) = rules.look([Rule(1, "", "web", "?", TrafficCondition("p95", 1.0, 0.8))])
    assert (found.verdict, found.facts["gone"]) == ("under", True)
    assert not list(rules.look([Rule(1, "", "", "?", TrafficCondition("p95", 1.0, 0.8))]))


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"measure": "p90"}, "measure"),
        ({"measure": 7}, "measure"),
        ({"begin": "much"}, "begin"),
        ({"begin": True}, "begin"),
        ({"begin": 10**400}, "begin"),
        ({"begin": -1.0, "end": -1.0}, "begin"),
        ({"measure": "errors", "begin": 5.0}, "begin"),
        ({"end": 2.0}, "end"),
        ({"within": 30.0}, "within"),
        ({"within": 3600.0}, "within"),
        ({"least": 0.0}, "least"),
        ({"address": "users"}, "address"),
        ({"address": "GET users"}, "address"),
        ({"address": "/a\nb"}, "address"),
        ({"address": ["/a"]}, "address"),
        ({"below": "no"}, "below"),
        ({"more": 1}, "condition"),
    ],
)
def test_what_is_no_rule(told: dict[str, object], field: str) -> None:
    its: dict[str, object] = {"measure": "p95", "begin": 1.0, "end": 0.5, **told}
    with pytest.raises(NoRule) as caught:
        condition_of("traffic", its).check()
    assert caught.value.field == field


def test_an_address_has_a_method_or_any() -> None:
    names = {
        "GET /users/:id": ("GET", "/users/:id"),
        "/users/:id": ("", "/users/:id"),
        "(other) /x": ("(other)", "/x"),
        "GET (not found)": ("GET", "(not found)"),
        "(health checks)": ("", "(health checks)"),
        "/a b": ("", "/a b"),
    }
    for address, (method, template) in names.items():
        its = TrafficCondition("p95", 1.0, 0.5, address=address)
        its.check()
        assert (its.method, its.template) == (method, template)
    with pytest.raises(NoRule):
        Rule(1, "", "", "?", TrafficCondition("p95", 1, 1, address="/a")).check()


# -- through the counting of a real log


@pytest.fixture
def traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    monkeypatch.setattr(traffic_module, "COMMIT", 0.3)
    monkeypatch.setattr(traffic_module, "LOOK", 0.02)
    monkeypatch.setattr("cloudbang.monitoring.traffic.recent.LOOK_UP", 0.05)
    (tmp_path / "traffic").mkdir()
    made = Traffic(tmp_path / "traffic")
    wait_until(lambda: made.traffic._loaded)
    made.traffic.recent.begin(time.time() - 3600)  # as if it had counted for an hour
    yield made
    made.stop()


ALL, USERS = Subject("web"), Subject("web", "GET", "/users/:id")


def write(traffic: Traffic, ago: float = 60.0) -> None:
    at = time.time() - ago
    traffic.log.write(
        *[line(uri=f"/users/{n}", took=2.0, at=at) for n in range(30)],
        *[line(uri="/about", took=0.1, status=500 if n < 7 else 200, at=at) for n in range(70)],
        line(uri="/users/1", method="POST", at=at),
    )


def lately(traffic: Traffic, subject: Subject, requests: int) -> Lately:
    """Once so many are known of."""

    def known() -> Lately | None:
        return traffic.traffic.recent.of(subject, 300)

    wait_until(lambda: (found := known()) is not None and found.requests == requests, 20)
    found = known()
    assert found is not None
    return found


def test_what_was_counted_lately_of_an_app_and_of_an_address(traffic: Traffic) -> None:
    """Each request once, whether it was committed or not, and over a restart."""
    write(traffic)
    assert lately(traffic, ALL, 101).errors == 7
    found = lately(traffic, USERS, 30)
    assert found.latency.quantile(0.5) == pytest.approx(2.0, rel=0.011)
    assert lately(traffic, Subject("web", "", "/users/:id"), 31).requests == 31
    write(traffic, ago=5)
    assert lately(traffic, ALL, 202).errors == 14
    write(traffic, ago=400)  # longer ago than is asked for
    wait_until(lambda: traffic.traffic.lines == 303, 20)
    traffic.settle()
    assert lately(traffic, ALL, 202).requests == 202
    traffic.stop()
    traffic.begin()
    assert lately(traffic, ALL, 202).errors == 14
    assert lately(traffic, USERS, 60)


def test_what_nobody_knows_is_not_said_to_be_nothing(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a log is behind, the store away, or a clock was set a moment ago."""
    write(traffic)
    lately(traffic, ALL, 101)
    traffic.traffic._failed = "log"
    assert traffic.traffic.recent.of(ALL, 300) is None
    traffic.traffic._failed = ""
    lately(traffic, ALL, 101)

    def away(*_: object, **__: object) -> object:
        raise StorageFailed("traffic.db", "locked")

    monkeypatch.setattr(traffic.store, "read", away)
    assert traffic.traffic.recent.of(USERS, 300) is None
    monkeypatch.undo()
    traffic.ahead = 3600.0
    wait_until(lambda: traffic.traffic.recent.of(ALL, 300) is None, 20)


def test_an_app_that_was_deleted_is_forgotten(traffic: Traffic) -> None:
    write(traffic)
    lately(traffic, ALL, 101)
    traffic.settle()
    traffic.traffic.forget("web")
    assert lately(traffic, ALL, 0).errors == 0


def test_all_of_it_ends_by_itself_when_it_is_to_stop(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody waits for what would go on for ever."""
    supervisor, left = traffic.traffic._supervisor, list[int]()
    stop = supervisor.stop
    monkeypatch.setattr(supervisor, "stop", lambda *how: (left.append(len(supervisor)), stop(*how)))
    traffic.stop()
    assert left == [0]
    traffic.begin()
