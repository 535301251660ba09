"""Folders that were sent, on disk until their deployment is settled."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event as Flag

from cloudbang.deploy.kept_uploads import KeptUploads
from cloudbang.deploy.uploads import UploadRefused
from cloudbang.errors import StorageFailed, StorageFull
from tests.support import patient


def archive(packed: bool = True, **files: str) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz" if packed else "w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    made.seek(0)
    return made


@pytest.fixture
def uploads(tmp_path: Path) -> KeptUploads:
    return KeptUploads(tmp_path, keep_free=0)


def left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / ".deploy" / "uploads"))


def test_what_is_sent_is_kept_for_its_owner_alone(uploads: KeptUploads, tmp_path: Path) -> None:
    upload = uploads.keep(archive(a="one", b="two"))
    assert (upload.files, upload.bytes, upload.left, upload.left_out) == (2, 6, 1, ("link",))
    folder = uploads.folder(upload.id)
    assert folder is not None
    assert sorted(os.listdir(folder)) == ["a", "b"]
    assert left(tmp_path) == [upload.id]
    assert (tmp_path / ".deploy").stat().st_mode & 0o777 == 0o700
    uploads.discard(upload=upload.id)
    assert uploads.folder(upload.id) is None
    assert left(tmp_path) == []


@pytest.mark.parametrize("id", ["", "..", "../../etc", "x" * 32, "0" * 31])
def test_no_other_folder_is_an_upload(uploads: KeptUploads, tmp_path: Path, id: str) -> None:
    (tmp_path / "kept").write_text("x")
    assert uploads.folder(id) is None
    uploads.discard(upload=id)
    assert (tmp_path / "kept").exists()


def test_of_what_is_refused_nothing_is_left(uploads: KeptUploads, tmp_path: Path) -> None:
    with pytest.raises(UploadRefused):
        uploads.keep(io.BytesIO(b"no tar at all" * 100))
    with pytest.raises(UploadRefused, match="would be written outside"):
        uploads.keep(archive(**{"../x": "y"}))
    small = KeptUploads(tmp_path, keep_free=0, most=100)
    with pytest.raises(UploadRefused, match="unpacks to more than 100 bytes"):
        small.keep(io.BytesIO(bytes(1000)))
    assert left(tmp_path) == []


def test_of_one_that_breaks_off_nothing_is_left(uploads: KeptUploads, tmp_path: Path) -> None:
    class Broken:
        def __init__(self) -> None:
            self.parts = iter([b"x" * 1000])

        def read(self, size: int) -> bytes:
            if (part := next(self.parts, None)) is None:
                raise ConnectionResetError(104, "Connection reset by peer")
            return part

    with pytest.raises(StorageFailed, match="reset by peer"):
        uploads.keep(Broken())
    assert left(tmp_path) == []


def test_the_data_disk_keeps_what_it_is_to_keep(tmp_path: Path) -> None:
    """An upload must not be what fills it."""
    with pytest.raises(StorageFull):
        KeptUploads(tmp_path, keep_free=2**60).keep(archive(a="one"))
    assert left(tmp_path) == []


class Slow:
    """What is sent: nothing of it comes after the first piece until it is let."""

    def __init__(self, data: bytes) -> None:
        self._data, self.begun, self.let = io.BytesIO(data), Flag(), Flag()

    def read(self, size: int) -> bytes:
        if self.begun.is_set():
            self.let.wait()
        self.begun.set()
        return self._data.read(min(size, 32 * 1024))


def test_several_at_once_leave_as_much_free_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for each, with what is unpacked of it, but not for both: the one that comes to
    the end of it is refused, and the other is not."""
    data = archive(packed=False, a="x" * 200_000).getvalue()

    whole = 600_000

    def statvfs(path: object) -> SimpleNamespace:
        there = 0
        for place, _, names in os.walk(tmp_path):
            for name in names:
                with suppress(FileNotFoundError):  # the other one has moved it meanwhile
                    there += (Path(place) / name).stat().st_size
        return SimpleNamespace(f_bavail=whole - there, f_frsize=1)

    monkeypatch.setattr(os, "statvfs", statvfs)
    uploads = KeptUploads(tmp_path, keep_free=0)
    first, second = Slow(data), Slow(data)
    coming = [gevent.spawn(uploads.keep, one) for one in (first, second)]
    assert first.begun.wait(patient(5))
    assert second.begun.wait(patient(5))
    first.let.set()
    kept = coming[0].get(timeout=patient(10))
    second.let.set()
    with pytest.raises(StorageFull):
        coming[1].get(timeout=patient(10))
    assert left(tmp_path) == [kept.id]
    whole += 200_000
    third = Slow(data)
    third.let.set()
    assert uploads.keep(third).bytes == 200_000


def test_what_nobody_needs_is_removed(uploads: KeptUploads, tmp_path: Path) -> None:
    one, two = uploads.keep(archive(a="1")), uploads.keep(archive(a="2"))
    (tmp_path / ".deploy" / "uploads" / ("0" * 32 + ".tar")).write_text("half of it")
    fetched = [uploads.fetched(7), uploads.fetched(8)]
    assert uploads.sweep([one.id], [7], older=60) == 0
    assert uploads.sweep([one.id], [7], older=0) == 3
    assert left(tmp_path) == [one.id]
    assert uploads.folder(two.id) is None
    assert [path.is_dir() for path in fetched] == [True, False]


def test_what_is_fetched_again_begins_with_nothing(uploads: KeptUploads) -> None:
    folder = uploads.fetched(7)
    (folder / "old").write_text("x")
    assert os.listdir(uploads.fetched(7)) == []
    uploads.discard(deployment=7)
    assert not folder.exists()
