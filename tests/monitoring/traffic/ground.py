"""An access log as the gateway writes and renames it, and who counts it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.monitoring.traffic import Traffic
from cloudbang.storage.traffic.store import TrafficStore
from tests.support import wait_until


class Log:
    """Written and renamed as Caddy does it. ``wrote``: every line that it ever had."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "access.log"
        self._rotations = 0
        self.wrote: list[bytes] = []

    def write(self, *lines: bytes, end: bytes = b"\n") -> None:
        with self.path.open("ab") as file:
            file.write(b"".join(line + end for line in lines))
        self.wrote += lines

    def rotate(self, keep: int = 4) -> None:
        self._rotations += 1
        self.path.rename(
            self.path.with_name(f"access-2026-11-29T20-00-00.{self._rotations:03}.log")
        )
        for old in sorted(self.path.parent.glob("access-*.log"))[:-keep]:
            old.unlink()


def line(
    app: str | None = "web",
    uri: str = "/",
    *,
    status: int = 200,
    method: str = "GET",
    took: float = 0.01,
    at: float | None = None,
    client: str = "192.0.2.1",
    **more: Any,
) -> bytes:
    """One request, as the gateway logs it."""
    return json.dumps(
        {
            "level": "info",
            "ts": time.time() if at is None else at,
            "logger": "http.log.access",
            "msg": "handled request",
            "request": {
                "remote_ip": client,
                "remote_port": "40000",
                "client_ip": client,
                "proto": "HTTP/1.1",
                "method": method,
                "host": "web.localhost",
                "uri": uri,
            },
            "bytes_read": 0,
            "duration": took,
            "size": 100,
            "status": status,
            **({"app": app} if app else {}),
            "upstream": "10.0.1.4:80",
            **more,
        },
        separators=(",", ":"),
    ).encode()


class Routes:
    """A gateway of which only is asked who has a route and what is under way."""

    def __init__(self, *apps: str) -> None:
        self.apps: Collection[str] = apps
        self.busy: dict[str, int] = {}

    def under_way(self, instances: Collection[str]) -> int:
        return sum(self.busy.get(one, 0) for one in instances)


class Taken:
    """What was handed over as series."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[int, float]] = {}
        self.histograms: dict[str, dict[int, Histogram]] = {}

    def record(self, app: str, time: int, values: Mapping[Any, float]) -> None:
        for (name, _labels), value in values.items():
            of = self.values.setdefault((app, name), {})
            assert time not in of, "handed over twice"
            of[time] = value

    def record_histogram(
        self, app: str, time: int, name: str, labels: Any, histogram: Histogram
    ) -> None:
        of = self.histograms.setdefault(app, {})
        assert time not in of, "handed over twice"
        of[time] = histogram


class Ground:
    """``folder`` is the data folder; ``run`` what the gateway and CloudBang share."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.run = folder, folder / "run"
        self.log = Log(self.run / "log")
        self.routes, self.taken = Routes("web"), Taken()
        self.ahead = 0.0  # seconds that the clock is
        self.store: TrafficStore
        self.traffic: Traffic
        self.begin()

    def begin(self) -> None:
        """As at a start of CloudBang."""
        self.store = TrafficStore(self.folder)
        self.store.open()
        self.traffic = Traffic(
            *(self.run, self.store, self.routes, self.taken),
            clock=lambda: time.time() + self.ahead,
        )
        self.traffic.start()

    def stop(self) -> None:
        self.traffic.stop()
        self.store.close()

    def kill(self) -> None:
        """As kill -9: nothing is committed."""
        self.traffic._supervisor.stop()
        self.store.close()

    def wait(self, count: int) -> None:
        """Until so many lines were counted since the start."""
        wait_until(lambda: self.traffic.lines >= count, 20, f"{count} lines to be counted")
        assert self.traffic.lines == count

    def settle(self) -> None:
        """Until all that the log has now was counted, and is where it stays."""
        at = time.time() + self.ahead
        wait_until(lambda: self.traffic._read > at, 20, "the log to be read to its end")
        wait_until(lambda: not self.traffic._pending, 20, "a commit")

    def report(self, app: str = "web", **how: Any) -> dict[str, Any]:
        return self.traffic.report(app, **how)
