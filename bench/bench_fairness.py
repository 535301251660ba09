"""What one account may cost: memory for what it does not read, and time of another account, who asks
for pages of lines or looks at what comes live."""

from __future__ import annotations

import gc
import itertools
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import gevent
import psutil

from bench.bench_fanout import Ground, make
from bench.bench_pipeline import peer, told
from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.intake.log_sink import StoreSink
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery
from cloudbang.web.api.search import matcher
from cloudbang.web.api.search_all import Search
from tests.faults.viewers import handshake, text_frame
from tests.support import ServerProcess
from tests.terminal_support import Person

START = time.time_ns() - 3_600 * 1_000_000_000  # what is too old is deleted
BIG, SIZE = 300, 1_000_000  # lines, and bytes of each
BUSY = int(os.environ.get("CLOUDBANG_BENCH_LINES", "2700000"))
SOCKETS, PAGES, DOWNLOADS, ASKED = 20, 60, 60, 400
VIEWERS, RATE, SECONDS, ROUNDS = 100, 1_000, 5, 4


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _fill(root / "data")
        server = ServerProcess(root, {"DOCKER_HOST": f"unix://{folder}/none.sock"})
        try:
            server.start()
            with Person(server) as admin, admin.account("a-viewer") as viewer:
                rows = [
                    *_memory(server, admin, viewer),
                    _time(server, admin, viewer),
                    *_live(server, admin, viewer),
                ]
        finally:
            server.close()
        return [*rows, *_loop(root)]


def _fill(root: Path) -> None:
    settings = StorageSettings(path=root, app_max_bytes=0, total_max_bytes=0)
    store = LogStore(root, settings=settings)
    store.open()
    big = record(format_time(START).encode(), b"0" * 12, b"stdout", b"x" * SIZE)
    for _ in range(BIG):
        store.append("big", [big])
    for begin in range(0, BUSY, 5_000):
        store.append(
            "busy",
            [
                record(
                    format_time(START + n * 1_000_000).encode(),
                    b"0" * 12,
                    b"stdout",
                    b'GET /orders/%d HTTP/1.1" 200 %d "-" in %d ms' % (n * 7919, n, n % 997),
                )
                for n in range(begin, min(begin + 5_000, BUSY))
            ],
        )
    store.close()


def _memory(server: ServerProcess, admin: Person, viewer: Person) -> list[dict[str, object]]:
    """Sockets and pages of lines that nobody reads. Where there are no sockets each page begins: what
    it sent lies in the kernel."""
    for _ in range(3):  # what is made once and not for each
        admin.got("/apps/big/lines?limit=2")
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    cookie = viewer.headers["Cookie"]
    rows = []
    for sockets in 0, SOCKETS:
        most = 0
        with ExitStack() as stack:
            for _ in range(sockets):
                link = stack.enter_context(_narrow(server))
                handshake(link, server.port, cookie)
                link.sendall(
                    text_frame(
                        '{"op":"subscribe","channel":"log/big","tail":5000,"stream":"stdout"}'
                    )
                )
            for _ in range(PAGES):
                wire = stack.enter_context(_narrow(server))
                _ask(wire, "/api/v1/apps/big/lines?limit=5000", cookie)
            end = time.monotonic() + 15
            while time.monotonic() < end:
                time.sleep(0.05)
                most = max(most, process.memory_info().rss)
        what = f"{sockets} sockets and {PAGES} pages" if sockets else f"{PAGES} pages alone"
        name = f"{what} of lines of 1 MB that nobody reads: memory"
        rows.append(_row(name, (most - before) / 1e6, "MB more", 40))
    return rows


def _time(server: ServerProcess, admin: Person, viewer: Person) -> dict[str, object]:
    """A page of lines of one account beside the searches of another."""
    path, took = "/apps/busy/lines?limit=500", []
    admin.got(path)
    with ExitStack() as stack:
        for n in range(DOWNLOADS):
            wire = stack.enter_context(_narrow(server))
            wire.settimeout(600)
            query = f"q=order(s%7Ct)%2F{n}.*nothing&regex=1"
            _ask(wire, f"/api/v1/apps/busy/download?{query}", viewer.headers["Cookie"])
            threading.Thread(target=_drain, args=(wire,), daemon=True).start()
        time.sleep(2)
        for _ in range(ASKED):
            began = time.monotonic()
            admin.got(path)
            took.append(1000 * (time.monotonic() - began))
            time.sleep(0.01)
    took.sort()
    name = f"another account's page beside {DOWNLOADS} regex downloads, p99 of {ASKED}"
    return _row(name, took[int(len(took) * 0.99) - 1], "ms", 50)


def _live(server: ServerProcess, admin: Person, viewer: Person) -> list[dict[str, object]]:
    """Lines that many look at, by itself, beside the searches of another account, and beside a program
    that takes a processor as such a search does: what that adds is the machine's."""
    found: dict[str, list[float]] = {"alone": [], "search": [], "program": []}
    searches = 0
    everything = {"app": "live", "lines": 10**9, "seconds": 3600}
    with (
        peer(server, role="put", app="live", rate=RATE, bus=server.bus_sub),
        peer(server, role="crowd", viewers=VIEWERS - 1, **everything),
    ):
        for _ in range(ROUNDS):
            for beside, took in found.items():
                with ExitStack() as stack:
                    if beside == "search":
                        count = stack.enter_context(_searching(viewer))
                    elif beside == "program":
                        stack.enter_context(_program())
                    watched = {"app": "live", "lines": RATE * SECONDS, "seconds": 4 * SECONDS}
                    with peer(server, role="watch", **watched) as watcher:
                        took.append(told(watcher)["p99"])
                    if beside == "search":
                        searches += next(count)
    alone, search, program = (statistics.median(took) for took in found.values())
    what = f"{RATE:,} lines/s to {VIEWERS} viewers"
    return [
        _row(f"{what}: put to socket, p99", alone, "ms", None),
        _row(f"{what}: added by {searches} searches of {BUSY:,} lines", search - alone, "ms", 10),
        _row(f"{what}: added by another program beside", program - alone, "ms", None),
    ]


def _loop(root: Path) -> list[dict[str, object]]:
    """The same within one process, as the server is one: how late its loop is, without what it waits
    for a processor, which others have. So it is the same on a machine that does much besides."""
    gc.collect()
    gc.freeze()  # as the server does once it is there
    sys.setswitchinterval(0.001)  # as well
    late: list[float] = []
    found: dict[str, list[float]] = {"alone": [], "search": []}
    ground = Ground(root)
    sink = StoreSink(ground.store, ground.publisher)

    def write() -> None:
        while True:
            sink.append("live", make(RATE // 100))
            gevent.sleep(0.01)

    def feel() -> None:
        with open(f"/proc/self/task/{os.getpid()}/schedstat", buffering=1) as told:
            while True:
                told.seek(0)
                waited = int(told.readline().split()[1])
                due = time.perf_counter() + 0.003
                gevent.sleep(0.003)
                by = time.perf_counter() - due
                told.seek(0)
                late.append(max(0, by - (int(told.readline().split()[1]) - waited) / 1e9))

    def search() -> None:
        while True:
            match = matcher(f"nothing-{time.monotonic_ns()}")
            asked = MergedQuery(Query(match=match, limit=100), count=True)
            for _ in Search(ground.store, ground.store.apps(), asked, 2).run():
                pass

    try:
        with ground.viewers(VIEWERS, ["live"]):
            always = [gevent.spawn(write), gevent.spawn(feel)]
            for _ in range(ROUNDS):
                for beside, p99 in found.items():
                    besides = [gevent.spawn(search)] if beside == "search" else []
                    gevent.sleep(0.5)
                    late.clear()
                    gevent.sleep(SECONDS)
                    p99.append(sorted(late)[int(len(late) * 0.99)] * 1000)
                    gevent.killall(besides)
            gevent.killall(always)
    finally:
        ground.close()
    alone, beside = (statistics.median(p99) for p99 in found.values())
    what = f"the loop, {RATE:,} lines/s to {VIEWERS} viewers: late, but for a processor, p99"
    return [
        _row(what, alone, "ms", None),
        _row(f"the same beside a search of {BUSY:,} lines: added", beside - alone, "ms", 10),
    ]


@contextmanager
def _searching(person: Person) -> Iterator[Iterator[int]]:
    """One search after the other, each for what was not looked for before; how many there were."""
    numbers, ended = itertools.count(1), threading.Event()

    def search() -> None:
        while not ended.is_set():
            path = f"/api/v1/search?q=nothing-{time.monotonic_ns()}"
            with person.client.stream("GET", path) as answer:
                for _ in answer.iter_bytes():
                    if ended.is_set():
                        return
            next(numbers)

    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    try:
        yield (number - 1 for number in numbers)
    finally:
        ended.set()
        thread.join()


@contextmanager
def _program() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _narrow(server: ServerProcess) -> socket.socket:
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.connect(("127.0.0.1", server.port))
    return wire


def _ask(wire: socket.socket, path: str, cookie: str) -> None:
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())


def _drain(wire: socket.socket) -> None:
    try:
        while wire.recv(1 << 16):
            pass
    except OSError:
        pass


def _row(name: str, value: float, unit: str, limit: float | None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
