"""The connection to the server's endpoint, as far as it can be said without waiting.

``websockets`` knows the protocol; the socket is ours, since a connection whose sending waits could
not hear that it shall end.
"""

from __future__ import annotations

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

PATH = "/terminal_share"
SUBPROTOCOL = "cloudbang.share.v1"
ANSWER_WITHIN = 10.0  # seconds
READ = 64 * 1024  # bytes taken from the kernel at a time
MAX_MESSAGE = 1024 * 1024  # bytes of one message of the server


class ServerConnection:
    """Connects when it is made. Raises NoServer, OtherServer."""

    def __init__(self, host: str, port: int, secret: str, folder: str) -> None:
        self.host, self.port, self._folder = host, port, folder
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{port}"
        self._protocol = ClientProtocol(
            parse_uri(f"ws://{self.address}{PATH}"),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=MAX_MESSAGE,
        )
        self._out = bytearray()
        self._lost = False
        self.heard = time.monotonic()  # when the server last said anything
        try:
            self.socket = socket.create_connection((host, port), ANSWER_WITHIN)
        except OSError as e:
            raise NoServer(self.address, e.strerror or str(e)) from None
        try:
            self._shake_hands(secret)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _shake_hands(self, secret: str) -> None:
        request = self._protocol.connect()
        request.headers["Authorization"] = f"Bearer {secret}"
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
            raise OtherServer(
                self.address, self._folder, answer.status_code if answer else None
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
