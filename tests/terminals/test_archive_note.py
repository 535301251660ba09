"""A folder's archive, and the note in it that something is missing."""

from __future__ import annotations

import io
import tarfile

import pytest

from cloudbang.terminals.archive_note import CHANGED, MISSING, ArchiveReader, note

MEMBERS = {
    "./d/a": b"hello",
    "./d/" + "n" * 300: b"x" * 700,  # a name that takes members of its own
    "./d/empty": b"",
    "./d/zeros": bytes(5 * 512),  # no end of the archive, though it looks like one
}


def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        folder = tarfile.TarInfo("./d")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in MEMBERS.items():
            head = tarfile.TarInfo(name)
            head.size = len(content)
            tar.addfile(head, io.BytesIO(content))
    return made.getvalue()


def read(data: bytes, step: int) -> tuple[ArchiveReader, bytes]:
    reader = ArchiveReader()
    passed = b"".join(reader.feed(data[at : at + step]) for at in range(0, len(data), step))
    return reader, passed


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 1024, 10_000, 10**6])
def test_its_end_is_found_wherever_it_is_cut(step: int) -> None:
    data = archive()
    reader, passed = read(data, step)
    assert reader.ended
    assert passed + reader.rest == data
    with tarfile.open(fileobj=io.BytesIO(passed + note("tar: x: Cannot open: no", 5.0))) as tar:
        found = {one.name: tar.extractfile(one) for one in tar if one.isreg()}
        contents = {name: file.read() for name, file in found.items() if file}
    words = contents.pop(MISSING).decode()
    assert "could not be read" in words
    assert "无法读取" in words
    assert words.endswith("\ntar: x: Cannot open: no\n")
    assert contents == MEMBERS


@pytest.mark.parametrize("size", [0, 3, 600, 2000])
def test_one_that_breaks_off_has_no_end(size: int) -> None:
    reader, _ = read(archive()[:size], 100)
    assert not reader.ended


def test_what_is_no_archive_is_passed_on() -> None:
    data = b"no archive " * 1000
    reader, passed = read(data, 777)
    assert passed == data
    assert not reader.ended


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("tar: ./w/big: file changed as we read it", CHANGED),
        ("tar: ./w/a: File removed before we read it", CHANGED),
        ("tar: ./w/a: File shrank by 7 bytes; padding with zeros", CHANGED),
        (
            "tar: ./w/a: No such file or directory\ntar: error exit delayed from previous errors",
            CHANGED,
        ),
        (
            "tar: ./w/a: Cannot open: Permission denied\ntar: ./w/b: file changed as we read it",
            MISSING,
        ),
        ("tar: can't open './w/a': Permission denied", MISSING),
        ("sh: warning: setlocale: LC_ALL: cannot change locale", MISSING),
        ("", MISSING),
    ],
)
def test_what_changed_is_told_from_what_is_missing(said: str, name: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(note(said, 0))) as tar:
        assert tar.getnames() == [name]
