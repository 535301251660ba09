"""A live socket to test against: store, hub, push and server are the real ones; no engine."""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import orjson
from websockets.sync.client import ClientConnection

from cloudbang.accounts import Caller
from cloudbang.bus import Hub, Publisher, Subscriber
from cloudbang.config import BusSettings, StorageSettings
from cloudbang.core.budget import Budget
from cloudbang.core.notices import Notices
from cloudbang.domain.apps import App
from cloudbang.domain.lines import format_time, record, row, rows
from cloudbang.intake.partial_lines import PartialLines
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.query import Query
from cloudbang.monitoring.series import Series
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.web.live.deployments import Deployments
from cloudbang.web.live.push import LivePush, Metrics
from cloudbang.web.live.traffic import Traffic
from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import LANGUAGE, SocketRoute
from cloudbang.web.status import Status
from tests.monitoring.monitoring_support import KeptStore
from tests.socket_client import open_socket
from tests.support import patient

ANYWHERE = "tcp://127.0.0.1:*"
ONE, TWO = b"0123456789ab", b"ba9876543210"
START = 1_700_000_000_000_000_000


class Apps:
    """Inventory and registry by hand: the apps that a test says there are, and those with lines."""

    def __init__(self, store: LogStore) -> None:
        self.engine_error: str | None = None
        self.known: dict[str, App] = {}
        self.gone = 0
        self.activity: dict[str, list[object]] = {}
        self._store = store

    def get(self, name: str) -> App | None:
        return self.known.get(name) or (App(name) if self._store.has_lines(name) else None)

    def owner(self, name: str) -> str | None:
        found = self.get(name)
        return found.team if found else None

    def apps(self, teams: Collection[str]) -> list[App]:
        found = [self.get(name) for name in sorted({*self.known, *self._store.apps()})]
        return [one for one in found if one and one.team in teams]

    def counts(self, teams: Collection[str]) -> dict[str, int]:
        return {"gone": self.gone, "put_away": 0}

    def activity_of(self, name: str) -> list[object]:
        return self.activity[name]

    def as_json(self, app: App) -> dict[str, object]:
        store = self._store
        last = store.last(app.name)
        return app.as_json(
            {
                "last_line": row(*last) if last else None,
                "first": store.first_seq(app.name),
                "next": store.next_seq(app.name),
            }
        )


class Client:
    """One page: its socket, and what came on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection

    def say(self, op: str, channel: str, **fields: Any) -> None:
        self.socket.send(orjson.dumps({"op": op, "channel": channel, **fields}).decode())

    def hear(self, timeout: float = 5.0) -> Any:
        """The next message, which should come. TimeoutError when it does not."""
        return orjson.loads(self.socket.recv(timeout=patient(timeout)))

    def subscribe(self, channel: str, **fields: Any) -> Any:
        """Subscribe; the answer."""
        self.say("subscribe", channel, **fields)
        return self.hear()

    def lines(self, count: int, timeout: float = 10.0) -> list[list[Any]]:
        """The next ``count`` lines or more; anything else than lines is an AssertionError."""
        found: list[list[Any]] = []
        end = time.monotonic() + patient(timeout)
        while len(found) < count:
            heard = orjson.loads(self.socket.recv(timeout=max(end - time.monotonic(), 0.01)))
            assert heard["op"] == "lines", heard
            found += heard["lines"]
        return found

    def quiet(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        try:
            self.socket.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False


class NarrowPage:
    """A page whose kernel takes little: a bare socket that reads only when it is told to."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(patient(10))
        self._socket.sendall(
            b"GET /websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._file = self._socket.makefile("rb")
        while self._file.readline().strip():
            pass

    def __enter__(self) -> NarrowPage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def say(self, op: str, channel: str, **fields: Any) -> None:
        text = orjson.dumps({"op": op, "channel": channel, **fields})
        assert len(text) < 126
        self._socket.sendall(bytes((0x81, 0x80 | len(text))) + bytes(4) + text)

    def subscribe(self, channel: str, **fields: Any) -> Any:
        self.say("subscribe", channel, **fields)
        return self.hear()

    def hear(self) -> Any:
        """The next message."""
        while True:
            opcode, size = self._file.read(2)
            if size == 126:
                size = int.from_bytes(self._file.read(2))
            elif size == 127:
                size = int.from_bytes(self._file.read(8))
            payload = self._file.read(size)
            if opcode == 0x81:
                return orjson.loads(payload)


class Bridge:
    """Another hub, and a program that passes on to it what the first one forwards."""

    def __init__(self, first: Hub) -> None:
        self.hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""))
        self.hub.start()
        self._heard = Subscriber(first.subscribe_at)
        self._heard.subscribe("")
        self._out = Publisher(self.hub.publish_to)
        self._passing = gevent.spawn(self._pass)

    def _pass(self) -> None:
        for batch in self._heard.batches():
            for one in batch:
                self._out.send(one.topic, one.header, one.body)

    def wanted(self, topic: str) -> bool:
        return self._out.wanted(topic)

    def close(self) -> None:
        self._heard.close()
        self._passing.join()
        self._out.close()
        self.hub.stop()


class LiveGround:
    """The parts, started."""

    def __init__(
        self,
        folder: Path,
        queue: int = 1024 * 1024,
        settings: StorageSettings | None = None,
        own_hub: bool = True,
        deployments: Deployments | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        """``own_hub`` false: as where ZMQ_SUB_FROM names another hub, to which something passes on
        what this one forwards."""
        self.notices = Notices()
        self.store = LogStore(folder, settings=settings, notices=self.notices)
        self.store.open()
        self.hub = Hub(BusSettings(bind_sub=ANYWHERE, bind_pub=ANYWHERE, bind_pub2=""))
        self.hub.start()
        self.stranger = Publisher(self.hub.publish_to)
        self.publisher = self.hub.publisher()
        self.apps = Apps(self.store)
        self.bridge = None if own_hub else Bridge(self.hub)
        at = self.bridge.hub.subscribe_at if self.bridge else ""
        self.subscriber = self.hub.subscriber(ours_alone=True, at=at)
        status = Status(self.apps, self.notices, lambda app: "default")
        self.budget = Budget()
        kept = KeptStore()
        self.metrics = Series(kept, self.publisher)
        self.partial_lines = PartialLines(self.publisher)
        self.push = LivePush(
            *(self.store, self.apps, status, self.subscriber, self.budget, deployments),
            Metrics(self.metrics, Query(self.metrics, kept), Sparks(self.metrics)),
            traffic=traffic,
            partial_lines=self.partial_lines.of,
        )
        self.partial_lines.start()
        self.push.start()
        self.caller = Caller("s1", 1, "ann", {"default": "viewer"}, b"")
        self.language = "en"
        route = SocketRoute(
            serve=self.push.serve,
            authorize=self._authorize,
            subprotocols=LivePush.subprotocols,
            queue=queue,
        )
        self.server = Server(("127.0.0.1", 0), lambda environ, start: [], {"/websocket": route})
        # On a busy machine who is read from late answers no ping for longer than a minute.
        self.server.registry.drop_after = 3600.0
        self.server.start()
        self.written: dict[str, int] = {}

    def _authorize(self, environ: dict[str, Any]) -> Caller:
        environ[LANGUAGE] = self.language
        return self.caller

    def close(self) -> None:
        self.server.stop(1.0)
        self.push.stop()
        self.partial_lines.stop()
        self.publisher.close()
        self.stranger.close()
        if self.bridge:
            self.bridge.close()
        self.hub.stop()
        self.store.close()

    @contextmanager
    def client(self, **options: Any) -> Iterator[Client]:
        url = f"ws://127.0.0.1:{self.server.port}/websocket"
        options = {"compression": None, "proxy": None, "close_timeout": 1, **options}
        options.setdefault("open_timeout", patient(10))
        with open_socket(url, subprotocols=["cloudbang.live.v1"], **options) as connection:
            yield Client(connection)

    def records(self, app: str, count: int, size: int = 0) -> list[bytes]:
        """The next ``count`` records of ``app``: numbered texts of two containers and streams."""
        start = self.written.get(app, 0)
        self.written[app] = start + count
        return [
            record(
                format_time(START + n * 1_000_000).encode(),
                ONE if n % 2 else TWO,
                b"stdout" if n % 3 else b"stderr",
                b"line %d" % n + b"x" * size,
            )
            for n in range(start + 1, start + count + 1)
        ]

    def log(self, app: str, count: int, *, publish: bool = True, size: int = 0) -> int:
        """Store the next ``count`` lines, then publish them as the collector does."""
        records = self.records(app, count, size)
        first = self.store.append(app, records)
        if publish:
            self.publish(app, first, records)
        return first

    def publish(self, app: str, first: int, records: list[bytes]) -> None:
        header = {"v": 1, "first": first, "next": first + len(records)}
        self.publisher.send(f"log/{app}/", header, orjson.dumps(rows(first, records)))
