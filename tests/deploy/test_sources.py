"""Where releases come from, as the steps of a deployment ask for it."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import gevent
import pytest

from cloudbang.deploy.errors import StepFailed
from cloudbang.domain.deploy.spec_parts import Build
from cloudbang.engine import Engine
from tests.deploy.canaries import arguments_of_all
from tests.deploy.git_host import LOGIN, Host, git
from tests.deploy.source_ground import TEAM, Ground, Kept
from tests.support import holding, patient, running
from tests.support_registry import Registry

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> Iterator[Ground]:
    found = Ground(tmp_path_factory.mktemp("ground"), Engine(), allowed_hosts=["127.0.0.1"])
    yield found
    found.close()


@pytest.fixture
def ground(whole: Ground) -> Ground:
    whole.kept = Kept()
    return whole


@pytest.fixture
def host(tmp_path: Path, image: str) -> Iterator[Host]:
    folder, work = tmp_path / "served", tmp_path / "work"
    for one in (folder / "web.git", work / "app"):
        one.mkdir(parents=True)
    git("init", "--quiet", "--bare", at=folder / "web.git")
    git("init", "--quiet", at=work)
    (work / "app" / "Dockerfile").write_text(f"FROM {image}\nCOPY . /app\nCMD ls -A /app\n")
    git("add", ".", at=work)
    git("commit", "--quiet", "-m", "one", at=work)
    git("push", "--quiet", str(folder / "web.git"), "main", at=work)
    found = Host(folder)
    yield found
    found.close()


def archive(**files: str) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    made.seek(0)
    return made


def test_a_git_address_is_fetched_and_built(ground: Ground, host: Host, image: str) -> None:
    """Its commit is told; git's own folder is no part of what is built."""
    spec = {"build": {"git": f"{host.url}/web.git", "branch": "main", "folder": "app"}}
    release, deployment = ground.begin(f"git-{uuid.uuid4().hex[:8]}", spec, {"kind": "git"})
    build = release.spec.build
    assert build is not None
    log = ground.log()
    fetched = ground.sources.fetch(deployment, build, log, ground.kept.tell)
    assert len(fetched.commit) == 40
    assert ground.kept.told[-1] == {"commit": fetched.commit}
    assert (fetched.folder / ".git").is_dir()
    made = ground.sources.build(deployment, release, fetched, log, ground.kept.tell)
    said = subprocess.run(
        ["docker", "run", "--rm", "--network=none", made.id], capture_output=True, text=True
    ).stdout
    assert said.split() == ["Dockerfile"]
    ground.sources.discard(deployment.id)
    assert not fetched.folder.exists()
    assert ground.engine.remove_image(release.tag)


def test_credentials_reach_a_git_host_and_nobody_else(ground: Ground, host: Host) -> None:
    host.private = True
    url = f"{host.url}/web.git"
    _, deployment = ground.begin("git-private", {"image": "x"})
    build, log = Build(git=url, branch="main"), ground.log()
    with pytest.raises(StepFailed) as found:
        ground.sources.fetch(deployment, build, log, ground.kept.tell)
    assert (found.value.failure.kind, found.value.failure.what) == ("build-failed", url)
    place = url.removeprefix("http://").partition("/")[0]
    ground.sources.credentials.put(TEAM, "git", place, LOGIN.user, LOGIN.password)
    assert ground.sources.fetch(deployment, build, log, ground.kept.tell).commit
    assert LOGIN.password not in ground.kept.text
    assert not any(LOGIN.password in one for one in host.arguments)
    ground.sources.discard(deployment.id)


def test_what_git_says_is_the_reason(ground: Ground, host: Host) -> None:
    _, deployment = ground.begin("git-none", {"image": "x"})
    for build in (
        Build(git=f"{host.url}/web.git", branch="none"),
        Build(git=f"{host.url}/none.git"),
        Build(git="file:///etc"),
        Build(git="http://169.254.169.254/x.git"),
    ):
        with pytest.raises(StepFailed) as found:
            ground.sources.fetch(deployment, build, ground.log(), ground.kept.tell)
        assert found.value.failure.kind == "build-failed"
        assert found.value.failure.said
    ground.sources.discard(deployment.id)


def test_who_cancels_a_fetch_leaves_no_git_behind(ground: Ground, host: Host) -> None:
    host.slow = True
    _, deployment = ground.begin("git-slow", {"image": "x"})
    build = Build(git=f"{host.url}/web.git")
    going = gevent.spawn(ground.sources.fetch, deployment, build, ground.log(), ground.kept.tell)
    with gevent.Timeout(patient(10)):
        while not host.asked:
            gevent.sleep(0.02)
    going.kill(timeout=patient(5))
    assert going.dead
    place = str(ground.settings.storage.path / ".deploy" / "fetched" / str(deployment.id))
    assert running(place) == []


def test_an_upload_waits_for_its_deployment(ground: Ground) -> None:
    """Until that is settled; one that no deployment was made of is removed at the start."""
    sources = ground.sources
    upload = sources.keep_upload(archive(Dockerfile="FROM scratch\n"))
    _, deployment = ground.begin("sent", {"build": {}}, {"kind": "upload", "upload": upload.id})
    other = sources.keep_upload(archive(a="b"))
    assert sources.sweep(older=0) == 1
    assert sources._uploads.folder(other.id) is None
    fetched = sources.uploaded(deployment.id)
    assert fetched is not None
    assert os.listdir(fetched.folder) == ["Dockerfile"]
    sources.discard(deployment.id)
    assert sources.uploaded(deployment.id) is None
    third = sources.keep_upload(archive(a="b"))
    sources.drop_upload(third.id)
    assert sources._uploads.folder(third.id) is None


def test_what_a_release_runs_is_kept_by_its_name(
    ground: Ground, image: str, docker_client: docker.DockerClient
) -> None:
    release, _ = ground.begin(f"keep-{uuid.uuid4().hex[:8]}", {"image": image})
    found = ground.sources.pull(release, ground.log(), ground.kept.tell)
    kept = release.with_image(found.id, found.digest)
    ground.sources.keep(kept)
    ground.sources.keep(kept)  # as it is after a restart in between
    assert release.tag in docker_client.images.get(found.id).tags
    assert ground.engine.remove_image(release.tag)
    assert not ground.engine.remove_image(release.tag)
    with pytest.raises(StepFailed) as gone:
        ground.sources.keep(release.with_image("sha256:" + "0" * 64))
    assert gone.value.failure.kind == "image-not-found"


def test_a_secret_is_nowhere(
    ground: Ground, image: str, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    """Neither an app's nor a registry's: not in logs, files, arguments, images, progress."""
    secret, password = (f"canary-{uuid.uuid4().hex}" for _ in range(2))
    registry = Registry()
    with arguments_of_all() as seen, closing(registry):
        ground.sources.credentials.put(TEAM, "registry", registry.host, "ada", password)
        ground.secrets.put("canary", {"KEY": secret})
        spec = {"image": f"{registry.host}/none:1", "secrets": {"KEY": None}}
        release, _ = ground.begin("canary", spec)
        log = ground.log((secret,))
        with pytest.raises(StepFailed) as refused:
            ground.sources.pull(release, log, ground.kept.tell)
        assert refused.value.failure.kind == "registry-refused"
        (tmp_path / "Dockerfile").write_text(f"FROM {image}\nRUN echo {secret} | cat\n")
        spec = {"build": {}, "secrets": {"KEY": None}}
        (tmp_path / "Dockerfile").write_text(f"FROM {image}\nRUN echo 'key {secret[:10]}'\n")
        release, deployment = ground.begin("canary", spec, {"kind": "upload"})
        from cloudbang.deploy.sources import Fetched

        made = ground.sources.build(deployment, release, Fetched(tmp_path), log, ground.kept.tell)
    history = str(docker_client.api.history(made.id)) + str(
        docker_client.api.inspect_image(made.id)
    )
    told = f"{refused.value.failure} {ground.kept.told} {ground.kept.text} {history} {seen}"
    for canary in (secret, password):
        assert canary not in told
        assert holding(ground.settings.storage.path, canary) == []
    assert ground.engine.remove_image(release.tag)
