"""What the instances of an app expose, put together: what the app as a whole did.

Counters become rates of each instance, by its own clock, before they are added up: one that began
anew makes no spike, and one that comes or goes no step. Gauges of several instances are not added
up, since nobody knows of which that would make sense: each has the label ``container``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cloudbang.domain.metrics.exposition import Point
from cloudbang.domain.metrics.own_samples import (
    Counts,
    Growth,
    NotTaken,
    Sample,
    checked_labels,
    checked_name,
    checked_time,
)
from cloudbang.domain.metrics.series import Labels

LONGEST = 3600  # seconds between two readings from which a rate is made
MOST_COUNTERS = 2_000  # of an instance that are remembered: four times what an app may have

Id = tuple[str, Labels]
Bounds = tuple[float, ...]


class _Seen(NamedTuple):
    time: float
    value: float | Counts


class Rated(NamedTuple):
    """One instance at one moment. ``counters`` and ``histograms``: growth a second, with the unit and
    the bounds, of those that were there before. ``refused``: of which nothing is known."""

    container: str  # the short id
    gauges: list[Point]
    counters: dict[Id, tuple[float, str]]
    histograms: dict[Id, tuple[Bounds, tuple[float, ...], float, str]]
    refused: list[NotTaken]


class Counting:
    """One instance: what its counters said last."""

    def __init__(self, container: str) -> None:
        self.container = container
        self._seen: dict[Id, _Seen] = {}
        self._times: dict[Id, float] = {}  # that gauges have said themselves
        self._began_anew = False

    def restarted(self) -> None:
        """It is another process that counts from here on: one that has counted further than the one
        before may have done so in its own time, and nobody knows."""
        self._began_anew = True

    def take(self, points: Iterable[Point], now: float) -> Rated:
        """What it exposes at ``now``, in seconds that only grow."""
        rated = Rated(self.container, [], {}, {}, [])
        seen: dict[Id, _Seen] = {}
        times: dict[Id, float] = {}
        for point in points:
            key = point.name, point.labels
            if point.kind == "gauge":
                if point.time is not None:
                    times[key] = point.time
                    if self._times.get(key) == point.time:
                        continue  # it is the same measurement, told again
                rated.gauges.append(point)
                continue
            if key not in self._seen and len(seen) >= MOST_COUNTERS:
                rated.refused.append(
                    NotTaken(
                        "{name} is one too many: of an instance {most} counters are followed",
                        name=point.name,
                        most=MOST_COUNTERS,
                    )
                )
                continue
            at = now if point.time is None else point.time
            before = self._seen.get(key)
            if isinstance(point.value, Counts):
                if before is None or before.time != at:
                    self._take_counts(rated, key, point, before, at)
            elif point.value < 0:
                rated.refused.append(
                    NotTaken(
                        "a counter is not negative, and this one is {value}", value=point.value
                    )
                )
                continue
            elif before is not None and 0 < at - before.time <= LONGEST:
                was = before.value
                if isinstance(was, float) and not (self._began_anew and point.value >= was):
                    grown = point.value - was if point.value >= was else point.value
                    rated.counters[key] = grown / (at - before.time), point.unit
            seen[key] = _Seen(at, point.value)
        self._seen, self._times, self._began_anew = seen, times, False
        return rated

    def _take_counts(
        self, rated: Rated, key: Id, point: Point, before: _Seen | None, at: float
    ) -> None:
        counts = point.value
        assert isinstance(counts, Counts)
        was = before.value if before is not None else None
        if before is None or not isinstance(was, Counts) or was.bounds != counts.bounds:
            return
        if not 0 < at - before.time <= LONGEST:
            return
        grown = counts.counts
        if all(new >= old for new, old in zip(counts.counts, was.counts, strict=True)):
            if self._began_anew:
                return
            grown = tuple(n - old for n, old in zip(counts.counts, was.counts, strict=True))
        rate = grown[-1] / (at - before.time)
        rated.histograms[key] = counts.bounds, grown, rate, point.unit


def added_up(
    parts: Iterable[Rated], *, several: bool, whole: bool, now: float
) -> Iterable[Sample | NotTaken]:
    """What is measured of the app at ``now``, in seconds since 1970. ``several``: whether it has more
    than one instance; ``whole``: whether each of them was read: if not, what is added up is a gap."""
    counters: dict[Id, tuple[float, str]] = {}
    histograms: dict[Id, tuple[list[tuple[Bounds, tuple[float, ...]]], float, str]] = {}
    for part in parts:
        yield from part.refused
        for point in part.gauges:
            yield _gauge(point, part.container if several else "", now)
        if not whole:
            continue
        for key, (rate, unit) in part.counters.items():
            counters[key] = counters.get(key, (0.0, ""))[0] + rate, unit
        for key, (bounds, grown, rate, unit) in part.histograms.items():
            those, before, _ = histograms.get(key, ([], 0.0, ""))
            those.append((bounds, grown))
            histograms[key] = those, before + rate, unit
    for key, (rate, unit) in counters.items():
        unit = "1/s" if unit == "1" else f"{unit}/s"
        yield _checked(key, int(now), "gauge", unit, rate)
    for key, (those, rate, unit) in histograms.items():
        yield _checked(key, int(now), "histogram", unit, Growth(tuple(those), rate))


def _gauge(point: Point, container: str, now: float) -> Sample | NotTaken:
    assert isinstance(point.value, float)
    try:
        moment = checked_time(point.time, now)
    except NotTaken as e:
        return e
    found = _checked((point.name, point.labels), moment, "gauge", point.unit, point.value)
    if not container or isinstance(found, NotTaken):
        return found
    return found._replace(labels=tuple(sorted((*found.labels, ("container", container)))))


def _checked(key: Id, time: int, kind: str, unit: str, value: float | Growth) -> Sample | NotTaken:
    name, labels = key
    try:
        return Sample(
            checked_name(name),
            checked_labels(dict(labels)),
            time,
            "histogram" if kind == "histogram" else "gauge",
            unit,
            value,
        )
    except NotTaken as e:
        return e
