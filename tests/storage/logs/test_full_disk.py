"""A disk with no room: collecting pauses, nothing is lost or doubled, it goes on by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest
from gevent import monkey

from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.segment_writer import SegmentWriter, Write
from tests.storage.logs.records import line, lines, opened
from tests.support import patient


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


def _until_full(store: LogStore, batch: int = 50) -> int:
    """Append until it is refused. Gives the seq that would have come next."""
    for i in range(1000):
        before = store.next_seq("web")
        try:
            store.append("web", [line(f"{i} {'x' * 1000}", i)] * batch)
        except StorageFull:
            assert store.next_seq("web") == before
            return before
    raise AssertionError("it never got full")


def test_a_full_disk_refuses_whole_batches_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    """A refused batch leaves no byte behind, and the same batch is taken later with its seq."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1024 * 1024))
    with opened(small_disk) as store:
        told: list[str | None] = []
        store.on_health.append(lambda t: told.append(t.kind if t else None))
        seq = _until_full(store)
        assert store.health
        assert store.health.kind == "full"
        assert str(small_disk) in store.health.message
        assert len(store.read("web", Query(limit=5000)).lines) == seq - 1
        with pytest.raises(StorageFull):
            store.append("other", lines(2000))
        size = sum(p.stat().st_size for p in (small_disk / "default" / "web").glob("*.log"))
        assert size == store.stats()["web"].bytes
        ballast.unlink()
        assert store.append("web", lines(50)) == seq
        assert store.health is None
        assert told == ["full", None]
        assert store.append("other", lines(3)) == 1
    with opened(small_disk) as store:
        assert store.next_seq("web") == seq + 50
        assert store.next_seq("other") == 4
        got = [raw for _, raw in store.read("web", Query(after=seq - 1)).lines]
        assert got == lines(50)


def test_trouble_ends_by_itself_without_a_write(small_disk: Path) -> None:
    """Room again, nobody logs: the banner goes within seconds all the same."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1024 * 1024))
    with opened(small_disk) as store:
        _until_full(store)
        ballast.unlink()
        with gevent.Timeout(patient(5)):
            while store.health:
                gevent.sleep(0.02)


def test_some_room_is_kept_free(small_disk: Path) -> None:
    """Writing stops before the disk is full, so that the rest of the machine can go on."""
    with opened(small_disk, keep_free_bytes=1024 * 1024) as store:
        _until_full(store, batch=5)
        disk = os.statvfs(small_disk)
        assert disk.f_bavail * disk.f_frsize > 900 * 1024


def test_a_store_opens_and_reads_on_a_full_disk(small_disk: Path) -> None:
    """No room is no reason not to start: what is there is shown."""
    with opened(small_disk) as store:
        seq = _until_full(store)
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    for name in (small_disk / "default" / "web").glob("*.idx"):
        name.write_bytes(b"rubbish")
    with opened(small_disk) as store:
        assert store.next_seq("web") == seq
        assert len(store.read("web", Query(limit=10)).lines) == 10
        with pytest.raises(StorageFull):
            store.append("web", lines(500))
        (small_disk / "ballast").unlink()
        assert store.append("web", lines(1)) == seq


def test_a_folder_that_cannot_be_written_is_told_and_recovers(tmp_path: Path) -> None:
    """Another failure than a full disk names the path, harms no other app, and ends."""
    with opened(tmp_path) as store:
        (tmp_path / "default" / "web").write_text("a file where a folder should be")
        with pytest.raises(StorageFailed, match="web"):
            store.append("web", lines(1))
        assert store.refuses("web")
        assert store.append("db", lines(1)) == 1
        assert not store.refuses("db")
        (tmp_path / "default" / "web").unlink()
        assert store.append("web", lines(1)) == 1
        assert not store.refuses("web")
        assert store.health is None
        assert "web" in store.apps()


def test_a_closed_store_takes_nothing_more(tmp_path: Path) -> None:
    """After close a write is refused, not lost in silence."""
    with opened(tmp_path) as store:
        store.append("web", lines(1))
    with pytest.raises(StorageFailed):
        store.append("web", lines(1))


def test_only_one_write_that_takes_long_is_a_disk_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many that together take as long are a busy day; trouble ends with the one that comes back."""
    stalled = patient(0.3)
    monkeypatch.setattr("cloudbang.storage.logs.group_commit.STALLED", stalled)
    takes = [stalled / 15]
    write, sleep = SegmentWriter.write, monkey.get_original("time", "sleep")

    def slow(writer: SegmentWriter, writes: list[Write]) -> None:
        sleep(takes.pop() if len(takes) > 1 else takes[0])  # the disk is looked at again, too
        write(writer, writes)

    monkeypatch.setattr(SegmentWriter, "write", slow)
    told: list[str | None] = []
    with opened(tmp_path) as store:
        store.on_health.append(lambda health: told.append(health.kind if health else None))
        for n in range(40):
            store.append("web", [line(str(n), n)])
        assert told == []
        takes.append(2 * stalled)
        store.append("web", [line("slow", 40)])
        assert told == ["failed", None]
