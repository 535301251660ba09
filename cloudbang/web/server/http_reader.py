"""Reading requests within limits: what pywsgi leaves unbounded."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cloudbang.core.loop import yield_to_loop
from cloudbang.errors import CloudBangError

KIB = 1024
READ = 16 * KIB  # bytes asked of the kernel at a time

# A head whose meaning nobody can dispute: whoever stands in front of us must see the same fields,
# else what one takes for a body is a request to the other. No folded lines, no space before a
# colon, no lone CR, no NUL (RFC 9112, 2.2, 5.1, 5.2).
_HEAD = re.compile(rb"[^\r\n\0]+\r?\n(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\r\n\0]*\r?\n)*\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([^\r\n]*?)[ \t]*(?=\r?\n)", re.I)
_ENCODING = re.compile(rb"\ntransfer-encoding:", re.I)
_HOST = re.compile(rb"\nhost:", re.I)
_NUMBER = re.compile(rb"[0-9]{1,18}")
CHUNK_LINE = 4 * KIB  # bytes of a chunk's size with its extensions, and of a trailer
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?\r\n")
_TRAILER = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\r\n\0]*\r\n")


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
    sentence = "{phrase}"

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)

    def facts(self) -> dict[str, object]:
        return {"phrase": HTTPStatus(self.status).phrase}

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

    __slots__ = (
        *("_at", "_data", "_deadline", "_left", "_sock", "closed", "idle", "limits", "received"),
    )

    def __init__(self, sock: Any, limits: Limits) -> None:
        self._sock, self.limits = sock, limits
        self._data, self._at = b"", 0
        self._deadline = 0.0
        self._left = 0  # bytes that may still be received for this request
        self.closed = False
        self.idle = True  # between requests: nothing is lost by hanging up
        self.received = 0

    def read_head(self) -> bool:
        """Wait for a whole request head. False when the peer is gone or stayed idle.

        Raises RequestRefused: 400 ambiguous, 408 too slow, 431 too large.
        """
        limits = self.limits
        # Blank lines before a head count too: else they could come for ever.
        self._left = limits.head_bytes + 2 * READ
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
        _check(data[:end])
        self._data = data
        self._deadline = time.monotonic() + limits.body_seconds
        # A chunked body may be a little larger than what is in it, not a thousand times.
        self._left = 2 * limits.body_bytes + limits.head_bytes
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
        if size <= READ:  # a chunked body is read byte by byte: not with a system call for each
            while have < size and self._more():
                have = len(self._data) - self._at
            return self._take(min(self._at + size, len(self._data)))
        parts = [self.rest()]
        while have < size and (more := self._receive_body(min(size - have, 64 * KIB))):
            parts.append(more)
            have += len(more)
        return b"".join(parts)

    def read_some(self, size: int) -> bytes:
        """The next of a body, at most ``size`` bytes and as they come; nothing at its end."""
        return self._take(min(self._at + size, len(self._data))) or self._receive_body(size)

    def allow(self, more: int, until: float) -> None:
        """So many bytes more may be received, until that moment of the monotonic clock."""
        self._left, self._deadline = more, until

    def read_chunked(self) -> bytes:
        """A whole body in chunks (RFC 9112, 7.1), and what follows it. Raises as :meth:`chunks`."""
        limit = self.limits.body_bytes
        return b"".join(self.chunks(limit, limit))

    def chunks(
        self, most: int, piece: int, before_each: Callable[[], None] = lambda: None
    ) -> Iterator[bytes]:
        """A body in chunks, as it comes, and what follows it. Nothing is forgiven: where one reader
        ends a line and another does not, a body can hide a request.

        ``most`` bytes in all, ``piece`` bytes at a time. Raises RequestRefused: 400, 413;
        TimeoutError, OSError.
        """
        have = 0
        while True:
            before_each()
            line = _CHUNK.fullmatch(self.readline(CHUNK_LINE))
            if line is None:
                raise RequestRefused(400)
            left = int(line[1], 16)
            if not left:
                break
            have += left
            if have > most:
                raise RequestRefused(413)
            while left:
                before_each()
                size = min(left, piece)
                data = self.read(size)
                if len(data) < size:
                    raise RequestRefused(400)
                left -= size
                yield data
            if self.read(2) != b"\r\n":
                raise RequestRefused(400)
        for _ in range(self.limits.head_lines):
            trailer = self.readline(CHUNK_LINE)
            if trailer == b"\r\n":
                return
            if not _TRAILER.fullmatch(trailer):
                break
        raise RequestRefused(400)

    def close(self) -> None:
        self.closed = True

    def _take(self, stop: int) -> bytes:
        taken, self._at = self._data[self._at : stop], stop
        return taken

    def _more(self) -> bool:
        more = self._receive_body(READ)
        self._data, self._at = self._data[self._at :] + more, 0
        return bool(more)

    def _receive_body(self, size: int) -> bytes:
        # A peer that sends faster than we read never makes us wait, and so would be alone here.
        yield_to_loop()
        return self._receive(size)

    def _receive(self, size: int) -> bytes:
        """Raises TimeoutError at the deadline, also when there is always more to be had."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.timeout = left
        data: bytes = self._sock.recv(size)
        self.received += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(errno.EMSGSIZE, "a request takes too many bytes")
        return data


def _check(head: bytes) -> None:
    """Raises RequestRefused when it is not clear what this head says or where its body ends."""
    lengths = _LENGTH.findall(head)
    encoded = _ENCODING.search(head) is not None
    if (
        not _HEAD.fullmatch(head)
        or len(lengths) + encoded > 1
        or (lengths and not _NUMBER.fullmatch(lengths[0]))
        or (encoded and b" HTTP/1.1" not in head.partition(b"\n")[0])
        or len(_HOST.findall(head)) > 1
    ):
        raise RequestRefused(400)


def _head_end(data: bytes) -> int:
    """The length of the head at the beginning of ``data``, -1 when it is not all there."""
    crlf, lf = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    if crlf < 0 and lf < 0:
        # HTTP/0.9 has a request line and no headers; pywsgi would wait for them for ever.
        return -1
    return min(end for end in (crlf + 4 if crlf >= 0 else -1, lf + 2 if lf >= 0 else -1) if end > 0)
