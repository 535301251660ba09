"""Measurements on disk: what they take with every tier full, and how soon a chart of 90 days is there.

What fills the tiers is made up from samples of real processes, taken once a second for 20 minutes on
a machine that was building, serving and testing (``container_samples.json.zst``: what 10 s of each
came to, by processor, memory, disk, network and threads): pieces of one to two minutes of a process
follow each other in any order, each larger or smaller than it was by up to a third, memory going on
from where it stood, so that no piece is there twice. Of five containers one does nothing, one next
to nothing, one little, and two are busy: their processor and network are ten and thirty times those
of the sample, which comes to 0.1 and 0.3 cores.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import gevent
import zstandard

from cloudbang.config import MetricsSettings
from cloudbang.domain.metrics.catalogue import OF_APPS
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.packing import pack_points
from cloudbang.domain.metrics.points import Kept, Points
from cloudbang.domain.metrics.series import Aggregate, SeriesKey
from cloudbang.storage.metrics import metrics_file, registry, slabs
from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import SHAPES, TIERS, Kind, row
from cloudbang.storage.metrics.store import MetricStore

SAMPLES = Path(__file__).with_name("container_samples.json.zst")
DAY = 86_400
NOW = 1_700_000_000 // (3 * DAY) * (3 * DAY) + 2 * DAY + 7000
KEPT = {Kind.HOUR: 2 * DAY, Kind.QUARTER: 14 * DAY, Kind.DAYS: 90 * DAY, Kind.DOZEN: 90 * DAY}
CONTAINERS, OF = 5, 200
MADE_OF = ((10, 1), (19, 1), (22, 1), (25, 10), (27, 30))  # rank by processor, times as busy


def _row(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


# -- numbers


class Source:
    """Numbers of one metric of one container, by any step, for as long as is wanted."""

    def __init__(self, recorded: list[Kept], times: float, wanders: bool, chance: random.Random):
        self._recorded, self._times, self._wanders = recorded, times, wanders
        self._chance, self._by_step = chance, {10: recorded}
        self._level = recorded[0][1] // recorded[0][0]

    def points(self, count: int, step: int) -> Points:
        """So many more of them."""
        found, chance, recorded = Points.nothing(count), self._chance, self._of(step)
        at = piece = 0
        factor, lift = 1.0, 0.0
        for n in range(count):
            if not piece:
                piece = chance.randrange(6, 13)
                at = chance.randrange(len(recorded))
                factor = self._times * chance.uniform(0.7, 1.33)
                if self._wanders:
                    factor = 1.0
                    lift = self._level - recorded[at][1] // recorded[at][0]
            samples, total, least, most = recorded[at]
            low, high = round(least * factor + lift), round(most * factor + lift)
            total = round(total * factor + lift * samples)
            found.put(n, (samples, low + high if samples == 2 else total, low, high))
            self._level = total // samples
            if self._wanders and not 0 < self._level < 1 << 20:
                self._level = recorded[0][1] // recorded[0][0]
                piece = 1
            at, piece = (at + 1) % len(recorded), piece - 1
        return found

    def _of(self, step: int) -> list[Kept]:
        """What was recorded, as of any so many seconds of it."""
        if step not in self._by_step:
            n, whole = step // 10, Points.nothing(len(self._recorded))
            for at, kept in enumerate(self._recorded):
                whole.put(at, kept)
            starts = range(0, max(1, len(whole) - n))
            rolled = [whole[at : at + n].rolled(n) for at in starts]
            self._by_step[step] = [
                (p.samples[0], p.totals[0], p.leasts[0], p.mosts[0]) for p in rolled
            ]
        return self._by_step[step]


def _sources(chance: random.Random) -> list[dict[str, Source]]:
    recorded = json.loads(zstandard.ZstdDecompressor().decompress(SAMPLES.read_bytes()))
    found = []
    for rank, times in MADE_OF:
        one = {name: [tuple(kept) for kept in rows] for name, rows in recorded[rank].items()}
        still = [(2, 0, 0, 0)] * 60
        names = {name: still for name in OF_APPS if not name.startswith("http.")}
        names |= one
        for name in ("memory.anon", "memory.file", "memory.peak"):
            names[name] = one["memory"]
        names["memory.limit"], names["cpu.limit"] = (
            [(2, 262144, 131072, 131072)] * 60,
            [(2, 400, 200, 200)] * 60,
        )
        names["log.lines"] = [(n, t // 50, low // 50, high // 50) for n, t, low, high in one["cpu"]]
        if times > 1:
            names["pressure.cpu"] = names["cpu.throttled"] = names["pressure.io"] = one["cpu"]
        found.append(
            {
                name: Source(
                    rows,
                    times if name.startswith(("cpu", "network", "log", "pressure")) else 1,
                    name.startswith("memory") and rows is not still and "limit" not in name,
                    chance,
                )
                for name, rows in names.items()
            }
        )
    return found


def _disk(root: Path) -> Iterator[dict[str, object]]:
    store = MetricStore(root, MetricsSettings(), clock=lambda: NOW)
    store.open()
    chance = random.Random(1)
    keys, sources = [], []
    for n, container in enumerate(_sources(chance)):
        keys += [SeriesKey(f"app{n}", name) for name in container]
        sources += container.values()
    moment = NOW // 600 * 600
    store.write(moment, {key: Aggregate(1, 1.0, 1.0, 1.0) for key in keys})
    entries = [store._registry.get(key) for key in keys]
    c = metrics_file.connect(store.path)
    blocks, taken, points = Blocks(c), {}, {}
    for kind, seconds in KEPT.items():
        taken[kind] = points[kind] = 0
        for start in range(
            (NOW - seconds) // SHAPES[kind].seconds * SHAPES[kind].seconds,
            NOW,
            SHAPES[kind].seconds,
        ):
            c.execute("BEGIN IMMEDIATE")
            for entry, source in zip(entries, sources, strict=True):
                made = source.points(SHAPES[kind].seconds // SHAPES[kind].step, SHAPES[kind].step)
                if registry.is_rounded(entry.unit, entry.scale):
                    made = made.rounded()
                number = row(kind, start, entry.id)
                blocks.put_points(number, made, entry.scale)
                points[kind] += len(made)
            c.execute("COMMIT")
        low, high = metrics_file.rows(kind, 0, NOW + DAY)
        taken[kind] = c.execute(
            "SELECT sum(length(data)) FROM blocks WHERE row BETWEEN ? AND ?", (low, high)
        ).fetchone()[0]
    # and what waits for its hour to be over
    for time_ in range(moment - 3600, moment + 600, 10):
        kept = []
        for entry, source in zip(entries, sources, strict=True):
            p = source.points(1, 10)
            kept.append((entry.id, (p.samples[0], p.totals[0], p.leasts[0], p.mosts[0]), False))
        slabs.put(c, time_, kept, {})
    c.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    used = c.execute("PRAGMA page_count").fetchone()[0] * metrics_file.PAGE_BYTES
    c.close()
    store.close()
    for kind in KEPT:
        step = SHAPES[kind].step
        yield _row(
            f"a point of {step} s on disk, of {len(keys)} series", taken[kind] / points[kind], "B"
        )
    yield _row(
        f"disk for {OF} containers of {len(keys) // CONTAINERS} series, all tiers full ({CONTAINERS} made, as if {OF})",
        (used - (1 << 16)) / CONTAINERS * OF / 1e6 + metrics_file.WAL_BYTES / 1e6,
        "MB",
        450,
    )


# -- 90 days of 5,000 series


def _charts(root: Path) -> Iterator[dict[str, object]]:
    store = MetricStore(root, MetricsSettings(), clock=lambda: NOW)
    store.open()
    chance = random.Random(2)
    apps = [f"app{n}" for n in range(100)]
    keys = [SeriesKey(app, f"metric{n}") for app in apps for n in range(50)]
    store.write(NOW // 10 * 10, {key: Aggregate(10, 10.0, 0.0, 2.0) for key in keys})
    sources = [s for one in _sources(chance)[2:] for s in one.values()]
    c = metrics_file.connect(store.path)
    blocks = Blocks(c)
    rolled = {
        SHAPES[kind].step: NOW // SHAPES[kind].seconds * SHAPES[kind].seconds for kind, _ in TIERS
    }
    spans = (
        (Kind.DOZEN, NOW - 90 * DAY, rolled[7200]),
        (Kind.DAYS, NOW - 90 * DAY, rolled[600]),
        (Kind.QUARTER, rolled[600], rolled[60]),
        (Kind.HOUR, rolled[60], NOW // 3600 * 3600),
        (Kind.PIECE, NOW // 3600 * 3600, NOW // 600 * 600),
    )
    ids = [store._registry.get(key).id for key in keys]
    c.execute("UPDATE series SET scale = 1")
    for kind, since, until in spans:
        seconds, step = SHAPES[kind]
        bodies = [pack_points(s.points(seconds // step, step), 1.0) for s in sources]
        for start in range(since // seconds * seconds, until, seconds):
            c.execute("BEGIN IMMEDIATE")
            for number in ids:
                blocks._put(
                    row(kind, start, number), bodies[(number + start // seconds) % len(bodies)]
                )
            c.execute("COMMIT")
    for step, until in rolled.items():
        c.execute("INSERT INTO rolled VALUES (?, ?)", (step, until))
    for time_ in range(NOW // 600 * 600, NOW, 10):
        slabs.put(c, time_, [(n, (10, 10, 0, 2), False) for n in ids], {})
    c.close()
    store.close()
    firsts, alls = [], []
    for turn in range(5):
        store.open()
        shown = [SeriesKey(apps[turn], f"metric{n}") for n in range(36)]
        began = time.perf_counter(), time.process_time()
        for chart, taken in ((shown[:3], firsts), (shown[3:], alls)):
            found = store.read(chart, NOW - 90 * DAY, NOW, 7200, 6)
            taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
            assert all(len(one) <= 303 and all(one[2:]) for one in found.values())
        store.close()
    name = "90 days of 50 metrics of 100 apps: "
    for what, taken, limit in (
        ("first chart (3)", firsts, 150),
        ("all on the screen (36)", alls, 300),
    ):
        yield _row(name + what, statistics.median(wall for wall, _ in taken) * 1000, "ms", limit)
        used = statistics.median(processor for _, processor in taken)
        yield _row(f"of that, processor: {what}", used * 1000, "ms")


# -- what it costs to keep


def _keeping(root: Path) -> Iterator[dict[str, object]]:
    """Ten minutes of 4,200 series."""
    store = MetricStore(root, MetricsSettings(), clock=lambda: NOW)
    store.open()
    chance = random.Random(3)
    names = [name for name in OF_APPS if not name.startswith("http.")][:21]
    keys = [SeriesKey(f"app{n}", name) for n in range(OF) for name in names]
    begin, spent, lags = NOW // 600 * 600 - 600, [], []
    for time_ in range(begin, begin + 600, 10):
        points = {key: Aggregate(10, chance.random() * 10, 0.1, 2.0) for key in keys}
        began = time.process_time()
        store.write(time_, points)
        spent.append(time.process_time() - began)
    watching = gevent.spawn(_lag, lags)
    assert store.roll_up.once()
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    watching.kill()
    store.close()
    yield _row("writing 10 s of 4,200 series, processor", statistics.median(spent) * 1000, "ms")
    yield _row(
        "rolling up ten minutes of them, in a process of its own, processor", took * 1000, "ms"
    )
    yield _row("the hub's longest wait meanwhile", max(lags) * 1000, "ms")


def _lag(found: list[float]) -> None:
    while True:
        began = time.perf_counter()
        gevent.sleep(0.005)
        found.append(time.perf_counter() - began - 0.005)


# -- percentiles


def _percentiles(root: Path) -> Iterator[dict[str, object]]:
    """Four hours of requests of four shapes, by every step and in windows of any length."""
    chance = random.Random(4)
    key, every = SeriesKey("web", "http.latency"), 60
    begin = NOW // 21600 * 21600 - 21600
    clock = [0.0]
    store = MetricStore(root, MetricsSettings(), clock=lambda: clock[0])
    store.open()
    values: dict[int, list[float]] = {}
    for n, time_ in enumerate(range(begin, begin + 21600, every)):
        shape = (
            lambda: chance.lognormvariate(-3, 1.5),
            lambda: chance.expovariate(20),
            lambda: chance.uniform(0.001, 30),
            lambda: chance.paretovariate(1) / 1000,
        )[n * 4 // 360]
        values[time_] = [shape() for _ in range(60)]
        one = Histogram()
        for value in values[time_]:
            one.add(value)
        clock[0] = time_ + 10
        store.write(time_, {}, {key: one})
    clock[0] = NOW
    assert store.roll_up.once()
    worst = 0.0
    for step in (10, 60, 600):
        for _ in range(60):
            since = begin + chance.randrange(0, 36) * 600
            until = min(begin + 21600, since + chance.choice((600, 1200, 3600, 7200)))
            whole = Histogram()
            for one in store.read_histograms(key, since, until, step):
                if one:
                    whole.merge(one)
            mine = sorted(v for t in range(since, until, every) for v in values[t])
            assert whole.count == len(mine)
            for q in (0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0):
                true = mine[max(ceil(q * len(mine)), 1) - 1]
                worst = max(worst, abs(whole.quantile(q) / true - 1) * 100)
    store.close()
    yield _row("any percentile, any window, any tier, off by", worst, "%", 1.1)


def run() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for part in (_disk, _charts, _keeping, _percentiles):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            rows += part(Path(folder))
    return rows
