"""Swarm as a real engine has it: what is sent to it, and what it tells."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.cli import doctor_engine
from cloudbang.config import EngineSettings
from cloudbang.deploy.observer import Observer
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.swarm_spec import NETWORK, Attached, Handed, service_spec
from cloudbang.engine.swarm import SwarmCalls, ended_of_state
from cloudbang.errors import EngineRefused
from tests.support import wait_until
from tests.support_engine import PrivateEngine

pytestmark = pytest.mark.engine


class Ground:
    """An engine of its own with Swarm on, and the image that is there."""

    def __init__(self, private: PrivateEngine) -> None:
        self.private = private
        self.calls = SwarmCalls(EngineSettings(host=private.address))
        self.before = self.calls.swarm()
        self.calls.swarm_init("127.0.0.1")
        self.image = private.image()
        self.image_id = str(private.client.images.get(self.image).id)
        self.network = self.calls.overlay(NETWORK)

    def release(self, app: str, script: str, **written: object) -> Release:
        # As process 1 a sleep hears no SIGTERM.
        told = {"image": self.image, "command": ["sh", "-c", script], "stop_signal": "SIGKILL"}
        spec = {**told, **written}
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


def test_who_is_ended_while_a_service_is_made_comes_back_when_it_is_there(ground: Ground) -> None:
    """Or it would be made after whoever cancels a deployment has removed what there was of it."""
    calls, release = ground.calls, ground.release("slow", "sleep 1000")
    spec = service_spec(release, networks=[Attached(ground.network, ("slow",))])
    process = ground.private.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        making = gevent.spawn(calls.create_service, spec)
        gevent.sleep(0.3)
        ending = gevent.spawn(making.kill)
        gevent.sleep(0.3)
        assert not ending.ready()
    finally:
        process.send_signal(signal.SIGCONT)
    wait_until(ending.ready, 8, "the service")
    assert calls.remove_service(release.service)


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
    assert (calls.addresses_on("no-such-network"), calls.gateway_of("no-such-network")) == ({}, "")
    assert calls.how_it_fares(container) is None
    assert calls.how_it_fares("0" * 64) is None
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


HEALTH = {"health": {"command": ["test", "-e", "/none"], "within": 1, "interval": 1}}
EATS = "sleep 1; x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo $x | wc -c; sleep 1000"


@pytest.mark.parametrize(
    ("script", "written", "kind", "said", "code"),
    [
        ("sleep 1; exit 3", {}, "exited", "", 3),
        ("exit 0", {}, "exited", "", 0),
        ("", {"volumes": [{"source": "/none", "path": "/x"}]}, "path-missing", "/none", None),
        ("", {"memory_reserved": "900g"}, "no-room", "insufficient resources", None),
        ("", {"entrypoint": ["/no/such"]}, "command-not-found", "no such file or directory", 127),
        ("sleep 1000", HEALTH, "unhealthy", "its health check fails", None),
        (EATS, {"memory": "8m"}, "out-of-memory", "", 137),
    ],
)
def test_why_a_release_does_not_serve(ground, script, written, kind, said, code) -> None:
    """Each in the words of its class, by whatever the engine tells of it first."""
    calls = ground.calls
    release = ground.release("broken", script, restart="no", **written)
    calls.create_service(service_spec(release, networks=[]))
    observer = Observer(calls, release.service)
    try:
        failure = wait_until(lambda: observer.look().failure, 40, "a failure")
        assert (failure.kind, failure.exit_code) == (kind, code)
        assert said in failure.said
        if script.startswith("sleep 1; exit"):
            assert failure.after == pytest.approx(1, abs=0.9)
    finally:
        calls.remove_service(release.service)


def test_that_something_was_killed_for_its_memory_is_no_end_yet() -> None:
    """Newer engines say so of a container that runs: it ends in a moment, or a child of it was."""
    state = {"Status": "running", "OOMKilled": True, "ExitCode": 0}
    assert ended_of_state(state) is None
    ended = ended_of_state({**state, "Status": "exited", "ExitCode": 137})
    assert ended is not None
    assert (ended.oom_killed, ended.exit_code) == (True, 137)


def test_a_release_that_runs_is_seen_running(ground: Ground) -> None:
    """Each slot once, with the address that its tasks have on the network."""
    release = ground.release("fine", "sleep 1000", replicas=2)
    ground.calls.create_service(service_spec(release, networks=[Attached(ground.network)]))
    observer = Observer(ground.calls, release.service, ground.network)
    try:
        wait_until(lambda: len(observer.look().running) == 2, 30, "both to run")
        now = observer.look()
        assert (now.failure, now.ended) == (None, None)
        assert len({task.address for task in now.running}) == 2
    finally:
        ground.calls.remove_service(release.service)


def test_a_release_command_that_ends_well_is_no_failure(ground: Ground) -> None:
    release = ground.release("once", "", release_command=["sh", "-c", "exit 0"])
    spec = service_spec(release, networks=[], one_off=True)
    ground.calls.create_service(spec)
    observer = Observer(ground.calls, spec["Name"], one_off=True)
    try:
        ended = wait_until(lambda: observer.look().ended, 30, "its end")
        assert ended.state == "complete"
        assert observer.look().failure is None
    finally:
        ground.calls.remove_service(spec["Name"])


def test_the_doctor_tries_these_calls_and_changes_nothing(ground: Ground) -> None:
    """Each comes through, and is answered by the engine itself."""
    found = list(doctor_engine.engine(ground.private.address, {}))
    assert [f.found.en for f in found if not f.ok] == []
    client = ground.private.client.api
    assert (client.services(), client.secrets(), client.configs()) == ([], [], [])
    assert ground.calls.largest_memory() > 2**28
