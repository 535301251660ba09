"""A thread that stands ready does one call after another, whoever asks is ended meanwhile or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import gevent
import pytest
from gevent import monkey

from cloudbang.core.threads import ReadyThread

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

    counting = gevent.spawn(count)
    where: list[int] = []
    thread.run(lambda: (sleep(0.1), where.append(threading.get_native_id())))
    counting.kill()
    assert where
    assert where[0] != threading.get_native_id()
    assert turns > 5


def test_calls_come_one_after_another(thread: ReadyThread) -> None:
    """A thousand of them, in order."""
    done: list[int] = []
    for n in range(1000):
        thread.run(lambda n=n: done.append(n))  # type: ignore[misc]
    assert done == list(range(1000))


def test_a_call_whose_caller_is_ended_is_done_all_the_same(thread: ReadyThread) -> None:
    """And the next one waits for it."""
    done: list[str] = []
    caller = gevent.spawn(thread.run, lambda: (sleep(0.1), done.append("first")))
    gevent.sleep(0.02)
    caller.kill()
    assert not done
    thread.run(lambda: done.append("second"))
    assert done == ["first", "second"]
