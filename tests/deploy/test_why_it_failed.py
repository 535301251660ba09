"""What goes wrong with a new release: each has its class, in words, and the old one serves on."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudbang.deploy.limits import StepLimits
from cloudbang.domain.deploy.failure import FailureClass
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import patient, wait_until

pytestmark = pytest.mark.engine

EATS = "sleep 1; x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo $x | wc -c; sleep 1000"
TAKEN, OTHERS = random.sample(range(12_000, 15_000), 2)  # free_port holds those it gives


@dataclass(frozen=True)
class Fault:
    """``said``: is in the engine's or our own words; ``line``: is in the deployment's log."""

    written: dict[str, object]
    kind: FailureClass
    code: int | None = None
    said: str = ""
    line: str = ""


def check(*command: str, within: float = 1) -> dict[str, object]:
    return {"health": {"command": list(command), "within": within, "interval": 1}}


# Where forty containers start at once, it takes a while until the first check has run.
WELL = check("true", within=60)
SOON = 4  # in which, on an idle machine, somebody has been asked and has answered, badly


def patiently(written: dict[str, object]) -> dict[str, object]:
    """With a check that has as much time as the machine is busy now: as the deployments begin, and not
    as the tests are read, when it may have had nothing else to do."""
    health = written.get("health")
    if not isinstance(health, dict):
        return written
    return {**written, "health": {**health, "within": round(patient(health["within"]))}}


FAULTS = {
    "at-once": Fault({"CODE": 3}, "exited", 3, line="two gives up"),
    "with-0": Fault({"CODE": 0}, "exited", 0),
    "after-3": Fault({"CODE": 7, "AFTER": 3}, "exited", 7, line="two gives up"),
    "no-port": Fault(
        {"port": 8080, "LISTENS": "no", "health": {"tcp": True, "within": SOON}},
        "unhealthy",
        said="port 8080 does not answer: Connection refused",
        line="two begins",
    ),
    "wrong-path": Fault(
        {"port": 8080, "health": {"http": "/none", "within": SOON}},
        "unhealthy",
        said="GET /none at port 8080 is answered with 404",
    ),
    "check-fails": Fault(check("test", "-e", "/none"), "unhealthy"),
    "memory": Fault({"memory": "8m", "command": ["sh", "-c", EATS]}, "out-of-memory", 137),
    "port-of-a-process": Fault(
        {"ports": [{"published": TAKEN, "target": 1}]}, "port-taken", 128, "address already in use"
    ),
    "port-of-an-app": Fault(
        {"ports": [{"published": OTHERS, "target": 1}]}, "port-taken", None, "already in use"
    ),
    "path": Fault({"volumes": [{"source": "/none", "path": "/x"}]}, "path-missing", None, "/none"),
    "reserved": Fault({"memory_reserved": "900g"}, "no-room", None, "insufficient resources"),
    "limit": Fault({"memory": "900g"}, "no-room", None, "the largest machine has"),
    "command": Fault({"entrypoint": ["/no/such"]}, "command-not-found", 127, "no such file"),
    "migration": Fault(
        {"release_command": ["sh", "-c", "echo migrating; exit 4"]},
        "release-command-failed",
        4,
        line="migrating",
    ),
    "migration-missing": Fault(
        {"release_command": ["/no/such"]}, "command-not-found", 127, "no such file"
    ),
    "network": Fault({"networks": ["no-such-network"]}, "path-missing", None, "no-such-network"),
}


@pytest.fixture(scope="module")
def begun(house: House, image: str) -> Iterator[dict[str, int]]:
    """All of them at once, each beside an old release that serves."""
    with closing(socket.socket()) as taken:
        taken.bind(("0.0.0.0", TAKEN))
        taken.listen()
        other = {"ports": [{"published": OTHERS, "target": 1}]}
        first = [house.deploy("has-it", **apps.spec(image, **WELL, **other))]
        first += [house.deploy(name, **apps.spec(image, **WELL)) for name in FAULTS]
        for id in first:
            assert house.wait(id).state == "serving", house.lines(id)
        yield {
            name: house.deploy(name, **apps.spec(image, "two", **patiently(fault.written)))
            for name, fault in FAULTS.items()
        }


@pytest.mark.parametrize("name", list(FAULTS))
def test_it_is_said_why_and_the_old_one_serves(
    house: House, begun: dict[str, int], name: str
) -> None:
    """At once, by its class, with its last lines, which are kept; nothing of the new one is left."""
    fault, id = FAULTS[name], begun[name]
    done = house.wait(id)
    lines = house.lines(id)
    assert done.failure is not None, lines
    assert (done.state, done.failure.kind, done.failure.exit_code) == (
        "failed",
        fault.kind,
        fault.code,
    ), (done, lines)
    assert fault.said in done.failure.said
    assert fault.line in lines or not fault.line, lines
    assert any(line.startswith("failed: ") for line in lines)
    more = house.deployments.more(id)
    assert more
    assert more[1][-1] == lines[-1]
    assert house.services(name) == [f"{name}-r1"]
    assert house.engine.released(name, 2) == []
    assert len(house.engine.released(name, 1)) == 1
    assert house.deployments.app(name).serving == 1  # type: ignore[union-attr]
    failed = [step.name for step in done.steps if step.state == "failed"]
    assert len(failed) == 1, done.steps

    def told() -> list[dict[str, object]]:
        found = house.events.list(name)
        return [event.data for event in found if event.data.get("outcome") == "failed"]

    (event,) = wait_until(told, 5, "the event")
    assert (event["class"], event["number"], event["release"]) == (fault.kind, 2, 2)


@pytest.mark.slow("an app that crashes after 12 s")
def test_a_crash_after_12_seconds_is_noticed(swarm: Swarm, image: str, tmp_path: Path) -> None:
    """Before it is said to serve: what is said to serve is watched for longer than that."""
    house = House(tmp_path, swarm.host, StepLimits()).start()
    try:
        id = house.deploy("late", **apps.spec(image, CODE=9, AFTER=12))
        done = house.wait(id)
        assert done.failure, house.lines(id)
        assert (done.failure.kind, done.failure.exit_code) == ("exited", 9)
        assert done.step("health").progress["serving"]  # type: ignore[union-attr]
        assert "one gives up" in house.lines(id)
        assert house.services("late") == []
    finally:
        house.close()
