"""A hand-driven ``GET`` on the engine's socket whose body has no end in sight: logs, events.

The SDK's iterator costs three times as much per line, reads TTY logs a byte at a time and ends
quietly on errors. Asked over HTTP/1.0 the engine sends the bare body and closes at its end; one
that insists on chunks is understood too.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import gevent
import orjson
from gevent import socket
from gevent.hub import get_hub

from cloudbang.errors import EngineUnreachable

MAX_HEAD = 64 * 1024
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError)


@dataclass(frozen=True)
class Address:
    """Where the engine listens: ``unix:///path`` or ``tcp://host:port``, with TLS or without."""

    url: str
    tls: ssl.SSLContext | None = None

    def connect(self, timeout: float) -> socket.socket:
        """A connected socket. Raises EngineUnreachable."""
        parts = urlsplit(self.url)
        try:
            if parts.scheme == "unix":
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.settimeout(timeout)
                try:
                    sock.connect(parts.path or f"/{parts.netloc}")
                except BaseException:
                    sock.close()
                    raise
                return sock
            if parts.scheme not in ("tcp", "http", "https") or not parts.hostname:
                raise EngineUnreachable(self.url, "only unix:// and tcp:// addresses can be used")
            host, port = parts.hostname, parts.port or (2376 if self.tls else 2375)
            sock = socket.create_connection((host, port), timeout)
            # A host that vanished sends nothing, not even an end.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.tls is None:
                return sock
            return self.tls.wrap_socket(sock, server_hostname=host)
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or str(e) or type(e).__name__
            raise EngineUnreachable(self.url, reason) from None


class EngineStream:
    """One response, read as it comes. ``status`` is the HTTP status; the body follows.

    Not shared between greenlets. An end of the body is all the engine says, whether the container
    exited or the engine was stopped: ask the engine which.
    """

    def __init__(self, address: Address, path: str, timeout: float = 10.0) -> None:
        self._address = address
        self._sock = address.connect(timeout)
        self._chunks: _Chunks | None = None
        self._watcher = None
        try:
            self._sock.sendall(
                f"GET {path} HTTP/1.0\r\nHost: docker\r\nUser-Agent: cloudbang\r\n\r\n".encode()
            )
            self.status, self._early = self._head()
            # Read without waiting from here on: `wait` does the waiting.
            self._sock.settimeout(0)
            self._watcher = get_hub().loop.io(self._sock.fileno(), 1)
        except EngineUnreachable:
            self.close()
            raise
        except OSError as e:
            self.close()
            raise EngineUnreachable(address.url, str(e) or type(e).__name__) from None
        except BaseException:
            self.close()
            raise

    def read_now(self, limit: int = 65536) -> bytes | None:
        """What is there, at most ``limit`` bytes; None when nothing is; ``b""`` at the end."""
        if self._early:
            data, self._early = self._early, b""
        else:
            try:
                data = self._sock.recv(limit)
            except _NOT_YET:
                return None
            except OSError:
                return b""  # a reset is an end like any other: the caller asks the engine
        if self._chunks is None or not data:
            return data
        return self._chunks.feed(data)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until :meth:`read_now` has something (or the end); False when ``timeout`` passed."""
        hub = get_hub()
        if timeout is None:
            hub.wait(self._watcher)
            return True
        with gevent.Timeout(timeout, False):
            hub.wait(self._watcher)
            return True
        return False

    def read(self) -> bytes:
        """The next bytes, waiting for them; ``b""`` at the end."""
        while (data := self.read_now()) is None:
            self.wait()
        return data

    def read_all(self, limit: int = 64 * 1024 * 1024) -> bytes:
        """The rest of the body, at most about ``limit`` bytes."""
        found, size = [], 0
        while size < limit and (data := self.read()):
            found.append(data)
            size += len(data)
        return b"".join(found)

    def error(self) -> str:
        """What the engine says in the body of a response that is not a 200."""
        with gevent.Timeout(5, False):
            body = self.read_all(MAX_HEAD)
            try:
                return str(orjson.loads(body)["message"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                return body.decode("utf-8", "replace")[:500]
        return "no reason given"

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self._sock.close()

    def _head(self) -> tuple[int, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._sock.recv(65536)
            if not more or len(data) > MAX_HEAD:
                raise EngineUnreachable(self._address.url, "it closed the connection")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *fields = head.split(b"\r\n")
        for field in fields:
            name, _, value = field.partition(b":")
            if name.lower() == b"transfer-encoding" and value.strip().lower() == b"chunked":
                self._chunks = _Chunks()
        try:
            return int(first.split(b" ", 2)[1]), body
        except (IndexError, ValueError):
            raise EngineUnreachable(self._address.url, "it does not speak HTTP") from None


class _Chunks:
    """The transfer coding of HTTP/1.1 taken off."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0  # bytes of the chunk that are still to come, its CR LF included
        self._ended = False

    def feed(self, data: bytes) -> bytes | None:
        """The body in these bytes; None when they hold none; ``b""`` at the end."""
        data = self._rest + data
        found, at = [], 0
        while not self._ended:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                at += len(piece)
                self._left -= len(piece)
                # The last two bytes are CR LF.
                over = max(0, 2 - self._left)
                found.append(piece[: len(piece) - over] if over else piece)
                continue
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                break
            size = int(data[at:line_end].split(b";")[0] or b"0", 16)
            at = line_end + 2
            self._ended = size == 0
            self._left = size + 2 if size else 0
        self._rest = data[at:]
        body = b"".join(found)
        return body if body or self._ended else None
