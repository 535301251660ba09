"""What a killed server left in containers, however little it had written down of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import docker
import pytest

from cloudbang.node.terminals.debug_container import LABEL
from tests.conftest import RUN
from tests.support import ServerProcess, wait_until
from tests.terminal_support import BACKGROUND, Person, known, processes, wait_alone

pytestmark = pytest.mark.engine


@pytest.fixture
def later() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def changed(server: ServerProcess, statement: str) -> None:
    """Change its audit list while it does not run."""
    with closing(sqlite3.connect(server.storage / "cloudbang.db")) as database, database:
        database.execute(statement)


def reason(person: Person, session: str) -> str:
    return str(person.got(f"/terminals/{session}")["reason"])


@pytest.mark.parametrize("known_of_it", ["exec_id = '', pid = 0", "pid = 0"])
def test_a_server_killed_before_it_knew_where_it_ran(
    new_server: Any, container: Any, later: ExitStack, known_of_it: str
) -> None:
    """In the moment between the start of an exec and the line that says which it is."""
    one = container()
    server: ServerProcess = new_server()
    known(server, one.name)
    admin = later.enter_context(Person(server))
    page = admin.terminal(one.name)
    later.callback(page.close)
    page.ready().type(BACKGROUND)
    wait_until(lambda: len(processes(one.id)) >= 5, what="the jobs")
    server.kill()
    changed(server, f"update terminals set {known_of_it}")
    server.start()
    wait_alone(one, 15)
    wait_until(lambda: reason(admin, page.session) == "server-lost", 10, "the list to know of it")


def test_one_in_a_paused_container_is_not_forgotten(
    new_server: Any, container: Any, later: ExitStack
) -> None:
    """It cannot be ended yet, so it has not: neither in the list nor in truth, until it can."""
    one = container()
    server: ServerProcess = new_server()
    known(server, one.name)
    admin = later.enter_context(Person(server))
    page = admin.terminal(one.name)
    later.callback(page.close)
    page.ready().type(BACKGROUND)
    wait_until(lambda: len(processes(one.id)) >= 5, what="the jobs")
    server.kill()
    one.pause()
    server.start()
    wait_until(lambda: "ends when it goes on" in server.said(20_000), 15, "the first try")
    assert admin.got(f"/terminals/{page.session}")["state"] == "running"
    one.unpause()
    wait_alone(one, 15)
    wait_until(lambda: reason(admin, page.session) == "server-lost", 30, "the list to know of it")


def test_toolboxes_of_its_sessions_go_and_those_of_others_stay(
    new_server: Any,
    container: Any,
    later: ExitStack,
    docker_client: docker.DockerClient,
    image: str,
) -> None:
    """Also one whose session has its end in the list: the server was killed while it removed it."""
    one = container()
    server: ServerProcess = new_server()
    known(server, one.name)
    admin = later.enter_context(Person(server))
    page = admin.terminal(one.name)
    later.callback(page.close)
    page.ready().say("end")
    page.ended()
    server.kill()

    def box(session: str) -> Callable[[], bool]:
        made = docker_client.containers.run(
            *(image, ["sleep", "1000000"]),
            detach=True,
            network_mode="none",
            labels={LABEL: session, "cloudbang.test": RUN, "cloudbang.hidden": "true"},
        )
        later.callback(lambda: is_there() and made.remove(force=True, v=True))

        def is_there() -> bool:
            label = {"label": f"{LABEL}={session}"}
            return bool(docker_client.containers.list(filters=label, ignore_removed=True))

        return is_there

    mine, theirs = box(page.session), box("f" * 16)
    server.start()
    wait_until(lambda: not mine(), 15, "the removal of the toolbox")
    assert theirs()
