"""What a sampler hands to its sink: what was measured of a node at one moment.

The sink may be in this process or, of an agent, far away: it is all plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cloudbang.domain.metrics.series import Labels


@dataclass(slots=True)
class InstanceSample:
    """One instance. ``values`` by the name of the metric, only those that were due and could be
    read: one that is due and missing is a gap. ``container`` is the full id. ``killed``: the kernel
    has killed a process of it for want of memory, which is told when it is seen."""

    container: str
    app: str
    values: dict[str, float] = field(default_factory=dict)
    killed: bool = False


@dataclass(slots=True)
class Sweep:
    """``time``: seconds since 1970 by the wall clock, whole. ``slow``: whether what is measured
    every 5 s was due as well. ``expected``: the full ids of all that run, by app, whether or not
    they could be read: an app of which one is missing has a gap, not a dip. ``node`` by name and
    labels. ``moved``: the clock was set since the last one."""

    time: int
    slow: bool
    instances: list[InstanceSample]
    expected: dict[str, list[str]]
    node: dict[tuple[str, Labels], float]
    moved: bool = False


class MetricSink(Protocol):
    """Who takes what is measured."""

    def take(self, sweep: Sweep) -> None:
        """Never waits, never raises. Called at most once for each second, in order."""

    def say(self, app: str, container: str, why: dict[str, str]) -> None:
        """What cannot be measured of an instance and why, by metric: sentences, in English, that
        the catalogue has in Chinese. Replaces what was said of it; empty when all can be. ``app``
        is ``catalogue.NODE`` and ``container`` empty for the node."""
