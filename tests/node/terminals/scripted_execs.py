"""An engine of another version, or with something before it, as far as terminals ask for it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gevent
import orjson
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

from tests.support import patient

ID = "c" * 64


class ScriptedExecs:
    """One running container ``ID``, and execs that print what is put into ``prints``.

    ``unknown_user``: what the creation of an exec is refused with. ``upgrades``: whether the start
    is answered with 101. ``env``: the container's. ``sized``: a resize is answered once it is set.
    ``pulls``: what is said of an image that is fetched, and then nothing more. ``podman``: it says
    that it is, and forgets the number of what has ended. ``ends``: at once, with this code.
    ``refuses``: a start, with these words, on a connection that it keeps.
    What came is in ``asked``: method, path without the version, body. ``typed``: input.
    """

    def __init__(self, folder: Path) -> None:
        self.host = f"unix://{folder}/engine.sock"
        self.version = "1.51"
        self.env: list[str] = []
        self.unknown_user = ""
        self.upgrades = True
        self.prints = b""
        self.pulls: list[dict[str, Any]] = []
        self.sized = Event()
        self.sized.set()
        self.asked: list[tuple[str, str, Any]] = []
        self.typed = b""
        self.podman = self.running = False
        self.ends: int | None = None
        self.refuses = ""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/engine.sock")
        listener.listen(16)
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    def close(self) -> None:
        self._server.stop(1)
        self._server.close()

    def bodies(self, method: str, end: str) -> list[Any]:
        """The bodies of the requests whose path ends so."""
        return [body for how, path, body in self.asked if how == method and path.endswith(end)]

    def _serve(self, sock: socket.socket, _address: object) -> None:
        try:
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := sock.recv(65536)):
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
            while len(body) < int(fields.get("content-length", "0")):
                body += sock.recv(65536)
            method, target, _ = first.split(" ")
            path = "/" + target.partition("?")[0].split("/", 2)[-1]
            if not target.startswith("/v"):
                path = target
            self.asked.append((method, path, orjson.loads(body) if body else None))
            self._answer(sock, method, path)
        except OSError:
            pass
        finally:
            sock.close()

    def _answer(self, sock: socket.socket, method: str, path: str) -> None:
        if path == "/version":
            name = "Podman Engine" if self.podman else "Engine"
            self._json(sock, {"ApiVersion": self.version, "Components": [{"Name": name}]})
        elif path == f"/containers/{ID}/exec":
            if self.unknown_user:
                self._json(sock, {"message": self.unknown_user}, "400 Bad Request")
            else:
                self._json(sock, {"Id": "e1"}, "201 Created")
        elif path == "/exec/e1/start":
            self._start(sock)
        elif path == "/exec/e1/resize":
            self.sized.wait()
            self._json(sock, {})
        elif path == "/exec/e1/json":
            pid = 0 if self.podman and not self.running else 2**22 + 7  # no process's here
            self._json(sock, {"Running": self.running, "ExitCode": self.ends or 0, "Pid": pid})
        elif path == f"/containers/{ID}/json":
            state = {"Status": "running", "StartedAt": "2026-01-01T00:00:00Z", "Pid": 0}
            config = {"Env": self.env}
            self._json(sock, {"Id": ID, "State": state, "Config": config, "HostConfig": {}})
        elif path.startswith("/images/") and path.endswith("/json"):
            self._json(sock, {"message": "No such image"}, "404 Not Found")
        elif path == "/images/create":
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            sock.sendall(b"".join(orjson.dumps(step) + b"\r\n" for step in self.pulls))
            while sock.recv(65536):
                pass
        else:
            self._json(sock, {"message": f"{method} {path} is not played"}, "501 Not Implemented")

    def _start(self, sock: socket.socket) -> None:
        if self.refuses:
            self._json(sock, {"message": self.refuses}, "500 Internal Server Error")
            sock.recv(1)
            return
        self.running = self.ends is None
        if self.upgrades:
            head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
            sock.sendall(head + self.prints)
            if not self.running:
                return
        else:
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with gevent.Timeout(patient(20), False):
            while data := sock.recv(65536):
                self.typed += data
        self.running = False

    def _json(self, sock: socket.socket, value: object, status: str = "200 OK") -> None:
        body = orjson.dumps(value)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)


def framed(kind: int, data: bytes) -> bytes:
    """Output of an exec without a terminal."""
    return struct.pack(">BxxxI", kind, len(data)) + data
