"""Files into the container of a terminal, and out of it: streamed through the engine's archives,
never held here, neither in memory nor on the disk."""

from __future__ import annotations

import posixpath
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, Any, Protocol

import gevent
from gevent.hub import get_hub

from cloudbang.engine.archive import ArchiveUpload, PathStat
from cloudbang.engine.stream import EngineStream
from cloudbang.errors import (
    BadRequest,
    CloudBangError,
    EngineRefused,
    FileRefused,
    NoSuchTerminal,
)
from cloudbang.terminal import processes
from cloudbang.terminal.book import Tell
from cloudbang.terminal.session import Session

PIECE = 256 * 1024  # bytes handed on at a time
NAME_BYTES, PATH_BYTES = 255, 4096  # what Linux allows
STALLED = 60.0  # seconds the engine may take for a piece
BLOCK = 512  # of a tar

# In memory or made by the kernel: the engine's archives see the disk below and not what is there.
# What it would take for such a folder would be in no folder that anybody can see.
UNREACHABLE = ("/proc", "/sys", "/dev")
IN_MEMORY = "this is in memory, where the engine does not reach: choose another folder"
BROKEN_OFF = "the engine broke off"

# What the engine says -> what a person is told; the rest is said as the engine says it.
REASONS = {
    "there is nothing here": "there is nothing here",
    "Could not find the file": "there is nothing here",
    "marked read-only": "it is read-only",
    "read-only file system": "it is read-only",
    "cannot overwrite directory": "there is a folder of this name",
    "no space left on device": "there is no room on the disk",
    "disk quota exceeded": "there is no room on the disk",
}

TARGET = "/proc/1/root"  # where a toolbox has the files of the container it was opened beside


class FileTooLarge(CloudBangError):
    """A file is larger than may be moved."""

    code = "file-too-large"
    status = 413
    sentence = "{path} has {size} bytes, and at most {limit} may be moved"

    def __init__(self, path: str, size: int, limit: int) -> None:
        self.path, self.size, self.limit = path, size, limit
        super().__init__(path, size, limit)

    def __str__(self) -> str:
        return self.sentence.format(path=self.path, size=self.size, limit=self.limit)


class Archives(Protocol):
    """What is asked of the engine; see ``engine.archive``."""

    def archive_stat(self, container: str, path: str) -> PathStat: ...
    def archive_get(self, container: str, path: str) -> EngineStream: ...
    def archive_put(self, container: str, folder: str, size: int) -> ArchiveUpload: ...
    def memory_folders(self, container: str) -> list[str]: ...


class Files:
    """``limit``: bytes of a file, or of a folder's archive; ``tell(app, container, who, what)``
    writes down a person's action."""

    def __init__(self, engine: Archives, limit: int, tell: Tell) -> None:
        self._engine, self.limit, self._tell = engine, limit, tell

    def folder(self, session: Session) -> str:
        """Where its foreground process works now, "" when nobody knows."""
        return _in_target(session, session.source.folder())

    def put(self, session: Session, folder: str, name: str, size: int, who: str) -> Upload:
        """The way for a new file of ``size`` bytes. One that is there is replaced.

        Raises BadRequest, FileTooLarge, FileRefused, NoSuchTerminal.
        """
        if (
            name in ("", ".", "..")
            or "/" in name
            or "\0" in name
            or len(name.encode()) > NAME_BYTES
        ):
            raise BadRequest("name", name, "the name of a file, without folders")
        container = _container(session)
        place = _in_target(session, _full(folder, "folder"))
        path = posixpath.join(place, name)
        if size > self.limit:
            raise FileTooLarge(path, size, self.limit)
        found, place = self._find(container, place)
        if found.kind != "folder":
            raise FileRefused(place, "this is no folder")
        head = tarfile.TarInfo(name)
        head.size, head.mode, head.mtime = size, 0o644, int(time.time())
        head.uid, head.gid = get_hub().threadpool.apply(_user_of, (session.source.pid, container))
        start = head.tobuf(tarfile.PAX_FORMAT)
        # The file is filled up to whole blocks; two empty ones are the end.
        end = b"\0" * (-size % BLOCK + 2 * BLOCK)
        way = self._engine.archive_put(container, place, len(start) + size + len(end))
        tell = partial(self._tell, session.spec.app, container[:12], who)
        return Upload(way, path, size, start, end, tell)

    def get(self, session: Session, path: str, who: str) -> Download:
        """A file as it is, or a folder as a tar. A path that is not full begins in the folder that
        the foreground process works in now.

        Raises BadRequest, FileTooLarge, FileRefused, NoSuchTerminal.
        """
        container = _container(session)
        if not path.startswith("/") and path:
            path = posixpath.join(self.folder(session) or "/", path)
        found, place = self._find(container, _in_target(session, _full(path, "path")))
        if found.kind not in ("file", "folder"):
            raise FileRefused(place, "this is neither a file nor a folder")
        if found.kind == "file" and found.size > self.limit:
            raise FileTooLarge(place, found.size, self.limit)
        with _said_of(place):
            download = Download(
                self._engine.archive_get(container, place), place, found.kind, self.limit
            )
        self._tell(session.spec.app, container[:12], who, "file-get")
        return download

    def _find(self, container: str, path: str) -> tuple[PathStat, str]:
        """What is at ``path``, and where it really is. Raises FileRefused."""
        with _said_of(path):
            memory = [*UNREACHABLE, *self._engine.memory_folders(container)]
            for _ in range(2):
                plain = posixpath.normpath(path)
                if any(plain == one or plain.startswith(one.rstrip("/") + "/") for one in memory):
                    raise FileRefused(path, IN_MEMORY)
                found = self._engine.archive_stat(container, path)
                if found.kind != "link":
                    break
                path = found.target
        return found, path


class Upload:
    """A file on its way into a container. ``close`` always."""

    def __init__(
        self,
        way: ArchiveUpload,
        path: str,
        size: int,
        start: bytes,
        end: bytes,
        tell: Callable[[str], None],
    ) -> None:
        self.path, self.size = path, size
        self.taken = 0  # bytes of the file that the engine has taken
        self._way, self._start, self._end, self._tell = way, start, end, tell
        self._whole = False

    def write(self, data: bytes) -> None:
        """Hand on the next bytes of the file. Raises FileRefused, EngineUnreachable."""
        with _said_of(self.path):
            self._way.write(self._start + data if self._start else data)
        self._start = b""
        self.taken += len(data)

    def finish(self) -> None:
        """All was written: wait until it is in the container. Raises as ``write``."""
        with _said_of(self.path):
            self._way.write(self._start + self._end)
            self._way.finish()
        self._whole = True
        self._tell("file-put")

    def close(self) -> None:
        """Of a file that is not whole, the beginning may stay: that is written down."""
        self._way.close()
        if not self._whole:
            self._whole = True
            if self.taken:
                self._tell("file-broken")


class Download:
    """A file as it is, or a folder as a tar, in pieces. To be closed, or read to its end."""

    def __init__(self, stream: EngineStream, path: str, kind: str, limit: int) -> None:
        self._stream, self._path, self._limit = stream, path, limit
        self.name = posixpath.basename(path.rstrip("/")) or "root"
        self.size: int | None = None  # bytes, where they are known before
        try:
            if kind == "folder":
                self.name += ".tar"
                self._pieces: Iterator[bytes] = self._tar()
            else:
                self._pieces = self._file()
        except BaseException:
            stream.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Raises FileTooLarge, FileRefused."""
        try:
            yield from self._pieces
        finally:
            self.close()

    def close(self) -> None:
        """May be called twice."""
        self._stream.close()

    def _file(self) -> Iterator[bytes]:
        """The size that counts is the one that the archive says: it has so many bytes."""
        try:
            source: Any = self
            archive = tarfile.open(fileobj=source, mode="r|", bufsize=PIECE)  # noqa: SIM115
            member = archive.next()
        except tarfile.TarError as e:
            raise FileRefused(self._path, BROKEN_OFF) from e
        if member is None or not member.isreg():
            raise FileRefused(self._path, "it was changed at this moment: try again")
        if member.size > self._limit:
            raise FileTooLarge(self._path, member.size, self._limit)
        self.size = member.size
        content = archive.extractfile(member)
        assert content is not None
        return self._read(content, member.size)

    def _read(self, content: IO[bytes], left: int) -> Iterator[bytes]:
        while left:
            try:
                piece = content.read(min(PIECE, left))
            except tarfile.TarError:
                piece = b""
            if not piece:
                raise FileRefused(self._path, BROKEN_OFF)
            left -= len(piece)
            yield piece

    def _tar(self) -> Iterator[bytes]:
        sent = 0
        while piece := self._next(PIECE):
            sent += len(piece)
            if sent > self._limit:  # before this nobody knows what it is in all
                raise FileTooLarge(self._path, sent, self._limit)
            yield piece

    def read(self, size: int) -> bytes:
        """The archive, as ``tarfile`` reads one: as many bytes as it asks for."""
        parts, left = [], size
        while left and (part := self._next(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        with gevent.Timeout(STALLED, FileRefused(self._path, BROKEN_OFF)):
            return self._stream.read(size)


@contextmanager
def _said_of(path: str) -> Iterator[None]:
    """What the engine says against a path, in words about the path."""
    try:
        yield
    except EngineRefused as e:
        if "no such container" in e.reason.lower():
            raise
        known = next((words for sign, words in REASONS.items() if sign in e.reason), e.reason)
        raise FileRefused(path, known) from None


def _container(session: Session) -> str:
    if session.ended is not None:
        raise NoSuchTerminal(session.id)
    if not session.spec.container:
        raise FileRefused(session.id, "this terminal shows a command of the host, not a container")
    return session.spec.container


def _full(path: str, name: str) -> str:
    if not path.startswith("/") or "\0" in path or len(path.encode()) > PATH_BYTES:
        raise BadRequest(name, path, "a full path such as /app")
    return path


def _in_target(session: Session, path: str) -> str:
    """A path in the container that a toolbox was opened beside, in that container's own names."""
    if session.spec.wish.kind == "toolbox" and (path + "/").startswith(TARGET + "/"):
        return path[len(TARGET) :] or "/"
    return path


def _user_of(pid: int, container: str) -> tuple[int, int]:
    """User and group of a process, in its container's own numbers; root's when nobody knows."""
    with suppress(OSError, ValueError, IndexError):
        if pid and processes.in_container(pid, container):
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
                fields = dict(line.split(":", 1) for line in f if ":" in line)
            user, group = (int(fields[name].split()[1]) for name in ("Uid", "Gid"))
            return _inside(user, pid, "uid_map"), _inside(group, pid, "gid_map")
    return 0, 0


def _inside(number: int, pid: int, which: str) -> int:
    """A user's number of this machine as it is in the process's user namespace."""
    with open(f"/proc/{pid}/{which}", encoding="ascii") as f:
        for line in f:
            first, here, count = map(int, line.split())
            if here <= number < here + count:
                return first + number - here
    return 0
