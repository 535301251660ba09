"""A container that runs becomes an app, on a real engine: stopped when the app serves, and as it was
where it does not come to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudbang.deploy.containers import PartOfService
from cloudbang.deploy.service import Wanted
from cloudbang.deploy.take_over import TakeOvers
from cloudbang.domain.apps import Instance
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.found import FoundStore, Taking
from tests.deploy import apps
from tests.deploy.house import House
from tests.support import wait_until

pytestmark = pytest.mark.engine

ALWAYS = {"Name": "always", "MaximumRetryCount": 0}
ContainerFactory = Callable[..., Any]


class Ground:
    def __init__(self, house: House) -> None:
        self.house, self.store = house, FoundStore(house.database)
        self.told: list[tuple[object, ...]] = []
        self.take_overs = self.another()
        self.take_overs.start()

    def another(self) -> TakeOvers:
        """As a start after a kill makes it."""
        return TakeOvers(
            *(self.house.engine, self.store, self.house.deployments),
            lambda app, spec, by, admin: self.house.deployments.begin(
                app, Wanted(spec), by, admin=admin
            ),
            lambda *told: self.told.append(told),
        )

    def instance(self, container: Any) -> Instance:
        return self.house.engine.inspect(str(container.id))

    def state(self, container: Any) -> tuple[str, dict[str, object]]:
        """Whether it runs, and when the engine starts it again."""
        found = self.house.engine.inspection(str(container.id))
        return found["State"]["Status"], found["HostConfig"]["RestartPolicy"]


@pytest.fixture(scope="module")
def ground(house: House):
    made = Ground(house)
    yield made
    made.take_overs.stop()


@pytest.mark.slow("a deployment")
def test_the_app_serves_and_the_container_is_stopped_and_kept(
    ground: Ground, container: ContainerFactory
) -> None:
    """It runs until then: nothing of it is in the way."""
    one = container(
        ["sh", "-c", apps.SCRIPT],
        name="over-web",
        environment={"RELEASE": "one"},
        restart_policy={"Name": "always"},
    )
    proposal = ground.take_overs.propose(ground.instance(one))
    assert (proposal.app, proposal.because) == ("over-web", ())
    assert proposal.spec["env"] == {"RELEASE": "one"}
    begun = ground.take_overs.take(ground.instance(one), "ada", admin=True)
    assert ground.state(one) == ("running", ALWAYS)
    assert ground.house.wait(begun.id).state == "serving"
    wait_until(lambda: ground.state(one)[0] == "exited", 30, "the old one's end")
    assert ground.state(one)[1]["Name"] == "no"
    wait_until(lambda: not ground.store.takings(), 10)
    assert ground.house.services("over-web") == ["over-web-r1"]
    assert ground.told == [("over-web", one.id[:12], "ada", "take-over")]
    (task,) = ground.house.engine.released("over-web", 1)
    with pytest.raises(PartOfService):
        ground.take_overs.propose(ground.house.engine.inspect(task))


@pytest.mark.slow("a deployment that fails, and what is undone of it")
def test_where_the_app_fails_the_container_runs_again(
    ground: Ground, container: ContainerFactory, docker_client
) -> None:
    """It was stopped, since both write to its volume; now it is as it was."""
    docker_client.volumes.create("over-data")
    one = container(
        [
            "sh",
            "-c",
            '[ -e /data/once ] && [ -n "$AGAIN" ] && exit 3; touch /data/once; sleep 1000',
        ],
        name="over-fails",
        volumes=["over-data:/data"],
        restart_policy={"Name": "always"},
        stop_signal="KILL",
    )
    wait_until(
        lambda: one.exec_run(["test", "-e", "/data/once"]).exit_code == 0,
        20,
        "it to have been there",
    )
    proposal = ground.take_overs.propose(ground.instance(one))
    assert proposal.because == ("over-data",)
    spec = {**proposal.spec, "env": {"AGAIN": "yes"}}
    begun = ground.take_overs.take(ground.instance(one), "ada", admin=True, spec=spec)
    assert ground.state(one)[0] == "exited"
    assert ground.house.wait(begun.id).state == "failed"
    wait_until(lambda: ground.state(one) == ("running", ALWAYS), 30, "it to run again")
    wait_until(lambda: not ground.store.takings(), 5)


def test_where_nothing_begins_nothing_is_done(ground: Ground, container: ContainerFactory) -> None:
    """The deployment is refused: by its specification, and by a kill before it."""
    one = container(name="over-none", restart_policy={"Name": "always"})
    with pytest.raises(CloudBangError):
        ground.take_overs.take(ground.instance(one), "ada", admin=True, spec={"image": ""})
    assert ground.state(one) == ("running", ALWAYS)
    assert ground.store.takings() == []
    # As a kill between the two leaves it.
    ground.house.engine.set_restart(str(one.id), {"Name": "no"})
    ground.house.engine.stop_container(str(one.id), 0)
    ground.store.save_taking(Taking(str(one.id), "over-none", 0, ALWAYS, stopped=True))
    successor = ground.another()
    successor.start()
    try:
        wait_until(lambda: ground.state(one) == ("running", ALWAYS), 10, "it to run again")
    finally:
        successor.stop()
