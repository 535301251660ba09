"""A data disk that is full, and has room again."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import zmq

from tests.faults.truth import assert_same, ticker
from tests.support import ServerProcess, patient, wait_until
from tests.terminal_support import Person

MIB = 1024**2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True
    )
    assert made.returncode == 0, f"tests of a full disk need root: {made.stderr.decode()}"
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.engine
@pytest.mark.parametrize("keep_free", [4 * MIB, 0], ids=["keeps some free", "to the last byte"])
def test_a_full_disk_pauses_and_catches_up_by_itself(
    container, new_server, small_disk: Path, keep_free: int
) -> None:
    """Full: said on the pages, the server lives, nothing is lost. Freed: it goes on by itself."""
    server = new_server(
        {
            "CLOUDBANG_STORAGE_PATH": str(small_disk / "data"),
            "CLOUDBANG_STORAGE_KEEP_FREE_BYTES": str(keep_free),
        }
    )
    wait_until(lambda: not _notices(server), 20, "the engine's first answer, and no other notice")
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        file.truncate(0)
        left = _free(small_disk) - keep_free - MIB
        for _ in range(left // 65536):
            file.write(b"\0" * 65536)
    one = container(ticker("full", 5000, burst=100))
    wait_until(lambda: "storage-full" in _notices(server), 40, "the notice of a full disk")
    # It stays full for a while, under load: the pages go on answering.
    for _ in range(20):
        assert server.client.get("/healthz").status_code in (200, 503)
        assert server.client.get("/api/v1/apps").status_code == 200
    assert server.process.poll() is None, server.said()
    wait_until(lambda: one.logs(tail=1001).count(b"\n") > 1000, 20, "more than 1,000 lines")
    one.kill()
    one.wait()
    ballast.unlink()
    wait_until(lambda: "storage-full" not in _notices(server), 20, "the notice to go")
    assert assert_same(server, one.name, one) > 1000
    # What is on disk is whole: a fresh start reads the same.
    server.restart()
    assert_same(server, one.name, one)


@pytest.mark.engine
def test_with_no_byte_left_one_gets_in_and_what_is_put_costs_no_memory(
    container, new_server, small_disk: Path
) -> None:
    """A program puts 20 MB/s meanwhile. Who comes to make room signs in and opens a terminal; when
    there is room everything goes on, the server is the same, and it stops as ever."""
    server = new_server(
        {
            "CLOUDBANG_STORAGE_PATH": str(small_disk / "data"),
            "CLOUDBANG_STORAGE_KEEP_FREE_BYTES": "0",
        }
    )
    one = container(["sleep", "1000000"])
    database = small_disk / "data" / "cloudbang.db"
    wait_until(lambda: database.stat().st_size > 2 * MIB, what="the database's own room")
    out = zmq.Context.instance().socket(zmq.PUB)
    out.set(zmq.SNDHWM, 2000)
    out.connect(server.bus_sub)
    try:
        wait_until(lambda: _put(out, "before") or _texts(server) == {"before"}, every=0.1)
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        began, most = _memory(server.pid), 0
        chunk = ["x" * 2000] * 100
        for n in range(150):  # 30 MB in 1.5 s
            _put(out, chunk, f"app{n % 5}")
            time.sleep(0.01)
            most = max(most, _memory(server.pid) - began)
        assert most < 64 * MIB
        wait_until(lambda: "storage-full" in _notices(server), 20, "the notice of a full disk")
        assert _free(small_disk) < 4096
        with Person(server) as person:
            terminal = person.terminal(one.name).ready()
            assert "there is room" in terminal.run("echo there is ro''om")
            terminal.close()
        with httpx.Client(base_url=server.url, trust_env=False, timeout=patient(20)) as client:
            dropped = 'cloudbang_bus_dropped_total{cause="room",topic="put"}'
            wait_until(lambda: dropped in client.get("/metrics").text, 20, "what had no room")
        ballast.unlink()
        wait_until(lambda: _put(out, "after") or "after" in _texts(server), 20, every=0.1)
    finally:
        out.close(0)
    assert "before" in _texts(server)
    assert server.terminate() == 0
    assert "Traceback" not in server.log.read_text()


def _put(out: zmq.Socket[bytes], body: object, app: str = "cron") -> None:
    out.send_multipart([f"put/log/{app}/".encode(), b'{"v":1}', json.dumps(body).encode()])


def _texts(server: ServerProcess) -> set[str]:
    answer = server.client.get("/api/v1/apps/cron/lines", params={"limit": 5000})
    return {line[4] for line in answer.json()["lines"]} if answer.status_code == 200 else set()


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _notices(server) -> list[str]:
    return [notice["code"] for notice in server.get("/api/v1/status")["notices"]]


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
