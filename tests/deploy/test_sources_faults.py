"""What an engine does to a pull or a build: its disk is full, it is killed, it is stopped."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import gevent
import pytest

from cloudbang.config import EngineSettings
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.sources import Fetched
from cloudbang.engine import Engine
from cloudbang.errors import EngineUnreachable
from tests.deploy.source_ground import TEAM, Ground, Kept
from tests.support import patient, wait_until
from tests.support_engine import PrivateEngine
from tests.support_registry import PASSWORD, USER, Registry

pytestmark = pytest.mark.engine
MIB = 1024**2


class Small(Ground):
    """On an engine whose disk is small, beside a registry with what does not fit on it."""

    def __init__(self, folder: Path, private: PrivateEngine, registry: Registry) -> None:
        engine = Engine(EngineSettings(host=private.address))
        super().__init__(folder, engine, allowed_hosts=["127.0.0.1"])
        self.private, self.registry = private, registry
        self.image = private.image()
        self.sources.credentials.put(TEAM, "registry", registry.host, USER, PASSWORD)


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory,
    engine_socket: str,
    image: str,
    docker_client: docker.DockerClient,
) -> Iterator[Small]:
    registry = Registry()
    private = PrivateEngine(bridge=True)
    try:
        name = f"{registry.host}/big:1"
        script = "head -c 41943040 /dev/urandom >/big"
        made = docker_client.containers.run(
            image, ["sh", "-c", script], detach=True, network_mode="none"
        )
        made.wait(timeout=patient(60))
        made.commit(name.rpartition(":")[0], "1")
        made.remove()
        docker_client.images.push(name, auth_config={"username": USER, "password": PASSWORD})
        docker_client.images.remove(name)
        registry.move_to(private.id)
        data = private.folder / "data"
        data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(data)], check=True)
        private.start()
        found = Small(tmp_path_factory.mktemp("ground"), private, registry)
        yield found
        found.close()
    finally:
        registry.close()
        private.close()


@pytest.fixture
def ground(whole: Small) -> Small:
    whole.kept = Kept()
    return whole


def build(ground: Small, folder: Path, script: str) -> object:
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM {ground.image}\nRUN {script}\n")
    release, deployment = ground.begin(
        f"f-{uuid.uuid4().hex[:6]}", {"build": {}}, {"kind": "upload"}
    )
    log = ground.log()
    return ground.sources.build(deployment, release, Fetched(folder), log, ground.kept.tell)


def test_the_disk_is_full_in_a_pull(ground: Small) -> None:
    release, _ = ground.begin("full", {"image": f"{ground.registry.host}/big:1"})
    with pytest.raises(StepFailed) as found:
        ground.sources.pull(release, ground.log(), ground.kept.tell)
    assert found.value.failure.kind == "disk-full", found.value.failure


def test_the_disk_is_full_in_a_build(ground: Small, tmp_path: Path) -> None:
    with pytest.raises(StepFailed) as found:
        build(ground, tmp_path, "dd if=/dev/zero of=/big bs=1M count=64")
    failure = found.value.failure
    assert (failure.kind, failure.exit_code) == ("disk-full", 1), failure


@pytest.mark.slow("an engine is started again")
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_an_engine_that_ends_within_a_build_is_no_fault_of_it(
    ground: Small, tmp_path: Path, how: str
) -> None:
    """It is to be tried again; what came until then is in the log."""
    going = gevent.spawn(build, ground, tmp_path, f"echo begun {how}; sleep 30")
    wait_until(lambda: f"begun {how}" in ground.kept.text, 20, "the command of the build")
    getattr(ground.private, how)()
    with pytest.raises(EngineUnreachable):
        going.get(timeout=patient(20))
    ground.private.start()
    assert build(ground, tmp_path, "true")
