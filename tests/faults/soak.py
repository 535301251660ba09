"""A long load on the whole of CloudBang: containers that log, viewers that read or are stuck."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.truth import assert_same, ticker
from tests.support import ROOT, ServerProcess, patient, wait_until


@dataclass
class SoakResult:
    """What a soak saw. Memory in bytes, lag in seconds."""

    seconds: float
    lines: int = 0  # on the engine, and exactly so in the store
    memory: list[int] = field(default_factory=list)  # resident, once a second
    cpu: float = 0.0  # cores used by the server
    lag_p99: float = 0.0
    machine_lag: float = 0.0  # how late a process that only sleeps was woken in the same time, p99
    viewers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Bytes the last fifth is above the second fifth: the first is for warming up."""
        fifth = max(1, len(self.memory) // 5)
        early = sorted(self.memory[fifth : 2 * fifth])
        late = sorted(self.memory[-fifth:])
        return late[len(late) // 2] - early[len(early) // 2]


@contextmanager
def viewers(
    server: ServerProcess, apps: list[str], count: int, stuck: int, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    """Run ``tests.faults.viewers`` for ``seconds``; entered when all are subscribed."""
    task = {
        "port": server.port,
        "cookie": server.cookie,
        "apps": apps,
        "viewers": count,
        "stuck": stuck,
        "seconds": seconds,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.viewers", json.dumps(task)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"open": count}
        yield process
    finally:
        process.kill()
        process.wait(patient(10))
        if process.stdout is not None:
            process.stdout.close()


def soak(
    server: ServerProcess,
    start_container: Callable[..., Any],
    *,
    seconds: float,
    containers: int = 10,
    per_second: int = 2000,
    watching: int = 50,
    stuck: int = 5,
) -> SoakResult:
    """Load ``server`` for ``seconds`` and compare every line afterwards.

    ``start_container`` is the fixture's factory. Raises AssertionError when a line is lost,
    doubled or swapped.
    """
    running = [
        start_container(ticker(f"soak{i}", per_second, burst=100)) for i in range(containers)
    ]
    names = [one.name for one in running]
    wait_until(
        lambda: {app["name"] for app in server.get("/api/v1/apps")["apps"]} >= set(names),
        30,
        "the apps to be listed",
        every=0.2,
    )
    result = SoakResult(seconds)
    process = psutil.Process(server.pid)
    with viewers(server, names, watching, stuck, seconds) as crowd:
        used = _cpu_seconds(process)
        started = time.monotonic()
        late: list[float] = []
        sample_at = started
        while crowd.poll() is None:
            due = time.monotonic() + 0.05
            time.sleep(0.05)
            late.append(time.monotonic() - due)
            if time.monotonic() >= sample_at:
                sample_at += 1.0
                result.memory.append(process.memory_info().rss)
        result.machine_lag = sorted(late)[int(len(late) * 0.99)]
        result.cpu = (_cpu_seconds(process) - used) / (time.monotonic() - started)
        result.lag_p99 = loop_lag_p99(server)
        assert crowd.stdout is not None
        result.viewers = json.loads(crowd.stdout.readline())
    for one in running:
        one.kill()
    for one in running:
        one.wait()
        result.lines += assert_same(server, one.name, one)
    return result


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def loop_lag_p99(server: ServerProcess) -> float:
    """Seconds of the last minute's loop lag, 99th percentile, from ``/metrics``."""
    text = server.client.get("/metrics").text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if "loop_lag" in sample.name and sample.labels.get("quantile") == "0.99":
                return sample.value
    raise AssertionError("/metrics has no loop lag with a quantile of 0.99:\n" + text[:3000])
