"""Terminals and those who say what nobody should: refused in a sentence, and nobody else notices."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from cloudbang.domain.terminals import TerminalTarget
from cloudbang.errors import TicketRefused
from cloudbang.terminals.admission import TICKET_VALID, Tickets
from tests.faults.conftest import TerminalGround
from tests.support import DEEP, patient, wait_until
from tests.terminal_support import (
    MIB,
    TICKET,
    Person,
    Terminal,
    known,
    new_client,
    processes,
    wait_alone,
)

pytestmark = pytest.mark.engine

First = dict[str, Any]


def nothing_runs(ground: TerminalGround) -> None:
    """No session came of it, and no process."""
    assert ground.admin.got("/terminals?all=true")["terminals"] == []
    wait_alone(ground.container, 2)


def ticket(ground: TerminalGround) -> First:
    made = ground.admin.ticket(ground.name)
    return {key: made[key] for key in TICKET}


# -- the first message ----------------------------------------------------------------------------


@pytest.mark.slow("the ten seconds of the protocol are what is tested")
def test_who_says_nothing_is_closed_after_ten_seconds(ground: TerminalGround) -> None:
    """No first message: in both protocols a sentence and 4403, and the thread is free again."""
    page, console = ground.raw(), ground.console()
    page.refused(20)
    assert console.wait_closed(10) == 4403
    assert console.output.strip()
    nothing_runs(ground)


WRONG: dict[str, Callable[[First], Any]] = {
    "not JSON": lambda t: "hello",
    "half of JSON": lambda t: json.dumps(t)[:-5],
    "empty": lambda t: "",
    "not an object": lambda t: json.dumps([t]),
    "null": lambda t: "null",
    "not text": lambda t: b"\0\xff" * 20,
    "no keys": lambda t: {},
    "without a ticket": lambda t: {k: v for k, v in t.items() if k != "Md5"},
    "without a container": lambda t: {k: v for k, v in t.items() if k != "C_id"},
    "without an app": lambda t: {k: v for k, v in t.items() if k != "S_id"},
    "without a team": lambda t: {k: v for k, v in t.items() if k != "T_id"},
    "another ticket": lambda t: {**t, "Md5": "0123456789abcdef" * 2},
    "a ticket of another kind": lambda t: {**t, "Md5": [t["Md5"]]},
    "a deeply nested ticket": lambda t: f'{{"T_id":{DEEP},"session":{DEEP}}}',
    "a number for a ticket": lambda t: {**t, "Md5": 7},
    "a long ticket": lambda t: {**t, "Md5": "a" * 50_000},
    "null for everything": lambda t: dict.fromkeys(t),
    "a foreign team": lambda t: {**t, "T_id": "another"},
    "a foreign app": lambda t: {**t, "S_id": "another"},
    "a container that is not there": lambda t: {**t, "C_id": "0123456789ab"},
    "a container by its first letters": lambda t: {**t, "C_id": t["C_id"][:4]},
    "no container": lambda t: {**t, "C_id": ""},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_first_message_is_refused(
    ground: TerminalGround, wrong: Callable[[First], Any]
) -> None:
    """Whatever it lacks: a sentence, 4403, and nothing was started. In both protocols."""
    page = ground.raw()
    message = wrong(ticket(ground))
    page.send(message if isinstance(message, str | bytes) else json.dumps(message))
    page.refused()
    message = wrong(ticket(ground))
    console = ground.console()
    console.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    assert console.wait_closed() == 4403
    assert len(console.output.strip()) > 10, console.messages
    nothing_runs(ground)


SESSIONS: dict[str, First] = {
    "unknown": {"session": "0123456789abcdef"},
    "not an id": {"session": "../../etc/passwd"},
    "a number": {"session": 7},
    "null": {"session": None},
    "with a key": {"session": "0123456789abcdef", "key": "x" * 100},
}


@pytest.mark.parametrize("first", SESSIONS.values(), ids=SESSIONS)
def test_coming_back_to_what_is_not_there_is_refused(ground: TerminalGround, first: First) -> None:
    """An unknown session: a sentence and 4403."""
    page = ground.raw()
    page.say(**first, columns=80, rows=24, client=new_client())
    page.refused()


def test_a_ticket_names_the_container_it_is_for(ground: TerminalGround, container: Any) -> None:
    """A real container, app and ticket that do not belong together: refused; the own one opens."""
    other = container()
    known(ground.server, other.name)
    for change in (
        {"C_id": other.id[:12]},
        {"C_id": other.id},
        {"S_id": other.name},
        {"S_id": other.name, "C_id": other.id[:12]},
    ):
        page = ground.raw()
        page.say(**{**ticket(ground), **change}, columns=80, rows=24, client=new_client())
        page.refused()
        nothing_runs(ground)
    wait_alone(other, 2)
    first = ticket(ground)
    assert ground.container.id.startswith(first["C_id"])
    page = ground.keep(ground.admin.attach({**first, "columns": 80, "rows": 24, "client": "a"}))
    assert page.run("hostname").strip().endswith(ground.container.id[:12])


def test_a_ticket_is_good_once(ground: TerminalGround) -> None:
    """Shown again, while its terminal runs and after it has ended: refused."""
    first = {**ticket(ground), "columns": 80, "rows": 24, "client": "a"}
    page = ground.keep(ground.admin.attach(first))
    for _ in range(2):
        again = ground.raw()
        again.say(**{**first, "client": "b"})
        again.refused()
        console = ground.console({key: first[key] for key in TICKET})
        assert console.wait_closed() == 4403
    page.ready().say("end")
    page.ended()
    again = ground.raw()
    again.say(**first)
    again.refused()


def test_a_ticket_is_good_for_a_minute() -> None:
    """After 60 s it opens nothing; what has expired takes no room."""
    now = [1000.0]
    tickets = Tickets(clock=lambda: now[0])
    target = TerminalTarget("5" * 16, "default", "web", "c" * 64)
    first, second = tickets.give(target, "s1"), tickets.give(target, "s1")
    now[0] += TICKET_VALID - 0.1
    assert tickets.redeem("s1", first.md5, "default", "web", "c" * 12) is target
    now[0] += 0.2
    with pytest.raises(TicketRefused):
        tickets.redeem("s1", second.md5, "default", "web", "c" * 12)
    tickets.give(target, "s1")
    now[0] += TICKET_VALID + 1
    tickets.sweep()
    assert len(tickets) == 0
    assert TICKET_VALID == 60


def test_a_ticket_of_somebody_else_is_worth_nothing_to_a_viewer(ground: TerminalGround) -> None:
    """Opening needs the role admin: to ask for a ticket, and to show one."""
    viewer = ground.person("onlooker")
    answer = viewer.ask("POST", "/terminals", {"container": ground.name})
    assert answer.status_code == 403
    page = ground.raw(viewer)
    page.say(**ticket(ground), columns=80, rows=24, client=new_client())
    page.refused()
    nothing_runs(ground)


# -- where the page comes from --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/docker_console", "/ws"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_gets_no_socket(ground: TerminalGround, path: str, origin: str) -> None:
    """A page from elsewhere, even with the cookie: 403, in both protocols; and no ticket."""
    headers = {**ground.admin.headers, "Origin": origin}
    with pytest.raises(InvalidStatus) as refused:
        Terminal(ground.server, headers, path=path)
    assert refused.value.response.status_code == 403
    answer = ground.admin.client.post(
        "/api/v1/terminals",
        json={"container": ground.name},
        headers={"Origin": origin, "X-CSRF-Token": ground.admin.csrf},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/docker_console", "/ws"])
def test_nobody_gets_no_socket(ground: TerminalGround, path: str) -> None:
    """Without an account even a good ticket is not looked at."""
    with pytest.raises(InvalidStatus) as refused:
        Terminal(ground.server, {}, path=path)
    assert refused.value.response.status_code == 401


# -- in a session ---------------------------------------------------------------------------------

NONSENSE = [
    *("", "x", "null", "7", "[]", "{}", '"op"', "{", "[" * 50_000, '{"op":null}', '{"op":7}'),
    *('{"op":["ack"]}', '{"op":"fly"}', '{"op":"attached"}', '{"op":"input","offset":5}'),
    *('{"op":"ack"}', '{"op":"ack","offset":-1}', '{"op":"ack","offset":"9"}'),
    *('{"op":"ack","offset":1e300}', '{"op":"ack","offset":null}', '{"op":"ack","offset":[1]}'),
    *('{"op":"ack","offset":99999999999999999999999}', '{"op":"ack","offset":true}'),
    *('{"op":"resize"}', '{"op":"ping","x":' + "[" * 900 + "]" * 900 + "}"),
    *('{"op":"' + "x" * 100_000 + '"}', '{"session":"0123456789abcdef"}', "0ls\n", "1", "2{}"),
]


def test_nonsense_in_a_session_leaves_it_as_it_is(ground: TerminalGround) -> None:
    """Unknown opcodes, wrong values, no JSON: the shell goes on answering on the same socket."""
    page = ground.terminal().ready()
    for message in NONSENSE:
        page.send(message)
        page.say("ping")
        wait_until(lambda: page.ops("pong") or page.closed, what=f"a pong after {message[:50]!r}")
        assert not page.closed, (message[:50], page.close_code)
        page.heard = [one for one in page.heard if one["op"] != "pong"]
    assert page.run("echo still here").strip() == "still here"
    page.send(b"")
    assert page.run("echo and here").strip() == "and here"


SIZES = [0, -5, 1, 2**31, 2**70, 10**30, 1e300, -1e300, "80", "", None, True, [], {}, [80], 0.5]


def test_odd_sizes_are_clamped_or_left_out(ground: TerminalGround) -> None:
    """Whatever a resize says, the window stays one that exists, and the session goes on."""
    page = ground.terminal().ready()
    for value in SIZES:
        page.say("resize", columns=value, rows=value)
        page.say("resize", columns=value, rows=30)
        page.say("resize", columns=90, rows=value)
        rows, columns = map(int, page.size().split())
        assert 1 <= rows <= 500, value
        assert 2 <= columns <= 1000, value
        page.say("resize", columns=132, rows=43)
        wait_until(lambda: page.size() == "43 132", what=f"a good size after {value!r}")
    for text in ("NaN", "Infinity", "1e999", "-1e999"):  # not JSON, or no number
        page.send(f'{{"op":"resize","columns":{text},"rows":{text}}}')
    wait_until(lambda: page.size() == "43 132", what="the size to stay")


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (-1, 10**9), ("x", None), ([], {})])
def test_odd_sizes_at_the_start_do_not_keep_a_terminal_from_opening(
    ground: TerminalGround, columns: Any, rows: Any
) -> None:
    """The first message names a size that is none: clamped, or the usual one."""
    page = ground.terminal(columns=columns, rows=rows)
    high, wide = map(int, page.ready().size().split())
    assert 1 <= high <= 500
    assert 2 <= wide <= 1000


def test_a_message_of_more_than_a_mebibyte_costs_the_socket_and_not_the_session(
    ground: TerminalGround,
) -> None:
    """Too long: closed with 1009; the page comes back to the same shell."""
    page = ground.terminal().ready()
    page.run("here=still")
    page.send(b"x" * (2 * MIB))
    assert page.wait_closed() == 1009
    back = ground.keep(ground.admin.back(page.session))
    assert back.run("echo $here").strip().endswith("still")


# -- who may only look ----------------------------------------------------------------------------


def test_a_viewer_with_a_watch_link_types_in_vain(ground: TerminalGround) -> None:
    """What a watcher types goes nowhere; neither do end, take and links of theirs."""
    page = ground.terminal().ready()
    viewer = ground.person("watcher")
    link = ground.admin.made(f"/terminals/{page.session}/links", {"mode": "watch"})
    guest = ground.keep(viewer.back(page.session, key=link["key"]))
    assert guest.attached["mode"] == "watch"
    guest.send(b"touch /tmp/typed\n")
    guest.send(b"\x03\x04exit\n")
    for op in ("take", "end"):
        guest.say(op)
    guest.say("ping")
    guest.wait_op("pong")
    assert viewer.ask("DELETE", f"/terminals/{page.session}").status_code in (403, 404)
    for mode in ("watch", "type"):
        made = viewer.ask("POST", f"/terminals/{page.session}/links", {"mode": mode})
        assert made.status_code in (403, 404)
    assert page.run("ls /tmp").strip() == ""
    page.run("echo for the watcher")
    guest.wait_for("\r\nfor the watcher\r\n")
    assert [one["keyboard"] for one in page.ops("people")[-1]["people"]] == [True, False]


def test_a_link_is_good_until_it_is_taken_back(ground: TerminalGround) -> None:
    """Wrong, older and voided keys are refused; the keyboard goes back to the owner."""
    page = ground.terminal().ready()
    guest = ground.person("helper")

    def refused(key: str | None) -> None:
        one = ground.raw(guest)
        one.say(session=page.session, key=key, columns=80, rows=24, client=new_client())
        one.refused()

    for key in (None, "", "x" * 32):
        refused(key)
    path = f"/terminals/{page.session}/links"
    first = ground.admin.made(path, {"mode": "type"})["key"]
    second = ground.admin.made(path, {"mode": "type"})["key"]
    refused(first)
    typist = ground.keep(guest.back(page.session, key=second))
    assert typist.attached["mode"] == "type"
    typist.type("echo by a guest''!\n")
    page.wait_for("by a guest!")
    page.say("take")
    typist.wait_op("mode", mode="watch")
    typist.send(b"touch /tmp/too-late\n")
    typist.say("ping")
    typist.wait_op("pong")
    assert page.run("ls /tmp").strip() == ""
    refused(second)
    third = ground.admin.made(path, {"mode": "watch"})["key"]
    assert ground.admin.ask("DELETE", path).status_code == 204
    refused(third)


# -- who is gone ----------------------------------------------------------------------------------


def test_a_sign_out_ends_the_terminals_of_that_login(ground: TerminalGround) -> None:
    """Within 2 s the page is closed with 4401, its processes end; another login's go on."""
    leaver = Person(ground.server)
    ground.people.append(leaver)
    stays = ground.terminal().ready()
    page = ground.keep(leaver.terminal(ground.name))
    page.ready().type("sleep 100000 &\ntop\n")
    page.wait_for("Load average")
    assert leaver.ask("DELETE", "/session").status_code == 204
    assert page.wait_closed(2) == 4401
    past = wait_until(lambda: _ended(ground, page.session), 10, "the session to be over")
    assert past["reason"] == "signed-out"
    assert stays.run("echo here").strip() == "here"
    stays.say("end")
    stays.ended()
    wait_alone(ground.container)


def test_who_is_demoted_loses_their_terminals(ground: TerminalGround) -> None:
    """An admin who becomes a viewer: 4401 within 2 s, and the shell is gone."""
    boss = ground.person("boss", "admin")
    page = ground.keep(boss.terminal(ground.name)).ready()
    [account] = [a for a in ground.admin.got("/accounts")["accounts"] if a["username"] == "boss"]
    ground.admin.ask("PATCH", f"/accounts/{account['id']}", {"role": "viewer"})
    assert page.wait_closed(2) == 4401
    wait_alone(ground.container)


def test_a_revoked_token_loses_its_terminals(ground: TerminalGround) -> None:
    """A program opens one with its API token; without the token it is over."""
    token = ground.admin.made("/tokens", {"name": "robot"})
    headers = {"Authorization": f"Bearer {token['token']}"}
    asked = httpx.post(
        f"{ground.server.url}/api/v1/terminals",
        json={"container": ground.name},
        headers=headers,
        trust_env=False,
        timeout=patient(20),
    )
    assert asked.status_code == 201
    page = ground.keep(Terminal(ground.server, headers))
    first = {key: asked.json()[key] for key in TICKET}
    page.say(**first, columns=80, rows=24, client=new_client())
    page.wait_op("attached")
    page.ready()
    assert ground.admin.ask("DELETE", f"/tokens/{token['id']}").status_code == 204
    assert page.wait_closed(2) == 4401
    wait_alone(ground.container)
    assert not processes(ground.container.id).keys() - {ground.container.attrs["State"]["Pid"]}


def _ended(ground: TerminalGround, session: str) -> Any:
    found = ground.admin.got(f"/terminals/{session}")
    return found if found["state"] == "ended" else None
