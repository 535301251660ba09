"""What one person feels: a line's way to the page, the start, and what idling costs."""

from __future__ import annotations

import json
import resource
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil

from cloudbang.domain.lines import parse_time
from tests.faults.viewers import Frames, handshake, text_frame
from tests.support import ServerProcess, wait_until
from tests.support_engine import PrivateEngine

Row = dict[str, object]
SOCKETS = 5000


def run() -> list[Row]:
    with private_engine() as (engine, image):
        return [
            *latency(engine, image),
            *idle(engine, image),
            *idle_sockets(engine, image),
            *first_page(engine, image),
        ]


@contextmanager
def private_engine() -> Iterator[tuple[PrivateEngine, str]]:
    """An engine on which nobody else runs anything."""
    engine = PrivateEngine()
    try:
        engine.start()
        yield engine, engine.image()
    finally:
        engine.close()


@contextmanager
def serving(engine: PrivateEngine, start: bool = True) -> Iterator[ServerProcess]:
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder), {"DOCKER_HOST": engine.address})
        try:
            yield server.start() if start else server
        finally:
            server.close()


def containers(engine: PrivateEngine, image: str, count: int, command: str) -> list[Any]:
    argv = ["sh", "-c", command]
    options: dict[str, Any] = {"detach": True, "network_mode": "none", "stop_signal": "KILL"}
    return [
        engine.client.containers.run(image, argv, name=f"bench{i}-{time.time_ns()}", **options)
        for i in range(count)
    ]


def remove(made: list[Any]) -> None:
    for one in made:
        one.remove(force=True, v=True)


def has_apps(server: ServerProcess, count: int) -> bool:
    return len(server.get("/api/v1/apps")["apps"]) >= count


def latency(engine: PrivateEngine, image: str, seconds: float = 30) -> list[Row]:
    """From the time the engine gave a line to its bytes in the viewer's hands."""
    made = containers(engine, image, 1, "i=0; while :; do i=$((i+1)); echo $i; usleep 100000; done")
    app = made[0].name
    waited: list[float] = []
    with serving(engine) as server:
        wait_until(lambda: has_apps(server, 1), 20)
        link = socket.create_connection(("127.0.0.1", server.port))
        frames = Frames(handshake(link, server.port, server.cookie))
        link.sendall(
            text_frame(json.dumps({"op": "subscribe", "channel": f"log/{app}", "tail": 0}))
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for opcode, payload in frames.feed(link.recv(65536)):
                now = time.time_ns()
                message = orjson.loads(payload) if opcode == 1 else {}
                if message.get("op") == "lines":
                    waited += [(now - parse_time(row[1])) / 1e6 for row in message["lines"]]
        link.close()
    remove(made)
    waited = sorted(waited[10:])
    return [
        {
            "name": f"one viewer of 10 lines/s: engine to socket, p{p:g} of {len(waited)} lines",
            "value": waited[min(len(waited) - 1, int(len(waited) * p / 100))],
            "unit": "ms",
            "limit": limit,
            "better": "lower",
        }
        for p, limit in ((50, None), (99, 15))
    ]


def idle(engine: PrivateEngine, image: str, seconds: float = 20) -> list[Row]:
    """Twenty containers that say nothing, nobody looking."""
    made = containers(engine, image, 20, "echo up; sleep 1000000")
    with serving(engine) as server:
        wait_until(lambda: has_apps(server, 20), 20)
        process = psutil.Process(server.pid)
        wait_until(lambda: process.cpu_percent(1.0) < 3, 20, "the server to settle", every=0.1)
        before, started = process.cpu_times(), time.monotonic()
        time.sleep(seconds)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        share = 100 * used / (time.monotonic() - started)
        memory = process.memory_info().rss / 1e6
    remove(made)
    return [
        _row("idle with 20 quiet containers: memory", memory, "MB RSS", 78),
        _row("idle with 20 quiet containers: processor", share, "% of a core", 1),
    ]


def idle_sockets(engine: PrivateEngine, image: str) -> list[Row]:
    """Sockets that are subscribed to an app that says nothing."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(SOCKETS, hard - 500) if hard != resource.RLIM_INFINITY else SOCKETS
    made = containers(engine, image, 1, "echo up; sleep 1000000")
    links: list[socket.socket] = []
    with serving(engine) as server:
        wait_until(lambda: has_apps(server, 1), 20)
        process = psutil.Process(server.pid)

        def open_one() -> None:
            link = socket.create_connection(("127.0.0.1", server.port))
            links.append(link)
            frames = Frames(handshake(link, server.port, server.cookie))
            subscribe = {"op": "subscribe", "channel": f"log/{made[0].name}", "tail": 0}
            link.sendall(text_frame(json.dumps(subscribe)))
            while not frames.feed(link.recv(4096)):
                pass

        for _ in range(50):  # what is made once and not for each
            open_one()
        before = process.memory_info().rss
        for _ in range(count):
            open_one()
        each = (process.memory_info().rss - before) / count / 1024
        for link in links:
            link.close()
    remove(made)
    return [_row(f"idle live socket, subscribed, over {count:,}", each, "KiB each", 25)]


def first_page(engine: PrivateEngine, image: str, count: int = 100) -> list[Row]:
    """From the start of the process to a signed-in page that lists every container."""
    made = containers(engine, image, count, "echo up; sleep 1000000")
    with serving(engine, start=False) as server:
        times = []
        for _ in range(3):
            started = time.monotonic()
            server.start()
            assert server.client.get("/").status_code == 200
            wait_until(lambda: has_apps(server, count), 30)
            times.append(time.monotonic() - started)
            server.terminate()
    remove(made)
    return [
        _row(f"start to first page, {count} containers, first start ever", times[0], "s", 2),
        _row(f"start to first page, {count} containers, a later start", min(times[1:]), "s", 2),
    ]


def _row(name: str, value: float, unit: str, limit: float) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
