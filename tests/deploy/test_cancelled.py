"""A deployment that is cancelled ends, at any step: nothing of it is left, and the next one begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import gevent
import httpx
import pytest

from cloudbang.deploy.errors import DeploymentRunning, NoSuchDeployment
from cloudbang.deploy.service import Wanted
from cloudbang.domain.deploy.deployment import NotNow, StepName
from tests.deploy import apps
from tests.deploy.house import House
from tests.support import patient, wait_until

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Case:
    """Cancelled while that step is under way, which it stays in for long enough."""

    step: StepName
    written: Mapping[str, object] = field(default_factory=dict)
    ready: str = ""  # a line of the log that is waited for


SLOW_COMMAND = {"release_command": ["sh", "-c", "echo migrating; sleep 1000"]}
CASES = {
    "release-command": Case("release_command", SLOW_COMMAND, "migrating"),
    "start": Case("start", {"memory_reserved": "900g"}),
    "health": Case("health", {"LISTENS": "no", "health": {"tcp": True, "within": 60}}),
}


@pytest.mark.parametrize("name", list(CASES))
def test_it_ends_and_nothing_is_left(house: House, image: str, name: str) -> None:
    """The old release serves; the record says who cancelled it."""
    case, app = CASES[name], f"cancelled-{name}"
    house.serves(app, **apps.web(image, "one"))
    id = house.deploy(app, **apps.web(image, "two", **case.written))
    house.in_step(id, case.step)
    if case.ready:
        wait_until(lambda: case.ready in house.lines(id), 30, case.ready)
    asked = house.deployments.cancel(id, "grace")
    assert (asked.state, asked.cancelled_by) == ("running", "grace")
    done = house.wait(id)
    assert (done.state, done.cancelled_by, done.failure) == ("cancelled", "grace", None)
    step = done.step(case.step)
    assert step
    assert step.state == "cancelled"
    assert house.services(app) == [f"{app}-r1"]
    assert house.engine.released(app, 2) == []
    assert house.lines(id)[-1] == "cancelled: nothing of it is left"
    with pytest.raises(NotNow):
        house.deployments.cancel(id, "grace")
    assert house.deployments.app(app).serving == 1  # type: ignore[union-attr]


def test_of_those_that_wait_only_the_newest_is_kept(house: House, image: str) -> None:
    """A second person is told who deploys since when; who waits is next, once that is cancelled."""
    first = house.deploy("busy", by="ada", **apps.web(image, LISTENS="no", health=LONG))
    house.in_step(first, "health")
    with pytest.raises(DeploymentRunning) as refused:
        house.deploy("busy", by="grace", **apps.web(image))
    assert (refused.value.by, refused.value.id) == ("ada", first)
    assert refused.value.since == house.get(first).created
    second = house.deploy("busy", by="grace", wait=True, **apps.web(image, "two"))
    third = house.deploy("busy", by="alan", wait=True, **apps.web(image, "three"))
    assert (house.get(second).state, house.get(second).cancelled_by) == ("cancelled", "")
    assert house.get(third).state == "queued"
    with pytest.raises(DeploymentRunning), house.deployments.occupied("busy"):
        pass
    house.deployments.cancel(first, "ada")
    assert house.wait(third).state == "serving"
    assert house.get(first).state == "cancelled"
    assert house.services("busy") == ["busy-r3"]


LONG = {"tcp": True, "within": 60}


def test_one_that_waits_is_cancelled_at_once(house: House, image: str) -> None:
    first = house.deploy("waits", **apps.web(image, LISTENS="no", health=LONG))
    second = house.deploy("waits", wait=True, **apps.web(image))
    done = house.deployments.cancel(second, "ada")
    assert (done.state, done.settled) == ("cancelled", True)
    house.deployments.cancel(first, "ada")
    house.wait(first)
    assert house.services("waits") == []
    with house.deployments.occupied("waits", "grace"):
        with pytest.raises(DeploymentRunning) as refused:
            house.deploy("waits", **apps.web(image))
        assert (refused.value.by, refused.value.id) == ("grace", 0)
        third = house.deploy("waits", wait=True, **apps.web(image))
        assert house.get(third).state == "queued"
    assert house.wait(third).state == "serving"
    with pytest.raises(NoSuchDeployment):
        house.deployments.cancel(10_000, "ada")


def test_two_people_at_the_same_moment(house: House, image: str) -> None:
    """One of them deploys, the other is told."""
    outcome: list[object] = []

    def deploy(by: str) -> None:
        try:
            wanted = Wanted(apps.web(image))
            outcome.append(house.deployments.begin("both", wanted, by, admin=False).id)
        except DeploymentRunning as e:
            outcome.append(e.by)

    gevent.joinall([gevent.spawn(deploy, by) for by in ("ada", "grace")], raise_error=True)
    (id,) = [one for one in outcome if isinstance(one, int)]
    assert outcome.count("ada") + outcome.count("grace") == 1
    assert house.wait(id).state == "serving"


@pytest.mark.slow("three deployments behind a gateway")
def test_requests_are_let_finish_and_a_cancel_meanwhile_goes_back(house: House, image: str) -> None:
    """Behind the gateway: while the old one's requests go on, all can be as it was."""

    def drains(id: int) -> object:
        return (step := house.get(id).step("drain")) and step.progress.get("in_flight")

    def hold(name: str) -> gevent.Greenlet:
        """A request that a release answers once it is let go, and which it has got."""
        addresses = [one for t in house.engine.tasks("drained-r1") for one in t.addresses]
        held = gevent.spawn(client.get, f"{url}/cgi-bin/held?{name}")
        under_way = lambda: house.gateway.in_flight("drained", 8080, "drained-r1", addresses)  # noqa: E731
        wait_until(under_way, 20, "the request to be under way")
        return held

    house.serves("drained", **apps.web(image, "one", route={}))
    at = {"Host": "drained.localhost"}
    url = f"http://127.0.0.1:{house.settings.gateway.http_port}"
    with httpx.Client(timeout=patient(90), trust_env=False, headers=at) as client:
        held = hold("cancelled")
        id = house.deploy("drained", **apps.web(image, "two", route={}))
        wait_until(lambda: drains(id), 40, "the held request to be seen")
        assert client.get(url).text.strip() == "two"
        house.deployments.cancel(id, "ada")
        assert house.wait(id).state == "cancelled"
        assert client.get(url).text.strip() == "one"
        house.let_go("drained", 1, "cancelled")
        assert held.get().text.strip() == "one"
        held = hold("replaced")
        id = house.deploy("drained", **apps.web(image, "three", route={}))
        wait_until(lambda: drains(id), 40, "the held request to be seen")
        house.let_go("drained", 1, "replaced")
        done = house.wait(id)
        assert done.state == "serving", (done, house.lines(id))
        assert held.get().text.strip() == "one"
        assert client.get(url).text.strip() == "three"
    drained = done.step("drain")
    assert drained
    assert (drained.progress["finished"], drained.progress["cut"]) == (1, 0)
