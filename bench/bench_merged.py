"""The logs of twenty apps as one: opened at any moment of thirty days, and live to two hundred viewers.

``CLOUDBANG_BENCH_DAYS`` says otherwise how far back the history goes: making it takes most of the time.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import gevent

from bench.bench_fanout import Ground, make, wait
from bench.bench_store import DAY, SECOND, START, Clock, _access, _json, _store
from cloudbang.domain.lines import format_time
from cloudbang.intake.log_sink import StoreSink
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery, Place
from cloudbang.web.api.log_lines import WHOLE
from cloudbang.web.api.merged_lines import page_of

APPS = [f"app-{number:02}" for number in range(20)]
DAYS = int(os.environ.get("CLOUDBANG_BENCH_DAYS", "30"))
A_DAY = 2_000  # lines of each app
MOMENTS = 40
BEFORE, AFTER = 250, 500  # lines that a page asks for around a moment
VIEWERS, RATE = 200, 5_000
LIVE_SECONDS = 5
TURNS = {20: "each 50 ms", 125: "each 8 ms"}  # the second as busy readers bring them


def _fill(store: LogStore, clock: Clock) -> None:
    """A segment a day of each app; one app of four writes JSON."""
    chance = random.Random(1)
    kinds = [list(_access(A_DAY, chance)), list(_json(A_DAY, chance))]
    step = DAY // A_DAY
    for day in range(DAYS):
        for number, app in enumerate(APPS):
            begin = START + day * DAY + number * SECOND
            texts = kinds[number % 4 == 3]
            store.append(
                app,
                [
                    b"%b 0123456789ab stdout %b\n" % (format_time(begin + n * step).encode(), text)
                    for n, text in enumerate(texts)
                ],
            )
        clock.ns += DAY
        store.tidy()


def _open(store: LogStore, at: int) -> int:
    """What a page asks for that opens at a moment: lines before it and after it."""
    place = Place(format_time(at).encode(), "", 0)
    before = MergedQuery(Query(limit=BEFORE, size=WHOLE), True, before=place, by_lines=True)
    after = MergedQuery(Query(limit=AFTER, size=WHOLE), False, after=place, by_lines=True)
    return len(page_of(store, APPS, before)) + len(page_of(store, APPS, after))


def _opened(folder: Path) -> tuple[float, float, float]:
    """Milliseconds: of the processor, by the clock, by the clock 95 of 100."""
    clock, chance = Clock(), random.Random(2)
    store = _store(folder, clock)
    try:
        _fill(store, clock)
    finally:
        store.close()
    store = _store(folder, clock)
    try:
        used, took = [], []
        for _ in range(MOMENTS):
            at = START + chance.randrange(SECOND, DAYS * DAY)
            cpu, begun = time.process_time(), time.monotonic()
            assert _open(store, at)
            used.append((time.process_time() - cpu) * 1000)
            took.append((time.monotonic() - begun) * 1000)
    finally:
        store.close()
    return statistics.median(used), statistics.median(took), sorted(took)[int(MOMENTS * 0.95)]


def _live(folder: Path, turns: int) -> tuple[float, float]:
    """The share of bytes delivered, and of a core used by all of it, storing included: lines of each
    app so many times a second, by the way by which those of its readers come, to each viewer."""
    ground = Ground(folder)
    sink = StoreSink(ground.store, ground.publisher)
    try:
        for app in APPS:
            ground.store.append(app, make(1))
        with ground.viewers(VIEWERS, APPS) as board:
            wait(lambda: all(ground.publisher.wanted(f"log/{app}/") for app in APPS), 5)
            board.order()
            sent, each = ground.server.registry.sent, RATE / len(APPS) / turns
            cpu, started = time.process_time(), time.monotonic()
            for turn in range(turns * LIVE_SECONDS):
                for app in APPS:
                    sink.append(app, make(int((turn + 1) * each) - int(turn * each)))
                gevent.sleep(max(started + (turn + 1) / turns - time.monotonic(), 0.0001))
            rows = [ground.push._logs.get(f"log/{app}/") for app in APPS]

            def arrived() -> bool:
                at_end = all(
                    one is not None and one.position == ground.store.next_seq(app)
                    for one, app in zip(rows, APPS, strict=True)
                )
                return at_end and board.read()[0] >= ground.server.registry.sent - sent

            wait(arrived, 30)
            # Of so many seconds of lines, however long they took on a machine that is busy.
            used = (time.process_time() - cpu) / LIVE_SECONDS
            all_of_it = arrived() and not ground.push.slow_viewers
            share = board.read()[0] / (ground.server.registry.sent - sent)
            return (share if all_of_it else 0.0), used
    finally:
        ground.close()


def run() -> list[dict[str, object]]:
    rows = []
    live = f"{len(APPS)} apps at {RATE:,} lines/s as one log, {VIEWERS} viewers"
    for turns, often in TURNS.items():
        with tempfile.TemporaryDirectory(prefix="cloudbang-bench-") as folder:
            delivered, used = _live(Path(folder), turns)
        told = f"{live}, lines {often}"
        rows += [
            _row(f"{told}: delivered", delivered, "share", 1.0, "higher"),
            _row(f"{told}: CPU, storing included", used * 100, "% of a core", 60),
        ]
    with tempfile.TemporaryDirectory(prefix="cloudbang-bench-") as folder:
        cpu, took, slow = _opened(Path(folder))
    opened = f"a log of {len(APPS)} apps opened at any moment of {DAYS} days"
    return [
        *rows,
        _row(f"{opened}: the processor's time", cpu, "ms", 100),
        _row(f"{opened}: by the clock", took, "ms", 100),
        _row(f"{opened}: by the clock, 95 of 100", slow, "ms", None),
    ]


def _row(
    name: str, value: float, unit: str, limit: float | None, better: str = "lower"
) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}
