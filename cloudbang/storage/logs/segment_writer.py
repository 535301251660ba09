"""What the writing thread does: many apps' lines into their files in one go.

It is the only one that writes to active segments. It keeps no state of an app: where to write is
told with each :class:`Write`, so that after a failure nothing has to be undone but the file.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from cloudbang.storage.logs import index
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import Segment, index_written

OPEN_FILES = 128
"""Descriptors kept open for writing; an app beyond them pays for an open at each write."""


@dataclass(slots=True)
class Write:
    """``data`` goes to ``segment`` at its size, which is begun first when ``begin`` says so.

    ``ended`` is the file it goes on from, and is not written to any more.
    """

    segment: Segment
    data: bytes
    begin: bool
    ended: str = ""
    error: OSError | None = None  # set by the writer: then nothing of it is in the file


@dataclass(slots=True)
class Sync:
    """One file to make durable, and the index entries that may be written once it is."""

    segment: Segment
    entries: list[Block]
    index_size: int  # bytes its index file has; 0: begin one
    new: bool  # the folder has to be made durable too
    blocks: list[Block] = field(default_factory=list)  # of a closed segment: the whole index
    closed: bool = False
    gone: bool = False  # set when the file is not there any more
    error: OSError | None = None


class SegmentWriter:
    """Used from one thread at a time."""

    def __init__(self, root: str, keep_free: int) -> None:
        self._root = root
        self._keep_free = keep_free
        self._files: OrderedDict[str, int] = OrderedDict()
        self._torn: set[str] = set()  # files that could not be cut back after a failure

    def write(self, writes: list[Write]) -> None:
        """Do all of them; one that fails costs the others nothing."""
        short = self.short_of_room()
        for write in writes:
            if short:
                write.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._root)
                continue
            try:
                self._write(write)
            except OSError as e:
                write.error = e

    def short_of_room(self) -> bool:
        """Whether the disk has less than what is to be kept free."""
        try:
            disk = os.statvfs(self._root)
        except OSError:
            return False  # the write itself will say what is wrong
        return disk.f_bavail * disk.f_frsize < self._keep_free

    def probe(self) -> None:
        """Try to write some. Raises OSError."""
        if self.short_of_room():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._root)
        path = os.path.join(self._root, ".probe")
        try:
            with open(path, "wb") as file:
                file.write(bytes(64 * 1024))
        finally:
            with suppress(OSError):
                os.unlink(path)

    def forget(self, path: str) -> None:
        """Close the file if it is open."""
        fd = self._files.pop(path, None)
        if fd is not None:
            os.close(fd)

    def close(self) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def _write(self, write: Write) -> None:
        path, at = write.segment.path, write.segment.size
        fd = self._file(write)
        if path in self._torn:
            os.ftruncate(fd, at)
            self._torn.discard(path)
        data = write.data
        done = os.pwrite(fd, data, at)
        try:
            while done < len(data):  # a full disk takes a part first and says so the next time
                done += os.pwrite(fd, memoryview(data)[done:], at + done)
        except OSError:
            try:
                os.ftruncate(fd, at)
            except OSError:
                self._torn.add(path)
            raise

    def _file(self, write: Write) -> int:
        path, begin = write.segment.path, write.begin
        fd = self._files.get(path)
        if fd is not None and not begin:
            self._files.move_to_end(path)
            return fd
        if begin:
            os.makedirs(write.segment.folder, 0o750, exist_ok=True)
            self.forget(path)
            self.forget(write.ended)  # an open descriptor would keep its room on the disk
        flags = os.O_WRONLY | os.O_CLOEXEC | (os.O_CREAT | os.O_TRUNC if begin else 0)
        try:
            fd = os.open(path, flags, 0o640)
        except FileNotFoundError:
            if not begin:
                raise
            # The empty folder of an app that had been forgotten went away this very moment.
            os.makedirs(write.segment.folder, 0o750, exist_ok=True)
            fd = os.open(path, flags, 0o640)
        self._files[path] = fd
        while len(self._files) > OPEN_FILES:
            os.close(self._files.popitem(last=False)[1])
        return fd


def sync(work: list[Sync]) -> None:
    """Make files durable, then write what may be known of them. Runs in a thread of its own.

    Each is opened anew, because the writer may close its own descriptor at any moment; what is
    flushed is the file, whoever wrote it.
    """
    folders = {one.segment.folder for one in work if one.new}
    folders |= {os.path.dirname(folder) for folder in folders}  # the app may be new too
    for one in work:
        try:
            fd = os.open(one.segment.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(fd)
            finally:
                os.close(fd)
        except FileNotFoundError:
            one.gone = not one.closed
            continue
        except OSError as e:
            one.error = e
            continue
        with suppress(OSError):  # an index can be rebuilt
            _write_index(one)
            index_written(one.segment)
    for folder in folders:
        with suppress(OSError):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


def _write_index(one: Sync) -> None:
    if one.closed:
        index.save(one.segment.index_path, False, True, one.segment.size, one.blocks)
        return
    if not one.entries:
        return
    raw = b"".join(map(index.pack, one.entries))
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    at = one.index_size
    if not at:
        flags |= os.O_TRUNC
        raw = index.header(False, False, 0, index.summary([])) + raw
    fd = os.open(one.segment.index_path, flags, 0o640)
    try:
        os.pwrite(fd, raw, at)
    finally:
        os.close(fd)
    one.index_size = at + len(raw)
