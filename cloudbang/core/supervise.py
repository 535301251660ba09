"""Every greenlet has a name, a supervisor and an end.

``Supervisor.run`` starts a long-lived loop and restarts it with backoff when it fails;
``Supervisor.once`` starts a piece of work that ends by itself. Both are stopped in reverse order
of their start. A failure is logged once, with its cause, and counted.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent.pool import Group

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline

log = logging.getLogger(__name__)

STOP_WITHIN = 2.0  # seconds that greenlets have to end


class _Failures:
    """How often a greenlet failed, by the name of its supervisor."""

    def __init__(self) -> None:
        self.failures: dict[tuple[str], int] = {}
        text = "Greenlets that failed; those that go on for ever were started again."
        export(self, "greenlet", counters={"failures": text}, labels=("part",))

    def add(self, part: str) -> None:
        self.failures[(part,)] = self.failures.get((part,), 0) + 1


_failed = _Failures()


def backoff(first: float = 0.1, ceiling: float = 15.0) -> Iterator[float]:
    """Seconds to wait before each further try: doubling, with a little chance in it."""
    wait = first
    while True:
        yield wait * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
        wait = min(wait * 2, ceiling)


class Supervisor:
    """Starts, watches and ends the greenlets of one part of the program."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._group = Group()
        self._order: list[gevent.Greenlet] = []
        self._stopping = False

    def run(self, name: str, loop: Callable[..., Any], *args: Any) -> gevent.Greenlet:
        """Keep ``loop(*args)`` running until :meth:`stop`. Ends when ``loop`` returns."""
        return self._spawn(name, self._keep, name, loop, args)

    def once(self, name: str, work: Callable[..., Any], *args: Any) -> gevent.Greenlet:
        """Run ``work(*args)`` once. A failure is logged; the greenlet's value is then None."""
        return self._spawn(name, self._guard, name, work, args)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """End everything that still runs, the youngest first; waits for it for 2 s at most."""
        self._stopping = True
        for greenlet in reversed(self._order):
            greenlet.kill(block=False)
        self._group.join(timeout=deadline.at_most(STOP_WITHIN))
        self._order.clear()

    def __len__(self) -> int:
        return len(self._group)

    def _spawn(self, name: str, target: Callable[..., Any], *args: Any) -> gevent.Greenlet:
        greenlet = gevent.Greenlet(target, *args)
        greenlet.name = f"{self.name}/{name}"
        self._group.add(greenlet)
        self._order.append(greenlet)
        greenlet.link(self._forget)
        greenlet.start()
        return greenlet

    def _forget(self, greenlet: gevent.Greenlet) -> None:
        if greenlet in self._order:
            self._order.remove(greenlet)

    def _guard(self, name: str, work: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        try:
            return work(*args)
        except gevent.GreenletExit:
            return None
        except Exception:
            _failed.add(self.name)
            log.exception("%s/%s failed", self.name, name)
            return None

    def _keep(self, name: str, loop: Callable[..., Any], args: tuple[Any, ...]) -> None:
        waits = backoff()
        while not self._stopping:
            started = time.monotonic()
            try:
                loop(*args)
                return
            except gevent.GreenletExit:
                return
            except Exception:
                _failed.add(self.name)
                if time.monotonic() - started > 60:
                    waits = backoff()  # it ran well for a while: this is a new failure
                wait = next(waits)
                log.exception("%s/%s failed, again in %.1f s", self.name, name, wait)
            gevent.sleep(wait)
