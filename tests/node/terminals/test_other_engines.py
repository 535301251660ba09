"""Terminals and files on engines of other versions, and through what stands before an engine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.config import EngineSettings
from cloudbang.domain.terminals import Size, TerminalRequest, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.engine.parse import container_state
from cloudbang.errors import FileRefused, NotUpgraded
from cloudbang.node.terminals.debug_container import DebugContainerSource
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.file_commands import GET, GET_BEGINS
from cloudbang.node.terminals.file_script import FileScript
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import SESSION, Shown, target_of
from tests.node.terminals.scripted_execs import ID, ScriptedExecs, framed
from tests.support import patient, wait_until
from tests.terminal_support import wait_alone


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedExecs]:
    one = ScriptedExecs(tmp_path)
    yield one
    one.sized.set()
    one.close()


Play = Callable[..., Shown]


@pytest.fixture
def play(scripted: ScriptedExecs) -> Iterator[Play]:
    """``play(size=…, user=…)``: a terminal on the scripted engine, started."""
    engine = Engine(EngineSettings(host=scripted.host))
    reaper = Reaper(engine)
    reaper.start()
    made: list[Shown] = []

    def start(size: Size | None = None, **request: Any) -> Shown:
        target = TerminalTarget(
            SESSION, "default", "web", ID, "web", request=TerminalRequest(**request)
        )
        shown = Shown(ExecSource(engine, target, reaper))
        shown.source.start(size or Size())
        made.append(shown)
        return shown

    yield start
    for shown in made:
        shown.source.hang_up()
        shown.rest()
    reaper.stop()
    engine.close()


def test_an_unknown_user_is_a_sentence_on_newer_engines(
    scripted: ScriptedExecs, play: Play
) -> None:
    """They refuse when the exec is made, and older ones when it is started: one end for both."""
    scripted.unknown_user = "unable to find user joe: no matching entries in passwd file"
    shown = play(user="joe", command=("id",))
    assert shown.rest() == b""
    end = shown.result()
    assert (end.reason, end.code) == ("not-started", 126)
    assert end.message == (
        "nothing could be started in container web: "
        "unable to find user joe: no matching entries in passwd file"
    )


def test_a_refusal_is_read_where_the_connection_is_kept(
    scripted: ScriptedExecs, play: Play
) -> None:
    """As Podman does it. The sentence does not wait for an end that never comes."""
    scripted.refuses = "unable to find user joe: no matching entries in passwd file"
    with gevent.Timeout(patient(4)):
        shown = play(user="joe", command=("id",))
    assert "unable to find user joe" in shown.result().message


@pytest.mark.parametrize("code", [0, 3, 127])
@pytest.mark.parametrize("said", [b"", b"hi\r\n"])
def test_what_ends_at_once_has_run_on_podman(
    scripted: ScriptedExecs, play: Play, code: int, said: bytes
) -> None:
    """It knows the number of no process that has ended."""
    scripted.podman, scripted.ends, scripted.prints = True, code, said
    shown = play(command=("echo", "hi"))
    assert shown.rest() == said
    assert (shown.result().reason, shown.result().code) == ("exit", code)


def test_what_podman_cannot_start_is_a_sentence(scripted: ScriptedExecs, play: Play) -> None:
    """It says so in the output, as Docker 20.10 does, in other words."""
    scripted.podman, scripted.ends = True, 127
    scripted.prints = (
        b"Error: crun: executable file `nonsense` not found in $PATH: No such file or directory: "
        b"OCI runtime attempted to invoke a command that was not found\n"
    )
    shown = play(command=("nonsense",))
    assert shown.rest() == b""
    end = shown.result()
    assert (end.reason, end.code) == ("not-started", 127)
    assert end.message == (
        "nothing could be started in container web: executable file `nonsense` not found in $PATH: "
        "No such file or directory"
    )


def test_podmans_word_for_processes_of_its_own() -> None:
    """A toolbox beside such a container is one beside a container's own processes."""
    told = {"Id": ID, "HostConfig": {"PidMode": "private"}}
    assert container_state(told).pid_mode == ""


@pytest.mark.parametrize(
    ("version", "told"), [("1.51", [41, 133]), ("1.42", [41, 133]), ("1.41", None)]
)
def test_the_size_comes_with_the_start(
    scripted: ScriptedExecs, play: Play, version: str, told: list[int] | None
) -> None:
    """Where the engine takes it: what draws at once has it, whoever is slower. What is typed waits
    until the size is known: at once there, else until the engine has answered."""
    scripted.version = version
    scripted.sized.clear()
    shown = play(Size(133, 41), command=("stty", "size"))
    assert scripted.bodies("POST", "/start")[0].get("ConsoleSize") == told
    shown.source.write(b"typed\r")
    if told is None:
        wait_until(lambda: scripted.bodies("POST", "/resize"))
        shown.source.write(b"more\r")
        assert shown.source.pending == 11
        assert scripted.typed == b""
        scripted.sized.set()
        wait_until(lambda: scripted.typed == b"typed\rmore\r")
    else:
        wait_until(lambda: scripted.typed == b"typed\r")
        assert scripted.bodies("POST", "/resize") == []
    assert shown.source.pending == 0
    scripted.sized.set()
    shown.source.resize(Size(99, 30))
    wait_until(lambda: scripted.bodies("POST", "/resize"))


@pytest.mark.parametrize(
    "env", [[], ["LANG="], ["LANG=zh_CN.GBK"], ["LC_CTYPE=C"], ["LC_ALL=POSIX"]]
)
def test_characters_have_more_than_one_byte_unless_the_image_says(
    scripted: ScriptedExecs, play: Play, env: list[str]
) -> None:
    scripted.env = env
    play(command=("bash",))
    asked = scripted.bodies("POST", "/exec")[0]["Env"]
    says = bool(env and env[0].partition("=")[2])
    assert ("LANG=C.UTF-8" in asked) != says


def test_what_does_not_pass_the_upgrade_on_is_said(scripted: ScriptedExecs, play: Play) -> None:
    """And is not taken for a terminal in which nothing happens; nor for files."""
    scripted.upgrades = False
    with pytest.raises(NotUpgraded, match="Upgrade: tcp"):
        play()
    engine = Engine(EngineSettings(host=scripted.host))
    reaper = Reaper(engine)
    with closing(engine), pytest.raises(NotUpgraded):
        FileScript(engine, reaper, ID, "", "/etc/passwd", lambda: None, GET, "", "/", "10")
    reaper.stop()


class Filter:
    """What stands before an engine and answers 200 where that says 101: HAProxy as a filter of a
    socket, for instance. ``host`` is where it listens."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.host = f"unix://{folder}/filter.sock"
        self._engine = engine.removeprefix("unix://")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/filter.sock")
        self._listener.listen(16)
        self._thread = gevent.spawn(self._accept)

    def close(self) -> None:
        self._thread.kill()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            gevent.spawn(self._pass_on, near)

    def _pass_on(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        with closing(near), closing(far):
            far.connect(self._engine)
            asked = (
                near.recv(65536)
                .replace(b"Upgrade: tcp\r\n", b"")
                .replace(b"Connection: Upgrade\r\n", b"")
            )
            far.sendall(asked)
            while data := far.recv(65536):
                near.sendall(data)


def test_nothing_is_left_running_behind_such_a_filter(
    tmp_path: Path, engine_socket: str, container: ContainerFactory, image: str
) -> None:
    """The engine has started what nobody can talk to: it is ended; a toolbox says the same."""
    one = container()
    filter = Filter(tmp_path, engine_socket)
    engine = Engine(EngineSettings(host=filter.host))
    reaper = Reaper(engine)
    reaper.start()
    try:
        source = ExecSource(engine, target_of(one, "sleep", "4242"), reaper)
        with pytest.raises(NotUpgraded):
            source.start(Size())
        source.end()
        wait_alone(one)
        box = Shown(DebugContainerSource(engine, target_of(one, kind="toolbox"), reaper, image))
        box.source.start(Size())
        assert "lets no terminals" in box.result().message
        box.source.end()
    finally:
        reaper.stop()
        engine.close()
        filter.close()


# --- a sh that is none, in time ---------------------------------------------------------------------


def test_complaints_are_no_first_word(
    scripted: ScriptedExecs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time for it runs from the start, whatever else is said meanwhile."""
    monkeypatch.setattr("cloudbang.node.terminals.file_script.STALLED", 0.5)
    engine = Engine(EngineSettings(host=scripted.host))
    reaper = Reaper(engine)
    reaper.start()
    said: list[bytes] = []

    def start(sock: Any) -> None:
        sock.sendall(b"HTTP/1.1 101 UPGRADED\r\n\r\n")
        while len(said) < 100:
            said.append(framed(2, b"wait a little\n"))
            sock.sendall(said[-1])
            gevent.sleep(0.05)

    monkeypatch.setattr(scripted, "_start", start)
    script = FileScript(engine, reaper, ID, "", "/x", lambda: None, GET, "", "/x", "10")
    with pytest.raises(Exception, match="nothing comes"):
        script.first_line(GET_BEGINS)
    assert len(said) < 60
    monkeypatch.undo()
    script.close()
    reaper.stop()
    engine.close()


def test_many_complaints_end_it(scripted: ScriptedExecs) -> None:
    """They are not gathered either."""
    engine = Engine(EngineSettings(host=scripted.host))
    reaper = Reaper(engine)
    reaper.start()
    scripted.prints = framed(2, b"and on it goes " * 60_000)
    script = FileScript(engine, reaper, ID, "", "/x", lambda: None, GET, "", "/x", "10")
    with pytest.raises(FileRefused, match="no shell says"):
        script.first_line(GET_BEGINS)
    assert len(script.complaint) < 100_000
    script.close()
    reaper.stop()
    engine.close()
