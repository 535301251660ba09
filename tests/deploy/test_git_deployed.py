"""From a Git address to an app that serves, by the calls of the page of a new app; a push deploys its
next commit."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any

import docker
import gevent
import httpx
import pytest

from cloudbang.deploy.git import ASKS, REFUSES
from tests.deploy import apps
from tests.deploy.git_host import LOGIN, Repository
from tests.deploy.house import Swarm
from tests.deploy.program import Program, program_on
from tests.support import patient, running, wait_until

pytestmark = pytest.mark.engine
PAGES = "nginx:1.27-alpine"  # what the Dockerfile that is written for pages begins with
SERVE = ["httpd", "-f", "-p", "8080", "-h", "/usr/share/nginx/html"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[Repository]:
    made = Repository(tmp_path_factory.mktemp("git"), image)
    made.host.private = True
    yield made
    made.host.close()


@pytest.fixture(scope="module")
def program(
    swarm: Swarm,
    image: str,
    docker_client: docker.DockerClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Program]:
    docker_client.images.get(image).tag(PAGES)
    folder = tmp_path_factory.mktemp("server")
    with program_on(swarm, folder, image, CLOUDBANG_DEPLOY_ALLOWED_HOSTS="127.0.0.1") as made:
        yield made
    docker_client.images.remove(PAGES)
    swarm.forget_gateway()


def keep(program: Program, source: Repository, user: str, password: str) -> None:
    path = f"/api/v1/credentials/git/{source.place}"
    answer = program.http.put(path, json={"user": user, "password": password})
    assert answer.status_code == 204, answer.text


def look(program: Program, source: Repository, **build: str) -> httpx.Response:
    return program.http.post("/api/v1/drafts/git", json={"git": source.url, **build})


def page_of(program: Program, app: str) -> str:
    """What it answers through the gateway."""
    port = program.server.environ["CLOUDBANG_GATEWAY_HTTP_PORT"]
    headers = {"Host": f"{app}.localhost:{port}"}
    return httpx.get(
        f"http://127.0.0.1:{port}/", headers=headers, trust_env=False, timeout=patient(20)
    ).text


def push(program: Program, hook: dict[str, Any], commit: str, branch: str) -> dict[str, Any]:
    """As Gitea tells of one."""
    body = json.dumps({"ref": f"refs/heads/{branch}", "after": commit, "pusher": {"login": "eve"}})
    headers = {
        "X-Gitea-Event": "push",
        "X-Gitea-Delivery": f"{branch} {commit}",
        "X-Gitea-Signature": hmac.new(hook["secret"].encode(), body.encode(), "sha256").hexdigest(),
        "Content-Type": "application/json",
    }
    answer = httpx.post(
        program.server.url + hook["path"],
        content=body,
        headers=headers,
        trust_env=False,
        timeout=patient(20),
    )
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_private_source_says_what_it_wants(program: Program, source: Repository) -> None:
    """Without credentials, and with wrong ones: in a look, and when it is deployed."""
    for user, words in (("", ASKS), (LOGIN.user, REFUSES)):
        if user:
            keep(program, source, user, "wrong-canary")
        found = look(program, source)
        assert (found.status_code, found.json()["code"]) == (422, "git-failed")
        assert found.json()["detail"] == f"the source {source.url} could not be fetched: {words}"
        begun = program.begin("git-refused", spec={"build": {"git": source.url}})
        failed = program.ended(begun["id"])
        assert (failed["state"], failed["class"]) == ("failed", "build-failed")
        assert words in failed["sentence"]
        chinese = {"Accept-Language": "zh"}
        read = program.http.get(f"/api/v1/deployments/{begun['id']}", headers=chinese).json()
        assert "密码" in read["sentence"]
        assert "wrong-canary" not in str((found.text, failed, program.said(begun["id"])))


@pytest.mark.slow("two deployments that are built, one after the other")
def test_from_an_address_to_a_push(program: Program, source: Repository) -> None:
    keep(program, source, LOGIN.user, LOGIN.password)
    own = look(program, source)
    assert own.status_code == 200, own.text
    own = own.json()
    assert (own["has_dockerfile"], own["port"], own["recipe"]) == (True, 9090, None)
    found = look(program, source, branch="next", folder="shop").json()
    assert (found["has_dockerfile"], found["port"]) == (False, 80)
    assert found["recipe"]["language"] == "static"
    build = {"git": source.url, "branch": "next", "folder": "shop"}
    build["recipe"] = found["recipe"]["text"]
    spec = {"build": build, "port": 8080, "command": SERVE, "route": {}, **apps.DEAF}
    spec["secrets"] = {"KEY": "canary-secret"}
    first = program.ended(program.begin("git-shop", spec=spec)["id"])
    assert first["state"] == "serving", (first, program.said(first["id"]))
    assert page_of(program, "git-shop") == "one"
    (release,) = program.http.get("/api/v1/apps/git-shop/releases").json()["releases"]
    assert release["commit"] == found["commit"]
    path = "/api/v1/apps/git-shop/webhooks"
    hook = program.http.post(path, json={"kind": "gitea"}).json()
    commit = source.write("two")
    assert push(program, hook, commit, "main")["skipped"] == "other-branch"
    told = push(program, hook, commit, "next")
    done = program.ended(told["id"])
    assert done["state"] == "serving", (done, program.said(done["id"]))
    assert page_of(program, "git-shop") == "two"
    releases = program.http.get("/api/v1/apps/git-shop/releases").json()["releases"]
    assert [one["commit"] for one in releases] == [commit, found["commit"]]
    assert [one["spec"]["secrets"] for one in releases] == [{"KEY": None}] * 2
    assert "eve" in done["by"]
    fetched = program.server.storage / ".deploy" / "fetched"
    assert fetched.is_dir()
    wait_until(lambda: not list(fetched.iterdir()), 5, "what was fetched to go")
    assert LOGIN.password not in program.server.said(10**6)
    assert not any(LOGIN.password in one for one in source.host.arguments)


def test_a_host_that_hardly_answers_is_left_at_once(program: Program, source: Repository) -> None:
    """By who cancels: nothing is left of it, neither git nor what it has fetched."""
    source.host.trickles = True
    try:
        source.host.asked.clear()
        keep(program, source, LOGIN.user, LOGIN.password)
        id = program.begin("git-slow", spec={"build": {"git": source.url, "branch": "next"}})["id"]
        wait_until(lambda: source.host.asked, 20, "git to ask")
        gevent.sleep(0.5)
        done = program.cancel(id)
    finally:
        source.host.trickles = False
    assert (done["state"], done["cancelled_by"]) == ("cancelled", "tests")
    fetched = program.server.storage / ".deploy" / "fetched"
    wait_until(lambda: not list(fetched.iterdir()), 3, "what was fetched to go")
    assert running(str(fetched)) == []
