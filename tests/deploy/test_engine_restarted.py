"""The engine ends and comes back in the middle of a deployment: that is no fault of the release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gevent.event import Event

from cloudbang.deploy.watch import Watch
from cloudbang.domain.deploy.deployment import Deployment, StepName
from tests.deploy import apps
from tests.deploy.house import House
from tests.support import patient, wait_until
from tests.support_engine import PrivateEngine

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow("an engine that is killed and started, and Swarm with it"),
]


class Ground:
    """An engine of its own, and one app on it, from release to release."""

    def __init__(self, folder: Path) -> None:
        self.private = PrivateEngine().start()
        self.house = House(folder, self.private.address)
        self.house.deployments.swarm_on("ada")
        self.house.start()
        self.spec = apps.web(
            self.private.image(),
            route={},
            # Asked by the engine: its network is another than ours.
            health={"command": ["true"], "within": 60, "interval": 1},
            release_command=["sh", "-c", "echo migrating; sleep 2"],
        )
        self.release = self.house.serves("web", **self.spec).release

    def close(self) -> None:
        try:
            self.house.close()
        finally:
            self.private.close()

    def restart_in(self, step: StepName, **changes: object) -> Deployment:
        """Deploy the next release, and have the engine killed and started in that step."""
        reached, ids = Event(), [0]

        def look(deployment: Deployment) -> None:
            if deployment.id == ids[0] and deployment.entered(step):
                reached.set()

        self.house.deployments.listen(look)
        ids[0] = self.house.deploy("web", **{**self.spec, **changes})
        assert reached.wait(patient(60)), self.house.lines(ids[0])
        self.private.kill()
        self.private.start()
        done = self.house.wait(ids[0], 90)
        if done.state == "serving":
            self.release = done.release
        return done

    def check(self, id: int) -> None:
        """One release is there, and it runs and is led to."""
        service, lines = f"web-r{self.release}", self.house.lines(id)
        assert self.house.deployments.app("web").serving == self.release  # type: ignore[union-attr]
        assert self.house.services("web") == [service], lines
        wait_until(lambda: len(self.house.engine.released("web", self.release)) == 1, 40, "it runs")
        assert self.house.gateway.switched("web") == service


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("restarted"))
    yield made
    made.close()


@pytest.mark.parametrize("step", ["pull", "start", "health", "switch", "drain", "stop"])
def test_it_is_waited_for_and_the_new_one_serves(ground: Ground, step: StepName) -> None:
    done = ground.restart_in(step)
    assert done.state == "serving", f"{done}\n" + "\n".join(ground.house.lines(done.id))
    ground.check(done.id)


class Nobody:
    """Takes what is printed."""

    def follow(self, tasks: object) -> None: ...

    def finish(self, container: str) -> None: ...


def test_one_that_was_away_between_two_looks_is_noticed(ground: Ground) -> None:
    """No call has failed; what ran has ended with it all the same, by no fault of its own."""
    release = ground.house.store.release("web", ground.release)
    assert release is not None
    engine = ground.house.engine
    # Its first task may have ended with an engine before this one.
    watch = Watch(engine, release, Nobody(), forgiving=True)  # type: ignore[arg-type]
    with closing(watch):
        (ran,) = wait_until(lambda: watch.look().running, 40, "it to run")
        ground.private.kill()
        ground.private.start()

        def ended() -> bool:
            return any(one.ended for one in engine.tasks(release.service) if one.id == ran.id)

        wait_until(ended, 40, "what ended with it")
        watch.look()
        wait_until(lambda: watch.look().running, 40, "it to run again")


def test_a_release_command_that_it_ended_is_not_run_again(ground: Ground) -> None:
    """Nobody can know how far it came: the old release serves."""
    command = ["sh", "-c", "echo migrating; sleep 100"]
    id = ground.house.deploy("web", **{**ground.spec, "release_command": command})
    wait_until(lambda: "migrating" in ground.house.lines(id), 40, "the command to run")
    ground.private.kill()
    ground.private.start()
    done = ground.house.wait(id, 90)
    assert done.failure
    assert (done.state, done.failure.kind) == ("failed", "release-command-failed")
    ground.check(done.id)


def test_a_job_that_it_ended_has_not_done_its_work(ground: Ground) -> None:
    """It is not started again, and what needs it is not told that it is done."""
    job = {**ground.spec, "job": True, "command": ["sleep", "100"]}
    del job["route"], job["release_command"]
    id = ground.house.deploy("job", **job)
    ground.house.in_step(id, "health")
    ground.private.kill()
    ground.private.start()
    done = ground.house.wait(id, 90)
    assert done.failure, ground.house.lines(id)
    assert (done.state, done.failure.kind) == ("failed", "exited")
    assert ground.house.services("job") == []


def test_one_that_stays_away_is_a_verdict(ground: Ground) -> None:
    """In time, and the old release serves when it is back."""
    with ground.house.limited(away=4.0, command=1800.0):
        id = ground.house.deploy("web", **{**ground.spec, "release_command": ["sleep", "1000"]})
        ground.house.in_step(id, "release_command")
    ground.private.kill()
    try:
        done = ground.house.wait(id, 60, settled=False)
        assert done.failure
        assert (done.state, done.failure.kind) == ("failed", "engine-away")
    finally:
        ground.private.start()
    assert ground.house.wait(id, 60).settled
    ground.check(id)
