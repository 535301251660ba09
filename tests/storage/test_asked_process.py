"""A process of ours that is asked in lines of JSON: it answers, is started again, and leaves nothing."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import gevent
import pytest

from cloudbang.storage.asked_process import AskedProcess, ProcessEnded, answer
from tests.support import ROOT, running, wait_until

NAME = __name__


def answering() -> AskedProcess:
    return AskedProcess(NAME, "some", limit=20, idle=60)


def test_it_answers_and_another_one_goes_on_when_it_was_killed() -> None:
    asked = answering()
    try:
        assert asked.ask({"n": 1}) == {"n": 2, "told": ["some"]}
        first = asked.process
        assert first is not None
        first.kill()
        assert asked.ask({"n": 2})["n"] == 3
        assert asked.process is not first
        with pytest.raises(ProcessEnded):
            asked.ask({"n": -1})
    finally:
        asked.stop()
    assert asked.process is None


def test_one_that_nobody_asks_ends() -> None:
    asked = AskedProcess(NAME, limit=20, idle=0.1)
    try:
        asked.ask({"n": 1})
        wait_until(lambda: asked.process is None)
    finally:
        asked.stop()


def test_a_stop_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    """Until it has begun it holds what we have open, such as a lock."""
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)
    asked = answering()
    asking = gevent.spawn(asked.ask, {"n": 1})
    gevent.sleep(0)
    gevent.sleep(0)
    asking.kill()
    asked.stop()
    os.close(lock)
    again = os.open(tmp_path / "lock", os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)
    assert [one for one in running(NAME) if one.ppid() == os.getpid()] == []


def test_one_that_nobody_hears_any_more_ends_without_a_word() -> None:
    """Whoever asked was killed: the pipe breaks before the news of that comes."""
    with subprocess.Popen(
        [sys.executable, "-m", NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as one:
        assert one.stdin
        assert one.stdout
        assert one.stderr
        one.stdout.close()
        one.stdin.write(b'{"n": 1}\n')
        one.stdin.flush()
        assert one.stderr.read() == b""
        assert one.wait() == 0


def _answer(asked: dict[str, int]) -> dict[str, object]:
    if asked["n"] < 0:
        os._exit(3)
    return {"n": asked["n"] + 1, "told": sys.argv[1:]}


if __name__ == "__main__":
    sys.exit(answer(_answer, expendable=500))
