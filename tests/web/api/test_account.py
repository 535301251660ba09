"""Set-up, signing in, tokens, sessions and accounts over HTTP."""

from __future__ import annotations

import gevent
import pytest

from tests.web.web_support import PASSWORD, Client, WebGround


def code(answer: object) -> tuple[int, str]:
    """Status and code of a problem document, whose shape is checked on the way."""
    status: int = answer.status_code  # type: ignore[attr-defined]
    body = answer.json  # type: ignore[attr-defined]
    assert answer.content_type == "application/problem+json"  # type: ignore[attr-defined]
    assert {"type", "title", "status", "code", "detail"} <= set(body)
    assert body["status"] == status
    return status, body["code"]


def set_up(ground: WebGround, client: Client, name: str = "ada") -> object:
    token = ground.accounts.setup_token or "none"
    return client.post("/api/v1/setup", {"token": token, "username": name, "password": PASSWORD})


def test_set_up_signs_in(ground: WebGround) -> None:
    """The first person is an admin and is in; nobody sets up again."""
    client = ground.nobody()
    answer = set_up(ground, client)
    assert answer.status_code == 201  # type: ignore[attr-defined]
    me = client.get("/api/v1/me").json
    assert (me["username"], me["role"]) == ("ada", "admin")
    assert code(set_up(ground, ground.nobody(), "eve")) == (409, "already-set-up")


def test_set_up_races(ground: WebGround) -> None:
    """Of ten set-ups at the same moment one wins and nine are told."""
    racing = [gevent.spawn(set_up, ground, ground.nobody(), f"p{n}") for n in range(10)]
    gevent.joinall(racing, raise_error=True)
    statuses = sorted(one.value.status_code for one in racing)
    assert statuses == [201] + [409] * 9


def test_set_up_with_a_wrong_token(ground: WebGround) -> None:
    """Only who can read the server's output sets it up."""
    body = {"token": "guess", "username": "eve", "password": PASSWORD}
    answer = ground.nobody().post("/api/v1/setup", body)
    assert code(answer) == (403, "wrong-setup-token")


def test_sign_in_gives_a_cookie_scripts_cannot_read(ground: WebGround) -> None:
    """204, and a cookie that is HttpOnly and SameSite=Lax."""
    ground.accounts.create("ada", PASSWORD, "admin")
    answer = ground.nobody().post("/api/v1/session", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_wrong_password_and_unknown_name_answer_alike(ground: WebGround) -> None:
    """Nobody learns from an answer which names exist."""
    ground.accounts.create("ada", PASSWORD, "admin")
    answers = [
        ground.nobody().post("/api/v1/session", {"username": name, "password": "wrong password"})
        for name in ("ada", "nobody")
    ]
    assert [code(a) for a in answers] == [(401, "wrong-password")] * 2
    assert answers[0].data == answers[1].data
    assert all("Set-Cookie" not in a.headers for a in answers)


def test_guessing_is_slowed_down(ground: WebGround) -> None:
    """After ten failures: 429 with Retry-After, for the right password too."""
    ground.accounts.create("ada", PASSWORD, "admin")
    client = ground.nobody()
    for _ in range(10):
        wrong = client.post("/api/v1/session", {"username": "ada", "password": "guess"})
        assert wrong.status_code == 401
    answer = client.post("/api/v1/session", {"username": "ada", "password": PASSWORD})
    assert code(answer) == (429, "too-many-attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_signing_in_changes_the_session(ground: WebGround) -> None:
    """A session that was there before is ended: nobody can plant one."""
    client = ground.person()
    before = client.get("/api/v1/me").json["session"]
    client.post("/api/v1/session", {"username": "admin", "password": PASSWORD})
    after = client.get("/api/v1/me").json["session"]
    assert before != after
    assert not ground.accounts.credentials.is_good(before)


def test_signing_out(ground: WebGround) -> None:
    """The cookie is taken back and what it held is good for nothing."""
    client = ground.person()
    secret = client.flask.get_cookie("cloudbang_session")
    assert secret
    assert client.delete("/api/v1/session").status_code == 204
    assert client.flask.get_cookie("cloudbang_session") is None
    stolen = ground.nobody()
    stolen.flask.set_cookie("cloudbang_session", secret.value)
    assert code(stolen.get("/api/v1/me")) == (401, "not-signed-in")


def test_changing_the_own_password(ground: WebGround) -> None:
    """With the old one; other browsers are signed out."""
    mine, other = ground.person(), ground.person()
    wrong = {"old_password": "wrong", "new_password": "a new password"}
    assert code(mine.post("/api/v1/me/password", wrong)) == (401, "wrong-password")
    right = {"old_password": PASSWORD, "new_password": "a new password"}
    assert mine.post("/api/v1/me/password", right).status_code == 204
    assert mine.get("/api/v1/me").status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    short = {"old_password": "a new password", "new_password": "short"}
    assert code(mine.post("/api/v1/me/password", short)) == (400, "bad-request")


def test_own_sessions(ground: WebGround) -> None:
    """A person sees where they are signed in and ends it from afar, but nobody else's."""
    mine, far = ground.person(), ground.person()
    listed = mine.get("/api/v1/sessions").json["sessions"]
    assert sorted(one["current"] for one in listed) == [False, True]
    other = next(one["id"] for one in listed if not one["current"])
    assert mine.delete(f"/api/v1/sessions/{other}").status_code == 204
    assert far.get("/api/v1/me").status_code == 401
    bob = ground.person("bob", "viewer")
    current = next(one["id"] for one in listed if one["current"])
    assert code(bob.delete(f"/api/v1/sessions/{current}")) == (404, "not-found")


def test_own_tokens(ground: WebGround) -> None:
    """A token is shown once, works as its owner, and ends when it is revoked."""
    bob = ground.person("bob", "viewer")
    made = bob.post("/api/v1/tokens", {"name": "script"})
    assert made.status_code == 201
    program = ground.nobody()
    program.token = made.json["token"]
    me = program.get("/api/v1/me").json
    assert (me["username"], me["role"], me["csrf_token"]) == ("bob", "viewer", "")
    listed = bob.get("/api/v1/tokens").json["tokens"]
    assert [one["name"] for one in listed] == ["script"]
    assert "token" not in listed[0]
    assert bob.delete(f"/api/v1/tokens/{made.json['id']}").status_code == 204
    assert program.get("/api/v1/me").status_code == 401


def test_nobody_hands_out_more_than_they_have(ground: WebGround) -> None:
    """A viewer's token is a viewer's, whatever was asked for."""
    bob = ground.person("bob", "viewer")
    assert bob.post("/api/v1/tokens", {"name": "x", "role": "admin"}).json["role"] == "viewer"
    assert code(bob.post("/api/v1/tokens", {"name": "x", "role": "king"}))[0] == 400


def test_tokens_of_others(ground: WebGround) -> None:
    """Another person's token cannot be seen or ended; one of the command line by admins only."""
    ada, bob = ground.person("ada"), ground.person("bob", "viewer")
    hers = ada.post("/api/v1/tokens", {"name": "hers"}).json["id"]
    _, of_the_house = ground.accounts.tokens.create("ci", "viewer")
    for one in (hers, of_the_house.id, "t999", "s1", "t-1", "tx", "t" + "9" * 30):
        assert code(bob.delete(f"/api/v1/tokens/{one}")) == (404, "not-found")
    assert bob.get("/api/v1/tokens").json["tokens"] == []
    assert {t["name"] for t in ada.get("/api/v1/tokens").json["tokens"]} == {"hers", "ci"}
    assert ada.delete(f"/api/v1/tokens/{of_the_house.id}").status_code == 204


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_a_token_of_the_command_line_is_no_person(ground: WebGround, role: str) -> None:
    """It has no password, no sessions, and makes no further tokens."""
    program = ground.program(role)
    body = {"old_password": "a", "new_password": "b" * 8}
    for answer in (
        program.post("/api/v1/me/password", body),
        program.get("/api/v1/sessions"),
        program.post("/api/v1/tokens", {"name": "another"}),
        program.delete("/api/v1/session"),
    ):
        assert code(answer) == (403, "not-allowed")
    assert program.get("/api/v1/apps").status_code == 200


def test_a_token_with_an_end(ground: WebGround) -> None:
    """After so many days, or at a moment; and a new secret for it while the old one works."""
    ada = ground.person("ada")
    made = ada.post("/api/v1/tokens", {"name": "ci", "days": 90}).json
    assert made["ends_at"]
    assert not made["ended"]
    at = ada.post("/api/v1/tokens", {"name": "x", "ends_at": "2999-01-01T01:00:00+01:00"}).json
    assert at["ends_at"] == "2999-01-01T00:00:00Z"
    program = Client(ground)
    program.token = made["token"]
    assert program.get("/api/v1/apps").status_code == 200
    path = f"/api/v1/tokens/{made['id']}/rotation"
    turned = ada.post(path, {"ends_at": None, "overlap": 60}).json
    assert (turned["id"], turned["ends_at"]) == (made["id"], None)
    assert turned["old_ends_at"]
    assert program.get("/api/v1/apps").status_code == 200
    program.token = turned["token"]
    assert program.get("/api/v1/apps").status_code == 200
    assert code(program.post(path, {})) == (403, "not-allowed")
    bob = ground.person("bob", "viewer")
    assert code(bob.post(path, {})) == (404, "not-found")
    shown = ada.get("/api/v1/tokens").json["tokens"]
    assert next(t for t in shown if t["id"] == made["id"])["address"] == "127.0.0.1"
    assert ada.post(path, {"overlap": 0}).status_code == 200
    assert code(program.get("/api/v1/apps")) == (401, "token-replaced")


@pytest.mark.parametrize(
    "body",
    [
        {"days": 0},
        {"days": 10_000},
        {"ends_at": "tomorrow"},
        {"ends_at": 5},
        {"ends_at": "2020-01-01T00:00:00Z"},
        {"days": 5, "ends_at": "2999-01-01T00:00:00Z"},
    ],
)
def test_ends_that_cannot_be_used(ground: WebGround, body: dict[str, object]) -> None:
    """A moment that has passed, or is none; two ends at once."""
    ada = ground.person("ada")
    answer = ada.post("/api/v1/tokens", {"name": "ci", **body})
    assert code(answer) == (400, "bad-request")
    assert answer.json["name"] in ("days", "ends_at")


def test_an_account_with_an_end(ground: WebGround) -> None:
    """Switched off, on, and given an end to come."""
    ada = ground.person("ada")
    ground.person("bob", "viewer")
    number = ground.accounts.named("bob").id
    path = f"/api/v1/accounts/{number}"
    off = ada.patch(path, {"active": False}).json
    assert (off["active"], bool(off["ends_at"])) == (False, True)
    signed = ground.nobody().post("/api/v1/session", {"username": "bob", "password": PASSWORD})
    assert code(signed) == (403, "account-ended")
    on = ada.patch(path, {"active": True}).json
    assert (on["active"], on["ends_at"]) == (True, None)
    later = ada.patch(path, {"days": 30}).json
    assert later["active"]
    assert later["ends_at"]
    assert ada.patch(path, {"role": "admin"}).json["ends_at"] == later["ends_at"]
    assert ada.patch(path, {"ends_at": None}).json["ends_at"] is None
    mine = ada.get("/api/v1/me").json["id"]
    ada.patch(path, {"role": "viewer"})
    assert code(ada.patch(f"/api/v1/accounts/{mine}", {"active": False})) == (409, "last-admin")


def test_accounts_are_for_admins(ground: WebGround) -> None:
    """A viewer neither sees nor changes accounts, by cookie or by token."""
    ground.person("ada")
    bob = ground.person("bob", "viewer")
    body = {"username": "eve", "password": PASSWORD, "role": "admin"}
    for client in (bob, ground.program("viewer")):
        assert code(client.get("/api/v1/accounts")) == (403, "not-allowed")
        assert code(client.post("/api/v1/accounts", body)) == (403, "not-allowed")
        assert code(client.patch("/api/v1/accounts/2", {"role": "admin"})) == (403, "not-allowed")
        assert code(client.delete("/api/v1/accounts/1")) == (403, "not-allowed")


def test_an_admin_looks_after_accounts(ground: WebGround) -> None:
    """Made, listed, changed and deleted; a taken name, the last admin and nobody are refused."""
    ada = ground.person("ada")
    made = ada.post("/api/v1/accounts", {"username": "Bob", "password": PASSWORD})
    assert (made.status_code, made.json["role"]) == (201, "viewer")
    path = f"/api/v1/accounts/{made.json['id']}"
    assert code(ada.post("/api/v1/accounts", {"username": "bob", "password": PASSWORD})) == (
        409,
        "name-taken",
    )
    bob = ground.person("Bob")
    assert ada.patch(path, {"role": "admin"}).json["role"] == "admin"
    assert bob.get("/api/v1/accounts").status_code == 200
    assert ada.patch(path, {"role": "viewer"}).json["role"] == "viewer"
    assert bob.get("/api/v1/me").status_code == 401, "a demotion ends sessions"
    assert ada.patch(path, {"password": "given by an admin"}).status_code == 200
    assert ground.accounts.sign_in("bob", "given by an admin", "192.0.2.1")
    assert ada.delete(path).status_code == 204
    assert code(ada.delete(path)) == (404, "not-found")
    mine = ada.get("/api/v1/me").json["id"]
    assert code(ada.delete(f"/api/v1/accounts/{mine}")) == (409, "last-admin")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"{", "application/json"),
        (b'{"username":"ada"}', "application/json"),
        (b'{"username":1,"password":2}', "application/json"),
        (b'{"username":"ada","password":null}', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"username":"' + b"a" * 10_000 + b'","password":"x"}', "application/json"),
    ],
)
def test_bodies_that_cannot_be_used(ground: WebGround, body: bytes, kind: str) -> None:
    """Whatever comes: 400 with a name, and no password said back."""
    answer = ground.nobody().flask.post("/api/v1/session", data=body, content_type=kind)
    assert code(answer) == (400, "bad-request")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_read(ground: WebGround, kind: str) -> None:
    """What a form of another site can send is refused before it is looked at."""
    body = b'{"username":"ada","password":"x"}'
    answer = ground.nobody().flask.post("/api/v1/session", data=body, content_type=kind)
    assert code(answer) == (415, "unsupported-type")


def test_a_large_body_is_refused(ground: WebGround) -> None:
    """Nothing here is sent that is larger than 64 KiB."""
    answer = ground.nobody().flask.post(
        "/api/v1/session", data=b"x" * 100_000, content_type="application/json"
    )
    assert code(answer) == (413, "too-large")
