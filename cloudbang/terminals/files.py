"""Files into the container of a terminal, and out of it: streamed, never held here.

By a small script inside, as the terminal's own user, and not by the engine's archives: while one
of those is on its way the engine answers nothing else about that container, and how long that is
would be up to the slowest browser. The script also sees what is mounted in memory.
"""

from __future__ import annotations

import posixpath
import secrets
import time
from collections.abc import Iterator

from cloudbang.config import TerminalSettings
from cloudbang.engine import Engine
from cloudbang.errors import BadRequest, CloudBangError, FileRefused, NoSuchTerminal
from cloudbang.node.terminals.debug_container import DebugContainerSource
from cloudbang.node.terminals.file_commands import (
    BROKEN_OFF,
    GET,
    GET_BEGINS,
    PUT,
    PUT_BEGINS,
)
from cloudbang.node.terminals.file_script import FileScript
from cloudbang.node.terminals.reaper import Reaper
from cloudbang.terminals.archive_note import ArchiveReader, note
from cloudbang.terminals.audit import RecordAction
from cloudbang.terminals.session import Session

PIECE = 256 * 1024  # bytes handed on at a time
NAME_BYTES, PATH_BYTES = 255, 4096  # what Linux allows
# Overload, both ways together: one more is refused in a sentence. Each costs a connection to the
# engine, processes in a container and a piece.
AT_ONCE = 32


class FileTooLarge(CloudBangError):
    """A file is larger than may be moved."""

    code = "file-too-large"
    status = 413
    title = "The file is too large"
    sentence = "{path} has {size} bytes, and at most {limit} may be moved"

    def __init__(self, path: str, size: int, limit: int) -> None:
        self.path, self.size, self.limit = path, size, limit
        super().__init__(path, size, limit)


class TooManyFiles(CloudBangError):
    """So many files are on their way that another one has to wait."""

    code = "too-busy"
    status = 503
    title = "Too busy"
    sentence = "{limit} files are on their way already: try again when one has arrived"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)


class Files:
    """``record_action(app, container, who, what)`` writes down what a person did."""

    def __init__(
        self,
        engine: Engine,
        reaper: Reaper,
        settings: TerminalSettings,
        record_action: RecordAction,
    ) -> None:
        self._engine, self._reaper = engine, reaper
        self._limit, self._record_action = settings.file_max_bytes, record_action
        self._under_way = 0

    def folder(self, session: Session) -> str:
        """Where its foreground process works now, "" when nobody knows. In a toolbox: as the
        container that it was opened beside names it."""
        folder, root = session.source.folder(), _place(session)[1]
        if root and (folder + "/").startswith(root + "/"):
            return folder[len(root) :] or "/"
        return folder

    def put(self, session: Session, folder: str, name: str, size: int, who: str) -> Upload:
        """The way for a new file of ``size`` bytes. One that is there is replaced, once the new
        one is whole.

        Raises BadRequest, FileTooLarge, FileRefused, NoSuchTerminal, TooManyFiles.
        """
        if (
            name in ("", ".", "..")
            or "/" in name
            or "\0" in name
            or len(name.encode()) > NAME_BYTES
        ):
            raise BadRequest("name", name, "the name of a file, without folders")
        path = posixpath.join(_full(folder, "folder"), name)
        if size > self._limit:
            raise FileTooLarge(path, size, self._limit)
        part = f".cloudbang-{secrets.token_hex(8)}"
        script = self._run(session, path, PUT, folder, name, str(size), part)
        try:
            script.first_line(PUT_BEGINS)
        except BaseException:
            script.close()
            raise
        return Upload(self, session, script, path, size, who)

    def get(self, session: Session, path: str, who: str) -> Download:
        """A file as it is, or a folder as a tar. A path that is not full begins in the folder that
        the foreground process works in now.

        Raises BadRequest, FileTooLarge, FileRefused, NoSuchTerminal, TooManyFiles.
        """
        if path and not path.startswith("/"):
            path = posixpath.join(self.folder(session) or "/", path)
        path = _full(path, "path")
        script = self._run(session, path, GET, path, str(self._limit))
        try:
            kind, _, number = script.first_line(GET_BEGINS).partition(" ")
            size = None if kind == "folder" else int(number)
            if size is not None and size > self._limit:
                raise FileTooLarge(path, size, self._limit)
        except BaseException:
            script.close()
            raise
        self.record(session, who, "file-get")
        return Download(script, path, size, self._limit)

    def _run(self, session: Session, path: str, script: str, *arguments: str) -> FileScript:
        """A script at work in the right place; its arguments come after the root."""
        container, root = _place(session)
        user = session.target.request.user if not root else ""
        if self._under_way >= AT_ONCE:
            raise TooManyFiles(AT_ONCE)
        self._under_way += 1
        try:
            engine, reaper = self._engine, self._reaper
            arguments = (root, *arguments)
            return FileScript(engine, reaper, container, user, path, self._over, script, *arguments)
        except BaseException:
            self._over()
            raise

    def _over(self) -> None:
        self._under_way -= 1

    def record(self, session: Session, who: str, what: str) -> None:
        self._record_action(session.target.app, session.target.container[:12], who, what)


class Upload:
    """A file on its way into a container. ``close`` always: what is not whole goes then."""

    def __init__(
        self, files: Files, session: Session, script: FileScript, path: str, size: int, who: str
    ) -> None:
        self.path, self.size = path, size
        self.taken = 0  # bytes of the file that the engine has taken
        self._files, self._session, self._script, self._who = files, session, script, who
        self._over = False

    def write(self, data: bytes) -> None:
        """Hand on the next bytes of the file. Raises EngineUnreachable."""
        self._script.write(data)
        self.taken += len(data)

    def finish(self) -> None:
        """All was written: wait until it is in its place. Raises FileRefused."""
        self._script.finish()
        self._over = True
        self._files.record(self._session, self._who, "file-put")

    def close(self) -> None:
        """May be called twice."""
        if not self._over:
            self._over = True
            # Nobody knows whether it could take away what had arrived: that is written down.
            if not self._script.abort():
                self._files.record(self._session, self._who, "file-broken")
        self._script.close()


class Download:
    """A file as it is, or a folder as a tar, in pieces. To be closed, or read to its end."""

    def __init__(self, script: FileScript, path: str, size: int | None, limit: int) -> None:
        self._script, self._path, self._limit = script, path, limit
        self.size = size  # bytes, None where nobody knows them before
        self.name = posixpath.basename(posixpath.normpath(path)) or "root"
        if size is None:
            self.name += ".tar"

    def __iter__(self) -> Iterator[bytes]:
        """Raises FileTooLarge, FileRefused."""
        try:
            yield from self._file(self.size) if self.size is not None else self._folder()
        finally:
            self.close()

    def _file(self, size: int) -> Iterator[bytes]:
        sent = 0
        for piece in self._pieces(size):
            sent += len(piece)
            yield piece
        self._script.finish()
        if sent < size:
            raise FileRefused(self._path, BROKEN_OFF)

    def _folder(self) -> Iterator[bytes]:
        archive = ArchiveReader()
        for piece in self._pieces(self._limit):
            if passed := archive.feed(piece):
                yield passed
        code = self._script.end()
        if code is None or not archive.ended:
            raise FileRefused(self._path, BROKEN_OFF)
        # Some of it may not be read, or was written meanwhile: tar goes on and says so at its end.
        yield note(self._script.complaint, time.time()) if code else archive.rest

    def _pieces(self, limit: int) -> Iterator[bytes]:
        came = 0
        while piece := self._script.read(PIECE):
            came += len(piece)
            if came > limit:
                raise FileTooLarge(self._path, came, self._limit)
            yield piece

    def close(self) -> None:
        """May be called twice."""
        self._script.close()


def _place(session: Session) -> tuple[str, str]:
    """The container in which to work, and what stands before its paths: in a toolbox, the way to
    the files of the container that it was opened beside."""
    if session.ended is not None:
        raise NoSuchTerminal(session.id)
    source = session.source
    if isinstance(source, DebugContainerSource):
        return source.debug_container, source.root
    if not session.target.container:
        raise FileRefused(session.id, "this terminal shows a command of the host, not a container")
    return session.target.container, ""


def _full(path: str, name: str) -> str:
    if not path.startswith("/") or "\0" in path or len(path.encode()) > PATH_BYTES:
        raise BadRequest(name, path, "a full path such as /app")
    return path
