"""What the engine says of containers whose files cannot be read: few at a time, and in turn.

One answer costs the engine some ten milliseconds, so the more there are the less often each of them
is asked about.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import gevent
from gevent.pool import Pool

from cloudbang.domain.metrics.engine_stats import readings
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused, EngineUnreachable

log = logging.getLogger(__name__)

AT_ONCE = 3
WITHIN = 5.0  # seconds for one answer
# So many containers at most are asked about every so many seconds.
STEPS = ((10, 1.0), (50, 5.0), (150, 15.0))
LONGEST = 60.0


class Told(NamedTuple):
    """``at`` by CLOCK_MONOTONIC; ``step``: seconds between two of them."""

    at: float
    step: float
    raw: dict[str, float]


class EngineReader:
    """Asks about the containers that ``wanted()`` says, until they are not wanted any more."""

    def __init__(self, engine: Engine, wanted: Callable[[], Collection[str]]) -> None:
        self._engine = engine
        self._wanted = wanted
        self._asked: dict[str, float] = {}
        self._told: dict[str, Told] = {}
        self._pool = Pool(AT_ONCE)

    @property
    def step(self) -> float:
        """Seconds between two answers about the same container."""
        count = len(self._wanted())
        return next((seconds for most, seconds in STEPS if count <= most), LONGEST)

    def take(self, container: str) -> Told | None:
        """What it said since this was asked last."""
        return self._told.pop(container, None)

    def run(self) -> None:
        """Forever."""
        try:
            while True:
                began = time.monotonic()
                for container in self._due(began):
                    self._pool.spawn(self._ask, container)  # waits for a place
                gevent.sleep(max(0.1, 1.0 - (time.monotonic() - began)))
        finally:
            self._pool.kill(block=False)

    def _due(self, now: float) -> Iterator[str]:
        wanted, step = list(self._wanted()), self.step
        for gone in self._asked.keys() - set(wanted):
            self._asked.pop(gone)
            self._told.pop(gone, None)
        for container in wanted:
            if now - self._asked.get(container, -step) >= step - 0.05:
                self._asked[container] = now
                yield container

    def _ask(self, container: str) -> None:
        step = self.step
        try:
            raw = readings(self._engine.stats(container, WITHIN))
        except (EngineUnreachable, EngineRefused) as e:
            log.debug("%s is not measured by the engine: %s", container[:12], e)
            return
        if container in self._asked:
            self._told[container] = Told(time.monotonic(), step, raw)
