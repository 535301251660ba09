"""Operating over HTTP: who may, what is said of one that is not there, several at once; and containers
and Compose projects on a real engine."""

from __future__ import annotations

import dataclasses
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.apps import Instance
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person
from tests.web.web_support import WebGround

WHEN = "2026-07-01T12:00:00.000000000Z"
WEB = Instance(
    id="0123456789ab" + "0" * 52,
    name="web",
    app="web",
    stack=None,
    image="busybox",
    image_id="sha256:0",
    state="running",
    created=WHEN,
)
NOBODYS = "ffffffffffff"


def test_who_may_not_operate_is_told_so(ground: WebGround) -> None:
    """A viewer sees an app and its containers, and stops none."""
    ground.inventory._change([WEB])
    viewer = ground.program("viewer")
    for path in (
        *("apps/web/start", "apps/web/stop", "apps/web/restart", "apps/web/redeploy"),
        *(f"containers/{WEB.short}/stop", f"containers/{WEB.short}/take_over", "operations"),
    ):
        answer = viewer.post(f"/api/v1/{path}", {})
        assert (answer.status_code, answer.json["code"]) == (403, "not-allowed"), path
    assert viewer.delete(f"/api/v1/containers/{WEB.short}", json={}).status_code == 403


def test_a_container_of_another_team_is_not_there(ground: WebGround) -> None:
    """As one that there is not, for each verb and alone or among several."""
    ground.accounts.teams.create("blue")
    ground.apps.create("blue-web", "blue", "put")
    ground.inventory._change([dataclasses.replace(WEB, app="blue-web")])
    admin = ground.person()
    for verb in ("start", "stop", "restart", "kill", "pause", "unpause", "take_over"):
        theirs, nobodys = (
            admin.post(f"/api/v1/containers/{id}/{verb}", {}).json for id in (WEB.short, NOBODYS)
        )
        assert theirs["code"] == nobodys["code"] == "no-such-container"
    answer = admin.post(
        "/api/v1/operations",
        {"what": "stop", "apps": ["blue-web", "x"], "containers": [WEB.short, NOBODYS, "../x"]},
    )
    assert [(one["done"], one["code"]) for one in answer.json["outcomes"]] == [
        *[(False, "no-such-app")] * 2,
        *[(False, "no-such-container")] * 3,
    ]


def test_what_cannot_be_asked_for(ground: WebGround) -> None:
    ground.inventory._change([WEB])
    admin = ground.person()
    assert admin.post("/api/v1/apps/web/scale", {"replicas": 101}).json["name"] == "replicas"
    assert admin.post("/api/v1/apps/web/scale", {"replicas": 2}).json["code"] == "not-deployed"
    assert admin.post("/api/v1/apps/web/redeploy").json["code"] == "not-deployed"
    several = {"what": "kill", "apps": ["web"]}
    assert admin.post("/api/v1/operations", several).json["name"] == "what"
    assert admin.post(f"/api/v1/containers/{WEB.short}/explode").status_code == 404
    assert admin.post("/api/v1/stacks/none/up").json["code"] in (
        "no-such-stack",
        "engine-unreachable",
    )


# --- on a real engine


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> Iterator[Person]:
    server = ServerProcess(tmp_path_factory.mktemp("operate"), {"DOCKER_HOST": engine_socket})
    try:
        with Person(server.start()) as person:
            yield person
    finally:
        server.close()


def known(admin: Person, app: str, state: str) -> str:
    """The short id of the app's container once it is in that state."""

    def found() -> str:
        answer = admin.ask("GET", f"/apps/{app}")
        its = answer.json().get("instances", []) if answer.status_code == 200 else []
        return next((str(one["id"]) for one in its if one["state"] == state), "")

    return wait_until(found, 15, f"{app} to be {state}")


@pytest.mark.engine
def test_a_container_is_operated(admin: Person, container: Callable[..., Any]) -> None:
    """Each verb does what it says; what the engine refuses is said in its words; all are events."""
    app = container("echo here; trap 'exit 3' TERM; while :; do sleep 0.05; done").name
    id = known(admin, app, "running")
    wait_until(lambda: admin.ask("GET", f"/apps/{app}").json()["next"] > 1, 10, "its line")

    def do(verb: str) -> Any:
        return admin.ask("POST", f"/containers/{id}/{verb}", {})

    assert do("pause").status_code == 204
    refused = do("pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "operation-refused")
    assert "already paused" in refused.json()["detail"]
    assert do("unpause").status_code == 204
    assert do("stop").status_code == 204
    assert known(admin, app, "exited") == id
    assert admin.ask("POST", f"/apps/{app}/start").json()["instances"][0]["state"] == "running"
    assert admin.ask("DELETE", f"/containers/{id}", {}).status_code == 409
    outcomes = admin.ask(
        "POST", "/operations", {"what": "kill", "containers": [id, NOBODYS]}
    ).json()
    assert [one["done"] for one in outcomes["outcomes"]] == [True, False]

    def told() -> list[str]:
        events = admin.ask("GET", f"/apps/{app}/events").json().get("events", [])
        return [one["data"]["what"] for one in events if one["kind"] == "action"]

    wait_until(lambda: told() == ["pause", "unpause", "stop", "start", "kill"], 10)
    several = {"what": "delete", "apps": [app, "nobody"]}
    refused = admin.ask("POST", "/operations", several).json()["outcomes"]
    assert [one["code"] for one in refused] == ["app-in-use", "no-such-app"]
    assert admin.ask("DELETE", f"/containers/{id}", {"force": True}).status_code == 204
    # Of what CloudBang did not deploy only what is kept of it is left to be deleted.
    (outcome,) = admin.ask("POST", "/operations", {"what": "delete", "apps": [app]}).json()[
        "outcomes"
    ]
    assert outcome == {"app": app, "done": True}
    assert admin.ask("GET", f"/apps/{app}").status_code == 404
    assert admin.ask("POST", f"/containers/{id}/start").status_code == 404


@pytest.mark.engine
def test_what_a_container_would_be_as_an_app(admin: Person, container: Callable[..., Any]) -> None:
    """In the reader's language."""
    app = container(environment={"A": "b"}, privileged=True, start=False).name
    path = f"/api/v1/containers/{known(admin, app, 'created')}/take_over"
    headers = {"Accept-Language": "zh-CN"}
    found = admin.client.get(path, headers=headers).json()
    assert (found["app"], found["spec"]["env"], found["because"]) == (app, {"A": "b"}, [])
    whys = {one["option"]: one["why"] for one in found["left"]}
    assert whys["--privileged"].startswith("特权容器")


@pytest.mark.engine
@pytest.mark.slow("Compose starts and stops a project three times")
def test_a_compose_project_comes_up_and_goes_down(
    admin: Person, container: Callable[..., Any], image: str, tmp_path: Path
) -> None:
    """As its file says; one whose file is gone is shown, and says so; one that is down as well."""
    name = f"shop{uuid.uuid4().hex[:6]}"
    file = tmp_path / "compose.yaml"
    file.write_text(
        f"services:\n  web:\n    image: {image}\n    command: sleep 1000\n    network_mode: none\n"
        "    stop_signal: KILL\n    environment: {HOME_OF_OURS: '${CLOUDBANG_ADMIN_PASSWORD:-unset}'}\n"
    )
    labels = {
        "com.docker.compose.project": name,
        "com.docker.compose.service": "seed",
        "com.docker.compose.project.config_files": str(file),
        "com.docker.compose.project.working_dir": str(tmp_path),
        "com.docker.compose.oneoff": "False",
    }
    container(labels=labels)

    def stack() -> Any:
        found = admin.ask("GET", "/stacks").json()["stacks"]
        return next((one for one in found if one["name"] == name), None)

    assert stack() == {
        "name": name,
        "folder": str(tmp_path),
        "files": [str(file)],
        "apps": [f"{name}.seed"],
        "containers": 1,
        "unreadable": "",
    }
    answer = admin.ask("POST", f"/stacks/{name}/up")
    assert answer.status_code == 200, answer.text
    known(admin, f"{name}.web", "running")
    assert stack()["apps"] == [f"{name}.seed", f"{name}.web"]
    assert admin.ask("POST", f"/stacks/{name}/down").status_code == 200
    assert stack()["containers"] in (0, 1)  # the one that is not in its file may stay
    file.write_text("services: [")
    failed = admin.ask("POST", f"/stacks/{name}/up")
    assert (failed.status_code, failed.json()["code"]) == (409, "compose-failed")
    os.unlink(file)
    assert stack()["unreadable"] == str(file)
    unreadable = admin.ask("POST", f"/stacks/{name}/up")
    assert (unreadable.status_code, unreadable.json()["code"]) == (409, "stack-unreadable")
