"""Images from a registry with users, from one that does not answer, and from this machine."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import gevent
import pytest

from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.pull import Puller
from cloudbang.deploy.sources import Image
from cloudbang.domain.deploy.failure import Failure
from cloudbang.engine import Engine, images
from tests.deploy.source_ground import TEAM, Ground, Kept
from tests.support import patient, wait_until
from tests.support_registry import PASSWORD, USER, Registry, way_to

pytestmark = pytest.mark.engine
MIB = 1024**2


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    found = Registry()
    yield found
    found.close()


@pytest.fixture(scope="module")
def big(registry: Registry, image: str, docker_client: docker.DockerClient) -> str:
    """The path of an image of some megabytes that is in the registry, and not on the machine."""
    path = f"big-{uuid.uuid4().hex[:8]}"
    name = f"{registry.host}/{path}:1"
    made = docker_client.containers.run(
        image, ["sh", "-c", "head -c 8388608 /dev/urandom >/big"], detach=True, network_mode="none"
    )
    made.wait(timeout=patient(60))
    made.commit(name.rpartition(":")[0], "1")
    made.remove()
    docker_client.images.push(name, auth_config={"username": USER, "password": PASSWORD})
    docker_client.images.remove(name)
    return path


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str
) -> Iterator[tuple[Ground, Puller]]:
    found = Ground(tmp_path_factory.mktemp("ground"), Engine(), allowed_hosts=["127.0.0.1"])
    yield found, found.sources._puller
    found.close()


@pytest.fixture
def ground(whole: tuple[Ground, Puller], registry: Registry) -> Ground:
    ground, puller = whole
    puller._silent = 20.0
    ground.kept = Kept()
    ground.sources.credentials.put(TEAM, "registry", registry.host, USER, PASSWORD)
    return ground


@pytest.fixture
def fetched(docker_client: docker.DockerClient) -> Iterator[list[str]]:
    """The names of images to be taken away afterwards."""
    names: list[str] = []
    yield names
    for name in names:
        subprocess.run(["docker", "image", "rm", "-f", name], capture_output=True)


def pull(ground: Ground, name: str) -> Image:
    release, _ = ground.begin("web", {"image": name})
    return ground.sources.pull(release, ground.log(), ground.kept.tell)


def failure(ground: Ground, name: str) -> Failure:
    with pytest.raises(StepFailed) as found:
        pull(ground, name)
    assert found.value.failure.what == name
    return found.value.failure


def test_an_image_is_fetched_with_the_credentials_of_its_registry(
    ground: Ground, registry: Registry, big: str, fetched: list[str]
) -> None:
    name = f"{registry.host}/{big}:1"
    fetched.append(name)
    found = pull(ground, name)
    assert (found.id[:7], found.name) == ("sha256:", name)
    assert found.digest.startswith(f"{registry.host}/{big}@sha256:")
    assert f"pulling {name} as {USER}" in ground.kept.lines
    last = ground.kept.told[-1]
    assert last["image"] == name
    assert last["layers_done"] == last["layers_all"] == len(last["layers"])
    assert last["done"] == last["total"] >= 8 * MIB
    assert PASSWORD not in ground.kept.text
    # It is used as it is from now on: by name, by digest, by id.
    ground.sources.credentials.forget(TEAM, "registry", registry.host)
    for same in (name, found.digest, found.id):
        assert pull(ground, same).id == found.id


def test_a_release_that_is_kept_gets_its_image_again(
    ground: Ground,
    registry: Registry,
    big: str,
    fetched: list[str],
    docker_client: docker.DockerClient,
) -> None:
    """By its digest, after somebody has removed it, and whatever its name stands for by now."""
    name = f"{registry.host}/{big}:1"
    found = pull(ground, name)
    fetched.append(found.id)
    release, _ = ground.begin("web", {"image": f"{registry.host}/{big}:gone"})
    release = release.with_image(found.id, found.digest)
    docker_client.images.remove(found.id, force=True)
    assert ground.engine.image(found.id) is None
    again = ground.sources.pull_again(release, ground.log(), ground.kept.tell)
    assert (again.id, again.digest) == (found.id, found.digest)
    assert f"pulling {found.digest} as {USER}" in ground.kept.lines
    ground.sources.keep(release)
    fetched.append(release.tag)


def test_a_word_that_an_id_begins_with_is_no_image(ground: Ground, image: str) -> None:
    """The engine would take it for one."""
    found = ground.engine.image(image)
    assert found is not None
    start = found.id.removeprefix("sha256:")[:12]
    assert ground.engine.image(start) is not None
    puller = ground.sources._puller
    assert puller.here(start) is None
    assert puller.here(found.id) is not None


def test_an_image_that_does_not_exist(ground: Ground, registry: Registry, big: str) -> None:
    digest = "sha256:" + "0" * 64
    for name in (f"{registry.host}/{big}:2", f"{registry.host}/{big}@{digest}"):
        assert failure(ground, name).kind == "image-not-found"
    assert failure(ground, digest).kind == "image-not-found"


@pytest.mark.parametrize("name", ["127.0.0.1:9/Capital:1", "127.0.0.1:9/a//b:1"])
def test_what_is_no_name(ground: Ground, name: str) -> None:
    """The engine says so, and asks nobody."""
    found = failure(ground, name)
    assert (found.kind, "invalid reference format" in found.said) == ("image-not-found", True)


@pytest.mark.parametrize("kept", [None, (USER, "wrong")])
def test_a_registry_that_refuses(
    ground: Ground, registry: Registry, big: str, kept: tuple[str, str] | None
) -> None:
    ground.sources.credentials.forget(TEAM, "registry", registry.host)
    if kept:
        ground.sources.credentials.put(TEAM, "registry", registry.host, *kept)
    found = failure(ground, f"{registry.host}/{big}:1")
    assert found.kind == "registry-refused", found


def test_a_registry_that_never_answers(ground: Ground, registry: Registry, big: str) -> None:
    ground.sources._puller._silent = 1.0
    with way_to(registry.port) as port:
        found = failure(ground, f"127.0.0.1:{port}/{big}:1")
    assert (found.kind, found.said) == ("registry-unreachable", "nothing came for 1 s")


def test_a_registry_that_goes_silent_in_the_middle(
    ground: Ground, registry: Registry, big: str
) -> None:
    ground.sources._puller._silent = silent = patient(2)  # longer than a busy engine is
    with way_to(registry.port, after=2 * MIB) as port:
        name = f"127.0.0.1:{port}/{big}:1"
        ground.sources.credentials.put(TEAM, "registry", f"127.0.0.1:{port}", USER, PASSWORD)
        found = failure(ground, name)
    said = f"nothing came for {silent:.0f} s"
    assert (found.kind, found.said) == ("registry-unreachable", said)
    assert 0 < ground.kept.told[-1]["done"] < 8 * MIB


def test_a_registry_that_dies_in_the_middle(ground: Ground, registry: Registry, big: str) -> None:
    """The engine asks again and again, which is no reason to wait."""
    ground.sources._puller._silent = patient(2)
    with way_to(registry.port, after=2 * MIB, dies=True) as port:
        ground.sources.credentials.put(TEAM, "registry", f"127.0.0.1:{port}", USER, PASSWORD)
        found = failure(ground, f"127.0.0.1:{port}/{big}:1")
    assert found.kind == "registry-unreachable"
    assert any("asked again" in line for line in ground.kept.lines)


def test_nobody_there(ground: Ground) -> None:
    found = failure(ground, "127.0.0.1:9/x:1")
    assert found.kind == "registry-unreachable"


def test_this_machine_is_asked_only_where_an_admin_allowed_it(
    tmp_path: Path, engine_socket: str, registry: Registry, big: str
) -> None:
    found = Ground(tmp_path, Engine())
    refused = failure(found, f"{registry.host}/{big}:1")
    assert refused.kind == "registry-refused"
    assert "CLOUDBANG_DEPLOY_ALLOWED_HOSTS" in refused.said
    found.close()


def test_who_cancels_comes_back_when_the_engine_has_ended_it(
    ground: Ground, registry: Registry, big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "ENDS", patient(10))
    with way_to(registry.port, after=2 * MIB) as port:
        name = f"127.0.0.1:{port}/{big}:1"
        ground.sources.credentials.put(TEAM, "registry", f"127.0.0.1:{port}", USER, PASSWORD)
        going = gevent.spawn(pull, ground, name)
        wait_until(lambda: ground.kept.told and ground.kept.told[-1]["done"], 10, "some bytes")
        going.kill(timeout=images.ENDS * 0.8)
        assert going.dead


def test_who_cancels_comes_back_though_the_engine_cannot_end_it(
    ground: Ground, registry: Registry, big: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that waits for the configuration of an image (as 20.10 does, with no way out) ends
    when the registry says something, whatever is asked of it."""
    monkeypatch.setattr(images, "ENDS", 1.0)
    with way_to(registry.port, after=2 * MIB, silent_for=b"/blobs/") as port:
        name = f"127.0.0.1:{port}/{big}:1"
        ground.sources.credentials.put(TEAM, "registry", f"127.0.0.1:{port}", USER, PASSWORD)
        going = gevent.spawn(pull, ground, name)
        wait_until(lambda: "Pulling from" in ground.kept.text, 10, "the manifest")
        going.kill(timeout=patient(8))
        assert going.dead


def test_nothing_is_begun_on_a_disk_that_is_nearly_full(
    tmp_path: Path, engine_socket: str, registry: Registry, big: str
) -> None:
    found = Ground(tmp_path, Engine(), keep_free_bytes=2**60, allowed_hosts=["127.0.0.1"])
    refused = failure(found, f"{registry.host}/{big}:1")
    assert refused.kind == "disk-full"
    assert "GiB are free on the engine's disk" in refused.said
    found.close()
