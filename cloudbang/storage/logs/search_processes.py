"""Searches in processes of their own: what looks through much text takes no time from everybody else.

Threads share one lock with the loop and the processors with everything that it has to send, as equals.
A process has the lock for itself, and gives way. It is there while somebody searches; until it has
started, and where it cannot, threads search as before.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Generic, TypeVar
from zlib import crc32

import gevent

from cloudbang.core.counters import export
from cloudbang.core.fair_threads import FairTurns, Rank
from cloudbang.core.loop import unbroken
from cloudbang.storage.asked_process import PICKLED, AskedProcess, ProcessEnded
from cloudbang.storage.logs.block_search import BlockSearch
from cloudbang.storage.logs.reader import Query, Snapshot
from cloudbang.storage.logs.readings import P, Reading
from cloudbang.storage.logs.search_process import Answer, Call, NotKnown, Step

log = logging.getLogger(__name__)
T = TypeVar("T")

PROCESS = "cloudbang.storage.logs.search_process"
MOST = 4  # processes
LIMIT = 30.0  # seconds after which one that does not answer has none
IDLE = 120.0  # seconds without a search after which it ends
AGAIN = 30.0  # seconds after which one that did not start is tried again


class ReadingLost(Exception):
    """The process ended that had begun it."""


def can_go(query: Query) -> bool:
    """Whether another process can look for it."""
    match = query.match
    return match is None or (isinstance(match, BlockSearch) and match.made is not None)


class SearchProcesses:
    """As many as there are processors to spare, each when it is needed first."""

    def __init__(self) -> None:
        count = max(1, min(MOST, len(os.sched_getaffinity(0)) - 1))
        self._all = [SearchProcess() for _ in range(count)]

    def of(self, account: Hashable) -> SearchProcess | None:
        """The one for this account, which knows what was searched before; None while it starts."""
        one = self._all[crc32(repr(account).encode()) % len(self._all)]
        return one if one.ready() else None

    def stop(self) -> None:
        for one in self._all:
            one.stop()


class SearchProcess:
    """One question at a time; who waits gets a turn as with threads."""

    def __init__(self) -> None:
        self._process = AskedProcess(
            PROCESS, limit=LIMIT, idle=IDLE, codec=PICKLED, in_use=lambda: bool(self._begun)
        )
        self._turns = FairTurns(1, 1)
        self._begun: set[int] = set()  # readings that it keeps
        self._forget: list[int] = []
        self._there: object = None  # the process that has answered once
        self._starting: gevent.Greenlet | None = None
        self._not_before = 0.0
        self.steps = self.lost = 0
        export(
            self,
            "search_process",
            counters={
                "steps": "Steps of searches that a process of their own has made.",
                "lost": "Searches that it had begun when it ended, which threads went on with.",
            },
        )

    def ready(self) -> bool:
        """Whether it is there; else it is started."""
        process = self._process.process
        if process is not None and process is self._there:
            return True
        if self._starting is None and time.monotonic() >= self._not_before:
            self._starting = gevent.spawn(self._start)
            self._starting.name = "the process for searches starts"
        return False

    def stop(self) -> None:
        if self._starting is not None:
            self._starting.kill(block=False)
        self._process.stop()

    def call(self, account: Hashable, rank: Rank, function: Callable[[], T]) -> T:
        """What the function gives, which can be pickled. Raises ProcessEnded, SnapshotStale, OSError."""
        told: T = self._ask(account, rank, lambda forget: Call(function, forget))
        return told

    def step(self, account: Hashable, rank: Rank, step: Step) -> Any:
        """The progress of a reading after it. Raises ReadingLost."""
        self._begun.add(step.number)
        try:
            told = self._ask(account, rank, lambda forget: replace(step, forget=forget))
        except (ProcessEnded, NotKnown, OSError):
            self.lost += 1
            self.forget(step.number)
            raise ReadingLost from None
        if told.done:
            self._begun.discard(step.number)
        return told

    def forget(self, number: int) -> None:
        """Nobody goes on with this reading."""
        if number in self._begun:
            self._begun.discard(number)
            self._forget.append(number)

    def _start(self) -> None:
        try:
            self._ask("", Rank.PAGE, lambda forget: Call(int, forget))
            self._there = self._process.process
        except (ProcessEnded, OSError):
            self._not_before = time.monotonic() + AGAIN
            log.warning("the process for searches cannot be started: threads search")
        finally:
            self._starting = None

    def _ask(
        self, account: Hashable, rank: Rank, question: Callable[[tuple[int, ...]], Call | Step]
    ) -> Any:
        with self._turns.turn(account, rank):
            forget, self._forget = tuple(self._forget), []
            asked = question(forget)
            # Who leaves must not end it for everybody else who has begun something there.
            told: Answer = unbroken(lambda: self._process.ask(asked), LIMIT)
        self.steps += 1
        for level, text in told.said:
            log.log(level, "%s", text)
        if isinstance(told.failed, RuntimeError):
            raise ProcessEnded
        if told.failed is not None:
            raise told.failed
        return told.value


_numbers = itertools.count()


class HandedReading(Generic[P]):
    """A reading that goes on in a process, from where a thread has brought it. Who hands it over goes on
    with theirs only where this one is lost."""

    def __init__(
        self, process: SearchProcess, reading: Reading[P], account: Hashable, rank: Rank
    ) -> None:
        self._process, self._account, self._rank = process, account, rank
        self._number = next(_numbers)
        reading.close()
        self._reading: Reading[P] | None = reading
        self._renewed: tuple[str, Snapshot] | None = None
        self._ends = reading.progress.ends

    def renew(self, app: str, view: Snapshot) -> None:
        """Go on with a fresh view of this app."""
        self._renewed = app, view.bare()

    def step(self, seconds: float, enough: int) -> P:
        """Raises ReadingLost."""
        step = Step(self._number, seconds, enough, self._reading, self._renewed)
        told: P = self._process.step(self._account, self._rank, step)
        self._reading = self._renewed = None
        self._ends.update(told.ends)
        told.ends = self._ends
        return told

    def abandon(self) -> None:
        self._process.forget(self._number)
