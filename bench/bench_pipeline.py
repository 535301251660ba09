"""The way of a line: from the program that prints it to the viewer's socket, and what it costs.

The server is a process of its own beside an engine of its own; the lines carry the time at which
they were printed (``printer.c``), so every part of the way is in what is measured, the engine's too.
Rounds go in turns through the rates, and the medians of the rounds are shown.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from bench.bench_live import has_apps, private_engine, serving
from tests.support import ROOT, ServerProcess, wait_until
from tests.support_engine import PrivateEngine

Row = dict[str, object]

SOURCE = Path(__file__).with_name("printer.c")
ROUNDS = 3
SECONDS = {10: 20, 100: 10, 1_000: 10, 5_000: 10}  # of one round, by lines a second
# By lines a second: ms at the median, ms at the 99th percentile, percent of a core.
LIMITS: dict[int, tuple[float | None, float | None, float | None]] = {
    10: (1.4, 2.8, None),
    100: (None, None, 3),
    1_000: (6, 12, 5),
    5_000: (6, None, None),
}
UNWATCHED = {10: 1.5, 100: 6.0}  # lines a second of each of 20 containers: percent of a core
CROWD, CROWD_RATE = 1_000, 5_000
CROWD_SECONDS = 62  # the loop's lag is told for the last minute
FLOOD = 2_000_000
STARTS = 7


class Ground:
    """An engine, the program that prints, and a server that reads."""

    def __init__(self, engine: PrivateEngine, image: str, printer: Path) -> None:
        self.engine, self.image, self.printer = engine, image, printer

    @contextlib.contextmanager
    def printers(self, count: int, rate: int, lines: int) -> Iterator[list[Any]]:
        """Containers that are ready to print."""
        made = []
        try:
            for n in range(count):
                made.append(
                    self.engine.client.containers.run(
                        self.image,
                        ["/bench/printer", str(rate), str(lines)],
                        name=f"print-{rate}-{n}-{time.time_ns()}",
                        detach=True,
                        network_mode="none",
                        stop_signal="KILL",
                        volumes={str(self.printer.parent): {"bind": "/bench", "mode": "ro"}},
                    )
                )
            yield made
        finally:
            for one in made:
                one.remove(force=True, v=True)

    def known(self, server: ServerProcess, made: list[Any]) -> None:
        """Wait until the first line of each is stored and the server rests."""
        for one in made:
            wait_until(lambda one=one: stored(server, one.name) == 1, 30, "the first line")  # type: ignore[misc]
        process = psutil.Process(server.pid)
        wait_until(lambda: process.cpu_percent(0.5) < 4, 20, "the server to rest", every=0.1)


def stored(server: ServerProcess, app: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return int(answer.json()["next"]) - 1 if answer.status_code == 200 else 0


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory() as folder, private_engine() as (engine, image):
        Path(folder).chmod(0o755)
        printer = Path(folder) / "printer"
        subprocess.run(["gcc", "-O2", "-static", "-o", str(printer), str(SOURCE)], check=True)
        yield Ground(engine, image, printer)


@contextlib.contextmanager
def peer(server: ServerProcess, **task: Any) -> Iterator[subprocess.Popen[str]]:
    """One of ``pipeline_peers``, ready."""
    task |= {"port": server.port, "cookie": server.cookie}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.pipeline_peers", json.dumps(task)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"no {task['role']}")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


class Usage:
    """Processor seconds of the server from here on."""

    def __init__(self, server: ServerProcess) -> None:
        self._process = psutil.Process(server.pid)
        self._began, self._before = time.monotonic(), self._seconds()

    def _seconds(self) -> float:
        # By thread in nanoseconds: what /proc/PID/stat says is counted in hundredths of seconds.
        used = 0
        for place in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                used += int(place.read_text().split()[0])
        return used / 1e9

    def percent(self) -> float:
        return 100 * (self._seconds() - self._before) / (time.monotonic() - self._began)


# -- one viewer -----------------------------------------------------------------------------------


def one_viewer(place: Ground, rates: tuple[int, ...] = (10, 100, 1_000, 5_000)) -> list[Row]:
    seen: dict[int, list[dict[str, Any]]] = {rate: [] for rate in rates}
    for _ in range(ROUNDS):
        for rate in rates:
            with serving(place.engine) as server:
                seen[rate].append(watched(place, server, rate, SECONDS[rate]))
            print(f"  {rate} lines/s: {seen[rate][-1]}", file=sys.stderr)
    rows = []
    for rate in rates:
        p50, p99, cpu = (statistics.median(s[k] for s in seen[rate]) for k in ("p50", "p99", "cpu"))
        median, tail, percent = LIMITS[rate]
        what = f"one viewer of {rate:,} lines/s"
        rows += [
            _row(f"{what}: print to socket, p50", p50, "ms", median),
            _row(f"{what}: print to socket, p99", p99, "ms", tail),
            _row(f"{what}: processor", cpu, "% of a core", percent),
        ]
    return rows


def watched(place: Ground, server: ServerProcess, rate: int, seconds: float) -> dict[str, Any]:
    """One container of ``rate`` lines/s and one viewer: p50, p99 (ms), cpu (percent)."""
    lines = int(rate * seconds)
    with place.printers(1, rate, lines) as made:
        place.known(server, made)
        task = {"app": made[0].name, "lines": lines, "seconds": seconds + 10}
        with peer(server, role="watch", **task) as watcher:
            time.sleep(0.5)
            made[0].kill("SIGUSR1")
            time.sleep(0.1 * seconds)
            usage = Usage(server)
            time.sleep(0.8 * seconds)
            cpu = usage.percent()
            found = told(watcher)
    if found["lines"] != lines or found["gaps"]:
        raise RuntimeError(f"{found} of {lines} lines")
    return {**found, "cpu": cpu}


# -- nobody looking -------------------------------------------------------------------------------


def nobody(place: Ground, seconds: float = 10) -> list[Row]:
    """Twenty containers that log, nobody looking; with the same quiet ones for comparison."""
    used: dict[int, list[float]] = {rate: [] for rate in (0, *UNWATCHED)}
    for _ in range(ROUNDS):
        for rate in used:
            with (
                serving(place.engine) as server,
                place.printers(20, max(rate, 1), 10**9 if rate else 0) as made,
            ):
                place.known(server, made)
                for one in made:
                    one.kill("SIGUSR1")
                time.sleep(2)
                usage = Usage(server)
                time.sleep(seconds)
                used[rate].append(usage.percent())
            print(f"  20 containers, {rate} lines/s each: {used[rate][-1]:.2f} %", file=sys.stderr)
    what = "nobody looking, 20 containers of"
    return [
        _row(f"{what} 0 lines/s: processor", statistics.median(used[0]), "% of a core", None),
        *(
            _row(f"{what} {n} lines/s: processor", statistics.median(used[n]), "% of a core", most)
            for n, most in UNWATCHED.items()
        ),
    ]


# -- a thousand viewers ---------------------------------------------------------------------------


def thousand(place: Ground, seconds: float = CROWD_SECONDS) -> list[Row]:
    lines = int(CROWD_RATE * seconds)
    with serving(place.engine) as server, place.printers(1, CROWD_RATE, lines) as made:
        place.known(server, made)
        task = {"app": made[0].name, "lines": lines, "seconds": seconds + 20}
        with (
            peer(server, role="crowd", viewers=CROWD - 1, **task) as crowd,
            peer(server, role="watch", **task) as watcher,
        ):
            time.sleep(2)
            made[0].kill("SIGUSR1")
            time.sleep(2)
            usage = Usage(server)
            time.sleep(seconds - 4)
            cpu, lag = usage.percent(), loop_lag(server)
            one, others = told(watcher), told(crowd)
    delivered = others["delivered"] if one["lines"] == lines and not one["gaps"] else 0.0
    what = f"{CROWD:,} viewers of {CROWD_RATE:,} lines/s"
    return [
        _row(f"{what}: print to socket, p50", one["p50"], "ms", 25),
        _row(f"{what}: print to socket, p99", one["p99"], "ms", None),
        {**_row(f"{what}: got every line", delivered, "share", 1.0), "better": "higher"},
        _row(f"{what}: processor, whole server", cpu, "% of a core", 45),
        _row(f"{what}: loop lag, p99", lag * 1000, "ms", 5),
    ]


def loop_lag(server: ServerProcess) -> float:
    for line in server.client.get("/metrics").text.splitlines():
        if line.startswith('cloudbang_loop_lag_seconds{quantile="0.99"}'):
            return float(line.split()[-1])
    raise RuntimeError("no loop lag in /metrics")


# -- memory, start --------------------------------------------------------------------------------


def flood(place: Ground) -> list[Row]:
    """The most memory there was while as many lines came as fast as they could, over that before."""
    grown, took = [], []
    for _ in range(ROUNDS):
        with serving(place.engine) as server, place.printers(1, 0, FLOOD) as made:
            place.known(server, made)
            task = {"app": made[0].name, "lines": FLOOD, "seconds": 120}
            with peer(server, role="watch", **task) as watcher:
                time.sleep(0.5)
                Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # the peak begins anew
                before, began = memory(server.pid, "VmRSS"), time.monotonic()
                made[0].kill("SIGUSR1")
                wait_until(lambda: stored(server, made[0].name) > FLOOD, 120, every=0.2)
                took.append(time.monotonic() - began)
                wait_until(lambda: watcher.poll() is not None or _idle(server), 60)
                grown.append(memory(server.pid, "VmHWM") - before)
        print(f"  flood: + {grown[-1]:.1f} MB in {took[-1]:.1f} s", file=sys.stderr)
    what = f"a flood of {FLOOD:,} lines with a viewer"
    return [
        _row(f"{what}: peak memory over that before", statistics.median(grown), "MB", 25),
        _row(f"{what}: until all is stored", statistics.median(took), "s", None),
    ]


def _idle(server: ServerProcess) -> bool:
    return psutil.Process(server.pid).cpu_percent(0.5) < 5


def memory(pid: int, what: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"no {what}")


def starts(place: Ground) -> list[Row]:
    """From the start of the process to the bytes of its first page: not the first start ever."""
    times = []
    with place.printers(20, 1, 0), serving(place.engine, start=False) as server:
        for n in range(STARTS + 1):
            began = time.monotonic()
            server.spawn()
            first_page(server)
            took = time.monotonic() - began
            if n:
                times.append(took)
            wait_until(lambda: has_apps(server, 20), 20)
            server.terminate()
    return [_row("start to the first page, a later start", statistics.median(times), "s", 0.45)]


def first_page(server: ServerProcess) -> None:
    end = time.monotonic() + 20
    request = f"GET /sign-in HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    while time.monotonic() < end:
        with socket.socket() as link:
            try:
                link.connect(("127.0.0.1", server.port))
            except ConnectionRefusedError:
                time.sleep(0.002)
                continue
            link.sendall(request)
            answer = b""
            while part := link.recv(65536):
                answer += part
        if not answer.startswith(b"HTTP/1.") or b" 200 " not in answer[:20]:
            raise RuntimeError(answer[:200])
        return
    raise RuntimeError("no page within 20 s")


PARTS: dict[str, Callable[[Ground], list[Row]]] = {
    "viewer": one_viewer,
    "nobody": nobody,
    "thousand": thousand,
    "flood": flood,
    "start": starts,
}


def run(names: list[str] | None = None) -> list[Row]:
    if shutil.which("gcc") is None:
        return [_row("pipeline: no gcc on this machine to make the printer with", None, "", None)]
    with ground() as place:
        return [row for name in names or PARTS for row in PARTS[name](place)]


def _row(name: str, value: float | None, unit: str, limit: float | None) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


if __name__ == "__main__":  # python -m bench.bench_pipeline viewer nobody: only these
    for row in run(sys.argv[1:]):
        print(row)
