"""One recording as a file: asciicast v2, so that ``asciinema play`` and ``cat`` read it without
CloudBang, and packed with zstd (``zstdcat``) once nothing is added any more.

All functions here block on the disk: call them in a thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import orjson
import zstandard

from cloudbang.storage.recordings.asciicast import SLICE, Encoder, Part, stopped

MARKER_ROOM = 128  # bytes of the limit that are kept for the last marker
LEVEL = 3  # of zstd: 200 MB of text in about a second; higher ones gain little on terminals
PIECE = 256 * 1024  # bytes handed out at a time when a recording is read
WINDOW = 1024 * 1024  # bytes looked at together; a line has 400 KB at most
FRAME_HEADER = 18  # bytes it has at most


class CastFile:
    """A recording that is being written. It is open while something is added, not in between:
    there may be hundreds, and most are idle."""

    __slots__ = ("_encoder", "_head", "_limit", "path", "written")

    def __init__(self, path: str, head: bytes, limit: int) -> None:
        """``limit`` in bytes, 0 for none. The file is made when something is added first."""
        self.path = path
        self.written = 0  # bytes of whole lines in the file
        self._head = head
        self._limit = limit
        self._encoder = Encoder()

    def add(self, parts: list[Part], at: float, end: str = "") -> str:
        """Add ``parts``. ``end`` says that nothing follows: ``"end"``, or the reason for stopping
        before it, which becomes a marker at ``at``.

        Gives the reason why nothing more can be added, "" when it can: ``limit``, ``disk-full``,
        ``failed``. The file ends with a whole line, and where that is possible with a marker.
        """
        try:
            fd = self._open()
        except OSError as e:
            return reason_of(e)
        try:
            return self._add(fd, parts, at, end)
        except OSError as e:
            reason = reason_of(e)
            with suppress(OSError):  # else the torn line is cut off before it is packed
                os.ftruncate(fd, self.written)
                self._put(fd, stopped(at, reason))
            return reason
        finally:
            os.close(fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CLOEXEC
        if not self._head:  # a file that somebody removed is not begun again in the middle
            return os.open(self.path, flags)
        os.makedirs(os.path.dirname(self.path), 0o700, exist_ok=True)
        return os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600)

    def _add(self, fd: int, parts: list[Part], at: float, end: str) -> str:
        if self._head:
            head, self._head = self._head, b""
            self._put(fd, head)
        held: list[bytes] = []
        size = 0
        for line in self._lines(parts, at, end):
            if self._limit and self.written + size + len(line) > self._limit - MARKER_ROOM:
                self._put(fd, b"".join(held) + stopped(at, "limit"))
                return "limit"
            held.append(line)
            size += len(line)
            if size >= SLICE:  # each write lets the hub have the GIL
                self._put(fd, held[0] if len(held) == 1 else b"".join(held))
                held, size = [], 0
        if end and end != "end":
            held.append(stopped(at, end))
        if held:
            self._put(fd, b"".join(held))
        return ""

    def _lines(self, parts: list[Part], at: float, end: str) -> Iterator[bytes]:
        yield from self._encoder.lines(parts)
        if end and (last := self._encoder.last(at)):
            yield last

    def _put(self, fd: int, data: bytes) -> None:
        done = os.pwrite(fd, data, self.written)
        while done < len(data):  # a full disk takes a part first and says so the next time
            done += os.pwrite(fd, memoryview(data)[done:], self.written + done)
        self.written += done


def reason_of(error: OSError) -> str:
    return "disk-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failed"


def whole(file: BinaryIO) -> int:
    """Bytes of a plain recording up to the end of its last good line: a kill or a power cut
    leaves a torn one, or zeros, behind it."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - WINDOW, 0)
        file.seek(start)
        data = file.read(end - start)
        stop, begins_before = len(data), False
        while (cut := data.rfind(b"\n", 0, stop)) >= 0:
            before = data.rfind(b"\n", 0, cut)
            begins_before = before < 0 and start > 0
            if begins_before:
                break
            with suppress(orjson.JSONDecodeError):
                orjson.loads(data[before + 1 : cut])
                return start + cut + 1
            stop = before + 1
        # Once more from the end of a line that begins before the window; one that is longer than
        # a window is none of ours.
        end = start + cut + 1 if begins_before and cut + 1 < len(data) else start
    return 0


def pack(path: str, stopping: Callable[[], bool]) -> int:
    """Replace ``X.cast`` by ``X.cast.zst``, without a torn last line; gives the bytes it has then.

    One in which nothing is whole is removed. ``stopping`` is asked every 256 KiB; when it says so
    everything stays as it was. Raises OSError.
    """
    packed, temporary = f"{path}.zst", f"{path}.zst.tmp"
    try:
        with open(path, "rb") as source:
            size = whole(source)
            if not size:
                os.unlink(path)
                return 0
            source.seek(0)
            made = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(made, "wb") as target:
                _compress(source, target, size, stopping)
                target.flush()
                os.fsync(target.fileno())
                taken = target.tell()
        stat = os.stat(path)
        os.utime(temporary, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # its age is since its end
        os.replace(temporary, packed)
        os.unlink(path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return taken


def _compress(source: BinaryIO, target: BinaryIO, size: int, stopping: Callable[[], bool]) -> None:
    # With the size in its frame, so that a reader knows how long it is before it unpacks it.
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    with compressor.stream_writer(target, size=size, closefd=False) as writer:
        left = size
        while left:
            if stopping():
                raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR), source.name)
            piece = source.read(min(PIECE, left))
            if not piece:
                raise OSError(errno.EIO, "it has become shorter", source.name)
            left -= len(piece)
            writer.write(piece)


class CastReader:
    """A recording that is open for reading: plain or packed, it gives the same text."""

    def __init__(self, folder: str, session: str, written: int | None) -> None:
        """``written``: how much of it there is while it is written. Raises FileNotFoundError,
        OSError."""
        self._file, packed = _find(folder, session)
        try:
            if packed:
                start = self._file.read(FRAME_HEADER)
                self.size = zstandard.frame_content_size(start)  # bytes of text
                if self.size < 0:
                    raise OSError(errno.EIO, "its length is not known", self._file.name)
                self._file.seek(0)
                self._source: Any = zstandard.ZstdDecompressor().stream_reader(self._file)
            else:
                self.size = whole(self._file) if written is None else written
                self._file.seek(0)
                self._source = self._file
        except zstandard.ZstdError as e:
            self._file.close()
            raise OSError(errno.EIO, str(e), self._file.name) from e
        except OSError:
            self._file.close()
            raise
        self._left = self.size

    def piece(self) -> bytes:
        """The next 256 KiB at most; ``b""`` at the end. Raises OSError."""
        try:
            data: bytes = self._source.read(min(PIECE, self._left))
        except zstandard.ZstdError as e:
            raise OSError(errno.EIO, str(e), self._file.name) from e
        if not data and self._left:
            raise OSError(errno.EIO, "it is cut off", self._file.name)
        self._left -= len(data)
        return data

    def close(self) -> None:
        """May be called twice."""
        self._file.close()


def _find(folder: str, session: str) -> tuple[BinaryIO, bool]:
    for day in sorted(os.listdir(folder), reverse=True):
        # In this order: the plain one goes when the packed one is there.
        for suffix in (".cast", ".cast.zst"):
            with suppress(FileNotFoundError, NotADirectoryError):
                return open(f"{folder}/{day}/{session}{suffix}", "rb"), suffix == ".cast.zst"
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), session)
