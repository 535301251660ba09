"""What moves a file in a container: nothing of it is left, whatever holds it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from cloudbang.engine import Engine
from cloudbang.node.terminals.file_commands import GET, GET_BEGINS, PUT, PUT_BEGINS
from cloudbang.node.terminals.file_script import FileScript
from cloudbang.node.terminals.reaper import Reaper
from tests.support import wait_until
from tests.terminal_support import MIB, processes, wait_alone

BIG = "dd if=/dev/zero of=/big bs=1 count=0 seek=64M; exec sleep 1000000"


class Run:
    """Scripts in one container, and how many of them are over."""

    def __init__(self, engine: Engine, reaper: Reaper, container: Any) -> None:
        self.engine, self.reaper, self.container = engine, reaper, container
        self.over = 0

    def _count(self) -> None:
        self.over += 1

    def script(self, script: str, *arguments: str) -> FileScript:
        """``arguments``: what comes after the root."""
        place, arguments = (self.container.id, "", "/big"), ("", *arguments)
        return FileScript(self.engine, self.reaper, *place, self._count, script, *arguments)

    def get(self) -> FileScript:
        """64 MiB on their way out, of which only the beginning is read."""
        made = self.script(GET, "/big", str(100 * MIB))
        assert made.first_line(GET_BEGINS) == f"file {64 * MIB}"
        assert made.read(1000)
        return made


@pytest.fixture
def run(engine: Engine, reaper: Reaper, container: Callable[..., Any]) -> Run:
    one = container(BIG)
    wait_until(lambda: one.exec_run(["test", "-s", "/big"]).exit_code == 0)
    return Run(engine, reaper, one)


def of_script(run: Run) -> dict[int, str]:
    first = run.container.attrs["State"]["Pid"]
    return {pid: line for pid, line in processes(run.container.id).items() if pid != first}


def hold(run: Run) -> None:
    """Stop what would end the script by itself: all of it, but what moves the bytes."""
    for pid, line in of_script(run).items():
        if not line.startswith("head"):
            os.kill(pid, signal.SIGSTOP)


def test_it_ends_by_itself(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its input ends, and it takes along what it started: nobody has to look for it, also where
    the server was killed."""
    monkeypatch.setattr(Reaper, "end_left", None)
    script = run.get()
    assert len(of_script(run)) >= 2
    script.close()
    wait_alone(run.container)
    wait_until(lambda: run.over == 1)
    script.close()
    assert run.over == 1


@pytest.mark.parametrize("visible", [True, False])
def test_what_is_held_is_ended(run: Run, visible: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the processes of a terminal are, seen from here or from within; what else runs there
    goes on, also another file."""
    if not visible:
        monkeypatch.setattr(Reaper, "sees", lambda *_: False)
    run.container.exec_run(["sleep", "4242"], detach=True)
    other = run.get()
    others = set(of_script(run))
    assert len(others) >= 3
    script = run.get()
    for pid, line in of_script(run).items():
        if pid not in others and not line.startswith("head"):
            os.kill(pid, signal.SIGSTOP)
    script.close()
    wait_until(lambda: set(of_script(run)) == others, 15, "only this file to end")
    wait_until(lambda: run.over == 1)
    assert other.read(1000)
    other.close()
    wait_until(lambda: list(of_script(run).values()) == ["sleep 4242"], 10)
    wait_until(lambda: run.over == 2)


def test_one_that_arrives_is_ended(run: Run) -> None:
    """Also when its input does not end it; what had arrived is taken away, or told to be left."""
    script = run.script(PUT, "/", "new", "1000", ".cloudbang-x")
    assert script.first_line(PUT_BEGINS) == "ready"
    script.write(b"x" * 10)
    hold(run)
    script.close()
    wait_alone(run.container, 15)
    assert run.container.exec_run(["test", "-e", "/new"]).exit_code == 1


def test_one_that_is_over_is_not_looked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of the reaper for a file that went its way."""
    monkeypatch.setattr(Reaper, "end_left", None)
    script = run.script(GET, "/etc/passwd", "100000")
    script.first_line(GET_BEGINS)
    script.finish()
    script.close()
    assert run.over == 1
    wait_alone(run.container)


def zombies(container: Any) -> int:
    """The processes of which only the number is left, and their first one takes no note of."""
    _, said = container.exec_run(["sh", "-c", "cat /proc/[0-9]*/stat"])
    return sum(b") Z " in line for line in said.splitlines())


@pytest.fixture(params=["busybox", "gnu"])
def waits(request: pytest.FixtureRequest, container: Callable[..., Any]) -> Any:
    """A container whose first process only waits, with a folder of files."""
    name = "gnu_image" if request.param == "gnu" else "image"
    one = container(["sleep", "1000000"], image=request.getfixturevalue(name))
    made = "mkdir -p /d/e; for n in $(seq 300); do echo $n > /d/e/$n; done; echo hello > /f"
    assert one.exec_run(["sh", "-c", made]).exit_code == 0
    return one


def test_what_is_taken_out_leaves_no_zombie(engine: Engine, reaper: Reaper, waits: Any) -> None:
    """Whatever the script starts it waits for: who else would, where the first process does not."""
    run = Run(engine, reaper, waits)
    for path, kind in [("/f", "file 6"), ("/d", "folder"), ("/proc/version", "file")] * 3:
        script = run.script(GET, path, str(MIB))
        assert script.first_line(GET_BEGINS).startswith(kind)
        script.finish()
        script.close()
    wait_until(lambda: run.over == 9)
    assert zombies(waits) == 0


@pytest.mark.parametrize("path", ["/big", "/large"])
def test_one_that_is_left_leaves_no_zombie(
    engine: Engine, reaper: Reaper, waits: Any, path: str
) -> None:
    """Nor does one that ends because nobody takes it any more."""
    made = (
        "mkdir /large; for f in /big /large/x; do dd if=/dev/zero of=$f bs=1 count=0 seek=64M; done"
    )
    waits.exec_run(["sh", "-c", made])
    run = Run(engine, reaper, waits)
    for _ in range(3):
        script = run.script(GET, path, str(100 * MIB))
        script.first_line(GET_BEGINS)
        script.read(1000)
        script.close()
    wait_alone(waits)
    wait_until(lambda: run.over == 3)
    assert zombies(waits) == 0
