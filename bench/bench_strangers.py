"""What somebody without an account can make the server hold."""

from __future__ import annotations

import http.client
import tempfile
from pathlib import Path

import psutil

from tests.support import ServerProcess

Row = dict[str, object]

FILE = "vendor/xterm/xterm.js"
ADDRESSES = 500


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder), {"DOCKER_HOST": f"unix://{folder}/none.sock"})
        server.start()
        try:
            return [odd_addresses(server)]
        finally:
            server.close()


def odd_addresses(server: ServerProcess) -> Row:
    """One file of 340 kB under 500 names, from one after another."""
    process = psutil.Process(server.pid)
    for _ in range(100):  # what the first requests bring along does not count
        ask(server.port, f"/static/{FILE}")
        ask(server.port, "/static/nothing.js")
    before = process.memory_info().rss
    for n in range(ADDRESSES):
        folder, _, name = FILE.rpartition("/")
        ask(server.port, f"/static/~version{n % 7}/{folder}/{'./' * (n + 1)}{name}")
    grown = (process.memory_info().rss - before) / 1e6
    return {
        "name": f"{ADDRESSES} odd addresses of one static file: memory",
        "value": max(grown, 0.0),
        "unit": "MB more",
        "limit": 2,
        "better": "lower",
    }


def ask(port: int, path: str) -> None:
    """A request as some program writes it: the path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    while answer.read(65536):
        pass
    connection.close()
