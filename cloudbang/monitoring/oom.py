"""Kills for want of memory: what was measured just before goes into the event, so that it is known
for as long as that; and what only the kernel counted, since the first process lives on, is one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.oom import PARTS, facts_of
from cloudbang.monitoring.app_series import SHORT, AppSeries
from cloudbang.monitoring.ring import Ring
from cloudbang.monitoring.series import Series

KIND = "oom"
KILLS = "oom_kills"
BEFORE = 15  # seconds before a kill of which a value still says something about it
SAME = 15  # seconds around what the kernel counted in which the engine may tell of it
WAIT = 1  # seconds in which it has the chance to
NAMES = ("memory", *(f"memory.{name}" for name in ("limit", "peak", *PARTS)))


class Recorder(Protocol):
    def record(self, *events: Event) -> None: ...
    def complete(self, kind: str, facts: Callable[[Event], dict[str, object]]) -> None: ...


class OutOfMemory:
    """For the hub; nothing waits."""

    def __init__(
        self,
        series: Series,
        recorder: Recorder,
        instances: Callable[[], Iterable[Instance]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._series, self._recorder = series, recorder
        self._instances, self._clock = instances, clock
        self._told: dict[str, int] = {}  # by short id when the last kill was told of
        self._counted: dict[str, tuple[float, str | None]] = {}  # by id: kills, and of which run
        self._untold: dict[
            str, tuple[int, str]
        ] = {}  # by short id when the kernel counted; the app
        recorder.complete(KIND, self.facts)
        series.listen(self.second)

    def facts(self, event: Event) -> dict[str, object]:
        """What there is to say of a kill that is told of now."""
        at = parse_time(event.time) // 1_000_000_000
        self._told[event.container] = max(at, self._told.get(event.container, 0))
        self._untold.pop(event.container, None)
        series, node = self._series.of(event.app), self._series.of(NODE)
        if series is None:
            return {}
        measured = {
            name: value
            for name in NAMES
            if (value := _value(series, event.container, name, at)) is not None
        }
        machine = {
            name: value
            for name in ("memory", "memory.limit")
            if node is not None and (value := _last(node.rings.get((name, ())), at)) is not None
        }
        return facts_of(measured, machine)

    def second(self, at: int) -> None:
        """A second was measured: look whether the kernel counted one that nobody told of."""
        for short, (counted, app) in list(self._untold.items()):
            if at >= counted + WAIT:
                del self._untold[short]
                now = format_time(int(self._clock() * 1e9))
                self._recorder.record(Event(app, now, KIND, short, {"source": "kernel"}))
        if self._series.counts_kills:
            self._count(at)

    def _count(self, at: int) -> None:
        alive: set[str] = set()
        for one in self._instances():
            if not one.alive:
                continue
            alive.add(one.id)
            series = self._series.of(one.app)
            kills = _value(series, one.short, KILLS, at, seconds=0) if series else None
            if kills is None:
                continue
            before = self._counted.get(one.id)
            self._counted[one.id] = kills, one.started_at
            # What ended a run is told of by the engine, or found out by an inspection.
            if before is None or before[1] != one.started_at or kills <= before[0]:
                continue
            if self._told.get(one.short, 0) < at - SAME:
                self._untold[one.short] = at, one.app
        for gone in self._counted.keys() - alive:
            del self._counted[gone]
            self._told.pop(gone[:SHORT], None)


def _value(
    series: AppSeries, container: str, name: str, at: int, seconds: int = BEFORE
) -> float | None:
    """Of one instance; what the app has as a whole is of it only where nobody else runs."""
    found = _last(series.instances.get(container, {}).get(name), at, seconds)
    if found is not None:
        return found
    if any(_last(rings.get(name), at, seconds) is not None for rings in series.instances.values()):
        return None
    return _last(series.rings.get((name, ())), at, seconds)


def _last(ring: Ring | None, at: int, seconds: int = BEFORE) -> float | None:
    values = ring.between(at - seconds, at + 1) if ring is not None else []
    return next((value for value in reversed(values) if value is not None), None)
