"""Terminals over HTTP, without an engine: who is told what, and what is refused."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudbang.accounts import Caller
from cloudbang.domain.lines import format_time
from cloudbang.storage.database.terminals import TerminalRecord
from cloudbang.web.api.downloads import disposition
from tests.terminal_programs import Program, run_terminal
from tests.web.api.test_account import code
from tests.web.web_support import START, Client, WebGround

ONE, TWO = "0000000000000001", "0000000000000002"

RECORD = TerminalRecord(
    session=ONE,
    kind="exec",
    team="default",
    app="web",
    container="0123456789ab" + "0" * 52,
    name="web",
    image="busybox",
    command=("top",),
    user="root",
    folder="/app",
    account_id=None,
    account="",
    login="",
    address="192.0.2.1",
    agent="test",
    columns=80,
    rows=24,
    started=format_time(START),
)


def caller_of(ground: WebGround, client: Client) -> Caller:
    """Who the cookie or the token of a client stands for."""
    cookie = client.flask.get_cookie("cloudbang_session")
    found = ground.accounts.credentials.find(client.token or (cookie.value if cookie else ""))
    assert found
    return found


def run(ground: WebGround, client: Client, session: str = ONE, **where: str) -> Program:
    return run_terminal(ground.terminals, session, caller_of(ground, client), **where)


def past(ground: WebGround, owner: Caller, session: str, **changes: Any) -> None:
    """A terminal that has ended."""
    record = replace(
        RECORD,
        session=session,
        account_id=owner.account_id,
        account=owner.name,
        login=owner.login,
        **changes,
    )
    ground.terminal_store.opened(record)
    ground.terminal_store.ended(session, "exit", 0)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json["terminals"]]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "container"),
        ({"container": 1}, "container"),
        ({"container": "web", "command": "echo 'open"}, "command"),
        ({"container": "web", "command": ["a", 1]}, "command"),
        ({"container": "web", "user": "a b"}, "user"),
        ({"container": "web", "folder": "app"}, "folder"),
        ({"container": "web", "folder": ["/"]}, "folder"),
        ({"container": "web", "kind": "share"}, "kind"),
    ],
)
def test_wishes_that_cannot_be_used(ground: WebGround, body: Any, name: str) -> None:
    """400, and the name of what is wrong."""
    answer = ground.person().post("/api/v1/terminals", body)
    assert code(answer) == (400, "bad-request")
    assert answer.json["name"] == name


@pytest.mark.parametrize("container", ["", "web", "../x", "0123", "x" * 200, "G" * 12, "a\0b"])
def test_a_container_that_is_not_there(ground: WebGround, container: str) -> None:
    """404, without asking the engine for what cannot be an id."""
    answer = ground.person().post("/api/v1/terminals", {"container": container})
    assert code(answer) == (404, "no-such-container")


def test_an_id_nobody_knows_is_asked_of_the_engine(tmp_path: Path) -> None:
    """It may have been started a moment ago. Here no engine answers."""
    # By TCP: of a unix socket that nobody listens at, the SDK leaves its end open.
    ground = WebGround(tmp_path, engine={"host": "tcp://127.0.0.1:1"})
    answer = ground.person().post("/api/v1/terminals", {"container": "0123456789ab"})
    ground.close()
    assert code(answer) == (503, "engine-unreachable")


def test_opening_needs_an_admin(ground: WebGround) -> None:
    """A shell in a container is root there."""
    for client in (ground.person("bob", "viewer"), ground.program("viewer")):
        answer = client.post("/api/v1/terminals", {"container": "0123456789ab"})
        assert code(answer) == (403, "not-allowed")


def test_sentences_are_in_the_readers_language(ground: WebGround) -> None:
    """What is wrong is said in Chinese to whoever reads Chinese."""
    body = {"container": "web", "command": "echo 'open"}
    chinese = {"headers": {"Accept-Language": "zh-CN"}}
    answer = ground.person().post("/api/v1/terminals", body, **chinese)
    assert "引号" in answer.json["detail"]
    answer = ground.person().delete("/api/v1/terminals/00000000000000ff", **chinese)
    assert "没有终端" in answer.json["detail"]


def test_the_list_has_the_own_ones(ground: WebGround) -> None:
    """The same account, wherever it is signed in; everybody's for an admin who asks."""
    ada, eve, bob = ground.person("ada"), ground.person("eve"), ground.person("bob", "viewer")
    mine = run(ground, ada)
    assert ids(ada.get("/api/v1/terminals")) == [ONE]
    assert ids(ground.person("ada").get("/api/v1/terminals")) == [ONE]
    assert ids(eve.get("/api/v1/terminals")) == []
    assert ids(eve.get("/api/v1/terminals?all=true")) == [ONE]
    assert ids(bob.get("/api/v1/terminals")) == []
    assert code(bob.get("/api/v1/terminals?all=1")) == (403, "not-allowed")
    assert code(ada.get("/api/v1/terminals?all=maybe")) == (400, "bad-request")
    mine.cut()


def test_terminals_of_programs(ground: WebGround) -> None:
    """A token without an account has its own, and no other such token has them."""
    one, other = ground.program(), ground.program()
    mine = run(ground, one)
    assert ids(one.get("/api/v1/terminals")) == [ONE]
    assert ids(other.get("/api/v1/terminals")) == []
    assert one.post(f"/api/v1/terminals/{ONE}/links", {"mode": "watch"}).status_code == 201
    refused = other.post(f"/api/v1/terminals/{ONE}/links", {"mode": "watch"})
    assert code(refused) == (403, "not-allowed")
    mine.cut()


def test_one_terminal_running_and_ended(ground: WebGround) -> None:
    """The same shape before and after its end; by its owner or an admin."""
    ada, bob = ground.person("ada"), ground.person("bob", "viewer")
    run(ground, ada)
    running = ada.get(f"/api/v1/terminals/{ONE}").json
    assert (running["state"], running["account"], running["people"]) == ("running", "ada", 0)
    assert ada.delete(f"/api/v1/terminals/{ONE}").status_code == 204
    ended = ground.person("eve").get(f"/api/v1/terminals/{ONE}").json
    assert (ended["state"], ended["reason"]) == ("ended", "closed")
    assert ended["ended"] >= ended["started"]
    assert set(ended) == set(running)
    past(ground, caller_of(ground, ada), TWO)
    assert ada.get(f"/api/v1/terminals/{TWO}").json["container"] == RECORD.container[:12]
    assert code(bob.get(f"/api/v1/terminals/{ONE}")) == (404, "no-such-terminal")
    for nonsense in ("0" * 15, "0" * 17, "g" * 16, "..", "%00", "00000000000000ff"):
        assert ada.get(f"/api/v1/terminals/{nonsense}").status_code == 404


def test_ending(ground: WebGround) -> None:
    """The owner ends it, another admin does; ended once it stays so, for longer it is unknown."""
    ada, eve, bob = ground.person("ada"), ground.person("eve"), ground.person("bob", "viewer")
    run(ground, ada, ONE)
    run(ground, ada, TWO)
    assert code(bob.delete(f"/api/v1/terminals/{ONE}")) == (403, "not-allowed")
    assert ada.delete(f"/api/v1/terminals/{ONE}").status_code == 204
    assert eve.delete(f"/api/v1/terminals/{TWO}").status_code == 204
    assert [ground.terminal_store.get(s).reason for s in (ONE, TWO)] == ["closed", "admin"]
    assert ada.delete(f"/api/v1/terminals/{ONE}").status_code == 204
    assert code(ada.delete("/api/v1/terminals/00000000000000ff")) == (404, "no-such-terminal")


def test_links_are_the_owners(ground: WebGround) -> None:
    """A fresh key each time, in the fragment of the address; the older one of its kind is void."""
    ada, eve = ground.person("ada"), ground.person("eve")
    bob = caller_of(ground, ground.person("bob", "viewer"))
    program = run(ground, ada)
    links = f"/api/v1/terminals/{ONE}/links"
    first = ada.post(links, {"mode": "watch"}).json
    assert first["url"] == f"/terminals/{ONE}#{first['key']}"
    assert ground.terminals.admit(ONE, bob, first["key"])[1] == "watch"
    second = ada.post(links, {"mode": "watch"}).json
    typing = ada.post(links, {"mode": "type"}).json
    assert len({one["key"] for one in (first, second, typing)}) == 3
    for key, mode in ((second["key"], "watch"), (typing["key"], "type")):
        assert ground.terminals.admit(ONE, bob, key)[1] == mode
    for body in ({"mode": "own"}, {"mode": ""}, {}, {"mode": 1}):
        assert code(ada.post(links, body)) == (400, "bad-request")
    for answer in (eve.post(links, {"mode": "type"}), eve.delete(links)):
        assert code(answer) == (403, "not-allowed")
    assert ada.delete(links).status_code == 204
    for key in (first["key"], second["key"], typing["key"]):
        with pytest.raises(Exception, match="no terminal"):
            ground.terminals.admit(ONE, bob, key)
    program.cut()


def test_the_history_page_by_page(ground: WebGround) -> None:
    """Newest first; ``next`` goes on; an app's alone; the own ones, all for an admin."""
    ada, bob = ground.person("ada"), ground.person("bob", "viewer")
    names = [f"{n:016x}" for n in range(7)]
    for n, name in enumerate(names):
        owner = caller_of(ground, bob if n == 3 else ada)
        past(ground, owner, name, app="api" if n % 2 else "web")
    seen: list[str] = []
    path = "/api/v1/terminals/history?limit=3"
    answer = ada.get(path)
    while True:
        seen += ids(answer)
        if answer.json["next"] is None:
            break
        answer = ada.get(f"{path}&before={answer.json['next']}")
    assert seen == names[::-1]
    assert ids(ada.get("/api/v1/terminals/history?app=api")) == names[5::-2]
    assert ids(bob.get("/api/v1/terminals/history")) == [names[3]]
    for wrong in ("limit=0", "limit=501", "before=x", "before=-1", "app=" + "a" * 200):
        assert code(ada.get(f"/api/v1/terminals/history?{wrong}")) == (400, "bad-request")


def test_what_runs_is_in_the_history_as_it_is_now(ground: WebGround) -> None:
    """Not as it began."""
    ada = ground.person("ada")
    program = run(ground, ada)
    ground.terminals.get(ONE).title = "vi"
    shown = ada.get("/api/v1/terminals/history").json["terminals"][0]
    assert (shown["state"], shown["title"]) == ("running", "vi")
    program.cut()


def record(ground: WebGround, session: str, text: bytes) -> None:
    recording = ground.recordings.begin(
        session, columns=80, rows=24, command=["sh"], title="web", started=RECORD.started
    )
    recording.output(text)
    recording.end()


def test_recordings(ground: WebGround) -> None:
    """asciicast v2 as a file, for its owner and for admins; none where nothing was recorded."""
    ada, eve, bob = ground.person("ada"), ground.person("eve"), ground.person("bob", "viewer")
    past(ground, caller_of(ground, ada), ONE)
    past(ground, caller_of(ground, ada), TWO)
    record(ground, ONE, "top secret 你好\r\n".encode())
    path = f"/api/v1/terminals/{ONE}/recording"
    for client in (ada, eve):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "application/x-asciicast")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{ONE}.cast"'
        head, *lines = [json.loads(line) for line in answer.data.splitlines()]
        assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
        assert "".join(text for _, kind, text in lines if kind == "o") == "top secret 你好\r\n"
        assert answer.content_length == len(answer.data)
    assert ada.ask("HEAD", path, buffered=True).status_code == 200
    refused = bob.get(path)
    assert code(refused) == (404, "no-such-terminal")
    assert code(ada.get(f"/api/v1/terminals/{TWO}/recording")) == (404, "no-recording")


def test_a_recording_ends_with_the_session_that_reads_it(ground: WebGround) -> None:
    """Signed out while it is sent: the connection breaks, nothing more is told."""
    ada = ground.person("ada")
    past(ground, caller_of(ground, ada), ONE)
    record(ground, ONE, random.Random(1).randbytes(500_000).hex().encode())
    answer = ada.get(f"/api/v1/terminals/{ONE}/recording", buffered=False)
    pieces = answer.iter_encoded()
    assert next(pieces)
    ground.accounts.credentials.end_login(caller_of(ground, ada).login)
    with pytest.raises(OSError, match="signed out"):
        next(filter(None, pieces))  # nothing is sent of an empty one
    answer.close()


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("app.log", 'attachment; filename="app.log"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("日志.log", "attachment; filename=\"__.log\"; filename*=UTF-8''%E6%97%A5%E5%BF%97.log"),
        ('a"b\\c', "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"),
        ("50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("\udcff", "attachment; filename=\"_\"; filename*=UTF-8''%3F"),
    ],
)
def test_names_of_files_in_headers(name: str, header: str) -> None:
    """Any name a file can have, as RFC 6266 has it; nothing of it ends the header."""
    assert disposition(name) == header


def test_another_teams_terminals_do_not_exist(ground: WebGround) -> None:
    """Also for an admin who opened one there, once they may not see the app any more."""
    ada = ground.person("ada")
    program = run(ground, ada, ONE, team="theirs")
    past(ground, caller_of(ground, ada), TWO, team="theirs")
    for path in ("", "?all=1", "/history"):
        assert ids(ada.get(f"/api/v1/terminals{path}")) == []
    for session in (ONE, TWO):
        assert code(ada.get(f"/api/v1/terminals/{session}")) == (404, "no-such-terminal")
    assert code(ada.delete(f"/api/v1/terminals/{ONE}")) == (404, "no-such-terminal")
    program.cut()


def test_nothing_secret_is_logged(ground: WebGround, caplog: pytest.LogCaptureFixture) -> None:
    """No key of a link reaches a line of the log, not at the finest level."""
    caplog.set_level("DEBUG")
    ada = ground.person("ada")
    program = run(ground, ada)
    key = ada.post(f"/api/v1/terminals/{ONE}/links", {"mode": "type"}).json["key"]
    ada.get(f"/api/v1/terminals/{ONE}")
    ada.delete(f"/api/v1/terminals/{ONE}/links")
    program.cut()
    assert key not in caplog.text
