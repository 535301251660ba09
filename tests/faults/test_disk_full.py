"""A data disk that is full, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.truth import assert_same, ticker
from tests.support import wait_until

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


def _notices(server) -> list[str]:
    return [notice["code"] for notice in server.get("/api/v1/status")["notices"]]


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
