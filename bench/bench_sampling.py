"""What measuring 200 containers every second costs, and how true it is.

On an engine of its own, whose processes (dockerd, containerd, shims) are counted as well; against
reading its stats streams, which is how most others do it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import psutil
from gevent.pool import Pool

from cloudbang.config import EngineSettings
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.engine import Engine
from cloudbang.node.sampler.hierarchies import Hierarchies
from tests.node.sampler.rig import Beside, SamplerRig, ran, used
from tests.support import wait_until
from tests.support_engine import PrivateEngine

Row = dict[str, object]
COUNT = int(os.environ.get("CLOUDBANG_BENCH_CONTAINERS", "200"))
SECONDS = 30
STARTED_WITHIN = 200.0  # seconds; what a busy machine has not started by then is left out, and said
SENT = 200_000_000  # bytes
# For several seconds: of a burst, what is in one second depends on when that began. In large pieces:
# each packet has its headers, which the kernel counts.
SEND = f"""
import socket, sys, time
with socket.create_connection((sys.argv[1], 5000)) as link:
    for _ in range(40):
        link.sendall(bytes({SENT // 40}))
        time.sleep(0.2)
"""


@contextmanager
def idle_containers(engine: PrivateEngine, image: str) -> Iterator[int]:
    """Each with a network of its own and a little to do, as most have; gives how many there are."""
    calls = Engine(EngineSettings(host=engine.address), timeout=120)
    argv = ["sh", "-c", "while :; do sleep 1; done"]

    ends = time.monotonic() + STARTED_WITHIN

    def start(n: int) -> str:
        if time.monotonic() > ends:
            return ""
        made = calls.create_container(image, argv, labels={}, host={}, name=f"idle{n}")
        calls.start_container(made)
        return made

    made = [one for one in Pool(4).imap_unordered(start, range(COUNT)) if one]
    try:
        yield len(made)
    finally:
        list(Pool(4).imap_unordered(calls.remove_container, made))
        calls.close()


def engines_seconds(engine: PrivateEngine) -> float:
    """Of the processor, by all processes of an engine: those that are gone took theirs along."""
    total = 0.0
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if any(engine.id in part for part in one.cmdline()):
                times = one.cpu_times()
                total += times.user + times.system
    return total


def shares(engine: PrivateEngine) -> tuple[float, float]:
    """Of a processor, ours and the engine's, over some seconds. What finding that out costs is left
    out of ours."""
    theirs, began = engines_seconds(engine), time.monotonic()
    ours = time.process_time()
    gevent.sleep(SECONDS)
    ours = (time.process_time() - ours) / SECONDS
    theirs = engines_seconds(engine) - theirs
    return ours, theirs / (time.monotonic() - began)


def streams(engine: PrivateEngine, count: int) -> tuple[float, float]:
    """The same with a stats stream of each container, of which nothing is made."""
    calls = Engine(EngineSettings(host=engine.address), timeout=120)
    told = 0

    def read(container: str) -> None:
        nonlocal told
        stream = calls._open(f"/containers/{container}/stats", {"stream": "1"})
        try:
            while (data := stream.read_now()) != b"":
                if data is None:
                    stream.wait()
                else:
                    told += data.count(b"\n")
        finally:
            stream.close()

    readers = [gevent.spawn(read, one.id) for one in calls.containers()]
    wait_until(lambda: told > count, 120, "the streams")
    before = told
    found = shares(engine)
    gevent.killall(readers)
    calls.close()
    print(f"  streams: {(told - before) / count / SECONDS:.2f} answers a second and container")
    return found


def what_is_there_anyway(engine: PrivateEngine) -> float:
    """The engine's share while its containers are known, and not measured."""
    rig = SamplerRig(engine.address)
    wait_until(rig.inventory.ready.is_set, 30, "the inventory")
    rig.sampler.stop()
    share = shares(engine)[1]
    rig.close()
    return share


def cost(engine: PrivateEngine, image: str) -> list[Row]:
    with idle_containers(engine, image) as count:
        quiet = what_is_there_anyway(engine)
        rig = SamplerRig(engine.address)
        wait_until(lambda: _all_measured(rig, count), 60, "all of them measured")
        before, missed = len(rig.sink.sweeps), rig.sampler.missed
        ours, theirs = shares(engine)
        sweeps = rig.sink.sweeps[before:]
        lost = sum(1 for s in sweeps for one in _idle(s) if "network.sent" not in one.values)
        missed = rig.sampler.missed - missed
        rig.close()
        both = ours + max(0.0, theirs - quiet)
        of_streams = streams(engine, count)
    against = of_streams[0] + max(0.0, of_streams[1] - quiet)
    print(f"  engine alone {quiet:.3f}; ours {ours:.3f} + {theirs:.3f}; streams {of_streams}")
    what = f"sampling {count} containers every second"
    return [
        _row(f"{what}, ours and the engine's CPU", both * 100, "% of a core", 5.0 * count / COUNT),
        {**_row(f"{what}: against stats streams", against / both, "x", 10.0), "better": "higher"},
        _row(f"{what}: seconds missed of {SECONDS}", missed, "seconds", 0),
        _row(f"{what}: samples missing in the others", lost, "samples", 0),
    ]


def _all_measured(rig: SamplerRig, count: int) -> bool:
    last = rig.sink.sweeps[-1] if rig.sink.sweeps else None
    measured = [one for one in _idle(last) if "network.sent" in one.values] if last else []
    return len(measured) == count


def _idle(sweep: Sweep) -> list[InstanceSample]:
    """Without those that are measured to see whether it is true."""
    return [one for one in sweep.instances if one.app.startswith("idle")]


def truth(engine: PrivateEngine, image: str) -> list[Row]:
    """Against what is known from elsewhere at the same moment."""

    def start(name: str, command: str, **options: Any) -> Any:
        made = engine.client.containers.run(
            image, ["sh", "-c", command], name=name, detach=True, **options
        )
        made.reload()
        return made

    burns = start("burns", "while :; do :; done", network_mode="none", nano_cpus=500_000_000)
    grows = start(
        "grows",
        "i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > /dev/shm/$i; sleep 0.5; done",
        network_mode="none",
        shm_size="300m",
    )
    takes = start("takes", "sleep 1000 | nc -l -p 5000 > /dev/null; sleep 1000")
    rig = SamplerRig(engine.address)
    try:
        for one, metric in ((burns, "cpu"), (takes, "network.received")):
            rig.measured(one.id, metric)
        pid = int(burns.attrs["State"]["Pid"])
        group = Hierarchies().find(grows.id, pid=int(grows.attrs["State"]["Pid"]))["memory"]
        to = takes.attrs["NetworkSettings"]["IPAddress"]
        with (
            Beside(rig, burns.id, lambda: ran(pid)) as burn,
            Beside(rig, grows.id, lambda: used(group)) as memory,
            Beside(rig, takes.id, lambda: 0) as received,
        ):
            wait_until(lambda: len(received.rows) > 0)
            engine._in_namespace(sys.executable, "-c", SEND, to)
            done = len(received.rows)
            wait_until(lambda: len(received.rows) > max(done + 1, SECONDS), 4 * SECONDS)
    finally:
        rig.close()
        for one in (burns, grows, takes):
            one.remove(force=True)
    told, least, most = burn.counted("cpu")
    true = (least + most) / 2
    bytes_told = received.counted("network.received")[0]
    return [
        _row(f"CPU against a burn of {true:.0f} s: off", abs(told / true - 1) * 100, "%", 1.0),
        _row("memory against the control group: off", memory.off("memory") / 1024**2, "MiB", 1.0),
        _row("bytes of a known transfer: off", abs(bytes_told / SENT - 1) * 100, "%", 2.0),
    ]


def _row(name: str, value: float, unit: str, limit: float | None) -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


def run() -> list[Row]:
    engine = PrivateEngine(bridge=True)
    try:
        engine.start()
        image = engine.image()
        return [*truth(engine, image), *cost(engine, image)]
    finally:
        engine.close()
