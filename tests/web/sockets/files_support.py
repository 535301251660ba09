"""A server and a container with a terminal, for what moves files."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.socket_client import open_socket
from tests.support import ServerProcess, patient
from tests.terminal_support import MIB, Person, processes

CHUNK = 256 * 1024
LIMIT = 8 * MIB


class Ground:
    """A server, an admin with a shell in a container, and what the container has."""

    def __init__(self, server: ServerProcess, container: Any) -> None:
        self.server, self.container = server, container
        self.me = Person(server)
        self.terminal = self.me.terminal(container.name).ready()
        self.session = self.terminal.session

    def inside(self, *argv: str) -> str:
        done = self.container.exec_run(list(argv))
        return done.output.decode(errors="replace").strip()

    def sha(self, path: str) -> str:
        return self.inside("sha256sum", path).split()[0]

    def route(self, person: Person | None = None) -> ClientConnection:
        return open_socket(
            f"ws://127.0.0.1:{self.server.port}/terminal_files",
            subprotocols=["cloudbang.files.v1"],  # type: ignore[list-item]
            additional_headers=(person or self.me).headers,
            compression=None,
            max_size=None,
        )

    def path(self, path: str, session: str = "") -> str:
        return f"/terminals/{session or self.session}/files?path={quote(path)}"

    def actions(self) -> list[tuple[str, str]]:
        found = self.me.got(f"/apps/{self.container.name}/events")["events"]
        return [(e["data"]["who"], e["data"]["what"]) for e in found if e["kind"] == "action"]


def ask(ground: Ground, file: str, length: int, **changes: Any) -> str:
    asked = {"op": "put", "session": ground.session, "folder": "/app", "name": file, "size": length}
    return json.dumps(asked | changes)


def hear(socket: ClientConnection) -> dict[str, Any]:
    heard = json.loads(socket.recv(timeout=patient(30)))
    assert isinstance(heard, dict)
    return heard


def put(ground: Ground, socket: ClientConnection, name: str, data: bytes, **changes: Any) -> Any:
    """Put a file as a page does; what was heard last."""
    socket.send(ask(ground, name, len(data), **changes))
    go = hear(socket)
    if go["op"] != "go":
        return go
    sent = got = 0
    while got < len(data):
        while sent < len(data) and sent - got + CHUNK <= go["window"]:
            socket.send(data[sent : sent + CHUNK])
            sent += min(CHUNK, len(data) - sent)
        heard = hear(socket)
        if heard["op"] != "got":
            return heard
        assert got < heard["offset"] <= sent
        got = heard["offset"]
    return hear(socket)


def closing(socket: ClientConnection, message: bytes = b"") -> int:
    """The code with which the socket is closed, within 2 s where the machine is not busy."""
    try:
        if message:
            socket.send(message)
        while True:
            socket.recv(timeout=patient(2))
    except ConnectionClosed as e:
        return int(e.rcvd.code) if e.rcvd else 0


class Slow:
    """A download that takes nothing more than the kernel does by itself, until it is asked to."""

    def __init__(self, person: Person, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(patient(30))
        self._socket.connect(("127.0.0.1", person.server.port))
        lines = [f"GET /api/v1{path} HTTP/1.1", f"Host: 127.0.0.1:{person.server.port}"]
        lines += [f"{name}: {value}" for name, value in person.headers.items()]
        self._socket.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(1024)
        head, _, self._body = head.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def rest(self) -> int:
        """Bytes of the body that came until the connection's end."""
        size = len(self._body)
        try:
            while data := self._socket.recv(65536):
                size += len(data)
        except ConnectionResetError:
            pass
        return size

    def close(self) -> None:
        self._socket.close()


def moving(container: str) -> set[int]:
    """The processes of a container that move files."""
    found = set()
    for pid in processes(container):
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if b"CLOUDBANG_TERMINAL=file-" in environ:
            found.add(pid)
    return found
