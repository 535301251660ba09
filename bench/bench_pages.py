"""What a reader waits for: from following a link to a log's first line on the screen.

On the machine itself and over a slow telephone (150 ms there and back, 1.6 Mbit/s), which a proxy on
loopback plays: a connection costs one way there and back before its first byte, and what the server
sends to all of them shares one line. The browser runs in a process of its own (``pages_browser``):
Playwright needs a Python without gevent's patches.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import gevent
from gevent import socket
from gevent.queue import Queue
from gevent.server import StreamServer

from bench.bench_live import Row, containers, has_apps, private_engine, remove, serving
from tests.support import ServerProcess, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 9
SLOW_ROUNDS = 5
DELAY = 0.075  # seconds each way
RATE = 1_600_000 / 8  # bytes a second
PIECE = 4 * 1024  # bytes that travel together
LINES = 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "GET /page/$i 200 in $((i % 97)) ms level=info"; done'


class Line:
    """A way between browser and server that takes ``delay`` seconds each way and lets ``rate``
    bytes a second through from the server."""

    def __init__(self, port: int, delay: float, rate: float) -> None:
        self._port, self._delay, self._rate = port, delay, rate
        self._free = 0.0  # when the way down has room again
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.stop(timeout=1)

    def _serve(self, browser: socket.socket, _address: object) -> None:
        gevent.sleep(2 * self._delay)  # until both ends know of the connection
        with socket.create_connection(("127.0.0.1", self._port)) as server:
            for one in (browser, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ways = [
                gevent.spawn(self._carry, server, browser, True),
                gevent.spawn(self._carry, browser, server, False),
            ]
            gevent.joinall(ways)

    def _carry(self, source: socket.socket, target: socket.socket, down: bool) -> None:
        under_way: Queue[tuple[float, bytes]] = Queue()
        arrival = gevent.spawn(self._arrive, under_way, target)
        data = b"x"
        while data:
            try:
                data = source.recv(PIECE)
            except OSError:
                data = b""
            now = time.monotonic()
            if down:
                self._free = now = max(now, self._free) + len(data) / self._rate
            under_way.put((now + self._delay, data))
        arrival.join()

    @staticmethod
    def _arrive(under_way: Queue[tuple[float, bytes]], target: socket.socket) -> None:
        while True:
            at, data = under_way.get()
            if (wait := at - time.monotonic()) > 0:
                gevent.sleep(wait)
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                return


@contextmanager
def line(port: int, delay: float, rate: float) -> Iterator[Line]:
    one = Line(port, delay, rate)
    try:
        yield one
    finally:
        one.close()


def visit(url: str, app: str, secret: str, rounds: int) -> list[dict[str, float]]:
    """Each round: ``first`` and ``again``, seconds to the first line with nothing cached and on the
    second visit, and of the first its ``requests`` and ``kilobytes``."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.pages_browser", url, app, secret, str(rounds)],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    found: list[dict[str, float]] = json.loads(done.stdout)
    return found


def run() -> list[Row]:
    with private_engine() as (engine, image), serving(engine) as server:
        made = containers(engine, image, 20, f"{LINES}; sleep 1000000")
        app = made[0].name
        wait_until(lambda: has_apps(server, 20), 30)
        wait_until(lambda: server.get(f"/api/v1/apps/{app}/lines?limit=1")["next"] == 2001, 30)
        rows = measure(server.port, app, session(server))
        remove(made)
    return rows


def session(server: ServerProcess) -> str:
    """The secret of a session of the server's admin."""
    server.client.post(
        "/api/v1/session", json={"username": "admin", "password": server.password}
    ).raise_for_status()
    return str(server.client.cookies["cloudbang_session"])


def measure(port: int, app: str, secret: str) -> list[Row]:
    """The rows for one app's log page of a server on ``port``."""
    here = visit(f"http://127.0.0.1:{port}", app, secret, ROUNDS)
    with line(port, DELAY, RATE) as slow:
        far = visit(slow.url, app, secret, SLOW_ROUNDS)
    return [
        _row("log page, nothing cached: first line", median(x["first"] for x in here), "s", 0.35),
        _row("log page, nothing cached: requests", median(x["requests"] for x in here), "", 15),
        _row(
            "log page, nothing cached: bytes, unpacked where they come over the socket",
            median(x["kilobytes"] for x in here),
            "kB",
            120,
        ),
        _row("log page, second visit: first line", median(x["again"] for x in here), "s", 0.25),
        _row(
            "log page, nothing cached, 150 ms and 1.6 Mbit/s: first line",
            median(x["first"] for x in far),
            "s",
            2.5,
        ),
        _row(
            "log page, second visit, 150 ms and 1.6 Mbit/s: first line",
            median(x["again"] for x in far),
            "s",
            1.5,
        ),
    ]


def _row(name: str, value: float, unit: str, limit: float) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
