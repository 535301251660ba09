"""Ingest: how fast logs get from the engine to the disk, and what a line costs.

Three measurements, each against a reader of its own in the same run, and each reader in a process of
its own so that its processor time is its own:

- one container that floods with lines of 100 bytes, against a reader that throws all away;
- the same while somebody looks at it, so that lines are published: with what each line is and belongs
  to decided, against the same without;
- 20 containers with about 950 lines/s each, processor time per line against the SDK's iterator.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOOD = ["yes", "x" * 99]  # yes adds the newline: 100 bytes
FLOOD_FRAME = 8 + 31 + 100
FLOOD_SECONDS, FLOOD_ROUNDS = 3.0, 3
MANY, MANY_SECONDS = 20, 6.0
# 19 lines every 20 ms. `read -t` waits without a new process for each wait.
STEADY = (
    "mkfifo /tmp/f; exec 3<>/tmp/f; "
    f"l=$(for i in $(seq 19); do echo {'y' * 99}; done); "
    'while :; do echo "$l"; read -t 0.0195 x <&3; done'
)


def run() -> list[dict[str, Any]]:
    """The measurements, as the bench runner prints them."""
    image = _script("test-image")
    host = _script("engine-up")
    return [*_flood(host, image), *_many(host, image)]


def _flood(host: str, image: str) -> list[dict[str, Any]]:
    lines = {"discard": 0.0, "collect": 0.0, "undecided": 0.0, "decided": 0.0}
    cpu = dict.fromkeys(lines, 0.0)
    for _ in range(FLOOD_ROUNDS):
        for how in lines:
            with _containers(host, image, FLOOD, 1) as names:
                measured = _measure(how, host, names, FLOOD_SECONDS)
                lines[how] += measured["rate"] / FLOOD_ROUNDS
                cpu[how] += measured["cpu_us"] / FLOOD_ROUNDS
    ratio = lines["collect"] / lines["discard"]
    # By the processor's time: what is next to it on the machine is not what is asked for.
    entries = cpu["undecided"] / cpu["decided"]
    return [
        _row("flood: a reader that discards", lines["discard"], "lines/s"),
        _row("flood: into the store", lines["collect"], "lines/s"),
        _row("flood: into the store / discarded", ratio, "ratio", 0.8, "higher"),
        _row("flood: CPU per line stored and published, levels decided", cpu["decided"], "µs"),
        _row("flood: the same, nothing decided / decided", entries, "ratio", 0.9, "higher"),
    ]


def _many(host: str, image: str) -> list[dict[str, Any]]:
    with _containers(host, image, ["sh", "-c", STEADY], MANY) as names:
        ours = _measure("collect", host, names, MANY_SECONDS)
        sdk = _measure("sdk", host, names, MANY_SECONDS)
    return [
        _row("20 containers: lines together", ours["rate"], "lines/s"),
        _row("20 containers: CPU per line stored", ours["cpu_us"], "µs"),
        _row("20 containers: CPU per line, SDK's iterator", sdk["cpu_us"], "µs"),
        _row("20 containers: stored / SDK", ours["cpu_us"] / sdk["cpu_us"], "ratio", 0.33, "lower"),
    ]


def _row(
    name: str, value: float, unit: str, limit: float | None = None, better: str | None = None
) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}


def _script(name: str) -> str:
    done = subprocess.run(
        [str(ROOT / "scripts" / name)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@contextmanager
def _containers(host: str, image: str, command: list[str], count: int) -> Iterator[list[str]]:
    """Containers that log, created but not started; the worker starts them when it is ready."""
    import docker

    client = docker.DockerClient(base_url=host, timeout=60)
    made = []
    try:
        for n in range(count):
            made.append(
                client.containers.create(
                    image,
                    command,
                    name=f"bench-{uuid.uuid4().hex[:8]}-{n}",
                    network_mode="none",
                    labels={"cloudbang.test": "bench"},
                )
            )
        for container in made:
            container.start()
        yield [container.name for container in made]
    finally:
        for container in made:
            container.remove(force=True)
        client.close()


def _measure(how: str, host: str, names: list[str], seconds: float) -> dict[str, float]:
    """Lines per second and processor time per line of a worker process."""
    arguments = [how, host, str(seconds), *names]
    done = subprocess.run(
        [sys.executable, "-m", "gevent.monkey", "--module", "bench.bench_ingest", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + 60,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


# --- the worker -------------------------------------------------------------------------------


def _worker(how: str, host: str, seconds: float, names: list[str]) -> None:
    import gevent

    from cloudbang.config import EngineSettings
    from cloudbang.engine import Engine

    engine = Engine(EngineSettings(host=host))
    count = WORKERS[how](engine, names)
    before = -1
    while count() == before or before < 0:  # until lines come
        before = count()
        gevent.sleep(0.05)
    quiet = 0
    for _ in range(60):  # past the connecting and what was logged before
        was = count()
        gevent.sleep(0.5)
        quiet = quiet + 1 if count() - was < len(names) * 1100 * 0.5 else 0
        if len(names) == 1 or quiet == 4:
            break
    lines, cpu, began = count(), _cpu(), time.monotonic()
    gevent.sleep(seconds)
    lines, cpu, took = count() - lines, _cpu() - cpu, time.monotonic() - began
    print(json.dumps({"rate": lines / took, "cpu_us": cpu / max(lines, 1) * 1e6}), flush=True)
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # readers in full run are not worth an orderly end


def _cpu() -> float:
    times = os.times()
    return times.user + times.system


def _discard(engine: Any, names: list[str]) -> Any:
    import gevent

    read = 0

    def throw_away(name: str) -> None:
        nonlocal read
        stream = engine.logs(name, follow=True)
        while data := stream.read():
            read += len(data)

    for name in names:
        gevent.spawn(throw_away, name)
    return lambda: read / FLOOD_FRAME


def _sdk(engine: Any, names: list[str]) -> Any:
    import docker
    import gevent

    lines = 0

    def iterate(name: str) -> None:
        nonlocal lines
        api = docker.APIClient(base_url=engine.host)
        for _ in api.logs(name, stream=True, follow=True, timestamps=True, tail=0):
            lines += 1

    for name in names:
        gevent.spawn(iterate, name)
    return lambda: lines


def _undecided(engine: Any, names: list[str]) -> Any:
    """As it would be if nothing were decided about lines."""
    from cloudbang.intake import log_sink

    class Nothing:
        def read(self, first: int, records: list[bytes]) -> Any:
            return [], {}

    log_sink.EntryReader = Nothing  # type: ignore[misc, assignment]
    return _collect(engine, names, watched=True)


def _decided(engine: Any, names: list[str]) -> Any:
    return _collect(engine, names, watched=True)


def _collect(engine: Any, names: list[str], *, watched: bool = False) -> Any:
    from cloudbang.apps.container_names import ContainerNames
    from cloudbang.bus import Hub
    from cloudbang.config import BusSettings
    from cloudbang.core.notices import Notices
    from cloudbang.events.recorder import EventRecorder
    from cloudbang.intake.log_sink import StoreSink
    from cloudbang.node.collector import LogCollector
    from cloudbang.node.inventory import Inventory
    from cloudbang.storage.database.container_names import ContainerNameStore
    from cloudbang.storage.database.database import Database
    from cloudbang.storage.database.events import EventStore
    from cloudbang.storage.logs.log_store import LogStore

    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=os.environ.get("TMPDIR")))
    _folders.append(folder)
    hub = Hub(BusSettings(bind_sub="tcp://127.0.0.1:*", bind_pub="tcp://127.0.0.1:*", bind_pub2=""))
    hub.start()
    publisher = hub.publisher()
    store, database = LogStore(folder), Database(folder)
    store.open()
    database.open()
    wanted = set(names)

    class Bench(Inventory):
        """Other containers of the machine are left alone."""

        def _change(self, found: Any = (), removed: Any = ()) -> None:
            super()._change([i for i in found if i.name in wanted], removed)

        def _on(self, event: Any) -> None:
            if event.attributes.get("name") in wanted:
                super()._on(event)

    recorder = EventRecorder(EventStore(database), publisher)
    recorder.start()
    names_of = ContainerNames(ContainerNameStore(database), store)
    inventory = Bench(engine, recorder, Notices(), names_of)
    bus: Any = publisher
    if watched:

        class Watched:
            """As if somebody followed every log; nobody is there to receive it."""

            def wanted(self, topic: str) -> bool:
                return True

            def send(self, topic: str, header: bytes, body: bytes) -> None:
                pass

        bus = Watched()
    collector = LogCollector(engine, inventory, StoreSink(store, bus))
    inventory.start()
    collector.start()
    _keep.extend([hub, recorder, inventory, collector])
    return lambda: sum(store.next_seq(name) - 1 for name in names)


_keep: list[Any] = []  # parts that run until the worker ends
_folders: list[Path] = []

WORKERS = {
    "discard": _discard,
    "sdk": _sdk,
    "collect": _collect,
    "undecided": _undecided,
    "decided": _decided,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        _worker(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:])
    else:
        for row in run():
            print(row)
