"""Containers that somebody else made, on a real engine."""

from __future__ import annotations

from collections.abc import Callable

import docker
import pytest

from cloudbang.config import EngineSettings
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.take_over import NO_NETWORK, WRITTEN, take_over
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused, NoSuchContainer
from tests.support import wait_until

pytestmark = pytest.mark.engine

ContainerFactory = Callable[..., object]


@pytest.fixture(scope="module")
def engine(engine_socket: str) -> Engine:
    return Engine(EngineSettings(host=engine_socket))


def test_from_start_to_removal(engine: Engine, container: ContainerFactory) -> None:
    """Each call does what it says, and says whether it was so already."""
    one = container("trap 'exit 5' TERM; while :; do sleep 0.05; done", start=False)

    def state() -> str:
        return engine.container_state(one.id).state  # type: ignore[attr-defined]

    id = str(one.id)  # type: ignore[attr-defined]
    engine.start_container(id)
    engine.start_container(id)
    assert state() == "running"
    engine.pause_container(id)
    assert state() == "paused"
    with pytest.raises(EngineRefused) as refused:
        engine.pause_container(id)
    assert refused.value.engine_status == 409
    engine.unpause_container(id)
    started = engine.container_state(id).started_at
    engine.restart_container(id, 5)
    assert engine.container_state(id).started_at > started
    with pytest.raises(EngineRefused):
        engine.delete_container(id)
    engine.set_restart(id, {"Name": "always"})
    assert engine.inspection(id)["HostConfig"]["RestartPolicy"]["Name"] == "always"
    assert engine.stop_container(id, 5)
    assert not engine.stop_container(id)
    assert engine.inspect(id).exit_code == 5
    engine.start_container(id)
    engine.kill_container(id)
    assert engine.inspect(id).exit_code in (137, None)
    engine.set_restart(id, {"Name": "no"})
    engine.delete_container(id, force=True)
    with pytest.raises(NoSuchContainer):
        engine.inspect(id)


@pytest.mark.parametrize(
    "call",
    ["stop_container", "kill_container", "pause_container", "delete_container", "inspection"],
)
def test_one_that_is_gone_is_said(engine: Engine, call: str) -> None:
    with pytest.raises(NoSuchContainer):
        getattr(engine, call)("0" * 64)


def test_what_runs_is_written_as_a_specification(
    engine: Engine, container: ContainerFactory, image: str, docker_client: docker.DockerClient
) -> None:
    """As a real engine tells of it: what it was given, and nothing of its defaults."""
    volume = docker_client.volumes.create("take-over-test")
    one = container(
        "echo hello > /root/x; sleep 1000000",
        environment={"A": "b"},
        mem_limit="64m",
        restart_policy={"Name": "unless-stopped"},
        volumes={"take-over-test": {"bind": "/data"}},
        labels={"mine": "yes"},
        stop_signal="KILL",
    )
    id = str(one.id)  # type: ignore[attr-defined]
    assert engine.image_inspection("cloudbang.invalid/none:none") is None
    wait_until(lambda: engine.inspection(id).get("SizeRw"), what="it to have written something")
    found = take_over(engine.inspection(id), engine.image_inspection(image))
    labels = found.spec.pop("labels")
    assert labels == {"mine": "yes"}
    assert found.spec == {
        "image": image,
        "command": ["sh", "-c", "echo hello > /root/x; sleep 1000000"],
        "env": {"A": "b"},
        "memory": 64 * 2**20,
        "volumes": [{"path": "/data", "name": "take-over-test"}],
        "stop_signal": "KILL",
    }
    read_spec(found.spec)
    assert {left.why for left in found.left} == {NO_NETWORK, WRITTEN}
    engine.delete_container(id, force=True)
    volume.remove()
