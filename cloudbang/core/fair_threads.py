"""Threads that accounts share: short calls before long ones, and each account in its turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, TypeVar

from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.core.threads import in_thread

T = TypeVar("T")


class Rank(IntEnum):
    """How long who calls can wait: a page of lines is looked at, a search is waited for, a download
    takes its time."""

    PAGE = 0
    SEARCH = 1
    DOWNLOAD = 2


class FairThreads:
    """So many ``threads``. One of them is kept for pages, so that none waits for a search; what
    waits is taken in turns between accounts, and of each account by rank.

    A call should be short (25 ms), since a thread is never taken away: what takes long comes in
    steps, and others have their turn in between.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPool(threads)
        self._turns = FairTurns(threads, threads - 1)

    def call(self, account: Hashable, rank: Rank, function: Callable[..., T], *args: Any) -> T:
        """``function(*args)`` in a thread; the calling greenlet waits, the hub goes on."""
        with self._turns.turn(account, rank):
            return in_thread(self._pool, function, *args)

    def close(self) -> None:
        self._pool.kill()


class FairTurns:
    """At most so many have a turn ``at_once``, of them ``slow`` searches and downloads; who waits for
    one gets it as :class:`FairThreads` says."""

    def __init__(self, at_once: int, slow: int) -> None:
        self._free, self._most_slow = at_once, slow
        self._slow = 0  # of those that have one, searches and downloads
        self._pages, self._rest = _Line(), _Line()

    @contextmanager
    def turn(self, account: Hashable, rank: Rank) -> Iterator[None]:
        if self._may_start(rank):
            self._start(rank)
        else:
            line, told = self._line(rank), Event()
            line.add(account, rank, told)
            try:
                told.wait()
            except BaseException:
                if told.is_set():
                    self._end(rank)
                else:
                    line.remove(account, rank, told)
                raise
        try:
            yield
        finally:
            self._end(rank)

    def _line(self, rank: Rank) -> _Line:
        return self._pages if rank is Rank.PAGE else self._rest

    def _may_start(self, rank: Rank) -> bool:
        return self._free > 0 and (rank is Rank.PAGE or self._slow < self._most_slow)

    def _start(self, rank: Rank) -> None:
        self._free -= 1
        self._slow += rank is not Rank.PAGE

    def _end(self, rank: Rank) -> None:
        self._free += 1
        self._slow -= rank is not Rank.PAGE
        for line, of in ((self._pages, Rank.PAGE), (self._rest, Rank.SEARCH)):
            while line and self._may_start(of):
                self._start(of)
                line.next().set()


class _Line:
    """Who waits, by account and rank."""

    def __init__(self) -> None:
        self._accounts: dict[Hashable, dict[Rank, deque[Event]]] = {}  # whose turn it is first

    def __bool__(self) -> bool:
        return bool(self._accounts)

    def add(self, account: Hashable, rank: Rank, told: Event) -> None:
        self._accounts.setdefault(account, {}).setdefault(rank, deque()).append(told)

    def remove(self, account: Hashable, rank: Rank, told: Event) -> None:
        ranks = self._accounts[account]
        ranks[rank].remove(told)
        self._tidy(account, ranks, rank)

    def next(self) -> Event:
        account = next(iter(self._accounts))
        ranks = self._accounts.pop(account)
        self._accounts[account] = ranks  # the others first, next time
        rank = min(ranks)
        told = ranks[rank].popleft()
        self._tidy(account, ranks, rank)
        return told

    def _tidy(self, account: Hashable, ranks: dict[Rank, deque[Event]], rank: Rank) -> None:
        if not ranks[rank]:
            del ranks[rank]
            if not ranks:
                del self._accounts[account]
