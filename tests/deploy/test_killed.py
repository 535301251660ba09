"""kill -9 at each step: whoever comes next finds out how it stands, and brings it to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.domain.deploy.deployment import Deployment
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import ENDS_WITH_US, ROOT, patient

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow("a process that is killed in the middle of a deployment, and its successor"),
]


Children = Callable[[dict[str, object]], int]


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    """Has a process deploy what it is told, until it is killed: its exit code."""
    with subprocess.Popen(
        [*ENDS_WITH_US, sys.executable, "-m", "tests.deploy.deploying_child"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout

        def ended(told: dict[str, object]) -> int:
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
            with gevent.Timeout(patient(150)):
                return int(process.stdout.readline())

        yield ended
        process.kill()  # what still deploys ends with it


class Chain:
    """One app, from release to release; each deployment is begun by a process that is killed."""

    def __init__(
        self, folder: Path, swarm: Swarm, children: Children, app: str, spec: dict[str, object]
    ) -> None:
        self.folder, self.swarm, self.app, self.spec = folder, swarm, app, spec
        self.children = children
        self.release = 1
        house = self.house()
        try:
            house.serves(app, **spec)
        finally:
            house.close()

    def house(self) -> House:
        return House(self.folder, self.swarm.host).start()

    def next(self, step: str, when: str, **changes: object) -> tuple[Deployment, list[str]]:
        """The next release, killed at that moment; what its successor makes of it, and the log."""
        told = {
            "folder": str(self.folder),
            "host": self.swarm.host,
            "app": self.app,
            "spec": {**self.spec, **changes},
            "step": step,
            "when": when,
        }
        assert self.children(told) == -9
        house = self.house()
        try:
            (newest,) = house.deployments.find(self.app, limit=1)
            assert not newest.settled
            ended = house.wait(newest.id)
            lines = house.lines(newest.id)
            if ended.state == "serving":
                self.release = ended.release
            assert house.deployments.app(self.app).serving == self.release  # type: ignore[union-attr]
            assert house.services(self.app) == [f"{self.app}-r{self.release}"], lines
            assert len(house.engine.released(self.app, self.release)) == 1
            if house.gateway.addresses(self.app):
                assert house.gateway.switched(self.app) == f"{self.app}-r{self.release}"
            return ended, lines
        finally:
            house.close()


@pytest.fixture(scope="module")
def folder(swarm: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of both apps: there is one gateway on an engine."""
    yield tmp_path_factory.mktemp("killed")
    swarm.forget_gateway()


@pytest.fixture(scope="module")
def beside(folder: Path, swarm: Swarm, children: Children, image: str) -> Chain:
    """The new release runs beside the old one; requests are led by the gateway."""
    spec = apps.web(image, route={}, release_command=["sh", "-c", "echo migrating; sleep 1"])
    return Chain(folder, swarm, children, "beside", spec)


@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("pull", "entered"),
        ("release_command", "entered"),
        ("release_command", "going"),
        ("release_command", "done"),
        ("start", "entered"),
        ("start", "going"),
        ("health", "entered"),
        ("switch", "entered"),
        ("switch", "done"),
        ("drain", "going"),
        ("stop", "entered"),
    ],
)
def test_it_goes_on_from_each_step(beside: Chain, step: str, when: str) -> None:
    """The new one serves in the end; the release command ran once."""
    done, lines = beside.next(step, when)
    assert done.state == "serving", lines
    assert lines.count("migrating") == 1
    assert lines[-1] == f"release {done.release} of beside serves"


def test_a_verdict_is_kept_and_what_it_leaves_is_undone(beside: Chain) -> None:
    env = {**beside.spec["env"], "CODE": "3"}  # type: ignore[dict-item]
    done, lines = beside.next("start", "verdict", env=env)
    assert (done.state, done.failure and done.failure.kind) == ("failed", "exited"), lines


@pytest.fixture(scope="module")
def instead(folder: Path, swarm: Swarm, children: Children, image: str) -> Iterator[Chain]:
    """The old one has to stop before the new one starts."""
    volume = {"name": "cloudbang-test-instead", "path": "/kept"}
    spec = apps.web(image, route={}, volumes=[volume])
    yield Chain(folder, swarm, children, "instead", spec)
    swarm.forget_volume("cloudbang-test-instead")


@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("drain", "going"),
        ("stop", "entered"),
        ("stop", "done"),
        ("start", "going"),
        ("health", "entered"),
        ("switch", "entered"),
    ],
)
def test_where_only_one_may_run_as_well(instead: Chain, step: str, when: str) -> None:
    done, lines = instead.next(step, when)
    assert (done.state, done.stop_first) == ("serving", True), lines


def test_where_only_one_may_run_the_old_one_comes_back(instead: Chain) -> None:
    env = {**instead.spec["env"], "CODE": "3"}  # type: ignore[dict-item]
    done, lines = instead.next("start", "verdict", env=env)
    assert (done.state, done.failure and done.failure.kind) == ("failed", "exited"), lines
