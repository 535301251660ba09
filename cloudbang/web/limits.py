"""Reading requests within limits: what pywsgi leaves unbounded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cloudbang.errors import CloudBangError

KIB = 1024
READ = 16 * KIB  # bytes asked of the kernel at a time


@dataclass(frozen=True)
class Limits:
    """What one connection may take. Seconds and bytes."""

    connections: int = 10_000
    head_bytes: int = 16 * KIB  # request line and headers together
    head_lines: int = 100
    head_seconds: float = 10.0  # from the first byte of a request to the end of its headers
    idle_seconds: float = 30.0  # between requests, and before the first
    body_bytes: int = 1024 * KIB
    body_seconds: float = 60.0
    write_seconds: float = 60.0  # for the peer to take the next 64 KiB of an answer


class RequestRefused(CloudBangError):
    """A request that is not handed to the application; answered shortly, then the end."""

    code = "request-refused"

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)

    def __str__(self) -> str:
        return HTTPStatus(self.status).phrase

    def response(self) -> bytes:
        """The whole answer."""
        text = f"{self.status} {HTTPStatus(self.status).phrase}"
        return (
            f"HTTP/1.1 {text}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
            f"Connection: close\r\n\r\n{text}"
        ).encode()


class RequestReader:
    """The read side of a connection, in place of ``makefile()``: no buffer while idle.

    ``read_head`` gathers a whole head before anything parses it, so that parsing never waits.
    """

    __slots__ = ("_at", "_data", "_deadline", "_sock", "closed", "idle", "limits", "received")

    def __init__(self, sock: Any, limits: Limits) -> None:
        self._sock, self.limits = sock, limits
        self._data, self._at = b"", 0
        self._deadline = 0.0
        self.closed = False
        self.idle = True  # between requests: nothing is lost by hanging up
        self.received = 0

    def read_head(self) -> bool:
        """Wait for a whole request head. False when the peer is gone or stayed idle.

        Raises RequestRefused: 408 too slow, 431 too large.
        """
        limits = self.limits
        data = self._data[self._at :].lstrip(b"\r\n")  # RFC 9112, 2.2: blank lines are skipped
        self._data, self._at = data, 0
        self._deadline = time.monotonic() + (limits.head_seconds if data else limits.idle_seconds)
        self.idle = not data
        while (end := _head_end(data)) < 0:
            if len(data) > limits.head_bytes:
                raise RequestRefused(431)
            try:
                more = self._receive(READ)
            except TimeoutError:
                if self.idle:
                    return False
                raise RequestRefused(408) from None
            except OSError:
                return False
            if not more:
                return False
            if self.idle:
                self.idle = False
                self._deadline = time.monotonic() + limits.head_seconds
            data = (data + more).lstrip(b"\r\n")
        if end > limits.head_bytes or data.count(b"\n", 0, end) > limits.head_lines + 2:
            raise RequestRefused(431)
        self._data = data
        self._deadline = time.monotonic() + limits.body_seconds
        return True

    def rest(self) -> bytes:
        """What has come after the head; the reader holds nothing any more."""
        rest, self._data, self._at = self._data[self._at :], b"", 0
        return rest

    def readline(self, limit: int = -1) -> bytes:
        """As a file's: up to and with the next newline, or ``limit`` bytes, or the end."""
        while True:
            end = self._data.find(b"\n", self._at) + 1
            have = len(self._data) - self._at
            if end or 0 <= limit <= have or not self._more():
                break
        stop = end or len(self._data)
        if limit >= 0:
            stop = min(stop, self._at + limit)
        return self._take(stop)

    def read(self, size: int = -1) -> bytes:
        """As a file's: ``size`` bytes, fewer only at the end. ``size`` has to be given."""
        have = len(self._data) - self._at
        if have >= size:
            return self._take(self._at + size)
        parts = [self.rest()]
        while have < size and (more := self._receive(min(size - have, 64 * KIB))):
            parts.append(more)
            have += len(more)
        return b"".join(parts)

    def close(self) -> None:
        self.closed = True

    def _take(self, stop: int) -> bytes:
        taken, self._at = self._data[self._at : stop], stop
        return taken

    def _more(self) -> bool:
        more = self._receive(READ)
        self._data, self._at = self._data[self._at :] + more, 0
        return bool(more)

    def _receive(self, size: int) -> bytes:
        self._sock.timeout = max(self._deadline - time.monotonic(), 0.001)
        data: bytes = self._sock.recv(size)
        self.received += len(data)
        return data


def _head_end(data: bytes) -> int:
    """The length of the head at the beginning of ``data``, -1 when it is not all there."""
    crlf, lf = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    if crlf < 0 and lf < 0:
        # HTTP/0.9 has a request line and no headers; pywsgi would wait for them for ever.
        return -1
    return min(end for end in (crlf + 4 if crlf >= 0 else -1, lf + 2 if lf >= 0 else -1) if end > 0)
