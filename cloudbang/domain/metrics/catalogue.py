"""The metrics that every app and node has: their names, units, and how they are kept and added up.

What a program measures of itself has names and units of its own; it is a ``gauge`` of step 10 s
unless it says otherwise.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Over = Literal["sum", "max", "one"]
"""How an app's value comes from its instances': added up; the largest; only where there is one."""

FAST, SLOW = 1, 5  # seconds between two samples


class Metric(NamedTuple):
    """``step``: seconds between two samples. ``scale``: what is kept on disk is a multiple of it;
    what is smaller is of no use to anybody. ``over``: see ``Over``."""

    name: str
    unit: str
    step: int
    scale: float
    over: Over


def _all(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


_PAGE = 4096.0

# What is measured of each instance, and of an app as the catalogue says from them.
OF_APPS = _all(
    Metric("cpu", "cores", FAST, 0.0001, "sum"),
    Metric("cpu.limit", "cores", SLOW, 0.01, "sum"),
    Metric("cpu.throttled", "s/s", FAST, 0.0001, "sum"),
    Metric("memory", "bytes", FAST, _PAGE, "sum"),
    Metric("memory.anon", "bytes", SLOW, _PAGE, "sum"),
    Metric("memory.file", "bytes", SLOW, _PAGE, "sum"),
    Metric("memory.shared", "bytes", SLOW, _PAGE, "sum"),
    Metric("memory.limit", "bytes", SLOW, _PAGE, "sum"),
    Metric("memory.peak", "bytes", SLOW, _PAGE, "one"),
    Metric("network.received", "bytes/s", FAST, 1.0, "sum"),
    Metric("network.sent", "bytes/s", FAST, 1.0, "sum"),
    Metric("disk.read", "bytes/s", SLOW, 1.0, "sum"),
    Metric("disk.written", "bytes/s", SLOW, 1.0, "sum"),
    Metric("processes", "1", SLOW, 1.0, "sum"),
    Metric("restarts", "1", SLOW, 1.0, "sum"),
    Metric("oom_kills", "1", SLOW, 1.0, "sum"),
    Metric("pressure.cpu", "s/s", SLOW, 0.0001, "max"),
    Metric("pressure.memory", "s/s", SLOW, 0.0001, "max"),
    Metric("pressure.io", "s/s", SLOW, 0.0001, "max"),
    Metric("log.lines", "1/s", FAST, 0.1, "sum"),
    Metric("log.errors", "1/s", FAST, 0.1, "sum"),
    Metric("http.requests", "1/s", FAST, 0.1, "sum"),
    Metric("http.errors", "1/s", FAST, 0.1, "sum"),
    Metric("http.latency", "s", 10, 0.00001, "one"),
    Metric("http.clients", "1", 10, 1.0, "one"),
)

# What is measured of a node. Kept under NODE, a name that no app can have.
NODE = "@node"
OF_NODES = _all(
    Metric("cpu", "cores", FAST, 0.0001, "one"),
    Metric("cpu.count", "cores", SLOW, 0.01, "one"),
    Metric("cpu.steal", "cores", SLOW, 0.0001, "one"),
    Metric("cpu.waiting", "cores", SLOW, 0.0001, "one"),
    Metric("load", "1", SLOW, 0.01, "one"),
    Metric("memory", "bytes", FAST, _PAGE, "one"),
    Metric("memory.limit", "bytes", SLOW, _PAGE, "one"),
    Metric("swap", "bytes", SLOW, _PAGE, "one"),
    Metric("network.received", "bytes/s", FAST, 1.0, "one"),
    Metric("network.sent", "bytes/s", FAST, 1.0, "one"),
    Metric("disk.read", "bytes/s", FAST, 1.0, "one"),
    Metric("disk.written", "bytes/s", FAST, 1.0, "one"),
    # label "path": of the file system that has what CloudBang keeps, and the engine's, if another
    Metric("disk.used", "bytes", SLOW, _PAGE, "one"),
    Metric("disk.limit", "bytes", SLOW, _PAGE, "one"),
    Metric("pressure.cpu", "s/s", SLOW, 0.0001, "one"),
    Metric("pressure.memory", "s/s", SLOW, 0.0001, "one"),
    Metric("pressure.io", "s/s", SLOW, 0.0001, "one"),
)
