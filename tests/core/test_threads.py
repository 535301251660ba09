"""A thread that stands ready does one call after another, whoever asks is ended meanwhile or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import gevent
import pytest
from gevent import monkey

from cloudbang.core.threads import ReadyThread
from tests.support import wait_until

sleep = monkey.get_original("time", "sleep")


@pytest.fixture
def thread() -> Iterator[ReadyThread]:
    thread = ReadyThread()
    yield thread
    thread.close()


def test_the_call_is_done_elsewhere_and_the_loop_goes_on(thread: ReadyThread) -> None:
    """Who calls waits until it is done; everybody else does not."""
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0.005)

    def call() -> int:
        """Ends when others have had turns meanwhile, or not in time."""
        before, tries = turns, 0
        while turns < before + 5 and tries < 2000:
            tries += 1
            sleep(0.005)
        assert turns >= before + 5
        return threading.get_native_id()

    counting = gevent.spawn(count)
    assert thread.run(call) != threading.get_native_id()
    counting.kill()


def test_calls_come_one_after_another(thread: ReadyThread) -> None:
    """A thousand of them, in order."""
    done: list[int] = []
    for n in range(1000):
        thread.run(lambda n=n: done.append(n))  # type: ignore[misc]
    assert done == list(range(1000))


def test_a_call_whose_caller_is_ended_is_done_all_the_same(thread: ReadyThread) -> None:
    """And the next one waits for it."""
    said: list[str] = []

    def first() -> None:
        said.append("begun")
        while "ended" not in said:
            sleep(0.001)
        said.append("first")

    caller = gevent.spawn(thread.run, first)
    wait_until(lambda: said)
    caller.kill()
    said.append("ended")
    thread.run(lambda: said.append("second"))
    assert said == ["begun", "ended", "first", "second"]
