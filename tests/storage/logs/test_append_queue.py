"""Appends that are not waited for: acknowledged in order, kept while the disk does not take them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from cloudbang.errors import StorageFailed
from cloudbang.storage.logs import group_commit
from cloudbang.storage.logs.log_store import LogStore, Query, Stored
from tests.storage.logs.records import line, lines, opened
from tests.support import patient, wait_until


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """2 MiB of tmpfs in which a file takes all there is."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path) -> None:
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def _texts(store: LogStore, app: str = "web") -> list[bytes]:
    return [raw[51:].rstrip(b"\n") for _, raw in store.read(app, Query(limit=5000)).lines]


def test_a_receipt_tells_the_seq(tmp_path: Path) -> None:
    """Nothing waits for the disk but who asks; then the lines are there with their seqs."""
    with opened(tmp_path) as store:
        told: list[Stored] = []
        store.on_stored.append(told.extend)
        receipts = [store.enqueue("web", [line(f"{n}"), line(f"{n} again")]) for n in range(50)]
        assert not receipts[0].seq
        assert receipts[-1].wait(patient(5))
        assert [receipt.seq for receipt in receipts] == list(range(1, 101, 2))
        assert len(_texts(store)) == 100
        assert told[0].first == 1
        assert [raw for part in told for raw in part.records] == [
            line(text) for n in range(50) for text in (f"{n}", f"{n} again")
        ]


def test_what_the_disk_does_not_take_waits_in_order(full_disk: Path) -> None:
    """Kept, tried again, stored once and in order; who does not want to wait is refused."""
    with opened(full_disk) as store:
        store.append("web", lines(1))
        _fill(full_disk)
        receipts = [store.enqueue("web", [line(f"{n} {'x' * 2000}")]) for n in range(40)]
        wait_until(lambda: store.health)
        assert not receipts[0].wait(0.3)
        receipts += [store.enqueue("web", [line(f"{n} {'x' * 2000}")]) for n in range(40, 60)]
        with pytest.raises(Exception, match=r"full|space|room"):
            store.append("other", lines(2000))
        gevent.sleep(1.5)
        assert not receipts[0].seq
        (full_disk / "ballast").unlink()
        assert receipts[-1].wait(patient(5))
        assert [receipt.seq for receipt in receipts] == list(range(2, 62))
        assert _texts(store)[1:] == [b"%d %b" % (n, b"x" * 2000) for n in range(60)]
        assert store.health is None


def test_one_folder_that_fails_holds_up_nobody_else(tmp_path: Path) -> None:
    """Its lines wait for it; the others' are stored meanwhile, and it is told all the time."""
    with opened(tmp_path) as store:
        (tmp_path / "default" / "web").write_text("a file where a folder should be")
        held = store.enqueue("web", lines(3))
        assert not held.wait(0.2)
        for n in range(20):
            assert store.enqueue("db", lines(1)).wait(patient(2))
            assert store.next_seq("db") == n + 2
            assert store.refuses("web")
        (tmp_path / "default" / "web").unlink()
        assert held.wait(patient(5))
        assert held.seq == 1


def test_more_than_there_is_room_for_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that the disk does not take fill the queue of their app and no more."""
    monkeypatch.setattr(group_commit, "ROOM", 64 * 1024)
    with opened(tmp_path) as store:
        (tmp_path / "default" / "web").write_text("a file where a folder should be")
        taken = 0

        def fill() -> None:
            nonlocal taken
            for _ in range(100):
                store.enqueue("web", [line("x" * 4000)])
                taken += 1

        filling = gevent.spawn(fill)
        wait_until(lambda: taken >= 10)
        filling.join(1.0)
        assert taken <= 17
        (tmp_path / "default" / "web").unlink()
        filling.join(patient(10))
        assert taken == 100
        store.append("web", lines(1))
        assert store.next_seq("web") == 102


def test_a_store_that_closes_tells_who_waits(tmp_path: Path) -> None:
    """What could not be stored is told as an error, so that whoever reads begins anew."""
    with opened(tmp_path) as store:
        store.append("db", lines(1))
        (tmp_path / "default" / "web").write_text("a file where a folder should be")
        held = store.enqueue("web", lines(3))
        assert not held.wait(0.2)
    assert held.wait(patient(1))
    assert isinstance(held.error, StorageFailed)
    with pytest.raises(StorageFailed):
        store.enqueue("db", lines(1))


def test_a_listener_that_fails_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is stored is acknowledged and told to the others."""
    with opened(tmp_path) as store:

        def fails(stored: Sequence[Stored]) -> None:
            raise RuntimeError("no")

        told: list[Stored] = []
        store.on_stored += [fails, told.extend]
        assert store.enqueue("web", lines(2)).wait(patient(2))
        assert store.enqueue("web", lines(1)).wait(patient(2))
        assert [(part.first, len(part.records)) for part in told] == [(1, 2), (3, 1)]
    assert "failed" in caplog.text


def test_a_commit_that_breaks_off_tells_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody thought of ends the receipts of its job; the next job is taken again."""
    with opened(tmp_path) as store:
        assert store.append("web", lines(1)) == 1
        with monkeypatch.context() as broken:
            broken.setattr(group_commit.GroupCommit, "_note", lambda self, jobs: 1 / 0)
            lost = store.enqueue("web", lines(1))
            assert lost.wait(patient(2))
            assert isinstance(lost.error, StorageFailed)
        assert store.enqueue("web", [line("after")]).wait(patient(5))
        assert _texts(store)[-1] == b"after"
    assert "ZeroDivisionError" in caplog.text
