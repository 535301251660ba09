"""Swarm as a real engine has it: what is sent to it, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudbang.config import EngineSettings
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.swarm_spec import NETWORK, Attached, Handed, service_spec
from cloudbang.engine.swarm import SwarmCalls
from cloudbang.errors import EngineRefused
from tests.support import wait_until
from tests.support_engine import PrivateEngine

pytestmark = pytest.mark.engine


class Ground:
    """An engine of its own with Swarm on, and the image that is there."""

    def __init__(self, private: PrivateEngine) -> None:
        self.calls = SwarmCalls(EngineSettings(host=private.address))
        self.before = self.calls.swarm()
        self.calls.swarm_init("127.0.0.1")
        self.image = private.image()
        self.image_id = str(private.client.images.get(self.image).id)
        self.network = self.calls.overlay(NETWORK)

    def release(self, app: str, script: str, **written: object) -> Release:
        spec = {"image": self.image, "command": ["sh", "-c", script], **written}
        return Release(app, 1, read_spec(spec)[0], image_id=self.image_id)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    private = PrivateEngine()
    try:
        private.start()
        yield Ground(private)
    finally:
        private.close()


def test_it_is_switched_on_for_this_machine(ground: Ground) -> None:
    assert (ground.before.state, ground.before.manager) == ("inactive", False)
    now = ground.calls.swarm()
    assert (now.state, now.manager) == ("active", True)
    assert now.node
    with pytest.raises(EngineRefused):
        ground.calls.swarm_init("127.0.0.1")


def test_a_network_is_made_once(ground: Ground) -> None:
    assert ground.calls.overlay(NETWORK) == ground.network == ground.calls.network_id(NETWORK)
    assert ground.calls.network_id(NETWORK[:-1]) is None


def test_a_release_runs_scales_and_goes(ground: Ground) -> None:
    """With its secret, its name on the network, and an address that the machine reaches."""
    calls = ground.calls
    release = ground.release("web", "sleep 1000", secrets={"KEY": None}, env={"A": "b"})
    secret = calls.hand_over("secrets", "web-KEY-1", b"value", {"cloudbang.app": "web"})
    assert calls.hand_over("secrets", "web-KEY-1", b"value", {}) == secret
    spec = service_spec(
        release,
        networks=[Attached(ground.network, ("web",))],
        secrets=[Handed(secret, "web-KEY-1", "KEY")],
        values={"KEY": "value"},
    )
    made = calls.create_service(spec)
    assert calls.create_service(spec) == made  # as it is after a restart in between
    found = calls.service(release.service)
    assert found is not None
    assert (found.id, found.replicas, found.labels["cloudbang.release"]) == (made, 1, "1")
    assert [one.name for one in calls.services("cloudbang.app=web")] == [release.service]
    assert calls.services("cloudbang.app=shop") == []

    def running() -> str:
        tasks = calls.tasks(release.service, ground.network)
        return tasks[0].container if tasks and tasks[0].state == "running" else ""

    container = wait_until(running, 30, "the task to run")
    task = calls.tasks(release.service, ground.network)[0]
    assert task.address.startswith("10.")
    assert calls.addresses_on("docker_gwbridge")[container]
    assert not calls.take_back("secrets", "web-KEY-1")  # it is used

    assert calls.scale_service(release.service, 2)
    assert calls.scale_service(release.service, 2)
    wait_until(lambda: len(calls.tasks(release.service)) == 2, 15, "two tasks")
    assert calls.remove_service(release.service)
    assert not calls.remove_service(release.service)
    assert calls.service(release.service) is None
    assert not calls.scale_service(release.service, 1)
    assert calls.handed_over("secrets", "cloudbang.app=web") == {"web-KEY-1": secret}
    assert calls.take_back("secrets", "web-KEY-1")
    assert calls.handed_over("secrets", "cloudbang.app=web") == {}


@pytest.mark.parametrize(
    ("script", "written", "state", "error", "code"),
    [
        ("exit 3", {}, "failed", "non-zero exit (3)", 3),
        ("exit 0", {}, "complete", "", 0),
        ("exit 0", {"volumes": [{"source": "/none", "path": "/x"}]}, "rejected", "/none", None),
        ("exit 0", {"memory_reserved": "900g"}, "pending", "insufficient resources", None),
        ("exit 0", {"entrypoint": ["/no/such"]}, "failed", "no such file or directory", 127),
    ],
)
def test_how_a_task_tells_that_it_failed(ground, script, written, state, error, code) -> None:
    """As the table of failures reads it."""
    calls = ground.calls
    release = ground.release("broken", script, restart="no", **written)
    calls.create_service(service_spec(release, networks=[]))
    try:

        def told() -> object:
            tasks = calls.tasks(release.service)
            return next((t for t in tasks if t.state == state and (t.error or not error)), None)

        task = wait_until(told, 30, f"a task that is {state}")
        assert error in task.error
        assert task.exit_code == code
    finally:
        calls.remove_service(release.service)
