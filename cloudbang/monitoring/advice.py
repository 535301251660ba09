"""What stands out about how an app does now: who holds it up, and limits that do not fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from cloudbang.core.loop import in_turns
from cloudbang.domain.metrics.busy import Busy, NodeUse, Use, busy
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.domain.metrics.sizing import SPAN, Sized, sized_cpu, sized_memory
from cloudbang.monitoring.query import Query
from cloudbang.monitoring.series import Series

MINUTE = 60  # seconds of which the means are taken
KNOWN = 0.5  # of them that have to be measured
SIZED = ("memory", "memory.anon", "memory.limit", "cpu", "cpu.throttled", "cpu.limit")


def busy_now(app: str, apps: Iterable[str], series: Series) -> list[Busy]:
    """``apps``: all that run, of whatever team; ``app`` is one of them or not."""
    uses = {name: _use(name, series) for name in in_turns({app: None} | dict.fromkeys(apps))}
    node = NodeUse(
        cpu=_mean(series, NODE, "cpu"),
        cores=_mean(series, NODE, "cpu.count"),
        steal=_mean(series, NODE, "cpu.steal"),
        memory=_mean(series, NODE, "memory"),
        memory_limit=_mean(series, NODE, "memory.limit"),
        io=_sum(_mean(series, NODE, "disk.read"), _mean(series, NODE, "disk.written")),
    )
    return busy(app, uses, node)


def sizes(app: str, query: Query, clock: Callable[[], float] = time.time) -> list[Sized]:
    """Of its limits, where it has any. Raises StorageFailed."""
    now = int(clock())
    side = query.side(app, SIZED, now - SPAN, now, coarse=True)
    memory, anon, limit, cpu, throttled, cores = (side.values.get(name, []) for name in SIZED)
    found = [
        sized_memory(memory, anon, limit, side.width),
        sized_cpu(cpu, throttled, cores, side.width),
    ]
    return [one for one in found if one is not None]


def _use(app: str, series: Series) -> Use:
    return Use(
        cpu=_mean(series, app, "cpu"),
        throttled=_mean(series, app, "cpu.throttled"),
        memory=_mean(series, app, "memory"),
        memory_limit=_mean(series, app, "memory.limit"),
        io=_sum(_mean(series, app, "disk.read"), _mean(series, app, "disk.written")),
        waits_cpu=_mean(series, app, "pressure.cpu"),
        waits_memory=_mean(series, app, "pressure.memory"),
        waits_io=_mean(series, app, "pressure.io"),
    )


def _mean(series: Series, app: str, name: str) -> float | None:
    values = series.window(SeriesKey(app, name), MINUTE)
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) >= KNOWN * len(values) else None


def _sum(one: float | None, other: float | None) -> float | None:
    return one + other if one is not None and other is not None else None
