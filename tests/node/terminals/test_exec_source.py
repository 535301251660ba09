"""A terminal's exec against the real engine."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import replace
from types import SimpleNamespace

import gevent
import pytest

from cloudbang.config import EngineSettings
from cloudbang.core import looks
from cloudbang.domain.terminals import ExitStatus, Size
from cloudbang.engine import Engine, ExecState
from cloudbang.errors import ContainerNotRunning, NoSuchContainer
from cloudbang.node.terminals.exec_source import ExecSource, in_words
from cloudbang.node.terminals.processes import ProcessSession, signal_all
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import SESSION, Opener, Shown, session, target_of
from tests.support import wait_until
from tests.support_engine import PrivateEngine

# --- the beginning --------------------------------------------------------------------------------


def test_the_best_shell_is_found_with_its_size(
    container: ContainerFactory, open_source: Opener
) -> None:
    """Of bash, ash and sh this image has ash; it starts with the window's size and a terminal."""
    shown = open_source(container(), size=Size(133, 41))
    shown.until(b"# ")
    wait_until(lambda: _size(shown) == (41, 133), 5, "the size")
    shown.run('echo "$0 $TERM $CLOUDBANG_TERMINAL!"')
    shown.until(f"ash xterm-256color {SESSION}!\r\n".encode())


def _size(shown: Shown) -> tuple[int, ...]:
    shown.run("echo size=$(stty size).")
    shown.until(b"\nsize=")
    # Nothing where a change of the size broke stty off: then the next look tells.
    return tuple(map(int, shown.until(b".").rstrip(b".").split()))


def test_command_user_and_folder_are_taken(
    container: ContainerFactory, open_source: Opener
) -> None:
    """Arguments arrive as they are: nothing of them is a shell's."""
    shown = open_source(
        container(), "printf", "%s|", "$(id)", "a b", "'", user="7:8", folder="/tmp"
    )
    assert shown.rest() == b"$(id)|a b|'|"
    shown = open_source(container(), "sh", "-c", "pwd; id -u; id -g", user="7:8", folder="/tmp")
    assert shown.rest() == b"/tmp\r\n7\r\n8\r\n"


def test_bash_knows_its_characters(
    container: ContainerFactory, open_source: Opener, gnu_image: str
) -> None:
    """Where nothing says which there are: one that is typed is one, and Backspace takes it whole."""
    one = container(["sleep", "1000000"], image=gnu_image)
    shown = open_source(one)
    shown.until(b"# ")
    shown.source.write("echo [中文\x7f]\r".encode())
    shown.until("\n[中]\r\n".encode())
    shown.run("echo $LANG $(echo 中文 | wc -m).")
    shown.until(b"\nC.UTF-8 3.")
    says = container(["sleep", "1000000"], image=gnu_image, environment={"LC_ALL": "POSIX"})
    shown = open_source(says)
    shown.until(b"# ")
    shown.run("echo [$LANG] $(echo 中文 | wc -m).")
    shown.until(b"\n[] 7.")


def test_busybox_shows_the_characters_that_it_does_not_know(
    container: ContainerFactory, open_source: Opener
) -> None:
    """Told that they are UTF-8 its line editor would show most of them as question marks."""
    for command in ((), ("sh",)):
        shown = open_source(container(), *command)
        shown.until(b"# ")
        shown.run("echo 好 $((1+1))")
        shown.until("\n好 2\r\n".encode())
        shown.source.write(b"\x1b[A")
        shown.until("echo 好 $((1+1))".encode())


@pytest.mark.parametrize(
    ("command", "asked", "says"),
    [
        (["nonsense"], {}, 'exec: "nonsense": executable file not found in $PATH'),
        (["/etc/passwd"], {}, 'exec: "/etc/passwd": permission denied'),
        ([], {"user": "joe"}, "unable to find user joe: no matching entries in passwd file"),
        ([], {"folder": "/not/there"}, "no such file or directory"),
    ],
)
def test_what_cannot_be_started_is_a_sentence(
    container: ContainerFactory,
    open_source: Opener,
    command: list[str],
    asked: dict[str, str],
    says: str,
) -> None:
    """And not the engine's raw text in the terminal."""
    one = container()
    shown = open_source(one, *command, **asked)
    assert shown.rest() == b""
    end = shown.result()
    assert end.reason == "not-started"
    assert end.code in (126, 127)
    assert end.message.startswith(f"nothing could be started in container {one.name}: ")
    assert says in end.message
    assert "OCI" not in end.message


def test_an_image_without_a_shell_says_so(
    container: ContainerFactory, open_source: Opener, static_image
) -> None:
    one = container(["/bin/copy"], image=static_image("/bin/copy"), stdin_open=True)
    shown = open_source(one)
    assert shown.rest() == b""
    end = shown.result()
    assert end.reason == "no-shell"
    assert end.code in (126, 127)
    assert "there is no shell in the image" in end.message
    assert shown.source.folder() == "/"


def test_bash_is_found_where_there_is_no_sh(
    container: ContainerFactory, open_source: Opener, static_image
) -> None:
    """What was typed meanwhile reaches it, and so does the size."""
    one = container(["/bin/bash"], image=static_image("/bin/bash"), stdin_open=True)
    shown = open_source(one)
    shown.source.write(b"early bird\r")
    shown.until(b"ready\r\n")  # what was typed has been echoed before it
    shown.until(b"early bird\r\n")
    shown.source.write(b"\x04")
    assert shown.result() == ExitStatus("exit", 7)


def test_one_that_does_not_run_is_refused(
    container: ContainerFactory, engine: Engine, reaper: Reaper
) -> None:
    one = container()
    source = ExecSource(engine, target_of(one), reaper)
    one.pause()
    with pytest.raises(ContainerNotRunning, match="paused: resume it"):
        source.start(Size())
    one.unpause()
    one.kill()
    with pytest.raises(ContainerNotRunning, match="does not run"):
        source.start(Size())
    one.remove()
    with pytest.raises(NoSuchContainer):
        source.start(Size())
    source.end()
    assert source.read() == b""


# --- both ways ------------------------------------------------------------------------------------


def test_the_tail_is_never_lost(container: ContainerFactory, open_source: Opener) -> None:
    one = container()
    expected = b"".join(b"%d\r\n" % n for n in range(1, 20001))
    for _ in range(5):
        shown = open_source(one, "seq", "1", "20000")
        assert shown.rest() == expected
        assert shown.result() == ExitStatus("exit", 0)
    for _ in range(10):
        assert open_source(one, "echo", "hi").rest() == b"hi\r\n"


def test_a_quick_end_keeps_its_code(container: ContainerFactory, open_source: Opener) -> None:
    one = container()
    for code in (0, 1, 126, 127, 255):
        assert open_source(one, "sh", "-c", f"exit {code}").result() == ExitStatus("exit", code)
    assert open_source(one, "sh", "-c", "kill -9 $$").result() == ExitStatus("exit", 137)


def test_an_engine_that_takes_its_time_is_not_lost(
    container: ContainerFactory,
    open_source: Opener,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is kept from its work has said it late, and not known it yet."""
    shown = open_source(container(), "sh", "-c", "exit 5")
    shown.rest()
    asked, inspect = [0.0], engine.exec_inspect

    def slow(exec_id: str) -> ExecState:
        found = inspect(exec_id)
        asked.append(asked[-1] + 60.0)
        return found if len(asked) > 4 else replace(found, running=True, exit_code=None)

    monkeypatch.setattr(engine, "exec_inspect", slow)
    monkeypatch.setattr(looks, "time", SimpleNamespace(monotonic=lambda: asked[-1]))
    assert shown.source.result() == ExitStatus("exit", 5)


def test_a_large_paste_arrives_whole_and_in_order(
    container: ContainerFactory, open_source: Opener
) -> None:
    """It waits here as long as the process reads nothing, and nothing is overtaken."""
    data = random.Random(3).randbytes(3 * 1024 * 1024)
    shown = open_source(
        container(), "sh", "-c", f"stty raw -echo; echo go; head -c {len(data)} | sha256sum"
    )
    shown.until(b"go")
    less: list[int] = []
    shown.source._stream.on_written = lambda: less.append(shown.source.pending)
    for at in range(0, len(data), 1024 * 1024):
        shown.source.write(data[at : at + 1024 * 1024])
    assert shown.source.pending > 0
    shown.until(hashlib.sha256(data).hexdigest().encode())
    assert shown.source.pending == 0
    assert less == sorted(less, reverse=True)
    assert less[-1] == 0


def test_no_key_waits_for_the_next(container: ContainerFactory, open_source: Opener) -> None:
    """The engine takes a key sequence for "detach" and holds back its first key: ^P, otherwise."""
    echo = "stty -icanon -isig -iexten -ixon -icrnl echo echoctl; echo go; exec sleep 1000"
    shown = open_source(container(), "sh", "-c", echo)
    shown.until(b"go")
    for key in range(1, 0x1E):
        shown.source.write(bytes([key]))
        if key not in (9, 10):
            shown.until(b"^" + bytes([key + 64]))
    shown.source.write(b"\x10\x11\x10\x11")
    shown.until(b"^P^Q^P^Q")


def test_a_flood_is_read_in_large_pieces(container: ContainerFactory, open_source: Opener) -> None:
    """And ends whole."""
    shown = open_source(container(), "sh", "-c", "yes abcdefghij | head -c 5500000")
    sizes = []
    while data := shown.source.read():
        sizes.append(len(data))
    assert sum(sizes) == 6_000_000
    assert max(sizes) > 8192


def test_the_newest_size_wins(container: ContainerFactory, open_source: Opener) -> None:
    shown = open_source(container())
    shown.until(b"# ")
    for n in range(10, 200):
        shown.source.resize(Size(n, 50))
    wait_until(lambda: _size(shown) == (50, 199), 5, "the newest size")
    shown.run("exit")
    assert shown.result().reason == "exit"
    shown.source.resize(Size(99, 99))
    shown.source.write(b"nobody reads this")


def test_the_folder_is_the_foreground_processs(
    container: ContainerFactory, open_source: Opener
) -> None:
    shown = open_source(container("mkdir -p '/data/a b'; exec sleep 1000000"), folder="/data")
    shown.until(b"# ")
    assert shown.source.folder() == "/data"
    shown.run("cd 'a b'; echo there.")
    shown.until(b"\nthere.")
    assert shown.source.folder() == "/data/a b"
    shown.run("(cd /tmp; echo in''side; cat)")
    shown.until(b"inside")
    assert shown.source.folder() == "/tmp"


# --- how it ends ----------------------------------------------------------------------------------


def test_a_killed_container_is_told_from_an_exit(
    container: ContainerFactory, open_source: Opener
) -> None:
    stopped, restarted, removed = container(), container(), container()
    shown = [open_source(one) for one in (stopped, restarted, removed)]
    for one in shown:
        one.until(b"# ")
    stopped.kill()
    restarted.restart(timeout=0)
    removed.remove(force=True)
    assert [one.result().reason for one in shown] == [
        "container-stopped",
        "container-stopped",
        "container-removed",
    ]


def test_what_a_shell_left_running_ends_with_it(
    container: ContainerFactory, open_source: Opener
) -> None:
    one = container()
    shown = open_source(one)
    shown.until(b"# ")
    shown.run("trap '' HUP; sleep 4242 & sleep 4243 & exit 5")
    assert shown.result() == ExitStatus("exit", 5)
    assert "sleep 424" not in _processes(one)


def _processes(one) -> str:
    return "\n".join(" ".join(row) for row in one.top(ps_args="-eo pid,args")["Processes"])


def test_many_open_at_once_and_cost_little(
    container: ContainerFactory, open_source: Opener
) -> None:
    one = container()
    before = len(os.listdir("/proc/self/fd"))
    jobs = [gevent.spawn(open_source, one, session=session(n)) for n in range(20)]
    for job in jobs:
        job.get().until(b"# ")
    wait_until(
        lambda: len({job.value.source.pid for job in jobs} - {0}) == 20, 5, "their first processes"
    )
    files = len(os.listdir("/proc/self/fd"))
    assert files - before <= 20 + 10


def test_the_engines_words_are_shortened() -> None:
    said = (
        "OCI runtime exec failed: exec failed: unable to start container process: "
        'exec: "x": executable file not found in $PATH: unknown\r\n'
    )
    assert in_words(said) == 'exec: "x": executable file not found in $PATH'
    assert in_words("Cannot do it") == "Cannot do it"


@pytest.mark.slow("an engine of its own ends and starts again")
def test_an_engine_that_is_killed_is_said_and_leaves_nothing() -> None:
    """Without the engine nobody can be asked, but the processes are still there to be ended."""
    private = PrivateEngine()
    try:
        private.start()
        one = private.client.containers.run(
            private.image(), ["sleep", "1000000"], detach=True, network_mode="none"
        )
        engine = Engine(EngineSettings(host=private.address))
        reaper = Reaper(engine)
        reaper.start()
        left, ended = (ExecSource(engine, target_of(one), reaper) for _ in range(2))
        for source in (left, ended):
            source.start(Size())
            shown = Shown(source)
            shown.until(b"# ")
            shown.run("trap '' HUP; sleep 4242 & echo be''gun")
            shown.until(b"begun")
            wait_until(lambda source=source: source.pid, 5, "its number")
        private.process.kill()
        shown = Shown(left)
        assert shown.result().reason == "engine-lost"
        ended.end()
        Shown(ended).rest()
        for source in (left, ended):
            assert signal_all([(ProcessSession(source.pid, str(one.id), marker=SESSION), 0)]) == [0]
        reaper.stop()
        engine.close()
    finally:
        private.close()
