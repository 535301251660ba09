"""Terminals when what is under them goes: the engine, the container, the server, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from tests.faults.conftest import TerminalGround
from tests.support import ServerProcess, wait_until
from tests.support_engine import PrivateEngine
from tests.terminal_support import (
    BACKGROUND,
    STUBBORN,
    TICKET,
    Person,
    Terminal,
    known,
    new_client,
    processes,
    wait_alone,
)

pytestmark = pytest.mark.engine

SPEC: list[tuple[Any, str]] = [
    (None, ""),
    (["top"], ""),
    (["vi", "/tmp/file"], ""),
    (None, STUBBORN),
    (None, BACKGROUND),
]


@pytest.fixture
def later() -> Iterator[ExitStack]:
    """What is to be closed when the test is over, however it ends."""
    with ExitStack() as stack:
        yield stack


def signed_in(server: ServerProcess, later: ExitStack) -> Person:
    return later.enter_context(Person(server))


def busy(person: Person, container: str, later: ExitStack) -> list[Terminal]:
    """One terminal of every kind: idle, in programs of the whole screen, in loops, in background."""
    pages = []
    for command, typed in SPEC:
        page = person.terminal(container, command)
        later.callback(page.close)
        page.wait_for("# " if command is None else "\x1b")
        page.type(typed)
        pages.append(page)
    return pages


def alive(container: Any) -> dict[int, str]:
    """What runs in a container beside its first process."""
    first = container.attrs["State"]["Pid"]
    return {pid: what for pid, what in processes(container.id).items() if pid != first}


def wait_busy(container: Any, times: int = 1) -> None:
    """Wait until everything that was typed in so many ``busy`` has started. Not for its echo, which
    a shell that is resized meanwhile draws in pieces."""
    wait_until(lambda: len(alive(container)) >= times * (len(SPEC) + 4), what="all to run")


# -- the container --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "reason"),
    [("kill", "container-stopped"), ("stop", "container-stopped"), ("remove", "container-removed")],
)
def test_the_container_goes_under_an_open_terminal(
    ground: TerminalGround, container: Any, deed: str, reason: str
) -> None:
    """Killed, stopped, removed: the page is told which, after the last output; then 1000."""
    one = container(stop_signal="KILL")
    known(ground.server, one.name)
    page = ground.keep(ground.admin.terminal(one.name))
    page.ready()
    page.type("echo last''words; sleep 100000\n")
    page.wait_for("\r\nlastwords\r\n")
    if deed == "remove":
        one.remove(force=True, v=True)
    else:
        getattr(one, deed)()
    said = page.ended()
    assert said["reason"] == reason
    past = wait_until(lambda: _over(ground.admin, page.session), 10, "the list to know")
    assert past["reason"] == reason
    later = ground.raw()
    later.say(session=page.session, columns=80, rows=24, client=new_client())
    assert later.ended()["reason"] == reason
    if deed != "remove":
        asked = ground.admin.ask("POST", "/terminals", {"container": one.name})
        assert (asked.status_code, asked.json()["code"]) == (409, "container-not-running")


def test_a_paused_container_waits_with_what_is_typed(
    ground: TerminalGround, container: Any
) -> None:
    """Paused: said, input waits. Resumed: said, and nothing was lost."""
    one = container()
    known(ground.server, one.name)
    page = ground.keep(ground.admin.terminal(one.name)).ready()
    one.pause()
    page.wait_op("notice", code="paused")
    page.type("echo typed in the pause > /tmp/it; echo typed''late\n")
    asked = wait_until(
        lambda: (
            a
            if (a := ground.admin.ask("POST", "/terminals", {"container": one.name})).is_error
            else None
        ),
        10,
        "a refusal",
    )
    assert asked.json()["code"] == "container-not-running"
    one.unpause()
    page.wait_op("notice", code="unpaused")
    page.wait_for("\r\ntypedlate\r\n")
    assert page.run("cat /tmp/it").strip() == "typed in the pause"


def test_an_end_in_a_paused_container_is_an_end_once_it_goes_on(
    ground: TerminalGround, container: Any
) -> None:
    """A frozen process cannot die: the page has its end in time, the process when it wakes."""
    one = container()
    known(ground.server, one.name)
    page = ground.keep(ground.admin.terminal(one.name)).ready()
    one.pause()
    page.wait_op("notice", code="paused")
    page.say("end")
    page.ended(20)
    one.unpause()
    wait_alone(one)


# -- the engine -----------------------------------------------------------------------------------


@pytest.fixture
def own_engine() -> Iterator[PrivateEngine]:
    engine = PrivateEngine()
    try:
        yield engine.start()
    finally:
        engine.close()


def test_the_engine_restarts_under_an_open_terminal(
    own_engine: PrivateEngine, new_server, later: ExitStack
) -> None:
    """The page is told plainly; when the engine is back a new terminal opens."""
    one = own_engine.client.containers.run(
        own_engine.image(),
        ["sleep", "1000000"],
        detach=True,
        network_mode="none",
        restart_policy={"Name": "always"},
        stop_signal="KILL",
    )
    server: ServerProcess = new_server({"DOCKER_HOST": own_engine.address})
    known(server, one.name)
    admin = signed_in(server, later)

    def opened() -> Terminal:
        found = wait_until(lambda: _opened(admin, one.name), 30, "a terminal", every=0.3)
        later.callback(found.close)
        return found.ready()

    for how in ("kill", "stop"):
        page = opened()
        getattr(own_engine, how)()
        said = page.ended(20)
        assert said["reason"] in ("engine-lost", "container-stopped"), said
        refused = admin.ask("POST", "/terminals", {"container": one.name})
        if refused.status_code == 201:  # not known yet that it has gone: then it is said here
            late = Terminal(server, admin.headers)
            later.callback(late.close)
            late.say(**{key: refused.json()[key] for key in TICKET}, client="late")
            late.refused(20)
        own_engine.start()
    opened()
    assert server.process is not None
    assert server.process.poll() is None


# -- the server -----------------------------------------------------------------------------------


def test_what_a_killed_server_left_is_ended_at_the_next_start(
    new_server, container: Any, later: ExitStack
) -> None:
    """kill -9 with open sessions: the page cannot come back, is told so, and nothing is left."""
    one = container()
    server: ServerProcess = new_server()
    known(server, one.name)
    admin = signed_in(server, later)
    pages = busy(admin, one.name, later)
    wait_busy(one)
    server.kill()
    for page in pages:
        page.wait_closed()
    assert len(alive(one)) >= len(SPEC)
    server.start()
    wait_alone(one, 15)
    wait_until(
        lambda: all(_over(admin, page.session) for page in pages), 10, "the list to know of it"
    )
    for page in pages:
        assert admin.got(f"/terminals/{page.session}")["reason"] == "server-lost"
    back = Terminal(server, admin.headers)
    later.callback(back.close)
    back.say(session=pages[0].session, after=5, columns=80, rows=24, client="a")
    assert back.ended()["reason"] == "server-lost"
    new = admin.terminal(one.name)
    later.callback(new.close)
    new.ready()


def test_a_server_that_stops_ends_its_terminals(
    new_server, container: Any, later: ExitStack
) -> None:
    """SIGTERM: the page is told, the processes end, the list says server-stopped."""
    one = container()
    server: ServerProcess = new_server()
    known(server, one.name)
    admin = signed_in(server, later)
    pages = busy(admin, one.name, later)
    wait_busy(one)
    assert server.terminate(20) == 0
    codes = {page.wait_closed() for page in pages}
    assert codes <= {1000, 1001}
    wait_alone(one, 15)
    server.start()
    for page in pages:
        past = admin.got(f"/terminals/{page.session}")
        assert (past["state"], past["reason"]) == ("ended", "server-stopped")


# -- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["end", "delete"])
def test_nothing_is_alive_after_an_end(ground: TerminalGround, how: str, later: ExitStack) -> None:
    """Idle shells, programs of the whole screen, loops that ignore every polite signal, jobs in
    the background: 5 s after the end none of them is left."""
    pages = [*busy(ground.admin, ground.name, later), *busy(ground.admin, ground.name, later)]
    wait_busy(ground.container, times=2)
    if how == "end":
        for page in pages:
            page.say("end")
    if how == "delete":
        with ThreadPoolExecutor(len(pages)) as pool:
            list(pool.map(lambda p: ground.admin.ask("DELETE", f"/terminals/{p.session}"), pages))
    wait_alone(ground.container, 6)
    for page in pages:
        assert page.ended()["reason"] == "closed"


def test_an_exit_takes_its_background_jobs_along(ground: TerminalGround) -> None:
    """The shell's own exit: its code is shown, and its jobs end with it."""
    page = ground.terminal().ready()
    page.type(BACKGROUND)
    wait_until(lambda: len(alive(ground.container)) >= 4, what="the jobs")
    page.type("exit 7\n")
    said = page.ended()
    assert (said["reason"], said["code"]) == ("exit", 7)
    wait_alone(ground.container, 8)


def test_an_abandoned_terminal_ends_in_the_end(
    new_server, container: Any, later: ExitStack
) -> None:
    """Nobody came back within the time of the settings: detached, and nothing is left."""
    one = container()
    server: ServerProcess = new_server({"CLOUDBANG_TERMINAL_DETACHED_MINUTES": "0.03"})
    known(server, one.name)
    admin = signed_in(server, later)
    page = admin.terminal(one.name)
    later.callback(page.close)
    page.ready().type(BACKGROUND)
    wait_until(lambda: len(alive(one)) >= 4, what="the jobs")
    page.drop()
    past = wait_until(lambda: _over(admin, page.session), 15, "the session to end")
    assert past["reason"] == "detached"
    wait_alone(one, 8)


# -- all at once ----------------------------------------------------------------------------------


@pytest.mark.slow("a hundred and twenty-eight shells start, and end")
def test_two_hundred_at_once(ground: TerminalGround) -> None:
    """A person may have 128: these open and work, each of the others gets its sentence; and then
    all of them end."""

    def one(number: int) -> Terminal | str:
        asked = ground.admin.ask("POST", "/terminals", {"container": ground.name})
        if asked.status_code != 201:
            assert asked.status_code == 429, asked.text
            assert "128" in asked.json()["detail"]
            return str(asked.json()["code"])
        page = ground.raw()
        first = {key: asked.json()[key] for key in TICKET}
        page.say(**first, columns=80, rows=24, client=f"tab-{number}")
        wait_until(lambda: page.heard, 90, "an answer")
        if not page.ops("attached"):
            return str(page.refused()["code"])
        return page

    def until_told(number: int) -> Terminal | str:
        """Who had no turn at the database of a busy machine is told to try again, and does."""
        found = one(number)
        for _ in range(20):
            if found != "storage-failed":
                break
            found = one(number)
        return found

    with ThreadPoolExecutor(200) as pool:
        found = list(pool.map(until_told, range(200)))
    pages = [page for page in found if isinstance(page, Terminal)]
    codes = [code for code in found if isinstance(code, str)]
    assert len(pages) == 128, Counter(codes)
    assert codes == ["too-many-terminals"] * 72
    for number, page in enumerate(pages):
        page.type(f"echo number''{number}\n")
    for number, page in enumerate(pages):
        page.wait_for(f"\r\nnumber{number}\r\n", 60)
    other = ground.person("somebody-else", "admin")
    ground.keep(other.terminal(ground.name)).ready()
    for page in pages:
        page.say("end")
    for page in pages:
        assert page.ended(30)["reason"] == "closed"
    ground.terminal().ready()


# -- helpers --------------------------------------------------------------------------------------


def _over(person: Person, session: str) -> Any:
    answer = person.ask("GET", f"/terminals/{session}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found if found["state"] == "ended" else None


def _opened(person: Person, container: str) -> Terminal | None:
    """A terminal; None while the engine or the container is not up yet."""
    asked = person.ask("POST", "/terminals", {"container": container})
    if asked.status_code != 201:
        return None
    page = Terminal(person.server, person.headers)
    first = {key: asked.json()[key] for key in TICKET}
    page.say(**first, columns=80, rows=24, client=new_client())
    wait_until(lambda: page.heard or page.closed, 20, "an answer")
    if page.ops("attached"):
        return page
    page.close()
    return None
