"""Requests through the real gateway, as they are counted: exactly, and as what they were."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import httpx
import pytest

from cloudbang.domain.deploy import caddy
from cloudbang.gateway.service import NAME
from cloudbang.monitoring.traffic import Traffic
from cloudbang.monitoring.traffic import traffic as traffic_module
from cloudbang.storage.traffic.store import TrafficStore
from tests.gateway.ground import HTTP_PORT, Ground, spec
from tests.gateway.load import Load, Talker
from tests.support import wait_until


class Counted:
    """Traffic over the gateway of ``ground``, from where its log stands now; apps of their own."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.ground, self._folder = ground, folder
        self.begin()

    def begin(self) -> None:
        """As at a start of CloudBang."""
        self._store = TrafficStore(self._folder)
        self._store.open()
        self._traffic = Traffic(self.ground.run_folder, self._store, self.ground.gateway)
        self._traffic.start()

    def kill(self) -> None:
        """As kill -9: nothing is committed any more."""
        self._traffic._supervisor.stop()
        self._store.close()

    def stop(self) -> None:
        self._traffic.stop()
        self._store.close()

    def of(self, app: str) -> dict[str, Any]:
        return self._traffic.report(app)

    def wait(self, app: str, count: int) -> dict[str, Any]:
        """Once so many requests were counted: and not one more in the next moment."""
        wait_until(lambda: self.of(app)["requests"] >= count, 20, f"{count} requests of {app}")
        at = time.time()
        wait_until(lambda: self._traffic._read > at, 20, "the log to be read to its end")
        found = self.of(app)
        assert found["requests"] == count, found
        return found


@pytest.fixture(scope="module")
def counted(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(traffic_module, "COMMIT", 0.5)
        made = Counted(ground, tmp_path_factory.mktemp("traffic"))
        yield made
        made.stop()


@contextmanager
def serving(ground: Ground, app: str) -> Iterator[str]:
    """An app that answers through the gateway, and was not asked yet; its host."""
    running = ground.run(app, 1)
    ground.gateway.publish(app, spec())
    ground.gateway.switch(app, running)
    yield f"{app}.localhost"
    ground.gateway.withdraw(app)
    ground.end(running)


def settled(ground: Ground) -> None:
    """Until nothing new was loaded for a moment: that closes connections that are idle."""
    loads, since = ground.gateway.loads, time.monotonic()
    while time.monotonic() - since < 2.0:
        gevent.sleep(0.1)
        if ground.gateway.loads != loads:
            loads, since = ground.gateway.loads, time.monotonic()


def raw(host: str, request: str) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", HTTP_PORT), 10)
    made.sendall(f"{request}\r\nHost: {host}\r\n\r\n".encode())
    return made


@pytest.mark.slow("five hundred requests, as fast as people ask, and a process killed meanwhile")
def test_as_many_as_the_load_generator_asked(ground: Ground, counted: Counted) -> None:
    """Killed in the middle as well: each once. And every address below one template."""
    with serving(ground, "counted") as host:
        settled(ground)
        load = Load(HTTP_PORT, host, rate=150, connections=10).start()
        wait_until(lambda: len(load.timed) > 200, 30, "requests")
        counted.kill()
        wait_until(lambda: len(load.timed) > 300, 30, "requests that nobody counts")
        counted.begin()
        wait_until(lambda: len(load.timed) > 500, 30, "further ones")
        load.stop()
        assert not load.errors
        found = counted.wait("counted", len(load.timed))
        assert (found["errors"], found["left"]) == (0, 0)
        assert found["methods"]["POST"] + found["methods"]["GET"] == len(load.timed)
        assert found["clients"]["online"] == 1
        assert found["routed"]


def test_percentiles_against_known_delays(ground: Ground, counted: Counted) -> None:
    """Of twenty answers after no time, one second and two: what is said is what was measured from
    outside, less what the way there and back takes."""
    with serving(ground, "delayed") as host:
        measured: list[float] = []

        def ask(seconds: int) -> None:
            began = time.monotonic()
            ground.ask(host, f"/slow?{seconds}" if seconds else "/")
            measured.append(time.monotonic() - began)

        asked = [gevent.spawn(ask, n) for n in [0] * 10 + [1] * 8 + [2] * 2]
        gevent.joinall(asked, raise_error=True)
        found = counted.wait("delayed", 20)
        took = found["latency"]["quantiles"]
        measured.sort()
        assert 2.0 * 0.989 <= took["0.95"] <= measured[18] * 1.011
        assert 2.0 * 0.989 <= took["0.99"] <= measured[19] * 1.011
        assert took["0.5"] <= measured[9] * 1.011
        top = {one["path"]: one for one in found["top"]}
        assert top["/slow"]["count"] == 10
        assert 12.0 <= top["/slow"]["seconds"] <= sum(measured[10:])


def test_what_is_no_slow_request(ground: Ground, counted: Counted) -> None:
    """A WebSocket, one who left, a HEAD: counted, in no percentile, and no error."""
    with serving(ground, "odd") as host:
        talker = Talker(HTTP_PORT, host)
        leaver = raw(host, "GET /hold HTTP/1.1")
        measured = []
        for _ in range(5):
            began = time.monotonic()
            assert ground.ask(host).status_code == 200
            measured.append(time.monotonic() - began)
        head = raw(host, "HEAD / HTTP/1.1\r\nConnection: close")
        assert head.recv(100).startswith(b"HTTP/1.1 200")
        head.close()
        found = counted.wait("odd", 6)
        assert found["connections"]["open"] >= 1  # of what is open nothing is in the log
        wait_until(lambda: talker.said > 3, 10, "talk")
        talker.close()
        leaver.close()
        found = counted.wait("odd", 8)
        assert found["connections"]["ended"] == 1
        assert found["connections"]["seconds"] > 0.5
        assert (found["left"], found["errors"]) == (1, 0)
        assert found["latency"]["count"] == 5
        assert found["latency"]["quantiles"]["0.99"] <= max(measured) * 1.011
        wait_until(lambda: counted.of("odd")["connections"]["open"] == 0, 10, "nothing to be open")


@pytest.mark.slow(
    "an app is deployed and stopped, and requests are held for it until they are given up"
)
def test_nobody_answers(ground: Ground, counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the gateway then answers itself is the app's error; what is nobody's is nobody's."""
    monkeypatch.setattr(caddy, "HELD", "2s")
    with serving(ground, "failing"):
        ground.stop("failing-r1")
        assert ground.ask("nobody.example.com").status_code == 404
        assert ground.ask("failing.localhost", "/x").status_code >= 500
        found = counted.wait("failing", 1)
        assert found["errors"] == 1
        assert found["top"][0]["path"] == "/x"


@pytest.mark.slow("the gateway is killed and comes back, and five thousand requests")
def test_killed_and_its_log_begun_anew_in_a_flood(
    ground: Ground, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it answered before and after, and while Caddy renames the file again and again: each once."""
    # How large the file may be is heeded from the next start of Caddy on.
    monkeypatch.setattr(caddy, "LOG_MB", 1)
    with serving(ground, "killed") as host:
        for _ in range(20):
            ground.ask(host)
        [task] = [one for one in ground.engine.tasks(NAME) if one.state == "running"]
        ground.docker.containers.get(task.container).kill()
        asked = 20

        def answers() -> bool:
            nonlocal asked
            try:
                answered = ground.ask(host).status_code == 200
            except httpx.HTTPError:
                return False
            asked += answered
            return answered

        wait_until(answers, 60, "the gateway to be back", every=0.5)
        settled(ground)
        load = Load(HTTP_PORT, host, rate=2000, connections=30).start()
        wait_until(lambda: len(load.timed) > 5000, 120, "a flood", every=0.2)
        load.stop()
        assert not load.errors
        assert list((ground.run_folder / "log").glob("access-*.log"))
        counted.wait("killed", asked + len(load.timed))
