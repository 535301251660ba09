"""Many viewers of the live socket in one process, cheap enough to share two cores with the server.

``python -m tests.faults.viewers '{"port": …, "cookie": …, "apps": […], "viewers": 50, "stuck": 5,
"seconds": 60}'`` opens them, viewer *i* on app *i* modulo the number of apps, and prints one line of
JSON when all are subscribed and one at the end: what each received and whether it was whole.

Frames are read by hand (RFC 6455): a client library would cost more than the server under test.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import sys
import time
from typing import Any

import orjson

from tests.support import patient

MASK = b"\0\0\0\0"  # a mask of zeros is a mask: nothing to compute


def handshake(link: socket.socket, port: int, cookie: str) -> bytes:
    """Open the live socket on a connected TCP socket; bytes that came after the headers."""
    key = base64.b64encode(os.urandom(16)).decode()
    link.sendall(
        f"GET /websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    )
    got = b""
    while b"\r\n\r\n" not in got:
        part = link.recv(4096)
        if not part:
            break
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101"), head[:300]
    return rest


def frame(opcode: int, payload: bytes) -> bytes:
    """One masked client frame of at most 65,535 bytes."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + MASK + payload


def text_frame(text: str) -> bytes:
    return frame(1, text.encode())


class Frames:
    """Cuts a stream of server frames into messages: ``(opcode, payload)``."""

    def __init__(self, rest: bytes = b"") -> None:
        self._buffer = bytearray(rest)
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        buffer = self._buffer
        buffer += data
        found: list[tuple[int, bytes]] = []
        at = 0
        while len(buffer) - at >= 2:
            first, size, head = buffer[at], buffer[at + 1] & 127, 2
            if size == 126:
                head = 4
                size = int.from_bytes(buffer[at + 2 : at + 4], "big")
            elif size == 127:
                head = 10
                size = int.from_bytes(buffer[at + 2 : at + 10], "big")
            if len(buffer) - at < head + size:
                break
            payload = bytes(buffer[at + head : at + head + size])
            at += head + size
            opcode = first & 15
            if opcode >= 8:
                found.append((opcode, payload))
                continue
            self._parts.append(payload)
            if first & 0x80:
                found.append((1, b"".join(self._parts)))
                self._parts.clear()
        del buffer[:at]
        return found


class Viewer:
    """One viewer; ``position`` is the seq that has to come next."""

    def __init__(self, port: int, cookie: str, app: str, stuck: bool) -> None:
        self.app, self.stuck = app, stuck
        self.lines = self.missed = self.repeated = 0
        self.gaps: list[list[int]] = []
        self.position = 0
        self.closed: str | None = None
        self.link = socket.socket()
        if stuck:
            self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.link.connect(("127.0.0.1", port))
        self.link.settimeout(patient(10))
        self._frames = Frames(handshake(self.link, port, cookie))
        self.link.sendall(
            text_frame(json.dumps({"op": "subscribe", "channel": f"log/{app}", "tail": 0}))
        )
        self.link.setblocking(False)

    def read(self) -> None:
        """Take what has come."""
        try:
            data = self.link.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as e:
            self.closed = str(e)
            return
        if not data:
            self.closed = self.closed or "end"
        for opcode, payload in self._frames.feed(data):
            if opcode == 1:
                self._message(orjson.loads(payload))
            elif opcode == 9:
                self.link.send(frame(10, payload))
            elif opcode == 8:
                self.closed = f"close {int.from_bytes(payload[:2], 'big')}"

    def _message(self, message: dict[str, Any]) -> None:
        op = message["op"]
        if op == "lines":
            rows = message["lines"]
            for row in rows:
                if self.position and row[0] != self.position:
                    if row[0] > self.position:
                        self.missed += row[0] - self.position
                    else:
                        self.repeated += 1
                self.position = row[0] + 1
            self.lines += len(rows)
        elif op == "subscribed":
            self.position = message["next"]  # with a tail of 0 the very next line comes
        elif op == "gap":
            self.gaps.append([message["from"], message["to"]])
            self.position = message["to"] + 1

    def result(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "stuck": self.stuck,
            "lines": self.lines,
            "missed": self.missed,
            "repeated": self.repeated,
            "gaps": len(self.gaps),
            "closed": self.closed,
        }


def main(task: dict[str, Any]) -> None:
    viewers = [
        Viewer(task["port"], task["cookie"], task["apps"][i % len(task["apps"])], i < task["stuck"])
        for i in range(task["viewers"])
    ]
    selector = selectors.DefaultSelector()
    for viewer in viewers:
        if not viewer.stuck:
            selector.register(viewer.link, selectors.EVENT_READ, viewer)
    print(json.dumps({"open": len(viewers)}), flush=True)
    end = time.monotonic() + task["seconds"]
    while (left := end - time.monotonic()) > 0 and selector.get_map():
        for key, _ in selector.select(min(left, 1.0)):
            key.data.read()
            if key.data.closed:
                selector.unregister(key.fileobj)
        time.sleep(0.005)  # a little later costs nobody anything and takes more at once
    print(json.dumps([viewer.result() for viewer in viewers]), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
