"""Sweeps as a sampler makes them, a store that can be away, a bus that remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, Labels, SeriesKey
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.log_rates import LogRates
from cloudbang.monitoring.series import Series

T = 1_764_444_600  # a multiple of 600
A, B = "a" * 64, "b" * 64


class KeptStore:
    """Slabs in memory, as :class:`~cloudbang.storage.metrics.store.MetricStore` has them on disk."""

    def __init__(self) -> None:
        self.slabs: dict[int, tuple[dict[SeriesKey, Aggregate], dict[SeriesKey, Histogram]]] = {}
        self.units: dict[SeriesKey, str] = {}
        self.away = False
        self.writes = 0

    def _here(self) -> None:
        if self.away:
            raise StorageFailed("metrics.db", "database is locked")

    def write(
        self,
        time: int,
        points: Mapping[SeriesKey, Aggregate],
        histograms: Mapping[SeriesKey, Histogram] = {},
    ) -> None:
        self._here()
        self.writes += 1
        unpacked = {key: Histogram.unpack(one.pack()) for key, one in histograms.items()}
        self.slabs[time] = dict(points), unpacked

    def read(
        self, keys: Sequence[SeriesKey], since: int, until: int, step: int, together: int = 1
    ) -> dict[SeriesKey, list[Aggregate | None]]:
        self._here()
        step *= together
        since -= since % step
        found: dict[SeriesKey, list[Aggregate | None]] = {}
        for key in keys:
            parts: list[Aggregate | None] = [None] * -(-(until - since) // step)
            for at, (points, _) in self.slabs.items():
                if since <= at < since + len(parts) * step and (one := points.get(key)):
                    index = (at - since) // step
                    before = parts[index]
                    parts[index] = before + one if before else one
            found[key] = parts
        return found

    def read_histograms(
        self, key: SeriesKey, since: int, until: int, step: int, together: int = 1
    ) -> list[Histogram | None]:
        self._here()
        step *= together
        found: list[Histogram | None] = []
        for begin in range(since - since % step, until, step):
            made: Histogram | None = None
            for at in range(begin, begin + step, 10):
                if one := self.slabs.get(at, ({}, {}))[1].get(key):
                    made = made or Histogram()
                    made.merge(one)
            found.append(made)
        return found

    def series_of(self, app: str) -> list[SeriesKey]:
        found = {key for slab in self.slabs.values() for part in slab for key in part}
        return sorted(key for key in found if key.app == app)

    def apps(self) -> list[str]:
        return sorted({key.app for slab in self.slabs.values() for part in slab for key in part})

    def unit_of(self, key: SeriesKey) -> str:
        return self.units.get(key, "")

    def keep_unit(self, key: SeriesKey, unit: str) -> None:
        self.units[key] = unit

    def oldest(self, step: int) -> int | None:
        return min(self.slabs, default=None)

    def forget(self, app: str) -> None:
        self._here()
        for slab in self.slabs.values():
            for part in slab:
                for key in [key for key in part if key.app == app]:
                    part.pop(key, None)  # type: ignore[call-overload]


class HeardBus:
    """Everybody listens to everything; ``sent`` by topic."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.sent: dict[str, list[tuple[int, Any]]] = {}
        self.is_wanted = wanted

    def send(self, topic: str, header: bytes, body: bytes) -> None:
        at = orjson.loads(header)["time"]
        self.sent.setdefault(topic, []).append((at, orjson.loads(body)))

    def wanted(self, topic: str) -> bool:
        return self.is_wanted


class Clock:
    def __init__(self, now: float = T) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class House:
    """Series with what it needs, second by second."""

    def __init__(self, store: KeptStore | None = None, now: int = T) -> None:
        self.store, self.bus, self.clock = store or KeptStore(), HeardBus(), Clock(now)
        self.logs = LogRates(self.clock)
        self.series = Series(self.store, self.bus, self.logs, self.clock)

    def second(self, time: int, *sweeps: Sweep) -> None:
        """One second passes: what was measured, then what is done each second."""
        self.clock.now = time + 0.01
        for sweep in sweeps:
            self.series.take(sweep)
        self.series.slabs.look(time)
        while self.series.slabs.queue.waiting and self.series.slabs.queue._write_one():
            pass

    def run(self, since: int, until: int, **values: float) -> None:
        """``web`` has one instance that is measured each second."""
        for at in range(since, until):
            self.second(at, sweep(at, {"web": [A]}, {A: {"cpu": 0.5, **values}}))


def sweep(
    at: int,
    expected: dict[str, list[str]],
    values: dict[str, dict[str, float]],
    *,
    node: dict[tuple[str, Labels], float] | None = None,
    moved: bool = False,
) -> Sweep:
    """``values`` by the full id of each container that could be read."""
    app_of = {one: app for app, ids in expected.items() for one in ids}
    instances = [InstanceSample(one, app_of.get(one, "?"), v) for one, v in values.items()]
    return Sweep(at, at % 5 == 0, instances, expected, node or {}, moved)
