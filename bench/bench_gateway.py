"""What the gateway owes to those who ask while apps are deployed: no request is lost, and no
WebSocket of another app's. A deployment is done here as it is in `deploy/`: the new release beside
the old one, proved from outside, switched to, the old one drained and then removed.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import gevent

from cloudbang.domain.deploy.caddy import local_host
from tests.gateway.ground import HTTP_PORT, Ground, spec
from tests.gateway.load import Load, Talker

RATE = 200  # requests a second
DEPLOYMENTS = 10
REQUESTS = 20_000
QUIET = 15.0  # seconds before the first one, to compare with
CHANGES, TALKERS = 50, 20


def percentile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=1000)[round(part * 1000) - 1]


def replaced(ground: Ground) -> list[dict[str, object]]:
    """Deployments of one app, one after the other, under load."""
    old = ground.run("busy", 1)
    ground.gateway.publish("busy", spec())
    ground.gateway.switch("busy", old)
    load = Load(HTTP_PORT, local_host("busy"), rate=RATE, slow=20).start()
    gevent.sleep(QUIET)
    before = len(load.seconds)
    number = 1
    while number <= DEPLOYMENTS or len(load.seconds) + len(load.errors) < REQUESTS:
        number += 1
        new = ground.run("busy", number)
        ground.gateway.publish("busy", spec())
        ground.gateway.switch("busy", new)
        ground.drain("busy", old)
        ground.end(old)
        old = new
    load.stop()
    ground.gateway.withdraw("busy")
    ground.end(old)
    added = percentile(load.seconds[before:], 0.99) - percentile(load.seconds[:before], 0.99)
    asked = len(load.seconds) + len(load.errors)
    for error in load.errors[:5]:
        print("error:", error)
    return [
        row(f"deployments under {RATE} requests/s: of {asked:,} failed", len(load.errors), 0),
        row(
            f"… deployments: {number - 1}; slow ones of 5 s that were answered",
            load.slow_done,
            1,
            "higher",
        ),
        row("… added to the 99th percentile", added * 1000, 100, unit="ms"),
    ]


def held(ground: Ground) -> list[dict[str, object]]:
    """One that cannot run beside the other: requests are held meanwhile."""
    old = ground.run("alone", 1)
    ground.gateway.publish("alone", spec())
    ground.gateway.switch("alone", old)
    load = Load(HTTP_PORT, local_host("alone"), rate=RATE).start()
    gevent.sleep(3)
    longest = 0.0
    for number in (2, 3, 4):
        began = time.monotonic()
        ground.stop(old)
        new = ground.run("alone", number)
        ground.gateway.switch("alone", new)
        longest = max(longest, time.monotonic() - began)
        ground.end(old)
        old = new
        gevent.sleep(2)
    load.stop()
    ground.gateway.withdraw("alone")
    ground.end(old)
    asked = len(load.seconds) + len(load.errors)
    return [
        row(f"deployments of what runs alone: of {asked:,} failed", len(load.errors), 0),
        row(
            "… the longest held, of what stop and start took",
            max(load.seconds) / longest,
            1,
            unit="ratio",
        ),
    ]


def changed(ground: Ground) -> list[dict[str, object]]:
    """Routes that come and go beside WebSockets of another app."""
    service = ground.run("talk", 1)
    ground.gateway.publish("talk", spec())
    ground.gateway.switch("talk", service)
    talkers = [Talker(HTTP_PORT, local_host("talk")) for _ in range(TALKERS)]
    loads, spent = ground.gateway.loads, []
    for n in range(CHANGES):
        began = time.monotonic()
        ground.gateway.publish("other", spec(route={"host": f"n{n}.example.com"}))
        spent.append(time.monotonic() - began)
    gevent.sleep(1)
    lost = sum(bool(one.lost) for one in talkers)
    loads = ground.gateway.loads - loads
    for one in talkers:
        one.close()
    ground.gateway.withdraw("other")
    ground.gateway.withdraw("talk")
    ground.end(service)
    return [
        row(f"{TALKERS} WebSockets over {loads} changes of routes: dropped", lost, 0),
        row(
            "a change of routes is there, median", statistics.median(spent) * 1000, None, unit="ms"
        ),
    ]


def row(
    name: str, value: float, limit: float | None, better: str = "lower", unit: str = ""
) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))
        try:
            return [*changed(ground), *replaced(ground), *held(ground)]
        finally:
            ground.close()
