"""A folder that somebody sends as tar, unpacked where it can do no harm.

Only files and folders come out of it, and only below the folder they are for. Links, devices and
pipes are left out, and said; a path that leads elsewhere refuses the whole. Blocking: for a thread.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path
from typing import IO

from cloudbang.errors import CloudBangError, StorageFailed

MOST_BYTES = 2 * 1024**3
MOST_FILES = 100_000
LONGEST = 1_000  # bytes of a path
CHUNK = 1024 * 1024
HEADER = 64 * 1024  # bytes of names and attributes of one member: they are read into memory whole
BLOCK = 4096  # bytes that a file or a folder takes at least on a disk
TOLD = 20  # of what was left out, by name


Take = Callable[[int], None]
"""Told how many bytes are about to be written; raises where they are too many."""


class UploadRefused(CloudBangError):
    """What was sent cannot be unpacked. ``why``: not-tar, outside, too-large, too-many, twice."""

    code = "upload-refused"
    status = 422
    sentence = "what was sent is no tar archive, or a damaged one"
    variants = {  # noqa: RUF012
        ("why", "outside"): "{name} would be written outside of the folder: send paths within it",
        ("why", "too-large"): "what was sent unpacks to more than {limit} bytes",
        ("why", "too-many"): "what was sent has more than {limit} files and folders",
        ("why", "twice"): "{name} is there as a file and as a folder",
    }

    def __init__(self, why: str, name: str = "", limit: int = 0) -> None:
        self.why, self.name, self.limit = why, name, limit
        super().__init__(why, name, limit)


@dataclass(slots=True)
class Unpacked:
    """``left_out``: the names of links, devices and pipes, the first ones; ``left`` how many."""

    files: int = 0
    bytes: int = 0
    left: int = 0
    left_out: list[str] = field(default_factory=list)


def unpack(
    archive: IO[bytes],
    into: Path,
    *,
    most_bytes: int = MOST_BYTES,
    most_files: int = MOST_FILES,
    take: Take = lambda size: None,
) -> Unpacked:
    """Unpack a tar, packed or not, into an empty folder that only we write to.

    Raises UploadRefused, StorageFailed, and what ``take`` raises; what was unpacked until then is left for the caller to
    remove.
    """
    done = Unpacked()
    try:
        with tarfile.open(fileobj=archive, mode="r|*", tarinfo=_Member) as tar:
            for count, member in enumerate(tar, 1):
                if count > most_files:
                    raise UploadRefused("too-many", limit=most_files)
                take(BLOCK)
                _take(tar, member, into, done, most_bytes, take)
    except (tarfile.TarError, zlib.error, LZMAError, EOFError, ValueError, OverflowError):
        raise UploadRefused("not-tar") from None
    except OSError as e:
        # What reads packed archives says it this way, without a number.
        if e.errno is None:
            raise UploadRefused("not-tar") from None
        raise StorageFailed(str(into), e.strerror or str(e)) from e
    return done


class _Member(tarfile.TarInfo):
    """One whose long names and attributes are not read before their size was looked at: a few
    kilobytes that are packed well would be gigabytes of memory."""

    _HEADERS = (
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    )

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in self._HEADERS and self.size > HEADER:
            raise UploadRefused("too-large", limit=HEADER)
        return super()._proc_member(archive)  # type: ignore[misc]


def _take(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    into: Path,
    done: Unpacked,
    most_bytes: int,
    take: Take,
) -> None:
    path = _within(member.name)
    if not (member.isreg() or member.isdir()):
        done.left += 1
        if len(done.left_out) < TOLD:
            done.left_out.append(path[:200])
        return
    if not path:
        return  # the folder itself
    target = into / path
    try:
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # Of modes only whether it can be run: what it will run as, the image says.
        mode = 0o755 if member.mode & 0o100 else 0o644
        # One that is there twice is what came last, as tar has it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(target, flags, mode), "wb") as file:
            source = tar.extractfile(member)
            assert source is not None
            while chunk := source.read(CHUNK):
                done.bytes += len(chunk)
                if done.bytes > most_bytes:
                    raise UploadRefused("too-large", limit=most_bytes)
                take(len(chunk))
                file.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise UploadRefused("twice", path[:200]) from None
    done.files += 1


def _within(name: str) -> str:
    """The path in its folder, "" for the folder itself. Raises UploadRefused."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:
        raise UploadRefused("outside", name[:200]) from None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name or len(raw) > LONGEST:
        raise UploadRefused("outside", name[:200])
    return "/".join(parts)
