"""From a container of a real engine to a page and to a program, and over the end of the server."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import Any

import orjson
import pytest
from websockets.sync.client import ClientConnection

from cloudbang.bus import Publisher
from tests.socket_client import open_socket
from tests.support import ServerProcess, patient, wait_until

pytestmark = pytest.mark.engine


class Page:
    """A live socket, signed in."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def until(self, wanted: Any, seconds: float = 20.0) -> Any:
        """The first message for which ``wanted(message)`` is true."""
        ends = time.monotonic() + patient(seconds)
        while True:
            heard = orjson.loads(self._socket.recv(timeout=max(ends - time.monotonic(), 0.01)))
            if wanted(heard):
                return heard


@contextmanager
def page_of(server: ServerProcess, channel: str) -> Iterator[Page]:
    url = server.url.replace("http", "ws") + "/websocket"
    headers = {"Cookie": server.cookie, "Origin": server.url}
    with open_socket(
        url,
        additional_headers=headers,
        max_size=None,
    ) as socket:
        socket.send(orjson.dumps({"op": "subscribe", "channel": channel}).decode())
        yield Page(socket)


def cpu_of(server: ServerProcess, app: str, **query: Any) -> list[list[Any]]:
    found = server.get(f"/api/v1/apps/{app}/metrics", names="cpu", **query)["series"]
    return found[0]["points"] if found else []


def measured(server: ServerProcess, app: str) -> bool:
    return any(point[2] is not None for point in cpu_of(server, app))


def newest_slab(server: ServerProcess) -> int:
    """When the last 10 s begin that are on the disk, in seconds; 0 for none."""
    file = f"file:{server.storage / 'metrics.db'}?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as database:
        return int(database.execute("SELECT max(time) FROM slabs").fetchone()[0] or 0)


def values_of(message: Any) -> dict[str, Any]:
    return {name: value for name, _, value in message.get("samples", ())}


@pytest.mark.slow("what is measured each second and written each ten takes its time")
def test_from_the_kernel_to_a_page_and_over_a_kill(container, server) -> None:
    """Each second is told; what was measured is there after a kill, but for 10 s at most; while the
    server was away there is a gap, and no zero."""
    busy = container("while :; do echo hello; sleep 0.2; done")
    wait_until(lambda: measured(server, busy.name), 20)
    before = int(time.time())
    with page_of(server, f"metric/{busy.name}") as page:
        history = page.until(lambda m: m["op"] == "history")
        assert {"cpu", "memory"} <= {one["name"] for one in history["series"]}
        units = {one["name"]: one["unit"] for one in history["series"]}
        assert (units["cpu"], units["memory"]) == ("cores", "bytes")
        times = []
        for _ in range(4):
            told = page.until(lambda m: m["op"] == "samples" and "cpu" in values_of(m))
            times.append(told["time"])
        assert times == sorted(set(times))
        assert times[-1] - times[0] <= patient(8)
        lines = page.until(lambda m: values_of(m).get("log.lines"))
        assert 1 <= values_of(lines)["log.lines"] <= patient(30)
    with page_of(server, "metric/*") as page:
        shown = page.until(lambda m: busy.name in m.get("apps", ()))
        assert shown["apps"][busy.name][1] > 10_000
    wait_until(lambda: server.get("/api/v1/node/metrics")["series"] is not None)
    # Killed as soon as a whole one is on the disk: on a busy machine it may come there late.
    wait_until(lambda: newest_slab(server) >= before, 60)
    written = newest_slab(server)
    killed = time.time()
    server.kill()
    wait_until(lambda: time.time() >= killed + 12, 60)
    server.start()
    back = time.time()

    def since_before() -> list[Any]:
        return cpu_of(server, busy.name, since=before, until=int(time.time()))

    wait_until(lambda: any(p[2] is not None for p in since_before() if p[0] >= back), 30)
    points = since_before()
    assert len({b[0] - a[0] for a, b in pairwise(points)}) == 1
    width = points[1][0] - points[0][0]
    assert width == 10
    kept = [at for at, _, mean, _ in points if mean is not None and at < killed]
    assert kept
    assert kept[-1] >= written
    assert killed - (kept[-1] + width) <= patient(10)
    away = [p for p in points if p[0] >= killed and p[0] + width <= back]
    assert [point[1:] for point in away] == [[None] * 3] * len(away)


def test_what_programs_put_is_live_at_once_and_nobody_forges_facts(container, server) -> None:
    app = container().name
    wait_until(lambda: app in str(server.get("/api/v1/apps")), 20)
    stranger = Publisher(server.bus_sub)
    try:
        with page_of(server, f"metric/{app}") as page:
            page.until(lambda m: m["op"] == "history")
            wait_until(lambda: stranger.wanted(f"metric/{app}/"))
            forged = orjson.dumps([["orders", {}, 666]])
            stranger.send(f"metric/{app}/", b'{"v":1,"time":1764444600}', forged)
            sample = {"name": "orders", "value": 12.5, "unit": "1/s"}
            wait_until(lambda: stranger.wanted("put/metric/"))
            for body in (b"{", orjson.dumps({"name": "cpu", "value": 1}), orjson.dumps([sample])):
                stranger.send(f"put/metric/{app}/", b'{"v":1}', body)
            stranger.send("put/metric/nobody-has-this/", b'{"v":1}', orjson.dumps(sample))
            told = page.until(lambda m: "orders" in values_of(m))
            assert values_of(told)["orders"] == 12.5
        found = server.get(f"/api/v1/apps/{app}/metrics", names="orders")
        assert found["series"][0]["unit"] == "1/s"
        assert found["refused"]["count"] == 1
        counted = server.client.get("/metrics").text
        for topic, cause in (("metric", "mark"), ("put", "body"), ("put", "new")):
            assert f'cloudbang_bus_dropped_total{{cause="{cause}",topic="{topic}"}} 1.0' in counted
    finally:
        stranger.close()
