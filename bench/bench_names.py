"""What programs of this machine can make of a server: names by the thousand, a full disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

import gevent
import psutil
import zmq

from tests.support import ServerProcess, wait_until

Row = dict[str, object]

MIB = 1024 * 1024
NAMES, IN_SECONDS = 60_000, 24.0
FULL_FOR = 15.0 if os.environ.get("CI") else 120.0  # seconds
BYTES_A_SECOND = 20_000_000
GONE = 3_000  # apps
IDLE = 61.0  # seconds that an idle server is watched: what happens once a minute is in it
CALM = 1.0  # percent of a processor below which a server that has just started is idle

# A process of its own: names, seconds.
FLOOD = """
import sys, time, zmq
out = zmq.Context().socket(zmq.PUB)
out.connect(sys.argv[1])
time.sleep(0.5)
names, seconds = int(sys.argv[2]), float(sys.argv[3])
began = time.monotonic()
for n in range(names):
    out.send_multipart([b"put/log/f%06d/" % n, b'{"v":1}', b'"x"'])
    if n % 50 == 0:
        time.sleep(max(0.0, began + n * seconds / names - time.monotonic()))
"""


def run() -> list[Row]:
    return [*new_names(), *full_disk(), *gone_apps()]


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[ServerProcess]:
    """A server without an engine."""
    server = ServerProcess(folder, {"DOCKER_HOST": f"unix://{folder}/none.sock", **environ})
    server.start(120)
    try:
        yield server
    finally:
        server.close()


class Program:
    """Puts lines."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._out = zmq.Context.instance().socket(zmq.PUB)
        self._out.connect(server.bus_sub)
        wait_until(lambda: self.put("first") or self.texts(), every=0.1)

    def put(self, body: object, app: str = "cron") -> None:
        self._out.send_multipart(
            [f"put/log/{app}/".encode(), b'{"v":1}', json.dumps(body).encode()]
        )

    def texts(self) -> list[str]:
        """The newest lines of cron."""
        path = "/api/v1/apps/cron/lines?limit=500"
        answer = self._server.client.get(path)
        return [line[4] for line in answer.json()["lines"]] if answer.is_success else []

    def close(self) -> None:
        self._out.close(0)


def new_names() -> list[Row]:
    """One program makes a name of each message, another puts on an app that is there."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        program = Program(server)
        process = psutil.Process(server.pid)
        before, longest, most = process.memory_info().rss, 0.0, 0
        flood = [sys.executable, "-c", FLOOD, server.bus_sub, str(NAMES), str(IN_SECONDS)]
        with subprocess.Popen(flood) as flooding:
            count = 0
            while flooding.poll() is None:
                count += 1
                began = time.monotonic()
                program.put(f"beside {count}")
                wait_until(lambda n=count: program.texts()[-1] == f"beside {n}", every=0.01)
                longest = max(longest, time.monotonic() - began)
                most = max(most, process.memory_info().rss - before)
                gevent.sleep(0.2)
        program.close()
    name = f"puts on {NAMES:,} new names in {IN_SECONDS:.0f} s"
    return [
        _row(f"{name}: memory", most / MIB, "MB more", 30),
        _row(f"{name}: a put on a known app beside it, stored", longest, "s", 1.0),
    ]


def full_disk() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=True)
        try:
            return _full_disk(Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def _full_disk(disk: Path) -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(
            Path(folder),
            CLOUDBANG_STORAGE_PATH=str(disk / "data"),
            CLOUDBANG_STORAGE_KEEP_FREE_BYTES="1000000",
        ) as server,
    ):
        program = Program(server)
        program.put("before")
        wait_until(lambda: "before" in program.texts())
        ballast = disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))
        process = psutil.Process(server.pid)
        before, most = process.memory_info().rss, 0
        chunk, began, sent = ["x" * 2000] * 100, time.monotonic(), 0
        while (passed := time.monotonic() - began) < FULL_FOR:
            while sent < passed * BYTES_A_SECOND:
                program.put(chunk, f"app{sent % 7}")
                sent += 200_000
            most = max(most, process.memory_info().rss - before)
            gevent.sleep(0.01)
        ballast.unlink()
        wait_until(lambda: program.put("after") or "after" in program.texts(), 30, every=0.2)
        there = program.texts().count("before")
        alive = server.process is not None and server.process.poll() is None
        program.close()
    name = f"a full disk for {FULL_FOR:.0f} s, 20 MB/s put"
    return [
        _row(f"{name}: memory", most / MIB, "MB more", 64),
        _row(
            f"{name}: lines from before and after that are lost",
            float(not (there and alive)),
            "",
            0,
        ),
    ]


def gone_apps() -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as many,
        tempfile.TemporaryDirectory() as none,
        serving(Path(none)) as empty,
    ):
        day = time.strftime("%Y-%m-%d", time.gmtime())
        for n in range(GONE):
            folder = Path(many) / "data" / "default" / f"gone{n:05}"
            folder.mkdir(parents=True)
            line = f"{day}T00:00:00.000000000Z {'0' * 12} stdout hello\n"
            (folder / f"{day}.000000000001.log").write_text(line)
        with serving(Path(many)) as server:
            secret = secret_of(server)
            painted = _painted(server.url, secret)
            both = [psutil.Process(one.pid) for one in (server, empty)]
            _calm(both)
            used = [sum(one.cpu_times()[:2]) for one in both]
            gevent.sleep(IDLE)
            more = [sum(one.cpu_times()[:2]) - was for one, was in zip(both, used, strict=True)]
    name = f"{GONE:,} apps that are gone"
    return [
        _row(f"{name}: /apps, first paint", painted, "s", 0.8),
        _row(f"{name}: idle", max(more[0] - more[1], 0.0) / IDLE * 100, "% more CPU", 0.3),
    ]


def _calm(processes: list[psutil.Process]) -> None:
    for one in processes:
        one.cpu_percent()
    for _ in range(60):
        gevent.sleep(2)
        if max(one.cpu_percent() for one in processes) < CALM:
            return


def secret_of(server: ServerProcess) -> str:
    server.client.get("/api/v1/me").raise_for_status()
    return str(server.client.cookies["cloudbang_session"])


def _painted(url: str, secret: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.names_browser", url, secret, "5"],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return median(json.loads(done.stdout))


def _row(name: str, value: float, unit: str, limit: float) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
