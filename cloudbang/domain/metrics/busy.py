"""Who makes an app wait: its own limit, another app, the machine's host, or it itself.

The kernel says how long something in a control group waited for processors, memory or a disk. A
group that is held back by its own limit waits as well, so that is looked at first; only then is
somebody else to blame, and only one who uses more than all others together is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Resource = Literal["cpu", "memory", "io"]
Cause = Literal["limit", "hypervisor", "neighbour", "itself", "outside", "several"]

WAITS = {"cpu": 0.1, "memory": 0.05, "io": 0.1}
"""Seconds a second from which on it is worth a word."""

HELD = 0.05  # s/s for which its own limit held it back, from which on that is why it waits
STOLEN = 0.1  # of all processors
BUSY = 0.7  # of all processors: below, there was one for everybody
FULL = 0.9  # of memory
MOST = 0.5  # of what is used, with which one alone is named
LEAST_IO = 1e6  # bytes a second: below, what is done is too little to hold up anybody


class Use(NamedTuple):
    """Of one app: means of the last minute, by the catalogue's units. None: not measured."""

    cpu: float | None = None
    throttled: float | None = None
    memory: float | None = None
    memory_limit: float | None = None
    io: float | None = None
    waits_cpu: float | None = None
    waits_memory: float | None = None
    waits_io: float | None = None


class NodeUse(NamedTuple):
    cpu: float | None = None
    cores: float | None = None
    steal: float | None = None
    memory: float | None = None
    memory_limit: float | None = None
    io: float | None = None


class Busy(NamedTuple):
    """``waits``: s/s; ``by``: the app that is named; ``share`` of what its cause is measured by:
    time it was held back, processors that were stolen, what ``by`` uses of all."""

    resource: Resource
    cause: Cause
    waits: float
    share: float
    by: str | None = None


def busy(app: str, uses: Mapping[str, Use], node: NodeUse) -> list[Busy]:
    """What holds an app up. Nothing is said where it waits little, or what is measured names
    nobody."""
    its = uses[app]
    found = [_cpu(app, its, uses, node), _memory(app, its, uses, node), _io(app, its, uses, node)]
    return [one for one in found if one is not None]


def _cpu(app: str, its: Use, uses: Mapping[str, Use], node: NodeUse) -> Busy | None:
    held, waits = its.throttled or 0.0, its.waits_cpu or 0.0
    if held >= HELD and max(held, waits) >= WAITS["cpu"]:
        return Busy("cpu", "limit", max(held, waits), held)
    if waits < WAITS["cpu"] or not node.cores:
        return None
    if node.steal is not None and node.steal / node.cores >= STOLEN:
        return Busy("cpu", "hypervisor", waits, node.steal / node.cores)
    if node.cpu is None or node.cpu / node.cores < BUSY:
        return None
    used = {name: use.cpu for name, use in uses.items() if use.cpu is not None}
    return _who("cpu", app, used, node.cpu, waits)


def _memory(app: str, its: Use, uses: Mapping[str, Use], node: NodeUse) -> Busy | None:
    waits = its.waits_memory or 0.0
    if waits < WAITS["memory"] or its.memory is None:
        return None
    if its.memory_limit and its.memory / its.memory_limit >= FULL:
        return Busy("memory", "limit", waits, its.memory / its.memory_limit)
    if not node.memory or not node.memory_limit or node.memory / node.memory_limit < FULL:
        return None
    used = {name: use.memory for name, use in uses.items() if use.memory is not None}
    return _who("memory", app, used, node.memory, waits)


def _io(app: str, its: Use, uses: Mapping[str, Use], node: NodeUse) -> Busy | None:
    waits = its.waits_io or 0.0
    used = {name: use.io for name, use in uses.items() if use.io is not None}
    whole = max(node.io or 0.0, sum(used.values()))
    if waits < WAITS["io"] or whole < LEAST_IO:
        return None
    return _who("io", app, used, whole, waits)


def _who(
    resource: Resource, app: str, used: Mapping[str, float], whole: float, waits: float
) -> Busy | None:
    """Who uses more than all others together, be they apps or not."""
    if not used:
        return None
    name, most = max(used.items(), key=lambda one: one[1])
    if most > MOST * whole:
        share = min(most / whole, 1.0)
        if name == app:
            return Busy(resource, "itself", waits, share)
        return Busy(resource, "neighbour", waits, share, name)
    outside = whole - sum(used.values())
    if outside > MOST * whole:
        return Busy(resource, "outside", waits, outside / whole)
    return Busy(resource, "several", waits, most / whole)
