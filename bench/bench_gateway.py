"""What those who ask notice of deployments: no request is lost, and no WebSocket of another app's.

Deployments are carried out as ever, only that a new release is watched for 2 s and not for 15.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gevent

from cloudbang.deploy.limits import StepLimits
from cloudbang.domain.deploy.caddy import local_host
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.lines import parse_time
from tests.deploy.house import House, Swarm, machine_engine
from tests.gateway.ground import IMAGE, spec, web_app_image
from tests.gateway.load import Talker
from tests.support import ROOT

RATE = 200  # requests a second
DEPLOYMENTS, REQUESTS = 10, 20_000
VOLUME_DEPLOYMENTS = 3
QUIET = 15.0  # seconds before the first one, to compare with
CHANGES, TALKERS = 50, 20
LIMITS = StepLimits(verify=2.0)


def deployed(house: House, app: str, number: int, **more: object) -> Deployment:
    """A release more of an app serves. It waits its turn: the one before is tidied up at first."""
    release = {"RELEASE": f"{app}-{number}"}
    written = {"image": IMAGE, "port": 80, "route": {}, "env": release, **more}
    done = house.wait(house.deploy(app, wait=True, **written), 120)
    assert done.state == "serving", (done, house.lines(done.id))
    return done


class Asked:
    """Requests from another process, and what came of them."""

    def __init__(self, house: House, app: str, slow: int = 0) -> None:
        port = house.settings.gateway.http_port
        module = [sys.executable, "-m", "bench.gateway_peers"]
        self._process = subprocess.Popen(
            [*module, str(port), local_host(app), str(RATE), str(slow)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.errors: list[str] = []
        self.seconds: list[tuple[float, float]] = []  # when asked, how long it took
        self.slow = 0

    def stop(self) -> None:
        said, _ = self._process.communicate()
        told = json.loads(said)
        self.errors, self.slow = told["errors"], told["slow"]
        self.seconds = [(at, took) for at, took in told["seconds"]]
        for error in self.errors[:5]:
            print("error:", error)

    @property
    def count(self) -> int:
        return len(self.errors) + len(self.seconds)


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def replaced(house: House) -> list[dict[str, object]]:
    """Deployments of one app, one after the other."""
    deployed(house, "busy", 1)
    asked = Asked(house, "busy", slow=20)
    began = time.time()
    gevent.sleep(QUIET)
    deployed_at, number = time.time(), 1
    while number <= DEPLOYMENTS or (time.time() - began) * RATE < REQUESTS * 1.02:
        number += 1
        deployed(house, "busy", number)
    asked.stop()
    before = [took for at, took in asked.seconds if at < deployed_at]
    within = [took for at, took in asked.seconds if at >= deployed_at]
    what = f"{number - 1} deployments under {RATE} requests/s"
    return [
        row(f"{what}: of {asked.count:,} requests lost", len(asked.errors), 0),
        row("… of 20 slow ones of 5 s at a time, answered", asked.slow, 1, "higher"),
        row("… added to the 99th percentile", (p99(within) - p99(before)) * 1000, 100, unit="ms"),
    ]


def held(house: House) -> list[dict[str, object]]:
    """Of one that has a volume, and so cannot run beside the other."""
    volume = {"volumes": [{"name": "bench-gateway", "path": "/data"}]}
    deployed(house, "alone", 1, **volume)
    asked = Asked(house, "alone")
    gevent.sleep(3)
    windows = [
        window(deployed(house, "alone", number, **volume))
        for number in range(2, 2 + VOLUME_DEPLOYMENTS)
    ]
    asked.stop()
    longest = max(took for _, took in asked.seconds)
    what = f"{VOLUME_DEPLOYMENTS} deployments of one with a volume"
    return [
        row(f"{what}: of {asked.count:,} requests lost", len(asked.errors), 0),
        row(
            f"… the longest held: {longest:.1f} s, of what stop and start took",
            longest / max(windows),
            1.0,
        ),
    ]


def window(deployment: Deployment) -> float:
    """Seconds from when requests are held until the new release is healthy."""
    steps = {step.name: step for step in deployment.steps}
    assert deployment.stop_first
    ended, began = steps["health"].finished, steps["drain"].started
    assert ended is not None
    assert began is not None
    return (parse_time(ended) - parse_time(began)) / 1e9


def changed(house: House) -> list[dict[str, object]]:
    """Routes that come and go beside WebSockets of another app."""
    deployed(house, "talk", 1)
    port = house.settings.gateway.http_port
    talkers = [Talker(port, local_host("talk")) for _ in range(TALKERS)]
    loads, spent = house.gateway.loads, []
    for n in range(CHANGES):
        began = time.monotonic()
        house.gateway.publish("other", spec(route={"host": f"n{n}.example.com"}))
        spent.append((time.monotonic() - began) * 1000)
    gevent.sleep(1)
    lost = sum(bool(one.lost) for one in talkers)
    loads = house.gateway.loads - loads
    for one in talkers:
        one.close()
    house.gateway.withdraw("other")
    return [
        row(f"{TALKERS} WebSockets over {loads} changes of routes: dropped", lost, 0),
        row("a change of routes is there, median of them", statistics.median(spent), unit="ms"),
    ]


def row(
    name: str, value: float, limit: float | None = None, better: str = "lower", unit: str = ""
) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}


def run() -> list[dict[str, object]]:
    swarm = Swarm(machine_engine())
    try:
        web_app_image(swarm.client)
        with tempfile.TemporaryDirectory() as folder:
            house = House(Path(folder), swarm.host, LIMITS).start()
            try:
                return [*changed(house), *replaced(house), *held(house)]
            finally:
                house.close()
                swarm.forget_volume("bench-gateway")
    finally:
        swarm.close()
