"""The socket of ``python -m cloudbang share``: it brings a command of the host, which becomes a
session. Spoken here is ``cloudbang.share.v1``, see ``docs/protocols/share.md``."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from cloudbang.accounts import INSTALLATION, Caller, Unauthorised
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.peer_json import read_json
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.terminals import Mode, Size, TerminalRequest, TerminalTarget
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.terminals import share_pass
from cloudbang.terminals.pty_receiver import PtyReceiver
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.share_source import ShareSource
from cloudbang.web.security.authenticator import Authenticator
from cloudbang.web.security.sockets_by_login import SocketsByLogin
from cloudbang.web.server.frames import BINARY, TEXT, SharedFrame
from cloudbang.web.server.handshake import Refusal
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.server.websocket import Socket

FIRST_WITHIN = 10.0  # seconds for the first message
PATH = "/terminal_share"
SUBPROTOCOL = "cloudbang.share.v1"
REFUSED = 4403
MAX_MESSAGE = 256 * 1024  # bytes
PROVEN = 1024  # nonces that wait for their pass; overload: the oldest waits in vain
TITLE = 200  # characters of a title at most
COMMAND = 64 * 1024  # characters of a command at most


class ShareEndpoint:
    """See the module. ``key`` signs passes, see :mod:`cloudbang.terminals.share_pass`."""

    def __init__(
        self,
        terminals: Terminals,
        receiver: PtyReceiver,
        authenticator: Authenticator,
        key: bytes,
    ) -> None:
        self._terminals, self._receiver = terminals, receiver
        self._authenticator, self._key = authenticator, key
        self._used: dict[str, float] = {}  # passes, until they have expired by themselves
        # By nonce: until when (monotonic) its pass is good, and on which port it was asked for.
        self._proven: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._supervisor = Supervisor("share")
        self._sockets_by_login = SocketsByLogin(self._supervisor)

    def route(self) -> SocketRoute:
        """For the server, at ``PATH``."""
        return SocketRoute(
            self.serve, self.authenticate_socket, (SUBPROTOCOL,), max_message=MAX_MESSAGE
        )

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop. The sockets themselves are closed by the server."""
        self._supervisor.stop(deadline)

    def authenticate_socket(self, environ: dict[str, Any]) -> Caller | Refusal:
        """Who shows a pass, or a token or a session like anywhere else; whether that is enough
        is said in words that the command can show, after the handshake."""
        shown = str(environ.get("HTTP_AUTHORIZATION", ""))[7:].strip()
        found = share_pass.check(self._key, shown, time.time())
        if found is None:
            return self._prove(environ, self._authenticator.authenticate_socket(environ))
        until, _ = self._proven.get(found.nonce, (0.0, 0))
        if time.monotonic() > until:
            return self._authenticator.authenticate_socket(environ)
        return Caller(f"c{found.nonce}", None, found.who, {INSTALLATION: "admin"}, found.digest)

    def _prove(self, environ: dict[str, Any], found: Caller | Refusal) -> Caller | Refusal:
        """To who shows nothing but a nonce it is shown that this is the server: with the refusal,
        so that nobody is let in for it."""
        nonce = str(environ.get("HTTP_" + share_pass.NONCE_HEADER.upper().replace("-", "_"), ""))
        if not isinstance(found, Refusal) or not share_pass.NONCE.fullmatch(nonce):
            return found
        port = int(environ["SERVER_PORT"])
        while len(self._proven) >= PROVEN:
            self._proven.popitem(last=False)
        self._proven[nonce] = (time.monotonic() + share_pass.VALID, port)
        proof = share_pass.proof(self._key, nonce, port, share_pass.FIRST)
        return replace(found, headers=((share_pass.PROOF_HEADER, proof),))

    def close_login(self, login: str) -> None:
        """That token was revoked, or may do less: its sockets are closed with 4401."""
        self._sockets_by_login.close(login)

    def serve(self, socket: Socket, environ: Mapping[str, Any], caller: Caller) -> None:
        """Talk with one command until it has ended or gone."""
        with self._sockets_by_login.holds(caller.login, socket):
            try:
                self._serve(socket, environ, caller)
            except CloudBangError as e:
                _ShareConnection(socket).tell({"op": "error", "code": e.code, "message": str(e)})
                socket.close(REFUSED, e.code)

    def _serve(self, socket: Socket, environ: Mapping[str, Any], caller: Caller) -> None:
        if (proven := self._proven.get(caller.login.removeprefix("c"))) is not None:
            nonce = caller.login.removeprefix("c")
            proof = share_pass.proof(self._key, nonce, proven[1], share_pass.AGAIN)
            _ShareConnection(socket).tell({"op": "proof", "proof": proof})
        try:
            first = socket.receive(FIRST_WITHIN)
        except TimeoutError:
            raise BadRequest("the first message", "", "within 10 seconds") from None
        if first is None:
            return
        self._allow(caller)
        asked = _message(first)
        if asked.get("op") != "share":
            raise BadRequest("op", asked.get("op"), "share, in the first message")
        command, title, size = _command(asked), _title(asked), _size(asked)
        write = asked.get("write") is True
        connection = _ShareConnection(socket)
        offer: dict[str, object] | None = None
        if asked.get("pty") is True:
            offer = self._receiver.expect(lambda descriptor: source.adopt(descriptor))
        source = ShareSource(connection, write=write, handed=offer is not None)
        session = self._terminals.open_source(
            TerminalTarget(
                session=secrets.token_hex(8),
                team=INSTALLATION,
                app="",
                container="",
                request=TerminalRequest(kind="share", command=command),
            ),
            source,
            caller,
            self._authenticator.proxies.client_info(environ).address,
            str(environ.get("HTTP_USER_AGENT", "")),
            size,
            title=title,
        )
        try:
            mode: Mode = "type" if write else "watch"
            key = self._terminals.link(session, mode, once=True)
            url = f"/terminals/{session.id}#{key}"
            shared: dict[str, object] = {"op": "shared", "session": session.id, "url": url}
            connection.tell(shared | ({"pty": offer} if offer else {}))
            socket.on_drained = lambda _socket: source.room()
            _receive(socket, source)
        finally:
            self._receiver.forget(offer)
            socket.on_drained = None
            source.lose("server-stopped" if socket.server_stops else "command-ended")

    def _allow(self, caller: Caller) -> None:
        """Raises Unauthorised. A person has the pages; this is for who sits at the machine."""
        if caller.account_id is not None:
            raise Unauthorised("manage")
        caller.require("manage", INSTALLATION)
        if not caller.login.startswith("c"):
            return
        now = time.monotonic()
        self._used = {nonce: end for nonce, end in self._used.items() if end > now}
        if caller.login in self._used:
            raise Unauthorised("manage")
        self._used[caller.login] = now + 2 * share_pass.VALID


class _ShareConnection:
    """What a source sends by; see ``share_source.ShareConnection``."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def hand(self, data: bytes) -> bool:
        return self._socket.offer(SharedFrame(data, BINARY))

    def tell(self, message: dict[str, object]) -> bool:
        return self._socket.offer(SharedFrame(orjson.dumps(message), TEXT))

    def cut(self) -> None:
        self._socket.drop()


def _receive(socket: Socket, source: ShareSource) -> None:
    """Take in what the command sends until it says that the program has ended."""
    while (message := socket.receive()) is not None:
        if isinstance(message, bytes):
            source.keep()  # what is printed comes this way
            while not source.feed(message, 1.0):
                # We do not read, so we do not hear: that is no silence of the other end.
                socket.seen = time.monotonic()
                if socket.closed:
                    return
        elif (handler := HANDLERS.get(str((said := _message(message)).get("op")))) is None:
            raise BadRequest("op", said.get("op"), "input, keep or ended")
        elif handler(source, said):
            return


def _input(source: ShareSource, said: dict[str, Any]) -> bool:
    source.confirm(_number(said, "offset"))
    return False


def _ended(source: ShareSource, said: dict[str, Any]) -> bool:
    source.finish(_number(said, "code"))
    return True


def _keep(source: ShareSource, said: dict[str, Any]) -> bool:
    source.keep()
    return False


HANDLERS: dict[str, Callable[[ShareSource, dict[str, Any]], bool]] = {
    "input": _input,
    "keep": _keep,
    "ended": _ended,
}


def _message(text: str | bytes) -> dict[str, Any]:
    try:
        said = read_json(text)
    except orjson.JSONDecodeError:
        raise BadRequest("a message", text[:40], "a JSON object in a text frame") from None
    if not isinstance(said, dict):
        raise BadRequest("a message", text[:40], "a JSON object in a text frame")
    return said


def _number(said: dict[str, Any], name: str) -> int:
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRequest(name, value, "a whole number")
    return value


def _command(asked: dict[str, Any]) -> tuple[str, ...]:
    command = asked.get("command")
    if (
        not isinstance(command, list)
        or not command
        or not all(isinstance(part, str) for part in command)
        or sum(map(len, command)) > COMMAND
    ):
        raise BadRequest("command", command, f"a list of texts, {COMMAND} characters in all")
    return tuple(command)


def _title(asked: dict[str, Any]) -> str:
    title = asked.get("title", "")
    if not isinstance(title, str) or len(title) > TITLE:
        raise BadRequest("title", title, f"a text of at most {TITLE} characters")
    return title


def _size(asked: dict[str, Any]) -> Size:
    return Size.of(asked.get("columns", 80), asked.get("rows", 24)) or Size()
