"""Who asks an app without a pause, and forgives nothing: what is not answered well is an error."""

from __future__ import annotations

import base64
import os
import time
from collections import Counter
from contextlib import closing

import gevent
from gevent import socket
from gevent.event import Event

ANSWER = 40.0  # seconds until one counts as missing: longer than a request is held


class Load:
    """``connections`` that are kept, ``rate`` requests a second in all, each tenth a POST; beside
    them ``slow`` that take ``takes`` seconds, each on a connection of its own."""

    def __init__(
        self,
        port: int,
        host: str,
        *,
        rate: float,
        connections: int = 40,
        slow: int = 0,
        takes: int = 5,
    ) -> None:
        self._at, self._host = ("127.0.0.1", port), host
        self._pause, self._takes = connections / rate, takes
        self._count, self._slow = connections, slow
        self._over = Event()
        self._running: list[gevent.Greenlet] = []
        self.errors: list[str] = []
        self.timed: list[tuple[float, float]] = []  # since 1970, and for how long, each answered
        self.answers: Counter[str] = Counter()  # by what was answered
        self.slow_done = self.connects = 0

    def start(self) -> Load:
        self._running = [gevent.spawn(self._ask, n) for n in range(self._count)]
        self._running += [gevent.spawn(self._ask_slowly) for _ in range(self._slow)]
        return self

    @property
    def seconds(self) -> list[float]:
        return [took for _, took in self.timed]

    def stop(self) -> Load:
        """No new requests; waits for those that are under way."""
        self._over.set()
        gevent.joinall(self._running, timeout=ANSWER + self._takes)
        return self

    def _ask(self, n: int) -> None:
        gevent.sleep(self._pause * n / self._count)
        sock: socket.socket | None = None
        asked, next_at = 0, time.monotonic()
        while not self._over.is_set():
            asked += 1
            at, began = time.time(), time.monotonic()
            try:
                if sock is None:
                    sock = self._connect()
                body = _exchange(sock, self._host, "/", post=asked % 10 == 0)
                self.answers[body] += 1
                self.timed.append((at, time.monotonic() - began))
            except (OSError, ValueError) as e:
                self.errors.append(f"{type(e).__name__}: {e}")
                if sock is not None:
                    sock.close()
                sock = None
            next_at = max(next_at + self._pause, time.monotonic() - 1)
            self._over.wait(max(0.0, next_at - time.monotonic()))
        if sock is not None:
            sock.close()

    def _ask_slowly(self) -> None:
        while not self._over.is_set():
            try:
                with closing(self._connect()) as sock:
                    _exchange(sock, self._host, f"/slow?{self._takes}")
                    self.slow_done += 1
            except (OSError, ValueError) as e:
                self.errors.append(f"slow: {type(e).__name__}: {e}")
                gevent.sleep(0.1)

    def _connect(self) -> socket.socket:
        self.connects += 1
        return socket.create_connection(self._at, ANSWER)


class Talker:
    """A WebSocket that says something each ``every`` seconds, and hears it again. ``lost``: why it
    ended, "" while it goes on."""

    def __init__(self, port: int, host: str, every: float = 0.25) -> None:
        self.said, self.lost = 0, ""
        self._sock = socket.create_connection(("127.0.0.1", port), ANSWER)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._sock.sendall(head.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = self._sock.recv(4096)
            assert more, answer
            answer += more
        assert b" 101 " in answer, answer
        self._every = every
        self._greenlet = gevent.spawn(self._talk)

    def _talk(self) -> None:
        try:
            while True:
                text = f"{self.said}".encode()
                # Masked with nothing: the same bytes.
                self._sock.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
                wanted = bytes([0x81, len(text)]) + text
                got = b""
                while len(got) < len(wanted):
                    more = self._sock.recv(len(wanted) - len(got))
                    if not more:
                        raise ConnectionError("closed")
                    got += more
                if got != wanted:
                    raise ValueError(f"{got!r} for {wanted!r}")
                self.said += 1
                gevent.sleep(self._every)
        except (OSError, ValueError) as e:
            self.lost = f"{type(e).__name__}: {e}"

    def close(self) -> None:
        self._greenlet.kill()
        self._sock.close()


def _exchange(sock: socket.socket, host: str, path: str, post: bool = False) -> str:
    """The body of the answer. Raises OSError, ValueError for one that is not well."""
    body = "x" * 1000 if post else ""
    head = f"{'POST' if post else 'GET'} {path} HTTP/1.1\r\nHost: {host}\r\n"
    if post:
        head += f"Content-Length: {len(body)}\r\n"
    sock.sendall(f"{head}\r\n{body}".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError(f"closed after {len(answer)} bytes")
        answer += more
    top, _, rest = answer.partition(b"\r\n\r\n")
    first, *fields = top.decode().split("\r\n")
    status = int(first.split(" ")[1])
    lengths = [f.split(":")[1] for f in fields if f.lower().startswith("content-length:")]
    size = int(lengths[0]) if lengths else 0
    while len(rest) < size:
        more = sock.recv(65536)
        if not more:
            raise ConnectionError("closed within an answer")
        rest += more
    if status >= 400:
        raise ValueError(f"answered with {status}")
    return rest.decode()
