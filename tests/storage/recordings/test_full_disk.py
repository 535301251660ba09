"""A disk with no room: recording stops and says so, the terminal and everything else goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from cloudbang.storage.recordings.recording import RecordingWriter
from tests.storage.recordings.test_asciicast import events, printed
from tests.storage.recordings.test_recordings import begin, files, name, opened, packed, text
from tests.support import wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """2 MiB of tmpfs."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_recording_between_two_events(small_disk: Path) -> None:
    """What is there is whole and can be replayed; with room again new ones are recorded."""
    told: list[str] = []
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    with opened(small_disk) as recordings:
        one = begin(recordings, told=told.append)
        pieces = [os.urandom(20_000).hex().encode() for _ in range(60)]
        for piece in pieces:
            one.output(piece)
            one.wait_for_room()
            gevent.sleep(0.01)
        wait_until(lambda: one.done)
        assert told == ["disk-full"]
        assert one.stopped == "disk-full"
        one.output(b"more")
        ballast.unlink()
        wait_until(packed(small_disk, 1))
        found = events(text(recordings))
        assert b"".join(pieces).decode().startswith(printed(text(recordings)))
        assert all(kind in "om" for _, kind, _ in found)
        assert one.end() == one.size
        again = begin(recordings, 2)
        again.output(b"there is room")
        again.end()
        assert printed(text(recordings, 2)) == "there is room"
    assert told == ["disk-full"]


def test_a_full_disk_is_not_tried_again_and_again(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much fifty terminals print, each asks the disk once."""
    writes = 0
    write = RecordingWriter._write

    def counted(self: RecordingWriter, jobs: list[object]) -> None:
        nonlocal writes
        writes += len(jobs)
        write(self, jobs)  # type: ignore[arg-type]

    monkeypatch.setattr(RecordingWriter, "_write", counted)
    told: list[str] = []
    ballast = os.open(small_disk / "ballast", os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):  # there is no room
        while os.write(ballast, bytes(4096)):
            pass
    os.close(ballast)
    removed: list[str] = []
    with opened(small_disk, on_removed=removed.extend) as recordings:
        many = [begin(recordings, n, told.append) for n in range(50)]
        for _ in range(20):
            for one in many:
                one.output(b"x" * 1000)
            gevent.sleep(0.02)
        wait_until(lambda: all(one.done for one in many))
        assert told == ["disk-full"] * 50
        for one in many:
            assert one.end() == 0
        assert writes <= 100
        wait_until(lambda: sorted(removed) == [name(n) for n in range(50)])
        assert files(small_disk) == []


def test_some_room_is_left_to_the_logs(small_disk: Path) -> None:
    """Recordings stop where collecting would have to, so that they never are why it has to."""
    told: list[str] = []
    with opened(small_disk, keep_free=1024 * 1024) as recordings:
        one = begin(recordings, told=told.append)
        while not one.stopped:
            one.output(os.urandom(20_000).hex().encode())
            one.wait_for_room()
            gevent.sleep(0.05)
        assert told == ["disk-full"]
        wait_until(packed(small_disk, 1))
        assert events(text(recordings))[-1][1:] == ["m", "recording-stopped: disk-full"]
        disk = os.statvfs(small_disk)
        assert disk.f_bavail * disk.f_frsize > 700 * 1024
