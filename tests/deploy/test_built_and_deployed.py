"""What is built from a folder that was sent, carried out to its end on the machine's engine."""

from __future__ import annotations

import io
import tarfile
import uuid

import docker
import pytest

from cloudbang.deploy.service import Wanted
from cloudbang.domain.deploy.fields import SpecInvalid
from tests.deploy import apps
from tests.deploy.house import House
from tests.support import running, wait_until

pytestmark = pytest.mark.engine
SERVE = ["httpd", "-f", "-p", "8080", "-h", "/usr/share/nginx/html"]


def send(house: House, **files: str) -> str:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    made.seek(0)
    return house.sources.keep_upload(made).id


def gone(house: House, upload: str) -> None:
    """It is removed right after its deployment is settled."""
    wait_until(lambda: house.sources._uploads.folder(upload) is None, 5, "the folder to go")


def begin(house: House, app: str, spec: dict[str, object], upload: str) -> int:
    return house.deployments.begin(app, Wanted(spec, upload=upload), "ada", admin=True).id


@pytest.mark.slow("three deployments, one after the other")
def test_a_folder_is_built_serves_and_can_be_gone_back_to(
    house: House, image: str, docker_client: docker.DockerClient
) -> None:
    """With the Dockerfile that was written for it, which is kept with the release; of the folder
    nothing is left. To go back to it nothing is built."""
    docker_client.images.get(image).tag("nginx", "1.27-alpine")
    spec = {"build": {}, "port": 8080, "command": SERVE, **apps.DEAF}
    try:
        ids = []
        for text in ("one", "two"):
            upload = send(house, **{"index.html": text})
            ids.append(begin(house, "pages", spec, upload))
            done = house.wait(ids[-1])
            assert done.state == "serving", (done, house.lines(ids[-1]))
            gone(house, upload)
    finally:
        docker_client.images.remove("nginx:1.27-alpine")
    assert done.steps[0].name == "build"
    assert "FROM nginx:1.27-alpine" in house.lines(ids[0])
    release = house.store.release("pages", 1)
    assert release is not None
    assert release.spec.build is not None
    assert release.spec.build.recipe.startswith("FROM nginx:1.27-alpine\n")
    assert release.tag in docker_client.images.get(release.image_id).tags
    back = house.deployments.begin("pages", Wanted(release=1), "ada", admin=True).id
    gone_back = house.wait(back)
    assert gone_back.state == "serving", house.lines(back)
    assert "build" not in [step.name for step in gone_back.steps]
    for number in (1, 2):
        docker_client.images.remove(f"cloudbang/pages:r{number}", force=True)


@pytest.mark.slow("two deployments, one of them built")
def test_what_was_built_runs_on_with_another_configuration(
    house: House, image: str, docker_client: docker.DockerClient
) -> None:
    """The folder is not sent again to set a variable; to build it otherwise it is. What is not on the
    machine any more is said before anything is begun."""
    spec = {"build": {}, "port": 8080, "command": SERVE, **apps.DEAF}
    with pytest.raises(SpecInvalid, match="missing"):
        begin(house, "set", spec, "")
    lines = f"FROM {image}\nCOPY index.html /usr/share/nginx/html/"
    built = house.wait(
        begin(house, "set", spec, send(house, Dockerfile=lines, **{"index.html": "x"}))
    )
    assert built.state == "serving"
    changed = {**spec, "env": {"WAY": "two"}, "release_command": ["true"]}
    with pytest.raises(SpecInvalid, match=r"^build\.args: .* not kept"):
        begin(house, "set", {**changed, "build": {"args": {"A": "b"}}}, "")
    done = house.wait(id := begin(house, "set", changed, ""))
    assert done.state == "serving", house.lines(id)
    assert [step.name for step in done.steps][:2] == ["release_command", "start"]
    (container,) = house.engine.released("set", 2)
    assert house.environment(container)["WAY"] == "two"
    (first, second) = (house.store.release("set", n) for n in (1, 2))
    assert first is not None
    assert second is not None
    assert second.image_id == first.image_id
    assert second.spec.build == first.spec.build
    assert {first.tag, second.tag} <= {*docker_client.images.get(first.image_id).tags}
    assert (house.deployments.more(id) or [None])[0] == {"kind": "built", "release": 1}
    house.engine.remove_service(second.service)
    wait_until(lambda: not house.engine.released("set", 2), what="its container to go")
    docker_client.images.remove(first.image_id, force=True)
    with pytest.raises(SpecInvalid, match="not on this machine"):
        begin(house, "set", spec, "")


def test_a_build_is_cancelled_and_the_next_one_begins(house: House, image: str) -> None:
    marker = f"95{uuid.uuid4().int % 10**7}"

    upload = send(house, Dockerfile=f"FROM {image}\nRUN sleep {marker}\n")
    id = begin(house, "slow", {"build": {}}, upload)
    wait_until(lambda: running(marker), 30, "the command of the build")
    house.deployments.cancel(id, "ada")
    done = house.wait(id)
    assert (done.state, running(marker)) == ("cancelled", [])
    gone(house, upload)
    next_one = send(house, Dockerfile=f"FROM {image}\nRUN exit 7\n")
    id = begin(house, "slow", {"build": {}}, next_one)
    done = house.wait(id)
    assert done.failure is not None
    assert (done.failure.kind, done.failure.exit_code) == ("build-failed", 7)
    assert done.failure.what == "[2/2] RUN exit 7"
