"""A file system that hangs holds nobody but the thread that looks at it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import gevent
import pytest
from docker.models.containers import Container

from cloudbang.core.threads import LimitedCalls
from cloudbang.node.terminals import processes
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import Opener
from tests.support import Stopwatch, patient, wait_until


def test_who_looks_at_a_file_that_hangs_is_let_go(tmp_path: Path) -> None:
    """With all threads hanging as well; the hub goes on meanwhile, and a stop is not held."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    call = LimitedCalls(threads=2, limit=0.3)
    turns = 0

    def turn() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0.01)
            turns += 1

    turning = gevent.spawn(turn)
    asked = [gevent.spawn(call, "nobody knows", _first, pipe) for _ in range(4)]
    gevent.joinall(asked, timeout=patient(10), raise_error=True)
    assert [one.value for one in asked] == ["nobody knows"] * len(asked)
    wait_until(lambda: turns > 2, 5, "turns, while the threads hang")
    turning.kill()
    watch = Stopwatch()
    call.stop()
    assert watch.seconds < 3
    # Now somebody opens the other end, and the threads end.
    os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def _first(path: Path) -> str:
    with open(path, "rb", buffering=0) as f:
        return f.read(1).decode()


def test_a_folder_that_takes_too_long_is_the_one_it_began_in(
    container: ContainerFactory,
    open_source: Opener,
    reaper: Reaper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A working folder on NFS whose server is away, for instance."""
    one: Container = container()
    shown = open_source(one, folder="/tmp")
    shown.until(b"# ")
    shown.run("cd /proc")
    wait_until(lambda: shown.source.folder() == "/proc", 5, "its folder")
    reaper.limited_calls = LimitedCalls(threads=1, limit=0.3)
    hangs = threading.Event()
    monkeypatch.setattr(processes, "folder_of", lambda pid: hangs.wait(20) and "/late")
    assert shown.source.folder() == "/tmp"
    hangs.set()
