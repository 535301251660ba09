"""The socket ``/terminal_files``: files on their way into the container of a terminal.

Spoken here is ``cloudbang.files.v1``, see ``docs/protocols/files.md``. One file after the other on
one socket. A chunk is confirmed when the engine has taken it, and the client keeps no more than
``WINDOW`` bytes unconfirmed: so a file is never held here, neither in memory nor on the disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from cloudbang.accounts import Caller
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.peer_json import read_json
from cloudbang.core.supervise import Supervisor
from cloudbang.errors import (
    BadRequest,
    CloudBangError,
    EngineRefused,
    EngineUnreachable,
    FileRefused,
    shown,
)
from cloudbang.web.security.authenticator import Authenticator
from cloudbang.web.security.sockets_by_login import SocketsByLogin
from cloudbang.web.security.terminal_access import typing_in
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.server.websocket import Socket, SocketClosed

if TYPE_CHECKING:
    from cloudbang.terminals.files import Files, Upload
    from cloudbang.terminals.registry import Terminals
    from cloudbang.terminals.session import Session

KIB = 1024
PATH = "/terminal_files"
SUBPROTOCOL = "cloudbang.files.v1"
CHUNK = 256 * KIB  # bytes of one message
WINDOW = 1024 * KIB  # bytes that a client may have sent and not seen confirmed
IDLE = 300.0  # seconds between two files
MAX_SIZE = 2**53 - 1  # what a number of JavaScript holds exactly


class BadFileMessage(CloudBangError):
    """A client sent what is no message of this protocol."""

    code = "bad-message"
    status = 400
    sentence = "{what}: a message is a JSON object with the op put or cancel, or a part of a file"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


class NotWhole(CloudBangError):
    """A file broke off on its way. What was there before is still there."""

    code = "not-whole"
    status = 409
    sentence = (
        "{reason}: {path} was not put into the container, of {size} bytes {taken} had arrived "
        "and were taken away again"
    )

    def __init__(self, path: str, taken: int, size: int, reason: str) -> None:
        self.path, self.taken, self.size, self.reason = path, taken, size, reason
        super().__init__(path, taken, size, reason)


class FilesEndpoint:
    """``serve`` is what ``PATH`` leads to. ``stalled``: seconds without the next piece of a file,
    after which it is broken off."""

    def __init__(
        self,
        terminals: Terminals,
        files: Files,
        authenticator: Authenticator,
        *,
        stalled: float = 30.0,
    ) -> None:
        self.terminals, self.stalled = terminals, stalled
        self._files, self._authenticator = files, authenticator
        self._supervisor = Supervisor("files-endpoint")
        self._sockets_by_login = SocketsByLogin(self._supervisor)

    def route(self) -> SocketRoute:
        """For the server, at ``PATH``."""
        # Not compressed: what cannot be made smaller, as most files, becomes a little larger than
        # it was, and a whole chunk of it would be refused.
        return SocketRoute(
            self.serve,
            self._authenticator.authenticate_socket,
            (SUBPROTOCOL,),
            max_message=CHUNK,
            compress=False,
        )

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop closing sockets; the server closes those that are left."""
        self._supervisor.stop(deadline)

    def close_login(self, login: str) -> None:
        """That login has ended or may do less: its sockets are closed with 4401, and what they
        were putting into a container breaks off."""
        self._sockets_by_login.close(login)

    def serve(self, socket: Socket, environ: Mapping[str, Any], caller: Caller) -> None:
        """Take files until the page leaves."""
        with self._sockets_by_login.holds(caller.login, socket):
            _FilesConnection(self, socket, caller).run()

    @contextlib.contextmanager
    def begin(self, caller: Caller, asked: dict[str, Any]) -> Iterator[tuple[Session, Upload]]:
        """The way into the container for one file. Raises what there is against it."""
        session_id, folder, name = (asked.get(key) for key in ("session", "folder", "name"))
        size = asked.get("size")
        for key, value in (("session", session_id), ("folder", folder), ("name", name)):
            if not isinstance(value, str):
                raise BadRequest(key, value, "a text")
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MAX_SIZE:
            raise BadRequest("size", size, "a number of bytes")
        session = typing_in(caller, str(session_id), self.terminals)
        upload = self._files.put(session, str(folder), str(name), size, caller.name)
        try:
            yield session, upload
        finally:
            upload.close()


class _FilesConnection:
    """One socket: a file, and the next."""

    def __init__(self, endpoint: FilesEndpoint, socket: Socket, caller: Caller) -> None:
        self._endpoint, self._socket, self._caller = endpoint, socket, caller

    def run(self) -> None:
        with contextlib.suppress(TimeoutError, SocketClosed):
            while (message := self._socket.receive(IDLE)) is not None:
                # What was on its way when a file was refused or broke off is nobody's.
                if isinstance(message, str):
                    self._answer(message)

    def _answer(self, text: str) -> None:
        try:
            asked = _message(text)
            if asked.get("op") == "cancel":
                return  # the file is whole already, or has broken off
            if asked.get("op") != "put":
                raise BadFileMessage(f"there is no op {shown(asked.get('op'), 40)!r}")
            with self._endpoint.begin(self._caller, asked) as (session, upload):
                self._take(session, upload)
        except CloudBangError as e:
            self._say(op="error", code=e.code, message=str(e))

    def _take(self, session: Session, upload: Upload) -> None:
        self._say(op="go", path=upload.path, window=WINDOW)
        try:
            while upload.taken < upload.size:
                upload.write(self._part(session, upload))
                self._say(op="got", offset=upload.taken)
            upload.finish()
        except (FileRefused, EngineRefused, EngineUnreachable) as e:
            if upload.taken:
                reason = e.reason if isinstance(e, FileRefused) else str(e)
                raise self._broken(upload, reason) from None
            raise
        self._say(op="done", path=upload.path, size=upload.size)

    def _part(self, session: Session, upload: Upload) -> bytes:
        """The next part of the file. Raises NotWhole when there will be none."""
        stalled = self._endpoint.stalled
        try:
            part = self._socket.receive(stalled)
        except TimeoutError:
            raise self._broken(upload, f"nothing came for {stalled:g} seconds") from None
        if part is None:
            raise SocketClosed
        if isinstance(part, str):
            op = _message(part).get("op")
            raise self._broken(
                upload, "it was cancelled" if op == "cancel" else f"then came {shown(op, 40)!r}"
            )
        if len(part) > upload.size - upload.taken:
            raise self._broken(upload, "more bytes came than were announced")
        try:
            typing_in(self._caller, session.id, self._endpoint.terminals)
        except CloudBangError as e:
            raise self._broken(upload, str(e)) from None
        return part

    def _broken(self, upload: Upload, reason: str) -> NotWhole:
        return NotWhole(upload.path, upload.taken, upload.size, reason)

    def _say(self, **message: object) -> None:
        self._socket.send(orjson.dumps(message).decode())


def _message(text: str) -> dict[str, Any]:
    try:
        asked = read_json(text)
    except orjson.JSONDecodeError:
        raise BadFileMessage("this is not JSON") from None
    if not isinstance(asked, dict):
        raise BadFileMessage("this is not a JSON object")
    return asked
