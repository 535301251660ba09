"""What one account may cost: memory for what it does not read, and time of another account."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore
from tests.faults.viewers import handshake, text_frame
from tests.support import ServerProcess
from tests.terminal_support import Person

START = 1_750_000_000_000_000_000
BIG, SIZE = 300, 1_000_000  # lines, and bytes of each
BUSY = int(os.environ.get("CLOUDBANG_BENCH_LINES", "2700000"))
SOCKETS, PAGES, DOWNLOADS, ASKED = 20, 60, 60, 400


def run() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _fill(root / "data")
        server = ServerProcess(root, {"DOCKER_HOST": f"unix://{folder}/none.sock"})
        try:
            server.start()
            with Person(server) as admin, admin.account("a-viewer") as viewer:
                return [_memory(server, admin, viewer), _time(server, admin, viewer)]
        finally:
            server.close()


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


def _memory(server: ServerProcess, admin: Person, viewer: Person) -> dict[str, object]:
    """Sockets and pages of lines that nobody reads."""
    for _ in range(3):  # what is made once and not for each
        admin.got("/apps/big/lines?limit=2")
    process = psutil.Process(server.pid)
    before = most = process.memory_info().rss
    cookie = viewer.headers["Cookie"]
    with ExitStack() as stack:
        for _ in range(SOCKETS):
            link = stack.enter_context(_narrow(server))
            handshake(link, server.port, cookie)
            link.sendall(
                text_frame('{"op":"subscribe","channel":"log/big","tail":5000,"stream":"stdout"}')
            )
        for _ in range(PAGES):
            _ask(stack.enter_context(_narrow(server)), "/api/v1/apps/big/lines?limit=5000", cookie)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            time.sleep(0.05)
            most = max(most, process.memory_info().rss)
    name = f"{SOCKETS} sockets and {PAGES} pages of lines of 1 MB that nobody reads: memory"
    return _row(name, (most - before) / 1e6, "MB more", 40)


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


def _row(name: str, value: float, unit: str, limit: float) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
