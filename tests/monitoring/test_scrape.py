"""When instances of an app are asked for what they expose, where, and what becomes of it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event as Flag

from cloudbang.deploy.bridge import is_neighbour
from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics.exposed import Exposed, NotExposed
from cloudbang.errors import EngineRefused
from cloudbang.monitoring.scrape import EVERY, OF_AN_APP, Addresses, Scraper
from cloudbang.monitoring.scrape_http import Answer
from tests.monitoring.monitoring_support import A, B, House, T, sweep
from tests.support import patient


class Engine:
    """One whose bridge is this machine's; of the containers ``addresses`` are on it."""

    def __init__(self) -> None:
        self.is_remote = False
        self.addresses = {A: "10.1.0.1", B: "10.1.0.2"}
        self.interfaces: dict[str, list[str]] = {}
        self.away = self.proxied = False

    def gateway_of(self, network: str) -> str:
        return "127.0.0.1"

    def addresses_on(self, network: str) -> dict[str, str]:
        if self.proxied:
            raise EngineRefused("the network", 403, "not through here", "networks")
        return self.addresses

    def interfaces_of(self, container: str) -> list[str]:
        if self.away:
            raise EngineRefused("its addresses", 500, "it is tired", "inspect")
        return self.interfaces.get(container, [])


def instance(container: str = A, **more: Any) -> Instance:
    facts: dict[str, Any] = {
        "name": container[:4],
        "app": "web",
        "stack": None,
        "image": "x",
        "image_id": "x",
        "state": "running",
        "created": "2026-11-29T00:00:00Z",
        "metrics_port": "9100",
        **more,
    }
    return Instance(id=container, **facts)


@pytest.mark.parametrize(
    ("interfaces", "remote", "said"),
    [
        ([], False, "at an address of its own, and it has none"),
        (["203.0.113.7/24"], False, "its network is not reached from here"),
        (["169.254.169.254/16"], False, "its network is not reached from here"),
        (["127.0.0.1/8"], False, "its network is not reached from here"),
        ([], True, "its network is not reached from here"),
    ],
)
def test_nobody_is_asked_but_on_a_network_of_its_own(
    interfaces: list[str], remote: bool, said: str
) -> None:
    engine = Engine()
    engine.addresses, engine.interfaces, engine.is_remote = {}, {A: interfaces}, remote
    with pytest.raises(NotExposed) as e:
        Addresses(engine).of(instance())
    assert said in str(e.value)


class Rounds:
    """An app ``web`` whose instances say what ``says`` has, by address; round by round."""

    def __init__(self, *instances: Instance) -> None:
        self.house, self.engine = House(), Engine()
        self.instances_now = list(instances or [instance()])
        self.says: dict[str, str | NotExposed] = {}
        self.asked: list[tuple[str, Exposed]] = []
        self.now = T + 5.0
        self.house.clock.now = self.now
        self.scraper = Scraper(
            self.engine, self, self.house.series, self._clock, self._clock, self._ask
        )
        self.house.second(T, sweep(T, {"web": [A]}, {A: {"cpu": 0.5}}))
        self.scraper.look()  # it gets to know of the app

    def _clock(self) -> float:
        return self.now

    def instances(self) -> list[Instance]:
        return self.instances_now

    def _ask(self, address: str, what: Exposed) -> Answer:
        self.asked.append((address, what))
        said = self.says.get(address, "")
        if isinstance(said, NotExposed):
            raise said
        return Answer(said.encode(), False)

    def round(self, seconds: float = EVERY, **says: str | NotExposed) -> None:
        """The next one: ``a`` and ``b`` are what the two of them expose."""
        names = {"a": "10.1.0.1", "b": "10.1.0.2"}
        self.says.update({names[name]: text for name, text in says.items()})
        self.now += seconds
        self.house.clock.now = self.now
        self.scraper.look()
        self.scraper._rounds.join(patient(5))

    def latest(self, name: str, *labels: tuple[str, str]) -> float | None:
        found = self.house.series.latest("web", name, labels)
        return found[1] if found and found[0] + EVERY > self.now else None

    @property
    def why(self) -> list[str]:
        series = self.house.series.of("web")
        return [one["why"] for one in series.not_measured(str)] if series else []


def test_why_nothing_is_read_is_said_and_goes_when_it_is_well() -> None:
    rounds = Rounds()
    rounds.round(a=NotExposed("port {port} does not answer: {reason}", port=9100, reason="no"))
    assert rounds.why == ["port 9100 does not answer: no"]
    assert rounds.scraper.failed == 1
    rounds.round(a="queue 3\n???\n!!!\n")
    assert rounds.why == [
        "2 of the lines that it exposes cannot be read, the first of them line 2: ???"
    ]
    assert rounds.latest("queue") == 3.0
    rounds.round(a="queue 4\n")
    assert rounds.why == []
    rounds.engine.away = True
    rounds.instances_now = [instance(started_at="2026-11-29T00:00:01Z")]
    rounds.round()
    assert rounds.why == [
        "the engine did not say where it is reached: "
        "the Docker Engine refused its addresses (500): it is tired"
    ]
    rounds.instances_now = []
    rounds.scraper.look()
    assert rounds.why == [], "nobody asks it any more"
    assert rounds.scraper.apps == 0


def test_who_has_a_path_and_no_port_is_told() -> None:
    rounds = Rounds(instance(metrics_port="", metrics_path="/metrics"))
    rounds.round()
    assert rounds.why == [
        "the label cloudbang.metrics.port is '': a port is a number from 1 to 65535"
    ]
    assert rounds.asked == []


def test_what_cannot_be_taken_is_counted_and_the_rest_is_taken() -> None:
    rounds = Rounds()
    rounds.round(a="cpu 1\nmine 2\n" + "".join(f"n{n} 1\n" for n in range(600)))
    series = rounds.house.series.of("web")
    assert series is not None
    assert rounds.latest("mine") == 2.0
    assert rounds.latest("cpu") is None, "what CloudBang itself measures is nobody's to say"
    assert series.own is not None
    assert len(series.own) == 500
    assert series.refused == 1 + 101


def test_one_app_is_asked_once_in_each_ten_seconds_that_are_put_together() -> None:
    rounds = Rounds()
    rounds.round()
    slabs = []
    for _ in range(100):
        before = len(rounds.asked)
        rounds.round(0.5)
        if len(rounds.asked) > before:
            slabs.append(int(rounds.now) // 10)
    assert slabs == list(range(slabs[0], slabs[0] + 5))


def test_what_an_app_exposes_is_measured_like_what_it_sends() -> None:
    rounds = Rounds()
    text = '# TYPE jobs_total counter\njobs_total{{to="x"}} {}\nqueue_bytes {}\n'
    rounds.round(a=text.format(100, 7))
    assert rounds.asked == [("10.1.0.1", Exposed(9100, "/metrics"))]
    assert rounds.latest("queue_bytes") == 7.0
    assert rounds.latest("jobs_total", ("to", "x")) is None
    rounds.round(a=text.format(150, 8))
    assert rounds.latest("jobs_total", ("to", "x")) == 5.0
    series = rounds.house.series.of("web")
    assert series is not None
    assert series.own_unit("jobs_total", (("to", "x"),)) == "1/s"
    assert series.own_unit("queue_bytes", ()) == "bytes"


def test_of_two_instances_counters_are_added_up_and_gauges_are_not() -> None:
    rounds = Rounds(instance(), instance(B))
    rounds.round(a="jobs_total 0\nqueue 1", b="jobs_total 900\nqueue 2")
    rounds.round(a="jobs_total 10\nqueue 1", b="jobs_total 930\nqueue 2")
    assert rounds.latest("jobs_total") == 4.0
    assert rounds.latest("queue", ("container", "a" * 12)) == 1.0
    assert rounds.latest("queue", ("container", "b" * 12)) == 2.0
    rounds.round(a="jobs_total 20", b=NotExposed("it has no network"))
    assert rounds.latest("jobs_total") is None, "a gap, and no dip"
    rounds.round(a="jobs_total 30", b="jobs_total 990")
    assert rounds.latest("jobs_total") == 4.0


def test_a_histogram_that_is_exposed_has_percentiles() -> None:
    rounds = Rounds()

    def took(*upto: int) -> str:
        pairs = zip(("0.1", "0.2", "+Inf"), upto, strict=True)
        lines = [f'took_seconds_bucket{{le="{le}"}} {n}' for le, n in pairs]
        return "\n".join(["# TYPE took_seconds histogram", *lines])

    rounds.round(a=took(0, 0, 0))
    rounds.round(a=took(0, 100, 100))
    half = rounds.latest("took_seconds", ("quantile", "0.5"))
    assert half is not None
    assert 0.14 <= half <= 0.16
    assert rounds.latest("took_seconds.count") == 10.0


def test_a_container_that_was_restarted_makes_no_spike() -> None:
    rounds = Rounds(instance(started_at="2026-11-29T00:00:01Z"))
    rounds.round(a="jobs_total 100")
    rounds.round(a="jobs_total 110")
    assert rounds.latest("jobs_total") == 1.0
    rounds.instances_now = [instance(started_at="2026-11-29T00:00:09Z")]
    rounds.round(a="jobs_total 100000")  # it has read a file that says so
    assert rounds.latest("jobs_total") is None
    rounds.round(a="jobs_total 100010")
    assert rounds.latest("jobs_total") == 1.0


def test_who_has_no_label_or_does_not_run_or_is_a_task_beside_is_not_asked() -> None:
    idle = (
        instance(metrics_port=""),
        instance(state="paused"),
        instance(state="exited"),
        instance(one_off=True),
    )
    for one in idle:
        rounds = Rounds(one)
        rounds.round()
        assert rounds.asked == []


def test_of_one_app_only_some_are_asked_at_once_and_all_in_the_end() -> None:
    ids = [f"{n:064x}" for n in range(9)]
    rounds = Rounds(*(instance(one) for one in ids))
    rounds.engine.addresses = dict.fromkeys(ids, "10.1.0.1")
    under_way: list[int] = [0]
    most = [0]

    def ask(address: str, what: Exposed) -> Answer:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        gevent.sleep(0.01)
        under_way[0] -= 1
        return Answer(b"queue 1\n", False)

    rounds.scraper._ask = ask
    rounds.round()
    assert (rounds.scraper.asked, most[0]) == (9, OF_AN_APP)


def test_one_that_is_still_asked_is_not_asked_again() -> None:
    rounds = Rounds()
    gate = Flag()

    def ask(address: str, what: Exposed) -> Answer:
        gate.wait(patient(5))
        return Answer(b"queue 1\n", False)

    rounds.scraper._ask = ask
    for _ in range(3):
        rounds.now += EVERY
        rounds.scraper.look()
        gevent.sleep(0)
    assert (rounds.scraper.asked, rounds.scraper.late) == (1, 2)
    gate.set()
    rounds.scraper._rounds.join(patient(5))
    assert rounds.house.series.latest("web", "queue") is not None


def test_a_clock_that_jumps_makes_neither_a_spike_nor_a_flood() -> None:
    rounds = Rounds()
    steady = [0.0]
    rounds.scraper._steady = lambda: steady[0]
    count = 0
    for seconds in (10, 10, 3600, 10, -7200, 10, 10):
        count, steady[0] = count + 10, steady[0] + 10
        before = rounds.scraper.asked
        rounds.round(seconds, a=f"jobs_total {count}")
        assert rounds.scraper.asked - before == 1
    sent = rounds.house.bus.sent["metric/web/"]
    told = [value for _, samples in sent for name, _, value in samples if name == "jobs_total"]
    assert told == [1.0] * 6


def test_where_nobody_may_ask_about_the_bridge_a_network_of_its_own_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine()
    engine.proxied = True
    engine.interfaces = {A: ["10.9.0.5/24"]}
    monkeypatch.setattr("cloudbang.monitoring.scrape.is_neighbour", lambda one: True)
    assert Addresses(engine).of(instance()) == "10.9.0.5"


def test_only_a_network_that_one_is_on_is_ones_neighbour() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as at:
        at.connect(("127.0.0.2", 9))
        own = at.getsockname()[0]
    assert is_neighbour("127.0.0.2/8")
    assert not is_neighbour(f"{own}/8"), "that is oneself"
    assert not is_neighbour("203.0.113.7/30")
    assert not is_neighbour("2001:db8::7/64")
