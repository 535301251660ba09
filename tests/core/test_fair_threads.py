"""Threads are shared out: a page before a search, and each account in its turn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.core.fair_threads import FairThreads, Rank
from tests.support import patient, wait_until


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    made = FairThreads(2)
    yield made
    made.close()


class Held:
    """Calls that take until they are told to end, and which have begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.end: set[str] = set()

    def __call__(self, name: str) -> None:
        self.begun.append(name)
        while name not in self.end:
            time.sleep(0.0005)


def ask(threads: FairThreads, held: Held, account: str, rank: Rank, name: str) -> gevent.Greenlet:
    asked: gevent.Greenlet = gevent.spawn(threads.call, account, rank, held, name)
    gevent.sleep(0)
    return asked


def test_a_page_never_waits_for_a_search(threads: FairThreads) -> None:
    """One thread is kept for pages, however many searches wait."""
    held = Held()
    asked = [ask(threads, held, "a", Rank.SEARCH, f"search {n}") for n in range(3)]
    asked.append(ask(threads, held, "b", Rank.PAGE, "page"))
    wait_until(lambda: set(held.begun) == {"search 0", "page"})
    held.end = {"page", *(f"search {n}" for n in range(3))}
    gevent.joinall(asked, timeout=patient(2), raise_error=True)


def test_accounts_take_turns_and_within_one_the_short_come_first(threads: FairThreads) -> None:
    """Sixty downloads of one account are one in the line beside another account's search."""
    held = Held()
    asked = [ask(threads, held, "a", Rank.DOWNLOAD, f"a{n}") for n in range(4)]
    asked.append(ask(threads, held, "b", Rank.SEARCH, "b"))
    asked.append(ask(threads, held, "a", Rank.SEARCH, "a search"))
    held.end = {"b", "a search", *(f"a{n}" for n in range(4))}
    gevent.joinall(asked, timeout=patient(2), raise_error=True)
    assert held.begun == ["a0", "a search", "b", "a1", "a2", "a3"]


def test_who_is_ended_while_it_waits_leaves_the_line(threads: FairThreads) -> None:
    """A peer that went away takes nobody's turn, nor does one that had just been called."""
    held = Held()
    first = ask(threads, held, "a", Rank.SEARCH, "first")
    gone = ask(threads, held, "a", Rank.SEARCH, "gone")
    last = ask(threads, held, "b", Rank.SEARCH, "last")
    gone.kill()
    held.end = {"first", "last"}
    gevent.joinall([first, last], timeout=patient(2), raise_error=True)
    assert held.begun == ["first", "last"]


def test_what_fails_gives_its_thread_back(threads: FairThreads) -> None:
    """An error reaches who called, and the next call runs."""

    def fails() -> None:
        raise OSError("the disk")

    for _ in range(5):
        with pytest.raises(OSError, match="the disk"):
            threads.call("a", Rank.DOWNLOAD, fails)
    assert threads.call("a", Rank.PAGE, lambda: 7) == 7
