"""What was measured, kept in the plainest way, to compare the store with."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from cloudbang.config import MetricsSettings
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.storage.metrics import metrics_file, slabs
from cloudbang.storage.metrics.retention import Limits
from cloudbang.storage.metrics.rolling_process import once
from cloudbang.storage.metrics.store import MetricStore, _scaled

DAY = 86_400
T0 = 1_700_006_400 // (12 * DAY) * (12 * DAY)  # where blocks of every kind begin
LATENCY = SeriesKey("app0", "http.latency")


class Clock:
    def __init__(self, now: float = T0) -> None:
        self.now = float(now)

    def __call__(self) -> float:
        return self.now


class Truth:
    """A store, and beside it everything that was written to it."""

    def __init__(
        self, folder: Path, apps: int = 2, settings: MetricsSettings | None = None
    ) -> None:
        self.clock = Clock()
        self.settings = settings or MetricsSettings()
        self.store = MetricStore(folder, self.settings, clock=self.clock)
        self.store.open()
        self.chance = random.Random(1)
        self.keys = [SeriesKey(f"app{n}", "cpu") for n in range(apps)]
        self.keys += [SeriesKey("app0", name) for name in ("memory", "own")]
        self.keys.append(SeriesKey("app0", "cpu", (("container", "0123456789ab"),)))
        self.slabs: dict[int, dict[SeriesKey, Aggregate]] = {}
        self.histograms: dict[int, Histogram] = {}

    def slab(self, time: int, *, missing: float = 0.2) -> None:
        """Some numbers of most series."""
        self._make(time, missing)
        self.store.write(time, self.slabs[time], {LATENCY: self.histograms[time]})

    def _make(self, time: int, missing: float) -> None:
        points = {}
        for key in self.keys:
            if self.chance.random() >= missing:
                values = [self.chance.randrange(1000) * 4096 for _ in range(10)]
                points[key] = Aggregate(10, float(sum(values)), min(values), max(values))
        histogram = Histogram()
        histogram.add(self.chance.random(), 3)
        self.slabs[time], self.histograms[time] = points, histogram

    def time_passes(self, seconds: int, *, every: int = 10, missing: float = 0.2) -> None:
        """Slabs for so long, from the clock's moment on, one ``every`` so often."""
        start = int(self.clock.now) // 10 * 10
        times = range(start, start + seconds, every)
        self.slab(times[0], missing=0)
        for time in times[1:]:
            self._make(time, missing)
        self.store._write(lambda c: [self._put(c, time) for time in times[1:]])
        self.clock.now = float(start + seconds)

    def _put(self, connection: sqlite3.Connection, time: int) -> None:
        """As the store writes one, many of them in one transaction."""
        entry = self.store._entry
        kept = _scaled(self.slabs[time], lambda key: entry(key, False))
        packed = {entry(LATENCY, True).id: self.histograms[time].pack()}
        slabs.put(connection, time, kept, packed)

    def roll_up(self, *, steady: bool = True, max_bytes: int = 1 << 30) -> dict[str, object]:
        s = self.settings
        limits = Limits(
            int(s.ten_seconds_hours * 3600),
            int(s.minute_days * DAY),
            int(s.ten_minutes_days * DAY),
            max_bytes,
        )
        connection = metrics_file.connect(self.store.path)
        try:
            return once(connection, int(self.clock.now), limits, steady)
        finally:
            connection.close()

    def expected(self, key: SeriesKey, since: int, until: int, step: int) -> list[Aggregate | None]:
        found: list[Aggregate | None] = []
        for start in range(since // step * step, until, step):
            mine = [self.slabs.get(t, {}).get(key) for t in range(start, start + step, 10)]
            there = [one for one in mine if one]
            whole = there[0] if there else None
            for one in there[1:]:
                whole = whole + one if whole else one
            found.append(whole)
        return found

    def check(self, since: int, until: int, steps: tuple[int, ...] = (10, 60, 600, 7200)) -> None:
        """Everything in between is there by each step, once."""
        for step in steps:
            found = self.store.read(self.keys, since, until, step)
            for key in self.keys:
                assert found[key] == self.expected(key, since, until, step), (key, step)
            histograms = self.store.read_histograms(LATENCY, since, until, step)
            for start, one in zip(
                range(since // step * step, until, step), histograms, strict=True
            ):
                mine = [self.histograms.get(t) for t in range(start, start + step, 10)]
                assert (one.count if one else 0) == 3 * sum(1 for h in mine if h)

    def kinds(self) -> dict[int, int]:
        """How many blocks there are of each kind; slabs under -1."""
        with sqlite3.connect(self.store.path) as c:
            found = dict(c.execute("SELECT row >> 60, count(*) FROM blocks GROUP BY 1"))
            found[-1] = c.execute("SELECT count(*) FROM slabs").fetchone()[0]
        c.close()
        return found
