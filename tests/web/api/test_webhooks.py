"""Webhooks: made, called, and what they refuse, as far as no engine has to carry anything out."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import gevent
import pytest

from cloudbang.deploy.service import Wanted
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.storage.database.secrets import KEY
from cloudbang.storage.database.webhooks import Delivery, scope_of
from tests.web.api.test_deployments import WHEN, deployed
from tests.web.web_support import Client, WebGround

HOOKS = "/api/v1/apps/web/webhooks"
GIT = {"build": {"git": "https://example.com/web.git", "branch": "main"}, "image": None}


class Begun:
    """What a webhook wanted deployed; it is begun nowhere."""

    def __init__(self, ground: WebGround) -> None:
        self.wanted: list[tuple[Wanted, str, bool]] = []
        self._ground = ground

    def __call__(
        self, app: str, wanted: Wanted, by: str, *, admin: bool, wait: bool = False, **_: Any
    ) -> Deployment:
        self.wanted.append((wanted, by, wait))
        gevent.sleep(0.05)
        return deployed(self._ground, app, **GIT)


@pytest.fixture
def admin(ground: WebGround) -> Client:
    return ground.person()


@pytest.fixture
def begun(ground: WebGround, monkeypatch: pytest.MonkeyPatch) -> Begun:
    made = Begun(ground)
    deployed(ground, **GIT)
    monkeypatch.setattr(ground.deployments, "begin", made)
    return made


PUSH = {
    "ref": "refs/heads/main",
    "after": "a" * 40,
    "pusher": {"name": "ann"},
    "commits": [{"id": "a" * 40, "added": [], "modified": ["src/a.py"], "removed": []}],
}


@pytest.fixture
def call(ground: WebGround, admin: Client) -> Callable[..., Any]:
    """Deliver to a webhook of GitHub's, as GitHub does."""

    def deliver(
        hook: dict[str, Any], told: Any = PUSH, *, secret: str = "", delivery: str = "", **more: str
    ) -> Any:
        body = json.dumps(told).encode()
        sign = hmac.new((secret or hook["secret"]).encode(), body, "sha256").hexdigest()
        headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=" + sign}
        if delivery:
            headers["X-GitHub-Delivery"] = delivery
        nobody = ground.nobody()
        headers.update({name.replace("_", "-"): value for name, value in more.items()})
        return nobody.ask(
            *("POST", hook["path"]), data=body, content_type="application/json", headers=headers
        )

    return deliver


def test_made_shown_changed_and_deleted(admin: Client, begun: Begun, call: Any) -> None:
    """The secret is shown once; another one takes its place."""
    made = admin.post(HOOKS, {"kind": "github", "paths": ["src/"]})
    assert made.status_code == 201
    hook = made.json
    assert len(hook["secret"]) >= 32
    listed = admin.get(HOOKS)
    assert hook["secret"] not in listed.text
    assert [one["id"] for one in listed.json["webhooks"]] == [hook["id"]]
    path = f"{HOOKS}/{hook['id']}"
    other = admin.post(f"{path}/secret").json
    assert other["secret"] != hook["secret"]
    assert call(hook).json["code"] == "wrong-signature"
    assert call(other).status_code == 202
    assert admin.patch(path, {"enabled": False}).json["enabled"] is False
    answer = call(other)
    assert (answer.status_code, answer.json["code"]) == (409, "webhook-off")
    changed = admin.patch(path, {"enabled": True, "branch": "dev", "paths": []}).json
    assert (changed["branch"], changed["paths"], changed["enabled"]) == ("dev", [], True)
    assert call(other).json["skipped"] == "other-branch"
    assert admin.delete(path).status_code == 204
    assert call(other).json["code"] == "no-such-webhook"
    assert admin.get(HOOKS).json == {"webhooks": []}


def test_one_whose_secret_is_not_kept_is_not_there(
    ground: WebGround, admin: Client, begun: Begun
) -> None:
    """It would refuse whatever comes."""
    key = ground.database.path.parent / KEY
    key.write_bytes(b"cut short")
    assert admin.post(HOOKS, {"kind": "github"}).status_code == 500
    assert admin.get(HOOKS).json == {"webhooks": []}
    key.unlink()
    assert admin.post(HOOKS, {"kind": "github"}).status_code == 201


def test_a_push_deploys_what_serves(admin: Client, begun: Begun, call: Any) -> None:
    """Its source fetched anew, behind whatever runs; the answer names the deployment."""
    hook = admin.post(HOOKS, {"kind": "github"}).json
    answer = call(hook)
    assert answer.status_code == 202
    told = answer.json
    assert (told["app"], told["skipped"], told["again"]) == ("web", None, False)
    assert admin.get(f"/api/v1/deployments/{told['id']}").json["number"] == told["number"]
    [(wanted, by, wait)] = begun.wanted
    assert (wanted.spec or {})["build"] == GIT["build"]
    assert (by, wait) == ("ann (GitHub)", True)
    [delivery] = admin.get(HOOKS).json["webhooks"][0]["deliveries"]
    assert (delivery["deployment"], delivery["outcome"]) == (told["id"], "begun")


def test_a_delivery_twice_is_one_deployment(
    ground: WebGround, admin: Client, begun: Begun, call: Any
) -> None:
    """One after the other and both at once."""
    hook = admin.post(HOOKS, {"kind": "github"}).json
    first = call(hook, delivery="d-1").json
    again = call(hook, delivery="d-1").json
    assert (again["id"], again["again"], first["again"]) == (first["id"], True, False)
    both = [gevent.spawn(call, hook, delivery="d-2") for _ in range(3)]
    ids = {one.get().json["id"] for one in both}
    assert len(ids) == 1
    assert len(begun.wanted) == 2
    other = admin.post(HOOKS, {"kind": "github"}).json
    assert call(other, delivery="d-1").json["again"] is False


def test_a_delivery_that_a_killed_server_had_begun(
    ground: WebGround, admin: Client, begun: Begun, call: Any
) -> None:
    """Is known by the deployment's own record; one that began nothing is done again."""
    hook = admin.post(HOOKS, {"kind": "github"}).json
    store, scope = ground.webhook_store, scope_of(hook["id"])
    store.keep(Delivery(scope, "d-1", WHEN, "begins"), "")
    assert call(hook, delivery="d-1").json["again"] is False
    made = deployed(ground, told={"asked": f"{scope}/d-2"}, **GIT)
    store.keep(Delivery(scope, "d-2", WHEN, "begins"), "")
    told = call(hook, delivery="d-2").json
    assert (told["id"], told["again"]) == (made.id, True)
    assert "asked" not in admin.get(f"/api/v1/deployments/{made.id}").json["source"]
    assert [wanted.asked for wanted, _, _ in begun.wanted] == [f"{scope}/d-1"]


def test_what_does_not_concern_it(admin: Client, begun: Begun, call: Any) -> None:
    """Is answered with why, and begins nothing."""
    hook = admin.post(HOOKS, {"kind": "github", "paths": ["docs/"]}).json
    for told, more, why in (
        (PUSH, {}, "other-paths"),
        ({**PUSH, "ref": "refs/heads/dev"}, {}, "other-branch"),
        ({**PUSH, "ref": "refs/tags/v1"}, {}, "no-branch"),
        ({"zen": "…"}, {"X_GitHub_Event": "ping"}, "not-a-push"),
    ):
        answer = call(hook, told, **more)
        assert (answer.status_code, answer.json["skipped"]) == (202, why)
    assert begun.wanted == []


def test_who_has_not_the_secret(ground: WebGround, admin: Client, begun: Begun, call: Any) -> None:
    """Begins nothing, whatever they show."""
    hook = admin.post(HOOKS, {"kind": "github"}).json
    for answer in (
        call(hook, secret="another"),
        call(hook, X_Hub_Signature_256=""),
        call(hook, X_Hub_Signature_256="sha256=" + "0" * 64),
        call(hook, X_Gitlab_Token=hook["secret"], X_Hub_Signature_256="x"),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "wrong-signature")
    for path in ("/api/v1/webhooks/nonsense", "/api/v1/webhooks/" + "x" * 200):
        answer = ground.nobody().ask("POST", path, data=b"{}")
        assert (answer.status_code, answer.json["code"]) == (404, "no-such-webhook")
    assert begun.wanted == []


def test_other_hosts(ground: WebGround, admin: Client, begun: Begun) -> None:
    """GitLab and any program show the secret itself; GitHub's form holds the JSON."""
    nobody = ground.nobody()
    gitlab = admin.post(HOOKS, {"kind": "gitlab"}).json
    told = {"ref": "refs/heads/main", "after": "a" * 40, "user_username": "bob", "commits": []}
    headers = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": gitlab["secret"]}
    assert nobody.post(gitlab["path"], told, headers=headers).status_code == 202
    plain = admin.post(HOOKS, {"kind": "plain"}).json
    headers = {"X-CloudBang-Token": plain["secret"], "Idempotency-Key": "one"}
    answer = nobody.ask("POST", plain["path"], headers=headers)
    assert answer.status_code == 202
    assert nobody.ask("POST", plain["path"], headers=headers).json["id"] == answer.json["id"]
    github = admin.post(HOOKS, {"kind": "github"}).json
    body = urlencode({"payload": json.dumps(PUSH)}).encode()
    sign = hmac.new(github["secret"].encode(), body, "sha256").hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=" + sign}
    answer = nobody.ask(
        *("POST", github["path"]),
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )
    assert answer.status_code == 202
    assert [by for _, by, _ in begun.wanted] == ["bob (GitLab)", "webhook", "ann (GitHub)"]


def test_bodies_that_are_none(admin: Client, begun: Begun, call: Any) -> None:
    """400 in place of a guess."""
    hook = admin.post(HOOKS, {"kind": "github"}).json
    for told in ([], "text", 7, None):
        answer = call(hook, told)
        assert (answer.status_code, answer.json["code"]) == (400, "bad-request"), told


def test_an_app_that_is_deleted_takes_them_along(
    ground: WebGround, admin: Client, call: Any
) -> None:
    """Should its name come back, nobody deploys it by an old address."""
    ground.apps.create("web", "default", "found")
    ground.log("web", ["a line"])
    hook = admin.post(HOOKS, {"kind": "github"}).json
    assert admin.delete("/api/v1/apps/web").status_code == 204
    assert call(hook).json["code"] == "no-such-webhook"


def test_what_cannot_be_fetched(ground: WebGround, admin: Client, call: Any) -> None:
    """An app that was never deployed, or from a folder that somebody sent."""
    ground.apps.create("web", "default")
    hook = admin.post(HOOKS, {"kind": "github"}).json
    answer = call(hook)
    assert (answer.status_code, answer.json["code"]) == (409, "nothing-to-fetch")
    deployed(ground, build={}, image=None)
    assert call(hook).json["code"] == "nothing-to-fetch"
    outcomes = [d["outcome"] for d in admin.get(HOOKS).json["webhooks"][0]["deliveries"]]
    assert outcomes == ["error:nothing-to-fetch"] * 2
    refused = admin.post(HOOKS, {"kind": "gitlab"})  # and not only with each push
    assert (refused.status_code, refused.json["code"]) == (409, "nothing-to-fetch")


def test_who_makes_them(ground: WebGround, admin: Client) -> None:
    """Who may deploy the app; a viewer sees none of it; there is an end to how many."""
    ground.apps.create("web", "default")
    viewer = ground.program("viewer")
    assert viewer.get(HOOKS).status_code == 403
    assert viewer.post(HOOKS, {"kind": "plain"}).status_code == 403
    assert admin.post("/api/v1/apps/nothing/webhooks", {"kind": "plain"}).status_code == 404
    for bad in ({}, {"kind": "svn"}, {"kind": "plain", "paths": [""]}, {"kind": "plain", "a": 1}):
        assert admin.post(HOOKS, bad).status_code == 400, bad
    for _ in range(20):
        assert admin.post(HOOKS, {"kind": "plain"}).status_code == 201
    assert admin.post(HOOKS, {"kind": "plain"}).json["code"] == "too-many-webhooks"
    ground.apps.create("other", "default")
    assert admin.delete("/api/v1/apps/other/webhooks/1").json["code"] == "no-such-webhook"
