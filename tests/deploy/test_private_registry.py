"""An image of a private registry, by the calls of the page of a new app; what serves needs the registry
no more."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from tests.deploy import apps
from tests.deploy.canaries import arguments_of_all
from tests.deploy.house import Swarm
from tests.deploy.program import Program, program_on
from tests.support import holding, wait_until
from tests.support_registry import PASSWORD, USER, Registry, way_to

pytestmark = pytest.mark.engine
WRONG = "canary-wrong-1"


@pytest.fixture(scope="module")
def registry(image: str, docker_client: docker.DockerClient) -> Iterator[Registry]:
    """With two images of one name."""
    made = Registry()
    try:
        for tag in ("1", "2"):
            name = f"{made.host}/shop:{tag}"
            docker_client.images.get(image).tag(name)
            login = {"username": USER, "password": PASSWORD}
            pushed = docker_client.images.push(name, auth_config=login)
            assert "errorDetail" not in pushed, pushed
            docker_client.images.remove(name)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def program(
    swarm: Swarm, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("server")
    with program_on(swarm, folder, image, CLOUDBANG_DEPLOY_ALLOWED_HOSTS="127.0.0.1") as made:
        yield made


@pytest.fixture
def arguments() -> Iterator[list[str]]:
    """Of every process meanwhile."""
    with arguments_of_all() as seen:
        yield seen


def test_a_registry_that_hangs_is_left_at_once(program: Program, registry: Registry) -> None:
    """By who cancels; the next one of the app goes on."""
    with way_to(registry.port) as port:
        name = f"127.0.0.1:{port}/shop:1"
        id = program.begin("hangs", spec=apps.web(name))["id"]
        wait_until(lambda: f"pulling {name}" in program.said(id), 20, "the pull to begin")
        done = program.cancel(id)
    assert (done["state"], done["cancelled_by"]) == ("cancelled", "tests")
    next_one = program.ended(program.begin("hangs", spec=apps.web(program.image))["id"])
    assert next_one["state"] == "serving", program.said(next_one["id"])


@pytest.mark.slow("five deployments, one after the other")
def test_from_a_refusal_to_going_back_without_it(
    program: Program,
    registry: Registry,
    docker_client: docker.DockerClient,
    arguments: list[str],
) -> None:
    """No credentials, wrong ones, the right ones, which are nowhere to be read; then the registry is
    gone."""
    told = []
    keep = f"/api/v1/credentials/registry/{registry.host.replace(':', '%3A')}"

    def deploy(tag: str, release: str) -> dict[str, object]:
        spec = apps.web(f"{registry.host}/shop:{tag}", release)
        done = program.ended(program.begin("shop", spec=spec)["id"])
        told.append((done, program.said(done["id"])))
        return done

    for user, password in (("", ""), (USER, WRONG)):
        if user:
            answer = program.http.put(keep, json={"user": user, "password": password})
            assert answer.status_code == 204, answer.text
        refused = deploy("1", "one")
        assert (refused["state"], refused["class"]) == ("failed", "registry-refused"), told[-1]
        assert "Check the user and the password" in str(refused["sentence"])
    answer = program.http.put(keep, json={"user": USER, "password": PASSWORD})
    assert answer.status_code == 204, answer.text
    releases = [deploy(tag, f"release {tag}") for tag in ("1", "2")]
    assert [one["state"] for one in releases] == ["serving", "serving"], told
    registry.close()
    for tag in ("1", "2"):
        docker_client.images.remove(f"{registry.host}/shop:{tag}")
    back = program.ended(program.begin("shop", release=releases[0]["release"])["id"])
    told.append((back, program.said(back["id"])))
    assert back["state"] == "serving", told[-1]
    assert "pulling" not in " ".join(program.said(back["id"]))
    told.append(program.http.get("/api/v1/credentials").json())
    assert registry.host in str(told[-1])
    told.append(program.http.get("/api/v1/apps/shop/releases").json())
    told.append(program.server.said(10**7))
    told.append(docker_client.api.services())
    for canary in (WRONG, PASSWORD):
        assert canary not in str(told)
        assert not any(canary in one for one in arguments)
        assert holding(program.server.storage, canary) == []
