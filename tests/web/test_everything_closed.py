"""Nothing works without an account but what is meant to: every route and every socket is tried.

The application is the real one, as it serves: a route or a door that somebody adds is tried here
without being named, and one that is open has to be named below on purpose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from cloudbang.accounts import Caller
from cloudbang.storage.database.terminals import TerminalRecord
from tests.support import patient, wait_until
from tests.terminal_programs import Program, run_terminal
from tests.web.whole_app import CHANGES, NO_ENGINE, PASSWORD, WHEN, WholeApp

pytestmark = NO_ENGINE

# What works without an account, and nothing else does.
OPEN = {
    ("/healthz", "GET"),
    ("/metrics", "GET"),
    ("/static/<path:filename>", "GET"),
    ("/i18n/<lang>.json", "GET"),
    ("/sign-in", "GET"),
    ("/setup", "GET"),
    ("/api/v1/setup", "POST"),
    ("/api/v1/session", "POST"),
    ("/api/v1/webhooks/<key>", "POST"),  # with its secret
}
RUNNING, ENDED = "00000000000000aa", "00000000000000bb"  # terminals of the admin


class House(WholeApp):
    """The whole of it with an app that has a line, and terminals of the admin's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.log("web", "a secret line")
        self.secret = self.sign_in("admin")
        owner = self.parts.accounts.credentials.find(self.secret)
        self._program = open_terminals(self.parts, owner)

    def routes(self) -> Iterator[tuple[str, str, str]]:
        """Rule, path and method of everything that can be asked for."""
        for rule, method in self.rules():
            yield rule.rule, self.path(rule, app="web", session=RUNNING), method

    def close(self) -> None:
        self._program.cut()
        super().close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


def open_terminals(parts: Any, owner: Caller) -> Program:
    """A terminal that runs and one that has ended, both with something to keep to oneself."""
    program = run_terminal(parts.terminals, RUNNING, owner)
    parts.terminal_store.opened(
        TerminalRecord(
            session=ENDED,
            kind="exec",
            team="default",
            app="web",
            container="0123456789ab" + "0" * 52,
            name="web",
            image="busybox",
            command=("a secret command",),
            user="",
            folder="",
            account_id=owner.account_id,
            account=owner.name,
            login=owner.login,
            address="192.0.2.1",
            agent="test",
            columns=80,
            rows=24,
            started=WHEN,
            recorded=True,
        )
    )
    parts.terminal_store.ended(ENDED, "exit", 0, 100)
    return program


def is_open(rule: str, method: str) -> bool:
    return (rule, "GET" if method in ("HEAD", "OPTIONS") else method) in OPEN or (
        method == "OPTIONS" and any(rule == known for known, _ in OPEN)
    )


def test_every_route_is_closed_to_nobody(house: House) -> None:
    """Whoever has no account gets 401, or is sent to the sign-in page, and sees nothing."""
    tried = 0
    for rule, path, method in house.routes():
        if is_open(rule, method):
            continue
        for accept in ("application/json", "text/html"):
            answer = house.ask(path, method, headers={"Accept": accept})
            page = accept == "text/html" and not path.startswith("/api/")
            expected = 302 if page else 401
            assert answer.status_code == expected, f"{method} {path} answers {answer.status}"
            assert b"secret line" not in answer.data
            if expected == 302:
                assert answer.headers["Location"].startswith("/sign-in")
        tried += 1
    assert tried > 30


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "cloudbang_session=nonsense"},
        {"Cookie": 'cloudbang_session="; a=b'},
        {"Cookie": "session=.eJwNwjEOgCAMAMC_dHYglBTwM6ZpS2RQSYDJ-HddcveCzA4RMMHd"},
        {"X-Forwarded-User": "admin", "Remote-User": "admin"},
    ],
)
def test_what_is_no_good_is_nobody(house: House, headers: dict[str, str]) -> None:
    """A made-up token, cookie or header opens nothing."""
    for rule, path, method in house.routes():
        if not is_open(rule, method):
            answer = house.ask(path, method, headers=headers)
            assert answer.status_code == 401, f"{method} {path} answers {answer.status}"


def test_what_is_open_is_what_is_meant_to_be(house: House) -> None:
    """Each open route works without an account; the list has none that is gone."""
    routes = {(rule, method) for rule, _, method in house.routes()}
    assert routes >= OPEN
    for rule, path, method in house.routes():
        if (rule, method) in OPEN:
            answer = house.ask(path, method)
            assert answer.status_code not in (401, 403), f"{method} {path}"


def test_unknown_paths_tell_nothing(house: House) -> None:
    """There is nothing behind the routes that are listed."""
    for path in (
        "/admin",
        "/api/v1/",
        "/api/v2/apps",
        "/console",
        "/static/../wsgi.py",
        "/.git/HEAD",
    ):
        assert house.ask(path).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(house: House, headers: dict[str, str]) -> None:
    """With a person's own cookie and even their CSRF token: 403 for every change."""
    token = house.ask("/api/v1/me", cookie=house.secret).json["csrf_token"]
    tried = 0
    for _, path, method in house.routes():
        if method in CHANGES:
            answer = house.ask(
                path,
                method,
                cookie=house.secret,
                headers={**headers, "X-CSRF-Token": token},
                json={},
            )
            assert (answer.status_code, answer.json["code"]) == (403, "cross-site"), path
            tried += 1
    assert tried > 8
    assert house.ask("/api/v1/me", cookie=house.secret).status_code == 200


def test_a_change_with_a_cookie_needs_the_csrf_token(house: House) -> None:
    """Without it, with another's or with nonsense: 403 for every change."""
    other = house.sign_in("admin")
    others = house.ask("/api/v1/me", cookie=other).json["csrf_token"]
    for rule, path, method in house.routes():
        if method not in CHANGES or is_open(rule, method):
            continue
        for token in ("", "nonsense", others):
            answer = house.ask(
                path, method, cookie=house.secret, headers={"X-CSRF-Token": token}, json={}
            )
            assert (answer.status_code, answer.json["code"]) == (403, "csrf"), path


def test_no_answer_is_for_other_sites(house: House) -> None:
    """No route lets another site's script read it, and each carries the strict headers."""
    for _, path, method in house.routes():
        if method in ("GET", "OPTIONS"):
            answer = house.ask(
                path, method, cookie=house.secret, headers={"Origin": "http://evil.example"}
            )
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_viewer_changes_only_what_is_their_own(house: House) -> None:
    """Every change that is not about the own account answers 403 to a viewer."""
    own = ("/api/v1/session", "/api/v1/me", "/api/v1/tokens", "/api/v1/setup")
    viewer, _ = house.token("viewer", "viewer")
    for rule, path, method in house.routes():
        if method in CHANGES and not rule.startswith(own) and not is_open(rule, method):
            answer = house.ask(path, method, headers=viewer, json={})
            assert answer.status_code == 403, f"{method} {path} answers {answer.status}"


def test_a_terminal_is_its_owners(house: House) -> None:
    """A viewer finds no terminal of others, not in a list and not by its id; nothing says that
    it exists. The same for a token without an account."""
    nosy, _ = house.token("nosy", "viewer")
    assert house.ask("/api/v1/terminals", headers=nosy).json == {"terminals": []}
    assert house.ask("/api/v1/terminals?all=true", headers=nosy).status_code == 403
    history = house.ask("/api/v1/terminals/history", headers=nosy).json
    assert history == {"terminals": [], "next": None}
    tried = 0
    for rule, _, method in house.routes():
        if not rule.startswith("/api/v1/terminals/<session>") or method != "GET":
            continue
        for session in (RUNNING, ENDED, "00000000000000cc", "nonsense"):
            path = rule.replace("<session>", session) + "?path=/etc/passwd"
            answer = house.ask(path, headers=nosy)
            assert (answer.status_code, answer.json["code"]) == (404, "no-such-terminal"), path
            assert b"secret" not in answer.data
            tried += 1
    assert tried >= 12
    new = house.ask("/api/v1/terminals", "POST", headers=nosy, json={"container": "0" * 12})
    assert (new.status_code, new.json["code"]) == (403, "not-allowed")
    assert house.ask(f"/api/v1/terminals/{RUNNING}", cookie=house.secret).json["state"] == "running"


def test_another_admin_sees_and_ends_but_does_not_enter(house: House) -> None:
    """The lists and the recordings are theirs to look at; links, files and the folder are not."""
    parts = house.parts
    eve, token = house.token("another admin", "admin")
    assert house.ask("/api/v1/terminals", headers=eve).json == {"terminals": []}
    everybodys = house.ask("/api/v1/terminals?all=true", headers=eve).json["terminals"]
    assert [one["id"] for one in everybodys] == [RUNNING]
    history = house.ask("/api/v1/terminals/history", headers=eve).json["terminals"]
    assert {one["id"] for one in history} == {RUNNING, ENDED}
    assert house.ask(f"/api/v1/terminals/{ENDED}", headers=eve).json["exit_code"] == 0
    for path, method in (
        (f"/api/v1/terminals/{RUNNING}/links", "POST"),
        (f"/api/v1/terminals/{RUNNING}/links", "DELETE"),
        (f"/api/v1/terminals/{RUNNING}/folder", "GET"),
        (f"/api/v1/terminals/{RUNNING}/files?path=/etc/passwd", "GET"),
    ):
        body = {"mode": "type"} if method == "POST" else None
        answer = house.ask(path, method, headers=eve, json=body)
        assert (answer.status_code, answer.json["code"]) == (403, "not-allowed"), path
    other = "00000000000000dd"
    run_terminal(parts.terminals, other, parts.accounts.credentials.find(house.secret))
    assert house.ask(f"/api/v1/terminals/{other}", "DELETE", headers=eve).status_code == 204
    assert parts.terminal_store.get(other).reason == "admin"
    parts.accounts.tokens.revoke(token.id)


def refused(house: House, path: str, **headers: str) -> int:
    """The status with which a socket is refused."""
    with pytest.raises(InvalidStatus) as answer, house.socket(path, headers):
        pass
    return answer.value.response.status_code


def test_every_socket_is_closed_to_nobody(house: House) -> None:
    """Every door refuses with 401 who has no account, whatever they show instead."""
    assert house.server.routes
    for path in house.server.routes:
        assert refused(house, path) == 401
        assert refused(house, path, Authorization="Bearer nonsense") == 401
        assert refused(house, path, Cookie="cloudbang_session=nonsense") == 401
        assert refused(house, path, Origin=house.origin) == 401


def test_every_socket_is_closed_to_other_sites(house: House) -> None:
    """Every door refuses a page of another site, although the browser sends the cookie along."""
    cookie = f"cloudbang_session={house.secret}"
    for path in house.server.routes:
        for origin in ("http://evil.example", "null", house.origin + "1", "https://127.0.0.1"):
            assert refused(house, path, Origin=origin, Cookie=cookie) == 403


def closed_after(house: House, headers: dict[str, str], act: Callable[[], object]) -> set[int]:
    """The codes with which a socket at every door is closed within 2 s of ``act``."""
    codes = set()
    with ExitStack() as stack:
        opened = [stack.enter_context(house.socket(path, headers)) for path in house.server.routes]
        act()
        end = time.monotonic() + patient(2.0)
        for socket in opened:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=max(end - time.monotonic(), 0.01))
            assert closed.value.rcvd
            codes.add(closed.value.rcvd.code)
    return codes


def test_open_sockets_die_with_their_session(house: House) -> None:
    """Within 2 s of signing out, of a demotion, of a revoked token: closed with 4401."""
    accounts = house.parts.accounts
    bob = accounts.create("bob", PASSWORD, "admin")

    def cookie() -> dict[str, str]:
        return {"Cookie": "cloudbang_session=" + house.sign_in("bob")}

    mine = cookie()
    caller = accounts.credentials.find(mine["Cookie"].partition("=")[2])
    assert closed_after(house, mine, lambda: accounts.credentials.end_login(caller.login)) == {4401}
    assert closed_after(house, cookie(), lambda: accounts.set_role(bob.id, "viewer")) == {4401}
    secret, token = accounts.tokens.create("bob's", "viewer", bob.id)
    program = {"Authorization": f"Bearer {secret}"}
    assert closed_after(house, program, lambda: accounts.tokens.revoke(token.id)) == {4401}
    secret, token = accounts.tokens.create("bob's", "viewer", bob.id)
    program = {"Authorization": f"Bearer {secret}"}
    turn = partial(accounts.tokens.rotate, token.id, None, overlap=0)
    assert closed_after(house, program, turn) == {4401}
    # They are opened until then; one that says nothing is closed after ten seconds for that.
    until = int(time.time()) + min(8, round(patient(3)))
    secret, _ = accounts.tokens.create("bob's", "viewer", bob.id, until)
    program = {"Authorization": f"Bearer {secret}"}
    wait = partial(wait_until, lambda: time.time() >= until, 9, "the token's end")
    assert closed_after(house, program, wait) == {4401}
    assert closed_after(house, cookie(), lambda: accounts.switch_off(bob.id)) == {4401}
    accounts.set_end(bob.id, None)
    assert closed_after(house, cookie(), lambda: accounts.delete(bob.id)) == {4401}


def test_every_socket_opens_with_an_account(house: House) -> None:
    """The cookie from our own page, or a token: so that the refusals above mean something."""
    program, _ = house.token("socket", "viewer")
    for path in house.server.routes:
        ours = {"Cookie": f"cloudbang_session={house.secret}", "Origin": house.origin}
        for headers in (ours, program):
            with house.socket(path, headers) as socket:
                assert socket.response
                assert socket.response.status_code == 101
