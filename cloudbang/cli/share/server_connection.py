"""The connection to the server's endpoint, as far as it can be said without waiting.

``websockets`` knows the protocol; the socket is ours, since a connection whose sending waits could
not hear that it shall end.
"""

from __future__ import annotations

import hmac
import json
import socket
import time
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from cloudbang import __version__
from cloudbang.cli.share.errors import NoServer, OtherServer
from cloudbang.terminals import share_pass

PATH = "/terminal_share"
SUBPROTOCOL = "cloudbang.share.v1"
ANSWER_WITHIN = 10.0  # seconds
READ = 64 * 1024  # bytes taken from the kernel at a time
MAX_MESSAGE = 1024 * 1024  # bytes of one message of the server


class ServerConnection:
    """Connects when it is made: to a server that has shown that it knows the ``key``, before it is
    shown anything, and again before it is told what to share. ``who`` is for its audit list.

    Raises NoServer, OtherServer.
    """

    def __init__(self, host: str, port: int, key: bytes, who: str, folder: str) -> None:
        self.host, self.port, self._folder = host, port, folder
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{port}"
        self._out = bytearray()
        self._lost = False
        self.heard = time.monotonic()  # when the server last said anything
        nonce = share_pass.new_nonce()
        first, again = (
            share_pass.proof(key, nonce, port, when)
            for when in (share_pass.FIRST, share_pass.AGAIN)
        )
        self._ask_for_proof(nonce, first)
        secret = share_pass.make(key, who, time.time(), nonce)
        self._connect({"Authorization": f"Bearer {secret}"})
        try:
            self._see_proof(again)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _ask_for_proof(self, nonce: str, wanted: str) -> None:
        """Be refused, with the proof beside that."""
        try:
            self._connect({share_pass.NONCE_HEADER: nonce})
        except OtherServer as e:
            if e.status_given != 401 or not hmac.compare_digest(e.proof.encode(), wanted.encode()):
                raise
        else:
            self.socket.close()
            raise OtherServer(self.address, self._folder, 401)

    def _see_proof(self, wanted: str) -> None:
        """The first message of the server."""
        until = time.monotonic() + ANSWER_WITHIN
        try:
            while not self._messages and time.monotonic() < until:
                data = self.socket.recv(READ)
                self._feed(data)
                self._messages += self._sorted(self._protocol.events_received())
                if not data:
                    break
        except OSError as e:
            raise NoServer(self.address, e.strerror or "it does not answer") from None
        said = self._messages.pop(0) if self._messages else {}
        shown = str(said.get("proof", "")) if isinstance(said, dict) else ""
        if not hmac.compare_digest(shown.encode(), wanted.encode()):
            raise OtherServer(self.address, self._folder, 401)

    def _connect(self, headers: dict[str, str]) -> None:
        self._protocol = ClientProtocol(
            parse_uri(f"ws://{self.address}{PATH}"),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=MAX_MESSAGE,
        )
        try:
            self.socket = socket.create_connection((self.host, self.port), ANSWER_WITHIN)
        except OSError as e:
            raise NoServer(self.address, e.strerror or str(e)) from None
        try:
            self._shake_hands(headers)
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(self, headers: dict[str, str]) -> None:
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        request.headers["User-Agent"] = f"cloudbang-share/{__version__}"
        self._protocol.send_request(request)
        try:
            self.socket.sendall(b"".join(self._protocol.data_to_send()))
            while self._protocol.state is State.CONNECTING:
                if self._protocol.handshake_exc is not None:
                    raise self._protocol.handshake_exc
                self._feed(self.socket.recv(READ))
        except InvalidHandshake as e:
            answer = getattr(e, "response", None)
            proof = answer.headers.get(share_pass.PROOF_HEADER, "") if answer else ""
            raise OtherServer(
                self.address, self._folder, answer.status_code if answer else None, proof
            ) from None
        except OSError as e:
            raise NoServer(self.address, e.strerror or "it does not answer") from None
        # The answer's event; a message may have come along with it.
        self._messages = self._sorted(self._protocol.events_received()[1:])

    # --- sending ----------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return len(self._out)

    def send(self, data: bytes) -> None:
        """Output of the program."""
        self._say(self._protocol.send_binary, data)

    def tell(self, **message: object) -> None:
        """One message of the protocol's control part."""
        self._say(self._protocol.send_text, json.dumps(message).encode())

    def start_close(self) -> None:
        """The closing handshake, begun by us."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._collect()

    def flush(self) -> None:
        """Hand the kernel what it takes."""
        try:
            while self._out and not self._lost:
                count = self.socket.send(memoryview(self._out)[:READ])
                del self._out[:count]
        except BlockingIOError:
            pass
        except OSError:
            self._lose()

    def _say(self, send: Any, data: bytes) -> None:
        if self._protocol.state is State.OPEN:
            send(data)
            self._collect()

    def _collect(self) -> None:
        if not self._lost:
            for data in self._protocol.data_to_send():
                self._out += data

    # --- receiving --------------------------------------------------------------------------------

    @property
    def code(self) -> int | None:
        """What the server closed with, None when it said nothing."""
        said = self._protocol.close_rcvd
        return int(said.code) if said is not None else None

    @property
    def closing(self) -> bool:
        """The server has said good-bye, or there is nobody any more."""
        return self._lost or self._protocol.close_rcvd is not None

    def receive(self) -> list[bytes | dict[str, Any]]:
        """What has come: input for the program, or a message."""
        while not self._lost:
            try:
                data = self.socket.recv(READ)
            except BlockingIOError:
                break
            except OSError:
                self._lose()
                break
            self.heard = time.monotonic()
            self._feed(data)
            self._collect()  # pongs
            self._messages += self._sorted(self._protocol.events_received())
            if not data:
                self._lose()
        found, self._messages = self._messages, []
        return found

    def give_up(self) -> None:
        """Nobody answers any more."""
        if not self._lost:
            self._lose()

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()

    def _sorted(self, events: list[Any]) -> list[bytes | dict[str, Any]]:
        found: list[bytes | dict[str, Any]] = []
        for event in events:
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                found.append(bytes(event.data))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                found.append(json.loads(bytes(event.data)))
        return found

    def _lose(self) -> None:
        self._lost = True
        self._out.clear()

    def close(self) -> None:
        self.socket.close()
