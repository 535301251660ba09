"""Deleting an app's log, an app, and putting one away: over HTTP, while pages look."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from tests.web.web_support import Client, WebGround

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


@pytest.fixture
def admin(ground: WebGround) -> Client:
    ground.log("web", [f"line {n}" for n in range(10)])
    ground.events.add(Event("web", WHEN, "start"))
    return ground.person()


def test_what_would_be_deleted_is_said(ground: WebGround, admin: Client) -> None:
    """Bytes, lines, from when to when, events; to nobody who may not."""
    body = admin.get("/api/v1/apps/web/removal").json
    assert body == {
        "bytes": ground.store.size("web"),
        "lines": 10,
        "events": 1,
        "first_time": "2025-06-15T15:06:40.000000000Z",
        "last_time": "2025-06-15T15:06:49.000000000Z",
        "deployed": False,
        **{key: [] for key in ("services", "containers", "stay", "volumes", "images", "secrets")},
        **{"route": "", "releases": 0, "deployments": 0},
    }
    viewer = ground.program("viewer")
    assert viewer.get("/api/v1/apps/web/removal").status_code == 403


def test_deleting_a_log(ground: WebGround, admin: Client) -> None:
    """The lines are gone at once for every question, the app is not, its seqs go on."""
    ground.inventory._change([WEB])
    assert admin.delete("/api/v1/apps/web/lines").status_code == 204
    nothing = {"lines": [], "first": 11, "next": 11, "levels": [], "entries": []}
    assert admin.get("/api/v1/apps/web/lines").json == nothing
    assert admin.get("/api/v1/apps/web/lines?after=0&q=line").json["lines"] == []
    assert admin.get("/api/v1/apps/web/download").data == b""
    assert admin.get("/api/v1/apps/web").json["last_line"] is None
    assert [e["kind"] for e in admin.get("/api/v1/apps/web/events").json["events"]] == ["start"]
    ground.log("web", ["after"])
    assert [line[0] for line in admin.get("/api/v1/apps/web/lines").json["lines"]] == [11]
    assert ground.inventory.instances() == [WEB]


def told(ground: WebGround, app: str) -> list[dict[str, object]]:
    """The actions of people among an app's events."""
    ground.recorder.start()
    ground.recorder.stop()
    return [event.data for event in ground.events.list(app) if event.kind == "action"]


def test_who_deleted_a_log_is_an_event(ground: WebGround, admin: Client) -> None:
    """With how much went; deleting nothing is none."""
    size = ground.store.size("web")
    for _ in range(2):
        assert admin.delete("/api/v1/apps/web/lines").status_code == 204
        ground.inventory._change([WEB])  # else the app is not there the second time
    deleted = {"who": "admin", "what": "log-delete", "lines": 10, "bytes": size}
    assert told(ground, "web") == [deleted]


def test_who_deleted_an_app_is_in_our_own_log(
    ground: WebGround, admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """There are no events any more that could tell."""
    size = ground.store.size("web")
    assert admin.delete("/api/v1/apps/web").status_code == 204
    said = f"admin deleted the app web of the team default: 10 lines, {size} bytes, 1 events"
    assert said in caplog.messages
    assert told(ground, "web") == []


def test_a_container_that_comes_while_its_app_is_deleted(
    ground: WebGround, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app stays; that its log is gone stands in its events."""
    forget = ground.store.forget

    def comes(app: str, leaving: Callable[[], bool]) -> bool:
        ground.inventory._change([WEB])
        return forget(app, leaving)

    monkeypatch.setattr(ground.store, "forget", comes)
    refused = admin.delete("/api/v1/apps/web")
    assert (refused.status_code, refused.json["code"]) == (409, "app-in-use")
    assert admin.get("/api/v1/apps/web/lines").json["lines"] == []
    assert [(data["what"], data["lines"]) for data in told(ground, "web")] == [("log-delete", 10)]


@pytest.mark.parametrize("runs", [False, True])
def test_a_download_that_runs_is_cut(ground: WebGround, admin: Client, runs: bool) -> None:
    """What was read before the deletion was sent; that it is not the whole shows in its end,
    whether the app is still there or went with its lines."""
    if runs:
        ground.inventory._change([dataclasses.replace(WEB, id="d" * 64, name="big")])
    ground.log("big", ["x" * 1000 for _ in range(3000)])
    answer = admin.get("/api/v1/apps/big/download", buffered=False)
    pieces = iter(answer.response)
    first = next(pieces)
    assert first
    assert admin.delete("/api/v1/apps/big/lines").status_code == 204
    with pytest.raises(BrokenPipeError):
        b"".join(pieces)
    answer.close()


def test_deleting_an_app(ground: WebGround, admin: Client, tmp_path: Path) -> None:
    """Refused while it has containers, which stay; then nothing is left, and 404."""
    ground.inventory._change([WEB])
    refused = admin.delete("/api/v1/apps/web")
    assert (refused.status_code, refused.json["code"]) == (409, "app-in-use")
    assert "1 containers" in refused.json["detail"]
    ground.inventory._change(removed=[WEB.id])
    assert admin.delete("/api/v1/apps/web").status_code == 204
    for path in ("", "/lines", "/events", "/removal"):
        assert admin.get(f"/api/v1/apps/web{path}").status_code == 404
    assert admin.delete("/api/v1/apps/web").status_code == 404
    assert admin.get("/apps/web/logs", headers={"Accept": "text/html"}).status_code == 404
    assert ground.events.list("web") == []
    assert not (tmp_path / "default" / "web").exists()
    ground.log("web", ["again"])
    assert admin.get("/api/v1/apps/web/lines").json["first"] == 11


def test_gone_apps_are_behind_a_number(ground: WebGround, admin: Client) -> None:
    """The first list has none of them; pages of them are asked for, by name."""
    for n in range(25):
        one = Instance(
            **{**_fields(), "id": f"{n:064x}", "name": f"job-{n:02}", "app": f"job-{n:02}"}
        )
        ground.inventory._change([one])
        ground.log(one.app, ["done"])
        ground.inventory._change(removed=[one.id])
    first = admin.get("/api/v1/apps").json
    assert [app["name"] for app in first["apps"]] == ["web"]
    assert (first["gone"], first["put_away"], first["next"]) == (25, 0, None)
    assert "job-00" not in admin.get("/").text
    names, after = [], ""
    while after is not None:
        page = admin.get(f"/api/v1/apps?state=gone&limit=10&after={after}").json
        names += [app["name"] for app in page["apps"]]
        assert all(app["state"] == "gone" for app in page["apps"])
        after = page["next"]
    assert names == [f"job-{n:02}" for n in range(25)]
    assert admin.get("/api/v1/apps?state=odd").status_code == 400


def test_gone_apps_are_looked_for_by_name(ground: WebGround, admin: Client) -> None:
    """All words, whatever their case; the counts say how many of both kinds match."""
    for name in ("job-build-1", "job-build-2", "job-test-1", "build-other"):
        ground.log(name, ["done"])
        ground.apps.activity.look(1.0)
        ground.apps._programs.clear()
        ground.apps._show(name)
    assert admin.post("/api/v1/apps/job-build-2/put_away").status_code == 200

    def found(state: str, q: str) -> tuple[list[str], int, int]:
        body = admin.get("/api/v1/apps", query_string={"state": state, "q": q, "limit": 1}).json
        return [app["name"] for app in body["apps"]], body["gone"], body["put_away"]

    assert found("gone", "BUILD job") == (["job-build-1"], 1, 1)
    assert found("put_away", "job build") == (["job-build-2"], 1, 1)
    assert found("gone", "build") == (["build-other"], 2, 1)
    assert found("gone", "nothing") == ([], 0, 0)
    assert found("gone", " ")[1:] == (3, 1)
    assert admin.get("/api/v1/apps?state=gone&q=" + "x" * 2000).status_code == 400


def test_putting_an_app_away(ground: WebGround, admin: Client) -> None:
    """Out of every list but its own, until somebody or something brings it back."""
    ground.inventory._change([WEB])
    refused = admin.post("/api/v1/apps/web/put_away")
    assert (refused.status_code, refused.json["code"]) == (409, "app-not-gone")
    ground.inventory._change(removed=[WEB.id])
    ground.apps.activity.look(1.0)
    assert admin.post("/api/v1/apps/web/put_away").json["put_away"] is True
    listed = admin.get("/api/v1/apps").json
    assert (listed["apps"], listed["gone"], listed["put_away"]) == ([], 0, 1)
    away = admin.get("/api/v1/apps?state=put_away").json
    assert [app["name"] for app in away["apps"]] == ["web"]
    assert admin.get("/api/v1/apps/web/lines").json["next"] == 11
    assert admin.delete("/api/v1/apps/web/put_away").json["put_away"] is False
    assert admin.get("/api/v1/apps").json["gone"] == 1
    assert admin.delete("/api/v1/apps/web/put_away").status_code == 200  # it is there already
    did = [(data["who"], data["what"]) for data in told(ground, "web")]
    assert did == [("admin", "put-away"), ("admin", "bring-back")]


def _fields() -> dict[str, object]:
    return {
        "stack": None,
        "image": "busybox",
        "image_id": "sha256:0",
        "state": "running",
        "created": WHEN,
    }
