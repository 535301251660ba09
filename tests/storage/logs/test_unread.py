"""A log that cannot be read when the store is opened is its app's trouble, and heals by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudbang.core.notices import Notices
from cloudbang.errors import StorageFailed
from cloudbang.storage.logs import unread
from cloudbang.storage.logs.log_store import LogStore, Query
from tests.storage.logs.records import Clock, lines, opened, settings
from tests.support import wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "AGAIN", (0.02, 0.1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two apps of five lines."""
    with opened(tmp_path) as store:
        for app in ("web", "db"):
            store.append(app, lines(5))
    return tmp_path


@pytest.fixture
def reopened(root: Path) -> Iterator[Callable[[], tuple[LogStore, Notices]]]:
    made: list[LogStore] = []

    def opens() -> tuple[LogStore, Notices]:
        notices = Notices()
        store = LogStore(root, settings=settings(root), clock=Clock(), notices=notices)
        store.open()
        made.append(store)
        return store, notices

    yield opens
    for store in made:
        store.close()


def _segment(root: Path, app: str) -> Path:
    return next((root / "default" / app).glob("*.log"))


def test_one_that_cannot_be_read_stops_nobody(root: Path, reopened) -> None:
    """The others are stored and read; of this one nothing is said that is not known; once it can
    be read its seqs go on."""
    broken = _segment(root, "web")
    kept = broken.rename(root / "kept")
    broken.mkdir()
    store, notices = reopened()
    assert store.append("db", lines(1)) == 6
    for asked in (
        lambda: store.append("web", lines(1)),
        lambda: store.enqueue("web", lines(1)),
        lambda: store.read("web", Query(limit=5)),
        lambda: list(store.scan("web", Query())),
        lambda: store.raw_after("web", 0),
        lambda: store.find("web", Query()),
        lambda: store.pick("web", [1], Query()),
        lambda: store.newest("web", 5, 5000),
        lambda: store.seq_at("web", 0),
        lambda: store.resume_point("web", "a" * 12),
        lambda: store.delete_lines("web"),
    ):
        with pytest.raises(StorageFailed) as told:
            asked()
        assert str(root / "default" / "web") in str(told.value)
    assert store.offer("web", lines(1), 0.0) is None
    assert "web" in store
    assert store.has_lines("web")
    assert ("web", "default") in store.names()
    assert not store.forget("web", lambda: True)
    assert store.health is None
    wait_until(notices.now)
    assert [(one.code, one.app) for one in notices.now()] == [("storage-app-failed", "web")]
    broken.rmdir()
    kept.rename(broken)
    wait_until(lambda: not notices.now())
    assert "web" in store.take_written(), "whoever looks there learns that it is back"
    assert store.append("web", lines(1)) == 6
    assert len(store.read("web", Query(limit=50)).lines) == 6


def test_one_that_is_moved_away_begins_again(root: Path, reopened) -> None:
    """What a person does about a folder that cannot be read."""
    broken = _segment(root, "web")
    broken.unlink()
    broken.mkdir()
    store, notices = reopened()
    wait_until(notices.now)
    (root / "default" / "web").rename(root / "web.broken")
    wait_until(lambda: not notices.now())
    assert store.append("web", lines(2)) == 1
    assert len(store.read("web", Query(limit=50)).lines) == 2


def test_a_folder_that_takes_no_writes_is_read(root: Path, reopened) -> None:
    """Leftovers in it are no reason to fail either; the writes go on when it takes them again."""
    folder = root / "default" / "web"
    (folder / "marks.json.tmp").write_text("left by one that was killed")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        store, notices = reopened()
        assert len(store.read("web", Query(limit=50)).lines) == 5
        assert store.append("db", lines(1)) == 6
        with pytest.raises(StorageFailed):
            store.append("web", lines(1))
        assert [one.app for one in notices.now()] == ["web"]
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert store.append("web", lines(1)) == 6
    assert not notices.now()


def test_what_was_deleted_is_not_forgotten_for_want_of_a_file(
    root: Path, reopened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks that cannot be read are not marks that are not there: nothing would be known of what
    must not be stored a second time."""
    really = Path.read_bytes

    def refused(self: Path) -> bytes:
        if self.name == "marks.json" and self.parent.name == "web":
            raise OSError(5, os.strerror(5), str(self))
        return really(self)

    monkeypatch.setattr(Path, "read_bytes", refused)
    store, _ = reopened()
    with pytest.raises(StorageFailed):
        store.resume_point("web", "a" * 12)
    monkeypatch.undo()
    wait_until(lambda: "web" in store and store.last("web"))
    assert store.resume_point("web", "a" * 12) is not None
