"""Folders that somebody sends, the bad ones too."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.deploy.uploads import UploadRefused, unpack


def tar(*members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w") -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
            else:
                archive.addfile(member)
    return io.BytesIO(out.getvalue())


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def found(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("packed", ["w", "w:gz", "w:bz2", "w:xz"])
def test_files_and_folders_come_out(tmp_path: Path, packed: str) -> None:
    """However it is packed; whether a file can be run stays, and nothing else of its mode."""
    script = tarfile.TarInfo("bin/run")
    script.mode, script.size = 0o4777, 0
    folder = special("empty/", tarfile.DIRTYPE)
    done = unpack(
        tar(("./a.txt", b"one"), ("中文 b", b"two"), script, folder, mode=packed), tmp_path
    )
    assert found(tmp_path) == {"a.txt": b"one", "中文 b": b"two", "bin/run": b""}
    assert (tmp_path / "empty").is_dir()
    assert (tmp_path / "bin/run").stat().st_mode & 0o7777 == 0o755 & ~_umask()
    assert (done.files, done.bytes, done.left) == (3, 6, 0)


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a/b/../../../x", "x" * 1001])
def test_a_path_that_leads_elsewhere_refuses_the_whole(tmp_path: Path, name: str) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(UploadRefused) as e:
        unpack(tar((name, b"x")), into)
    assert e.value.why == "outside"
    assert list(tmp_path.iterdir()) == [into]


def test_links_devices_and_pipes_are_left_out_and_said(tmp_path: Path) -> None:
    """And nobody writes through one."""
    into, other = tmp_path / "into", tmp_path / "other"
    into.mkdir()
    other.mkdir()
    done = unpack(
        tar(
            special("link", tarfile.SYMTYPE, str(other)),
            ("link/file", b"x"),
            special("hard", tarfile.LNKTYPE, "/etc/passwd"),
            special("dev", tarfile.CHRTYPE),
            special("pipe", tarfile.FIFOTYPE),
        ),
        into,
    )
    assert found(into) == {"link/file": b"x"}
    assert list(other.iterdir()) == []
    assert (done.left, done.left_out) == (4, ["link", "hard", "dev", "pipe"])


def test_what_is_too_much_is_refused(tmp_path: Path) -> None:
    """By what it unpacks to and not by what was sent."""
    with pytest.raises(UploadRefused) as e:
        unpack(tar(("zeros", b"\0" * 5_000_000), mode="w:gz"), tmp_path, most_bytes=4_000_000)
    assert (e.value.why, e.value.limit) == ("too-large", 4_000_000)
    with pytest.raises(UploadRefused) as e:
        unpack(tar(*((f"f{n}", b"") for n in range(11))), tmp_path, most_files=10)
    assert e.value.why == "too-many"


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_names_that_fill_the_memory_are_not_read(tmp_path: Path, kind: bytes) -> None:
    """Packed they are nothing; the size alone refuses them."""
    info = special("x", kind)
    info.size = 50_000_000
    out = io.BytesIO()
    with gzip.open(out, "wb") as packed:
        packed.write(info.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 1024)
    with pytest.raises(UploadRefused) as e:
        unpack(io.BytesIO(out.getvalue()), tmp_path)
    assert e.value.why == "too-large"


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UploadRefused) as e:
        unpack(tar(("a", b""), ("a/b", b"")), tmp_path)
    assert e.value.why == "twice"


def test_one_that_is_there_twice_is_the_last(tmp_path: Path) -> None:
    unpack(tar(("a", b"old and long"), ("a", b"new")), tmp_path)
    assert found(tmp_path) == {"a": b"new"}


GOOD = tar(("a.txt", b"x" * 3000), mode="w:gz").getvalue()


@pytest.mark.parametrize("sent", [b"", b"not a tar", b"\0" * 100, GOOD[:-30], GOOD[:40]])
def test_what_is_no_tar_is_said(tmp_path: Path, sent: bytes) -> None:
    with pytest.raises(UploadRefused) as e:
        unpack(io.BytesIO(sent), tmp_path)
    assert e.value.why == "not-tar"


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_damaged_one_is_unpacked_or_refused(tmp_path_factory, at: int, byte: int) -> None:
    """One byte of it is another: whatever comes out, nothing else is raised."""
    folder = tmp_path_factory.mktemp("damaged")
    damaged = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    try:
        unpack(io.BytesIO(damaged), folder)
    except UploadRefused:
        return
    assert all(len(content) <= 3000 for content in found(folder).values())
