"""Giving way: what a greenlet does that has much to do and waits for nothing."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import gevent

T = TypeVar("T")
TURN = 0.002  # seconds of walking after which others have their turn


def yield_to_loop() -> None:
    """One turn of the loop for everything else that is ready: I/O, timers, other greenlets.

    ``gevent.sleep(0)`` would not let I/O and timers run, and ``sleep(1e-5)`` sleeps for at least
    the millisecond that epoll counts in. An idle watcher of the highest priority makes the loop
    look around once without waiting, and is not starved by a busy one.
    """
    gevent.idle(gevent.get_hub().loop.MAXPRI)


def in_turns(items: Iterable[T]) -> Iterator[T]:
    """The same items, with a turn for everything else every 2 ms: for who walks very many."""
    turn_ends = time.monotonic() + TURN
    for item in items:
        yield item
        if time.monotonic() >= turn_ends:
            yield_to_loop()
            turn_ends = time.monotonic() + TURN


def unbroken(call: Callable[[], T], within: float) -> T:
    """What ``call`` makes, or the Exception that it raises. Who is ended meanwhile comes back when it
    is done, or ``within`` seconds later: what somebody else makes for us, such as an engine, is made
    although nobody waits for the answer, and after whoever is ended then has looked for it in vain."""
    made: list[T] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            made.append(call())
        except Exception as e:
            failed.append(e)

    doing = gevent.spawn(run)
    try:
        doing.join()
    except BaseException:
        doing.join(within)
        doing.kill(block=False)
        raise
    if failed:
        raise failed[0]
    return made[0]


def import_gently(*modules: str) -> None:
    """Import one module after the other, giving way before each. Who needs one of them meanwhile
    imports it as ever: within one import no greenlet gives way, so that none finds half of it."""
    for name in modules:
        yield_to_loop()
        importlib.import_module(name)
