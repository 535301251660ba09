"""Business traffic: what counting costs, what it keeps in memory, and how far off it is.

The log is written by another process as Caddy writes it, renamed at 32 MB. What is counted is what is
counted in production; the numbers are of this whole process, which does nothing else.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import gevent

from cloudbang.domain.metrics.access_log import Request
from cloudbang.domain.metrics.tally import Tally
from cloudbang.monitoring.traffic import Traffic
from cloudbang.storage.traffic.store import COARSE, FINE, MIDDLE, TrafficStore
from tests.gateway.ground import HTTP_PORT, Ground, spec
from tests.gateway.load import Load
from tests.support import ROOT, wait_until

RATE, SECONDS = 5_000, 20
LINES, PATHS = 600_000, 1_000_000
REQUESTS = 2_000
WINDOWS = 60


class Routes:
    apps: Collection[str] = ("web",)

    def under_way(self, instances: Collection[str]) -> int:
        return 0


class Counting:
    """A log that another process writes, and who counts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "log").mkdir()
        self._store = TrafficStore(folder)
        self._store.open()
        self.traffic = Traffic(folder, self._store, Routes())
        self.traffic.start()

    def write(self, lines: int, rate: int, paths: int) -> subprocess.Popen[bytes]:
        words = [str(self._folder / "log" / "access.log"), str(lines), str(rate), str(paths)]
        return subprocess.Popen([sys.executable, "-m", "bench.traffic_writer", *words], cwd=ROOT)

    def take_away(self) -> None:
        """What was read of the log: ten million lines are 4 GB."""
        place = self.traffic._place
        files = sorted((self._folder / "log").glob("access-*.log"))
        numbers = [file.stat().st_ino for file in files]
        read = numbers.index(place.inode) if place and place.inode in numbers else 0
        for file in files[:read]:
            file.unlink()

    def close(self) -> None:
        self.traffic.stop()
        self._store.close()


def cost(counting: Counting) -> list[dict[str, object]]:
    """5,000 lines a second of 100 addresses, once it runs."""
    traffic = counting.traffic
    writing = counting.write(RATE * (SECONDS + 5), RATE, 3000)
    wait_until(lambda: traffic.lines > RATE, 60, "the first lines")
    lines, cpu, began = traffic.lines, time.process_time(), time.monotonic()
    gevent.sleep(SECONDS)
    lines, cpu = traffic.lines - lines, time.process_time() - cpu
    took = time.monotonic() - began
    writing.wait()
    wait_until(lambda: traffic.lines == RATE * (SECONDS + 5), 60, "the rest")
    share = cpu / lines * RATE
    return [
        row(
            f"access log of {RATE:,} lines/s into metrics ({lines / took:,.0f} came), of a core",
            share * 100,
            25,
            unit="%",
        )
    ]


def memory(
    counting: Counting, base: int, lines: int = LINES, within: float = 300.0
) -> list[dict[str, object]]:
    """As fast as it can be counted: addresses come out of a million, so that of the first hundreds of
    thousands four of five are new. In the first third fills up what has a bound, such as who is online.
    ``base``: bytes of this process before anything was counted; ``within``: seconds that it may take."""
    counted, seen = 0, list[tuple[int, int]]()  # how many lines were counted, and what it took then
    done, cpu, ends = counting.traffic.lines, time.process_time(), time.monotonic() + within
    writing = counting.write(lines, 0, PATHS)
    try:
        while (counted := counting.traffic.lines - done) < lines and time.monotonic() < ends:
            seen.append((counted, resident()))
            counting.take_away()
            gevent.sleep(0.2)
    finally:
        if counted < lines:
            writing.kill()
        writing.wait()
    cpu = time.process_time() - cpu
    most = max((bytes for _, bytes in seen), default=base)
    second, third = (
        max(
            (bytes for at, bytes in seen if n * counted <= 3 * at < (n + 1) * counted), default=base
        )
        for n in (1, 2)
    )
    what = f"memory over {counted:,} lines out of {PATHS:,} different paths"
    rows = [
        row(what, (most - base) / 1e6, 50, unit="MB"),
        row("… of it grown in their last third", max(third - second, 0) / 1e6, 5, unit="MB"),
        row(
            "… of a core, for 5,000 of them a second",
            cpu / max(counted, 1) * RATE * 100,
            25,
            unit="%",
        ),
    ]
    if counted < lines:
        rows.append({**row("… counted in time", counted, lines), "better": "higher"})
    return rows


def percentiles(folder: Path) -> list[dict[str, object]]:
    """Any window of each tier, against all values in order."""
    folder.mkdir()
    store = TrafficStore(folder)
    store.open()
    now = int(time.time())
    now -= now % 10
    chance, values, tallies = random.Random(1), {}, {}
    times = [now - n * FINE for n in range(1, 700)]
    times += [now - 7200 - n * MIDDLE for n in range(1, 1900)]
    times += [now - 14 * 86_400 - n * COARSE for n in range(1, 1500)]
    for at in times:
        of = chance.choice((0.002, 0.05, 0.8))
        took = [of * chance.lognormvariate(0, 1.2) for _ in range(20)]
        tally = tallies[("web", at - at % FINE)] = Tally()
        values[at - at % FINE] = took
        for seconds in took:
            its = ("web", float(at), seconds, 200, 0, "GET", "/", "", "", "answer")
            tally.add(Request(*its), "/")  # type: ignore[arg-type]
    for n in range(0, len(tallies), 200):
        its_now = now - 91 * 86_400  # so that nothing of it is old
        store.commit(None, dict(list(tallies.items())[n : n + 200]), {}, its_now, steady=False)
    traffic = Traffic(folder, store, Routes())
    off = 0.0
    spans = ((7200, 7200), (14 * 86_400 - 3600, 2 * 86_400), (75 * 86_400, 60 * 86_400))
    for n in range(WINDOWS):
        back, span = spans[n % 3]
        since = now - chance.random() * back
        found = traffic.report("web", since, min(since + chance.random() * span, now), points=300)
        inside = sorted(
            one
            for at, took in values.items()
            if found["since"] <= at < found["until"]
            for one in took
        )
        assert found["latency"]["count"] == len(inside)
        for q, said in found["latency"]["quantiles"].items():
            if inside:
                true = inside[max(-(-int(float(q) * 100) * len(inside) // 100), 1) - 1]
                off = max(off, abs(said - true) / true)
    store.close()
    return [row("any percentile, any window, any tier, off by at most", off * 100, 1.1, unit="%")]


def exact(folder: Path) -> list[dict[str, object]]:
    """Through the real gateway."""
    folder.mkdir()
    ground = Ground(folder)
    store = TrafficStore(folder)
    store.open()
    traffic = Traffic(ground.run_folder, store, ground.gateway)
    try:
        running = ground.run("web", 1)
        ground.gateway.publish("web", spec())
        ground.gateway.switch("web", running)
        traffic.start()
        load = Load(HTTP_PORT, "web.localhost", rate=400).start()
        wait_until(lambda: len(load.timed) >= REQUESTS, 120, "the requests", every=0.1)
        load.stop()
        wait_until(lambda: traffic.lines >= len(load.timed), 30, "their lines")
        gevent.sleep(1.0)
        missing = abs(traffic.report("web")["requests"] - len(load.timed)) + len(load.errors)
    finally:
        traffic.stop()
        store.close()
        ground.close()
    what = f"of {len(load.timed):,} requests of a load generator, not counted or twice"
    return [row(what, missing, 0)]


def resident() -> int:
    """Bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def row(name: str, value: float, limit: float, *, unit: str = "") -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counting = Counting(folder)
        try:
            base = resident()
            rows = cost(counting) + memory(counting, base)
        finally:
            counting.close()
        return rows + percentiles(folder / "percentiles") + exact(folder / "gateway")
