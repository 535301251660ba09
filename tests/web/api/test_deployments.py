"""Deployments over the API, as far as no engine has to carry them out."""

from __future__ import annotations

import io
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudbang.deploy.log import DeploymentLog, log_name
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.not_honoured import OF_A_JOB
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import Spec, read_spec
from cloudbang.intake.log_sink import StoreSink
from cloudbang.storage.database.deployments import DeployedApp
from cloudbang.web.api.schemas import spec as spec_shapes
from tests.deploy.program import folder_of
from tests.support import patient, wait_until
from tests.web.web_support import Client, WebGround
from tests.web.whole_app import NO_ENGINE, WholeApp

WHEN = "2026-01-01T00:00:00.000000000Z"
APP = "/api/v1/apps/web"


@pytest.fixture
def admin(ground: WebGround) -> Client:
    return ground.person()


def deployed(
    ground: WebGround, app: str = "web", *, told: dict[str, str] | None = None, **spec: Any
) -> Deployment:
    """A deployment as somebody carried it out before."""
    ground.apps.create(app, "default")
    spec = {
        name: value for name, value in {"image": "nginx:1", **spec}.items() if value is not None
    }
    found, secrets = read_spec(spec)
    versions = ground.secrets.put(app, {k: v for k, v in secrets.items() if v is not None})
    versions = {**ground.secrets.newest(app), **versions}
    release = Release(app, 0, found, "sha256:1", secrets={k: versions[k] for k in found.secrets})
    steps = steps_of("image")
    made = Deployment(0, app, 0, 0, None, "ann", WHEN, steps)
    release, made = ground.deployment_store.add(release, made, {"kind": "image", **(told or {})})
    done = made.begin()
    for step in steps:
        done = done.enter(step.name, WHEN).complete(step.name, WHEN)
    ground.deployment_store.save(done, ["its last line"])
    ground.deployment_store.save_app(DeployedApp(app, release.number))
    return done


def test_spec_has_one_description() -> None:
    """Every field that is read is described, and nothing else."""
    fields = set(Spec.__dataclass_fields__)
    assert set(spec_shapes.Spec.__annotations__) == fields


def test_one_deployment_and_all(ground: WebGround, admin: Client) -> None:
    """As it was carried out; the newest first, in pages, of one app, in some states."""
    ones = [deployed(ground) for _ in range(3)]
    other = deployed(ground, "other")
    found = admin.get("/api/v1/deployments").json
    assert [one["id"] for one in found["deployments"]] == [other.id, *[d.id for d in ones][::-1]]
    page = admin.get("/api/v1/deployments?app=web&limit=2").json
    assert ([one["number"] for one in page["deployments"]], page["next"]) == ([3, 2], ones[1].id)
    rest = admin.get(f"/api/v1/deployments?app=web&limit=2&before={page['next']}").json
    assert ([one["number"] for one in rest["deployments"]], rest["next"]) == ([1], None)
    assert admin.get("/api/v1/deployments?state=failed&state=queued").json["deployments"] == []
    one = admin.get(f"/api/v1/deployments/{other.id}").json
    assert (one["state"], one["source"], one["last_lines"]) == (
        *("serving", {"kind": "image"}),
        ["its last line"],
    )
    # What is usual is what those before it took: it does not count itself, nor do later ones.
    assert one["usual"] == {}
    usual = [admin.get(f"/api/v1/deployments/{d.id}").json["usual"] for d in ones]
    assert usual == [{}, *[{"pull": 0.0, "start": 0.0, "health": 0.0}] * 2]
    for bad in ("?state=nonsense", "?limit=0", "?limit=201", "?app=..", "?before=0"):
        assert admin.get("/api/v1/deployments" + bad).status_code == 400, bad
    for id in (0, 99, 2**59):
        answer = admin.get(f"/api/v1/deployments/{id}")
        assert (answer.status_code, answer.json["code"]) == (404, "no-such-deployment")


def test_why_one_failed(ground: WebGround, admin: Client) -> None:
    """In the reader's language."""
    made = deployed(ground)
    failed = replace(made, state="failed", failure=Failure("exited", "", 3, 12.0))
    ground.deployment_store.save(failed)
    path = f"/api/v1/deployments/{made.id}"
    one = admin.get(path).json
    assert (one["class"], one["exit_code"]) == ("exited", 3)
    assert one["sentence"] == "it exited with 3 after 12 s. Its last lines say why."
    assert "退出码 3" in admin.get(path, headers={"Accept-Language": "zh"}).json["sentence"]
    answer = admin.delete(path)
    assert (answer.status_code, answer.json["code"]) == (409, "deployment-ended")


def test_its_log(ground: WebGround, admin: Client) -> None:
    """Is read, searched, jumped into and downloaded as that of an app, and is no app's."""
    made = deployed(ground)
    sink = StoreSink(ground.store, ground.publisher)
    log = DeploymentLog(sink, made.id, ["hunter22"])
    log.say("step one")
    log.say("the password is hunter22")
    wait_until(lambda: ground.store.next_seq(log_name(made.id)) == 3, 5, "both are stored")
    path = f"/api/v1/deployments/{made.id}"
    lines = admin.get(f"{path}/lines").json
    assert [row[4] for row in lines["lines"]] == ["step one", "the password is •••"]
    assert [row[0] for row in admin.get(f"{path}/lines?after=1&limit=1").json["lines"]] == [2]
    assert len(admin.get(f"{path}/lines?q=STEP").json["lines"]) == 1
    assert admin.get(f"{path}/seq?time=2020-01-01T00:00:00Z").json == {"seq": 1}
    download = admin.get(f"{path}/download?format=jsonl")
    assert len(download.text.splitlines()) == 2
    assert "web-deployment-1" in download.headers["Content-Disposition"]
    assert admin.get(f"/api/v1/apps/{log_name(made.id)}/lines").status_code == 404
    assert log_name(made.id) not in admin.get("/api/v1/apps").text


def test_releases_and_their_differences(ground: WebGround, admin: Client) -> None:
    """Each with what it changed; any two are compared; of secrets only that they change."""
    deployed(ground, env={"A": "1"}, secrets={"KEY": "one"})
    deployed(ground, env={"A": "1"}, secrets={"KEY": "two"})
    deployed(ground, image="nginx:2", env={"A": "2"}, secrets={"KEY": None})
    found = admin.get(f"{APP}/releases").json["releases"]
    assert [one["number"] for one in found] == [3, 2, 1]
    assert [one["serving"] for one in found] == [True, False, False]
    assert {change["field"] for change in found[0]["changes"]} == {"env.A", "image"}
    assert found[1]["changes"] == [{"field": "secrets.KEY", "before": "•••", "after": "•••"}]
    assert found[0]["spec"]["secrets"] == {"KEY": None}
    changes = admin.get(f"{APP}/releases/3/changes?against=1").json["changes"]
    assert {one["field"] for one in changes} == {"env.A", "image", "secrets.KEY"}
    first = admin.get(f"{APP}/releases/1/changes").json["changes"]
    assert {one["field"] for one in first} >= {"env.A", "image"}
    assert admin.get(f"{APP}/releases/9/changes").json["code"] == "no-such-release"
    assert admin.get(f"{APP}/releases/3/changes?against=9").json["code"] == "no-such-release"
    assert admin.get(f"{APP}/secrets").json == {"secrets": [{"name": "KEY", "version": 2}]}
    for path in ("releases", "secrets", "releases/3/changes"):
        assert "two" not in admin.get(f"{APP}/{path}").text


def test_releases_come_page_by_page(ground: WebGround, admin: Client) -> None:
    """The last one of a page is compared with the first one of the next."""
    for n in range(5):
        deployed(ground, env={"N": str(n)})
    seen, older = [], ""
    while older is not None:
        page = admin.get(f"{APP}/releases?limit=2{older and f'&before={older}'}").json
        assert page["serving"] == 5
        seen += page["releases"]
        older = page["next"]
    assert [one["number"] for one in seen] == [5, 4, 3, 2, 1]
    assert [[c["field"] for c in one["changes"]] for one in seen[:4]] == [["env.N"]] * 4
    assert admin.get(f"{APP}/releases").json == {"releases": seen, "serving": 5, "next": None}
    for wrong in ("limit=0", "limit=201", "before=x"):
        assert admin.get(f"{APP}/releases?{wrong}").status_code == 400


def test_a_plan(ground: WebGround, admin: Client) -> None:
    """What would change, as JSON or as a form with a folder, which is not looked at; nothing does."""
    deployed(ground, env={"A": "1"})
    plan = admin.post(f"{APP}/plan", {"spec": {"image": "nginx:2", "env": {"A": "1"}}}).json
    assert plan["changes"] == [{"field": "image", "before": "nginx:1", "after": "nginx:2"}]
    assert (plan["first"], plan["replaces_instances"], plan["not_honoured"]) == (False, True, [])
    health = {"http": "/healthz", "port": 80}
    job = {"spec": {"image": "nginx:2", "job": True, "health": health}}
    [left] = admin.post(f"{APP}/plan", job).json["not_honoured"]
    assert left == {"field": "health", "reason": OF_A_JOB.en}
    for spec in ({"image": "nginx:2", "job": True}, {**job["spec"], "job": False}):
        assert admin.post(f"{APP}/plan", {"spec": spec}).json["not_honoured"] == []
    form = {"spec": json.dumps({"build": {}}), "folder": (io.BytesIO(b"no tar"), "f.tar")}
    answer = admin.ask("POST", f"{APP}/plan", data=form)
    assert answer.status_code == 200, answer.text
    assert {"build", "image"} <= {one["field"] for one in answer.json["changes"]}
    assert admin.post(f"{APP}/plan", {"spec": {"build": {}}}).status_code == 200
    assert admin.post("/api/v1/apps/new/plan", {"spec": {"image": "a"}}).json["first"] is True
    assert admin.get("/api/v1/deployments").json["deployments"][0]["number"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "spec"),
        ({"spec": None}, "spec"),
        ({"spec": []}, "spec"),
        ({"spec": "nginx"}, "spec"),
        ({"spec": {}}, "image"),
        ({"spec": {"image": "a b"}}, "image"),
        ({"spec": {"image": "a", "imge": "b"}}, "imge"),
        ({"spec": {"image": "a", "ports": [{"target": 0}]}}, "ports[0].target"),
        ({"spec": {"image": "a", "health": {"within": -1}}}, "health.within"),
        ({"spec": {"image": "a", "secrets": {"NEW": None}}}, "secrets.NEW"),
    ],
)
def test_what_is_wrong_is_named(admin: Client, body: Any, field: str) -> None:
    """422 with the field, in both languages."""
    for language in ("en", "zh"):
        answer = admin.post(f"{APP}/plan", body, headers={"Accept-Language": language})
        assert (answer.status_code, answer.json["code"]) == (422, "spec-invalid"), answer.text
        assert answer.json["field"] == field


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "a b",
        "a'b",
        'a"b',
        "a\nb",
        "部署",
        "x" * 300,
        "-rf",
        ".hidden",
        "@deployment-1",
        "a;b",
    ],
)
def test_names_that_no_app_can_have(admin: Client, name: str) -> None:
    """Are refused before anything is done with them."""
    from urllib.parse import quote

    for call in ("plan", "deployments"):
        path = f"/api/v1/apps/{quote(name, safe='')}/{call}"
        answer = admin.post(path, {"spec": {"image": "a"}})
        assert (answer.status_code, answer.json["field"]) == (422, "app"), answer.text


def test_bodies(admin: Client) -> None:
    """JSON of more than the usual, forms that are none, fields that nobody knows."""
    large = {"spec": {"image": "a", "env": {"A": "x" * 60_000, "B": "y" * 60_000}}}
    assert admin.post(f"{APP}/plan", large).status_code == 200
    huge = {"spec": {"image": "a", "env": {str(n): "x" * 60_000 for n in range(20)}}}
    answer = admin.post(f"{APP}/plan", huge)
    assert (answer.status_code, answer.json["code"]) == (413, "too-large")
    assert "1048576" in answer.json["detail"]
    for data in ({"spec": "{"}, {"spec": "{}", "other": "x"}, {"spec": "{}", "wait": "perhaps"}):
        answer = admin.ask(
            "POST", f"{APP}/plan", data=data, content_type="multipart/form-data; boundary=x"
        )
        assert (answer.status_code, answer.json["code"]) == (400, "bad-request"), data
    answer = admin.ask("POST", f"{APP}/plan", data="spec={}", content_type="text/plain")
    assert answer.status_code == 415
    answer = admin.post(f"{APP}/plan", {"spec": {"image": "a"}, "wiat": True})
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")


@NO_ENGINE
def test_a_refusal_is_heard_by_who_is_still_sending(tmp_path: Path) -> None:
    """The answer comes, and not a broken connection; of who has no account nothing is read."""
    house = WholeApp(tmp_path)
    try:
        headers, _ = house.token("sender", "admin")
        folder = b"x" * (24 * 1024 * 1024)
        with httpx.Client(base_url=house.origin, trust_env=False, timeout=patient(60)) as client:
            answer = client.post(
                "/api/v1/apps/a%20b/deployments",
                headers=headers,
                data={"spec": "{}"},
                files={"folder": ("f.tar", folder)},
            )
            assert (answer.status_code, answer.json()["field"]) == (422, "app")
            answer = client.post(
                f"{APP}/deployments",
                headers=headers,
                data={"spec": '{"build": {}}'},
                files={"folder": ("f.tar", folder)},
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "upload-refused")
        with connect(house.server.port) as nobody:
            nobody.sendall(
                b"POST /api/v1/apps/web/deployments HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 999999999\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            assert nobody.recv(100).startswith(b"HTTP/1.1 401")
    finally:
        house.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=patient(10))


def test_without_an_engine(ground: WebGround, admin: Client) -> None:
    """Nothing begins, and nothing of what was sent is left."""
    answer = admin.post(f"{APP}/deployments", {"spec": {"image": "a"}})
    assert (answer.status_code, answer.json["code"]) == (503, "engine-unreachable")
    form = {
        "spec": '{"build": {}}',
        "folder": (io.BytesIO(folder_of(Dockerfile="FROM x")), "f.tar"),
    }
    answer = admin.ask("POST", f"{APP}/deployments", data=form)
    assert (answer.status_code, answer.json["code"]) == (503, "engine-unreachable")
    bad = {"spec": '{"build": {}}', "folder": (io.BytesIO(b"no tar at all"), "f.tar")}
    answer = admin.ask("POST", f"{APP}/deployments", data=bad)
    assert (answer.status_code, answer.json["code"]) == (422, "upload-refused")
    folder = ground.settings.storage.path / ".deploy" / "uploads"
    assert list(folder.iterdir()) == []
    assert admin.get("/api/v1/deployments").json["deployments"] == []


def test_who_may(ground: WebGround, admin: Client) -> None:
    """Viewers look; who may not see an app knows nothing of its deployments."""
    made = deployed(ground)
    ground.apps.create("theirs", "others")
    ground.apps.other_logs.keep("@deployment-2", "others")
    theirs = deployed(ground, "theirs")
    viewer = ground.program("viewer")
    path = f"/api/v1/deployments/{made.id}"
    assert viewer.get(path).status_code == viewer.get(f"{path}/lines").status_code == 200
    assert viewer.get(f"{APP}/releases").status_code == 200
    for method, call in (
        ("POST", f"{APP}/deployments"),
        ("POST", f"{APP}/plan"),
        ("DELETE", path),
        ("POST", "/api/v1/swarm"),
    ):
        answer = viewer.ask(method, call, {} if method == "POST" else None)
        assert (answer.status_code, answer.json["code"]) == (403, "not-allowed"), call
    for call in ("", "/lines", "/download", "/seq?time=2020-01-01T00:00:00Z"):
        answer = admin.get(f"/api/v1/deployments/{theirs.id}{call}")
        assert (answer.status_code, answer.json["code"]) == (404, "no-such-deployment")
    assert admin.delete(f"/api/v1/deployments/{theirs.id}").status_code == 404
    found = admin.get("/api/v1/deployments").json["deployments"]
    assert [one["id"] for one in found] == [made.id]
    answer = admin.post("/api/v1/apps/theirs/deployments", {"spec": {"image": "a"}})
    assert (answer.status_code, answer.json["code"]) == (404, "no-such-app")


def test_a_page_needs_its_token(ground: WebGround, admin: Client) -> None:
    """A form of another site can send multipart without asking; it begins nothing."""
    form = {"spec": '{"image": "a"}'}
    kind = "multipart/form-data; boundary=x"
    csrf, admin.csrf = admin.csrf, ""
    answer = admin.ask("POST", f"{APP}/deployments", data=form, content_type=kind)
    assert (answer.status_code, answer.json["code"]) == (403, "csrf")
    admin.csrf = csrf
    answer = admin.ask(
        "POST", f"{APP}/deployments", data=form, headers={"Origin": "https://evil.example"}
    )
    assert (answer.status_code, answer.json["code"]) == (403, "cross-site")
