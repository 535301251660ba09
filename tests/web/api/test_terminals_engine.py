"""Terminals over HTTP with a real engine: from the ticket to the recording."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ContainerFactory
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person, known


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> Iterator[ServerProcess]:
    """One for all: each test has a container of its own."""
    one = ServerProcess(tmp_path_factory.mktemp("terminals"), {"DOCKER_HOST": engine_socket})
    yield one.start()
    one.close()


@pytest.fixture
def me(server: ServerProcess) -> Iterator[Person]:
    with Person(server) as person:
        yield person


def test_a_terminal_from_ticket_to_recording(
    server: ServerProcess, container: ContainerFactory, me: Person
) -> None:
    """Opened by its container's name or either id, listed while it runs, ended, kept, replayed."""
    made = container("sleep 600")
    known(server, made.name)
    for name in (made.name, made.id, made.id[:12]):
        ticket = me.ticket(name, "echo 'a  b' $HOME; id", user="0:0", folder="/tmp")
        assert (ticket["T_id"], ticket["S_id"], ticket["C_id"]) == (
            "default",
            made.name,
            made.id[:12],
        )
        assert re.fullmatch(r"[0-9a-f]{32}", ticket["Md5"])
        assert ticket["url"] == f"ws://127.0.0.1:{server.port}/docker_console"
    terminal = me.terminal(made.name, "echo 'a  b' $HOME ; id", user="0:0", folder="/tmp")
    end = terminal.ended()
    assert (end["reason"], end["code"]) == ("exit", 0)
    assert terminal.output == b"a  b $HOME ; id\r\n"
    session = terminal.session
    shown = me.got(f"/terminals/{session}")
    assert shown["command"] == ["echo", "a  b", "$HOME", ";", "id"]
    assert (shown["state"], shown["reason"], shown["exit_code"]) == ("ended", "exit", 0)
    assert (shown["account"], shown["address"]) == ("admin", "127.0.0.1")
    assert me.got(f"/terminals/history?app={made.name}")["terminals"][0]["id"] == session
    answer = me.ask("GET", f"/terminals/{session}/recording")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert "".join(line[2] for line in lines[1:] if line[1] == "o") == "a  b $HOME ; id\r\n"


def test_a_shell_is_listed_linked_and_ended(
    server: ServerProcess, container: ContainerFactory, me: Person
) -> None:
    """With its people; a guest comes by a link; DELETE ends it and says so to both."""
    made = container("sleep 600")
    known(server, made.name)
    terminal = me.terminal(made.name).ready()
    session = terminal.session
    guest = me.account("guest")
    key = me.made(f"/terminals/{session}/links", {"mode": "watch"})["key"]
    assert guest.got("/terminals")["terminals"] == []
    watching = guest.back(session, key=key)
    listed = me.got("/terminals")["terminals"]
    assert [(one["id"], one["people"]) for one in listed] == [(session, 2)]
    assert guest.ask("DELETE", f"/terminals/{session}").status_code == 403
    assert me.ask("DELETE", f"/terminals/{session}").status_code == 204
    for one in (terminal, watching):
        assert one.ended()["reason"] == "closed"
    assert me.got("/terminals")["terminals"] == []
    # Nothing that opens anything is in what the server says about itself.
    assert key not in server.said(10**6)
    guest.client.close()


def test_containers_that_do_not_run(
    server: ServerProcess, container: ContainerFactory, me: Person
) -> None:
    """A stopped and a paused one: 409, each with what to do."""
    stopped, paused = container("true"), container("sleep 600")
    known(server, stopped.name, paused.name)
    paused.pause()

    def refused(name: str) -> Any:
        answer = me.ask("POST", "/terminals", {"container": name})
        return answer.json() if answer.status_code == 409 else None

    for name, words in ((stopped.name, "start it"), (paused.name, "resume it")):
        found = wait_until(lambda name=name: refused(name), 10, f"{name} to be refused")
        assert found["code"] == "container-not-running"
        assert words in found["detail"]
    paused.unpause()


def test_a_container_just_started(
    server: ServerProcess, container: ContainerFactory, me: Person
) -> None:
    """Its id is good at once, before anybody was told of it."""
    made = container("sleep 600")
    assert me.ticket(made.id)["C_id"] == made.id[:12]


def test_limits_say_so(new_server: Any, container: ContainerFactory) -> None:
    """One more than a person, or all together, may have: 429 and a sentence."""
    made = container("sleep 600")
    server = new_server({"CLOUDBANG_TERMINAL_PER_PERSON": "1", "CLOUDBANG_TERMINAL_IN_ALL": "2"})
    known(server, made.name)
    with Person(server) as me:
        eve, bob = me.account("eve", "admin"), me.account("bob", "admin")
        terminals = []
        for owner, refused, words in ((me, me, "you have 1"), (eve, bob, "2 terminals are open")):
            terminals.append(owner.terminal(made.name))
            answer = refused.ask("POST", "/terminals", {"container": made.name})
            assert (answer.status_code, answer.json()["code"]) == (429, "too-many-terminals")
            assert words in answer.json()["detail"]
        for terminal in terminals:
            terminal.close()
        for person in (eve, bob):
            person.client.close()
