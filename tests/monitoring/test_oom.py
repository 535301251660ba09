"""Kills for want of memory: what was measured before goes with the event, and a kill that only the
kernel counted is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.monitoring.oom import OutOfMemory
from tests.monitoring.monitoring_support import A, B, House, T, sweep
from tests.support import wait_until

MIB = 2**20
STARTED = format_time((T - 100) * 10**9)


def instance(id: str, app: str = "web", **more: Any) -> Instance:
    one = Instance(id, f"{app}-1", app, None, "app:1", "sha256:1", "running", STARTED)
    return replace(one, started_at=STARTED, **more)


class Told:
    """The recorder: what is told is completed, and kept."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.facts: Callable[[Event], dict[str, object]] = lambda event: {}

    def complete(self, kind: str, facts: Callable[[Event], dict[str, object]]) -> None:
        assert kind == "oom"
        self.facts = facts

    def record(self, *events: Event) -> None:
        for event in events:
            self.events.append(replace(event, data={**self.facts(event), **event.data}))


class Ground:
    def __init__(self, *instances: Instance) -> None:
        self.house, self.told, self.instances = House(), Told(), list(instances)
        OutOfMemory(self.house.series, self.told, lambda: self.instances, self.house.clock)

    def run(self, since: int, until: int, **values: dict[str, float]) -> None:
        """Each second what is measured of each instance, by the name of the id's letter."""
        of = {letter * 64: measured for letter, measured in values.items()}
        for at in range(since, until):
            self.house.second(at, sweep(at, {"web": list(of)}, of))

    def kill(self, at: float, container: str = A) -> Event:
        self.told.record(Event("web", format_time(int(at * 1e9)), "oom", container[:12]))
        return self.told.events[-1]


def test_the_event_says_what_was_measured_just_before() -> None:
    ground = Ground(instance(A))
    used = {"memory": 60.0 * MIB, "memory.limit": 64.0 * MIB, "memory.anon": 55.0 * MIB}
    ground.run(T, T + 11, a=used)
    assert ground.kill(T + 10.5).data == {
        "limit": 64 * MIB,
        "used": 60 * MIB,
        "anon": 55 * MIB,
        "filled": "anon",
    }


def test_of_two_instances_it_is_the_one_that_was_killed() -> None:
    ground = Ground(instance(A), instance(B))
    ground.run(T, T + 11, a={"memory": 60.0 * MIB}, b={"memory": 10.0 * MIB})
    assert ground.kill(T + 10.5).data["used"] == 60 * MIB
    assert ground.kill(T + 10.5, B).data["used"] == 10 * MIB
    assert "used" not in ground.kill(T + 10.5, "c" * 64).data  # their sum is nobody's


def test_what_was_measured_long_before_is_nothing_about_it() -> None:
    ground = Ground(instance(A))
    ground.run(T, T + 11, a={"memory": 60.0 * MIB})
    assert ground.kill(T + 60).data == {}


def test_a_kill_that_only_the_kernel_counted_is_told_once() -> None:
    """A child was killed, the first process lives on, and the engine said nothing."""
    ground = Ground(instance(A))
    ground.run(T, T + 11, a={"oom_kills": 2.0, "memory.limit": 8.0 * MIB})  # of before: no news
    assert ground.told.events == []
    ground.run(T + 11, T + 16, a={"oom_kills": 3.0, "memory.limit": 8.0 * MIB})
    ground.run(T + 16, T + 40, a={"oom_kills": 3.0, "memory.limit": 8.0 * MIB})
    (event,) = ground.told.events
    assert (event.kind, event.app, event.container) == ("oom", "web", "a" * 12)
    assert event.data == {"source": "kernel", "limit": 8 * MIB}
    assert event.time <= format_time((T + 18) * 10**9)


def test_a_kill_is_told_of_within_three_seconds_of_when_the_kernel_counted_it() -> None:
    """Between two seconds in which all is measured: it is said as soon as it is seen, and the engine
    has one more second to say it first."""
    ground = Ground(instance(A))
    ground.run(T, T + 6, a={"oom_kills": 0.0, "memory.limit": 8.0 * MIB})
    ground.run(T + 6, T + 7, a={})
    seen = InstanceSample(A, "web", {"oom_kills": 1.0}, killed=True)
    ground.house.second(T + 7, Sweep(T + 7, False, [seen], {"web": [A]}, {}))
    ground.run(T + 8, T + 9, a={})
    (event,) = ground.told.events
    assert event.data == {"source": "kernel", "limit": 8 * MIB}


@pytest.mark.parametrize("told", [T + 13, T + 15.5], ids=["before", "after"])
def test_a_kill_that_the_engine_told_of_is_not_told_twice(told: float) -> None:
    ground = Ground(instance(A))
    ground.run(T, T + 11, a={"oom_kills": 0.0})
    if told < T + 15:
        ground.kill(told)
    ground.run(T + 11, T + 16, a={"oom_kills": 1.0})
    if told > T + 15:
        ground.kill(told)
    ground.run(T + 16, T + 40, a={"oom_kills": 1.0})
    assert len(ground.told.events) == 1


def test_what_ended_a_run_is_left_to_who_tells_of_ends() -> None:
    ground = Ground(instance(A))
    ground.run(T, T + 11, a={"oom_kills": 0.0})
    later = format_time((T + 12) * 10**9)
    ground.instances = [instance(A, restarts=1)]
    ground.instances[0] = replace(ground.instances[0], started_at=later)
    ground.run(T + 11, T + 40, a={"oom_kills": 1.0})
    assert ground.told.events == []


@pytest.mark.engine
@pytest.mark.slow("memory is filled so slowly that it is measured")
def test_a_real_kill_is_there_within_five_seconds_with_its_reason(container, server) -> None:
    """Of a child, whose first process lives on; over a restart of the server."""
    fill = "n=0; while [ $n -lt 80 ]; do dd if=/dev/zero bs=1M count=1 >>/dev/shm/x 2>/dev/null || break"
    one = container(
        f"echo begun; {fill}; n=$((n+1)); sleep 0.4; done; date +%s; sleep 1000",
        mem_limit="16m",
        memswap_limit="16m",
    )

    def kills() -> list[Any]:
        if one.name not in str(server.get("/api/v1/apps")):
            return []
        found = server.get(f"/api/v1/apps/{one.name}/events")["events"]
        return [event for event in found if event["kind"] == "oom"]

    wait_until(lambda: one.logs().decode().count("\n") >= 2, 40, what="the kill")
    wait_until(kills, 5, what="the event")
    data = kills()[0]["data"]
    assert data["limit"] == 16 * MIB
    assert data["filled"] == "shared", data
    # It is read each 5 s, in which some 12 MiB come.
    assert 2 * MIB <= data["shared"] <= data["peak"] <= 16 * MIB
    one.reload()
    assert one.status == "running"
    server.restart()
    wait_until(kills, 20)
    assert kills()[0]["data"] == data
