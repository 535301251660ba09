"""What the metrics of many containers take in memory, and what the page of all apps is sent of them.

The numbers are made up: each walks a little every second, so that every second everything changes;
what carries them (rings, slabs, the file, the bus, the socket) is the real thing.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import gevent
import orjson
from websockets.sync.client import connect

from cloudbang.accounts import Caller
from cloudbang.bus import Hub
from cloudbang.config import BusSettings, MetricsSettings
from cloudbang.core.budget import Budget
from cloudbang.core.notices import Notices
from cloudbang.domain.apps import App
from cloudbang.domain.metrics.catalogue import FAST, OF_APPS, OF_NODES
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.query import Query
from cloudbang.monitoring.ring import KEPT
from cloudbang.monitoring.series import Series
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.metrics.store import MetricStore
from cloudbang.web.live.push import LivePush, Metrics
from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.status import Status

ANYWHERE = "tcp://127.0.0.1:*"
MIB = 1024 * 1024
KEPT_OF, SHOWN = 200, 250  # containers
LIVE = 30  # seconds
OURS = {"log.lines", "log.errors"}  # counted where lines are stored
MEASURED = {n: m for n, m in OF_APPS.items() if not n.startswith("http.") and n not in OURS}


class Containers:
    """So many, each an app of its own; every tenth app has two."""

    def __init__(self, count: int) -> None:
        self._chance = random.Random(12)
        self.expected: dict[str, list[str]] = {}
        for n in range(count):
            app = f"team-project.service-{n - 1 if n % 10 == 9 else n:03}"
            self.expected.setdefault(app, []).append(f"{n:064x}")
        self._values = {
            one: dict.fromkeys(MEASURED, 1.0) for ids in self.expected.values() for one in ids
        }

    def sweep(self, at: int) -> Sweep:
        slow, walk = at % 5 == 0, self._chance.uniform
        instances = []
        for app, ids in self.expected.items():
            for one in ids:
                values = self._values[one]
                for name, metric in MEASURED.items():
                    if slow or metric.step == FAST:
                        top = 2e9 if metric.unit.startswith("bytes") else 2.0
                        values[name] = min(max(values[name] + walk(-0.02, 0.02) * top, 0.0), top)
                due = {n: v for n, v in values.items() if slow or MEASURED[n].step == FAST}
                instances.append(InstanceSample(one, app, due))
        node = {
            (name, ()): walk(0, 1e9)
            for name, metric in OF_NODES.items()
            if slow or metric.step == FAST
        }
        return Sweep(at, slow, instances, self.expected, node)


class Apps:
    """The registry, as far as this asks it."""

    engine_error = None

    def get(self, name: str) -> App | None:
        return App(name)

    def owner(self, name: str) -> str | None:
        return "default"


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def row(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


def memory(series: Series) -> list[dict[str, object]]:
    """15 minutes of them, until every ring is full."""
    containers, now = Containers(KEPT_OF), int(time.time())
    before, took = resident(), 0.0
    for at in range(now - KEPT, now):
        sweep = containers.sweep(at)
        began = time.perf_counter()
        series.take(sweep)
        took += time.perf_counter() - began
        if at % 10 == 0:
            series.slabs.look(at)
            gevent.sleep(0)
    grown = (resident() - before) / MIB
    return [
        row(f"metrics of {KEPT_OF} containers, 15 minutes by the second: memory", grown, "MiB", 40),
        row("… series", series.series, ""),
        row("… taking a second over, on average", took / KEPT * 1_000, "ms"),
    ]


def page(series: Series, publisher_wanted: object, server: Server) -> list[dict[str, object]]:
    """One page of all apps: what it is sent at first, and each second."""
    containers, at = Containers(SHOWN), series.newest
    for _ in range(300):
        at += 1
        series.take(containers.sweep(at))
        gevent.sleep(0)
    url = f"ws://127.0.0.1:{server.port}/websocket"
    with connect(url, compression=None, proxy=None, max_size=None) as socket:
        began = time.perf_counter()
        socket.send('{"op":"subscribe","channel":"metric/*"}')
        socket.recv(timeout=10)
        first = socket.recv(timeout=10)
        seconds = time.perf_counter() - began
        told = orjson.loads(first)
        assert told["op"] == "overview"
        assert len(told["apps"]) == len(containers.expected), len(told["apps"])
        gevent.sleep(1)  # until the hub knows that somebody listens
        sent = heard = 0
        for _ in range(LIVE):
            at += 1
            series.take(containers.sweep(at))
            text = socket.recv(timeout=10)
            assert orjson.loads(text)["op"] == "latest"
            sent, heard = sent + len(text), heard + 1
    return [
        row(f"apps page of {SHOWN} containers: first message", len(first) / 1_000, "kB", 300),
        row("… until it is there", seconds, "s", 1),
        row("… each second, all of them changed", sent / heard / 1_000, "kB/s", 15),
    ]


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = MetricStore(folder, MetricsSettings())
        store.open()
        logs = LogStore(folder)
        logs.open()
        hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""))
        hub.start()
        publisher = hub.publisher()
        series = Series(store, publisher)
        series.start()
        apps = Apps()
        push = LivePush(
            logs,
            apps,  # type: ignore[arg-type]
            Status(apps, Notices(), lambda app: "default"),  # type: ignore[arg-type]
            hub.subscriber(ours_alone=True),
            Budget(),
            None,
            Metrics(series, Query(series, store), Sparks(series)),
        )
        push.start()
        caller = Caller("s1", 1, "ann", {"default": "viewer"}, b"")
        route = SocketRoute(push.serve, lambda environ: caller, LivePush.subprotocols)
        server = Server(("127.0.0.1", 0), lambda environ, start: [], {"/websocket": route})
        server.start()
        try:
            return [*memory(series), *page(series, publisher.wanted, server)]
        finally:
            server.stop(1.0)
            push.stop()
            series.stop()
            publisher.close()
            hub.stop()
            logs.close()
            store.close()
