"""Stacks on an engine, by the calls of the page of a new app: from a Compose file to apps that are
built, handed things and wait for each other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.deploy.git_host import Repository
from tests.deploy.house import Swarm
from tests.deploy.program import Program, folder_of, program_on
from tests.support import holding, wait_until

pytestmark = pytest.mark.engine
PAGES = "nginx:1.27-alpine"  # what the Dockerfile that is written for pages begins with
COMPOSE = """
services:
  db:
    image: {image}
    command: [sh, -c, 'cat /etc/db.conf; echo; trap "exit 0" TERM; while :; do sleep 1000 & wait $$!; done']
    configs: [{{source: conf, target: /etc/db.conf}}]
    secrets: [password]
    healthcheck:
      test: [CMD, grep, -q, canary, /run/secrets/password]
      interval: 1s
      start_period: 20s
  web:
    build: {{context: ./web, args: {{WHO: compose}}}}
    depends_on: {{db: {{condition: service_healthy}}}}
    environment: {{CODE: "${{CODE:-}}"}}
  worker:
    image: {image}
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    depends_on: [web]
{pages}
configs: {{conf: {{content: "conf of db"}}}}
secrets: {{password: {{environment: DB_PASSWORD}}}}
"""
FROM_GIT = """
  pages:
    build: "{url}#next:shop"
    command: [httpd, -f, -h, /usr/share/nginx/html]
    stop_signal: SIGKILL
"""
WEB = """FROM {image}
ARG WHO
RUN echo "built by $WHO" >/said
CMD ["sh", "-c", "cat /said; [ -z \\"$CODE\\" ] || exit $CODE; trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]
"""
SECRET = "canary-password-1"


class Stack:
    """One stack, as the page asks for it."""

    def __init__(self, program: Program, name: str, url: str) -> None:
        self.program, self.name, self.url = program, name, url
        self.path = f"/api/v1/stacks/{name}/deployments"
        self.web = folder_of(**{"web/Dockerfile": WEB.format(image=program.image)})

    def read(self, *, pages: bool = True, **variables: str) -> dict[str, Any]:
        """What the page shows before."""
        git = FROM_GIT.format(url=self.url) if pages else ""
        text = COMPOSE.format(image=self.program.image, pages=git)
        asked = {
            "text": text,
            "name": self.name,
            "variables": {"DB_PASSWORD": SECRET, **variables},
        }
        answer = self.program.http.post("/api/v1/drafts/compose", json=asked)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert [one["problem"] for one in found["services"]] == [None] * len(found["services"])
        return found

    def begin(self, read: dict[str, Any]) -> dict[str, Any]:
        parts = [{key: one[key] for key in ("name", "spec", "after")} for one in read["services"]]
        answer = self.program.http.post(
            self.path,
            data={"services": json.dumps(parts)},
            files={"folder": ("folder.tar", self.web)},
        )
        assert answer.status_code == 202, answer.text
        run: dict[str, Any] = answer.json()
        return run

    def get(self, id: int) -> dict[str, Any]:
        run: dict[str, Any] = self.program.http.get(f"{self.path}/{id}").json()
        return run

    def ended(self, id: int, timeout: float = 120) -> dict[str, Any]:
        """How it ended, its parts by service."""
        wait_until(lambda: self.get(id)["state"] != "running", timeout, f"the end of {id}", 0.2)
        run = self.get(id)
        return {**run, "parts": {part["service"]: part for part in run["parts"]}}

    def deploy(self, **asked: Any) -> dict[str, Any]:
        return self.ended(self.begin(self.read(**asked))["id"])


def states(run: dict[str, Any]) -> dict[str, str]:
    return {name: part["state"] for name, part in run["parts"].items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, image: str) -> Iterator[Repository]:
    made = Repository(tmp_path_factory.mktemp("git"), image)
    yield made
    made.host.close()


@pytest.fixture
def program(
    swarm: Swarm, image: str, docker_client: docker.DockerClient, tmp_path: Path
) -> Iterator[Program]:
    docker_client.images.get(image).tag(PAGES)
    with program_on(swarm, tmp_path, image, CLOUDBANG_DEPLOY_ALLOWED_HOSTS="127.0.0.1") as made:
        yield made
    docker_client.images.remove(PAGES)


@pytest.mark.slow("a stack of four is deployed three times")
def test_a_stack_again_and_again(
    program: Program, source: Repository, docker_client: docker.DockerClient
) -> None:
    """One of it fails: those that need it are not begun, the others serve. Deployed again, what has
    not changed goes on as it is, and what is not named any more as well."""
    stack = Stack(program, "shop", source.url)

    def ids(service: str) -> list[str]:
        its = {"label": f"cloudbang.app=shop.{service}"}
        return [one.id for one in docker_client.containers.list(filters=its)]

    run = stack.deploy(CODE="3")
    wanted = {"db": "serving", "web": "failed", "worker": "skipped", "pages": "serving"}
    assert (run["state"], states(run)) == ("failed", wanted), run
    failed = program.get(run["parts"]["web"]["deployment"])
    assert (failed["class"], failed["exit_code"]) == ("exited", 3)
    db = run["parts"]["db"]["deployment"]
    assert "conf of db" in program.said(db)
    before = ids("db")
    assert len(before) == 1
    run = stack.deploy()
    assert (run["state"], set(states(run).values())) == ("serving", {"serving"}), run
    assert run["parts"]["db"]["deployment"] == db
    assert "built by compose" in program.said(run["parts"]["web"]["deployment"])
    assert run["parts"]["pages"]["deployment"] is not None
    read = stack.read(pages=False)
    assert [one["key"] for one in read["left"]] == ["shop.pages"]
    pages = ids("pages")
    run = stack.ended(stack.begin(read)["id"])
    assert run["state"] == "serving", run
    assert ids("db") == before
    assert ids("pages") == pages
    told = program.http.get("/api/v1/apps/shop.db/releases").text
    assert SECRET not in program.server.said(10**7) + told + str(run)
    assert holding(program.server.storage, SECRET) == []


@pytest.mark.slow("a server that is killed and started while a stack is deployed")
def test_a_server_is_killed_within_a_stack(program: Program, source: Repository) -> None:
    """What is under way and what waits, built of what was sent long ago, comes to its end."""
    stack = Stack(program, "killed-stack", source.url)
    read = stack.read(pages=False)
    db = next(one for one in read["services"] if one["name"] == "db")
    db["spec"]["health"]["command"] = ["sh", "-c", "test -e /late || { sleep 3; touch /late; }"]
    begun = stack.begin(read)
    uploads = program.server.storage / ".deploy" / "uploads"
    (upload,) = uploads.iterdir()

    def in_health() -> bool:
        id = next(part for part in stack.get(begun["id"])["parts"] if part["service"] == "db")
        steps = program.get(id["deployment"])["steps"]
        return any(one["name"] == "health" and one["started"] for one in steps)

    wait_until(in_health, 30, "the first of it to be asked for its health")
    program.server.kill()
    os.utime(upload, (0, 0))
    program.server.start()
    run = stack.ended(begun["id"])
    assert (run["state"], set(states(run).values())) == ("serving", {"serving"}), [
        program.said(part["deployment"]) for part in run["parts"].values() if part["deployment"]
    ]
    wait_until(lambda: not list(uploads.iterdir()), 5, "what was sent to go")
