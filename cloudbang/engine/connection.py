"""One connection of our own to the engine: a request by hand, the head of its answer, raw bytes.

The SDK's iterators cost three times as much per line, read TTY output a byte at a time, end
quietly on errors and block both ways.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import gevent
import orjson
from gevent import socket

from cloudbang.core.descriptors import is_want
from cloudbang.core.parking import Parking
from cloudbang.engine.errors import RefusedBetween
from cloudbang.errors import EngineNotAsked, EngineRefused, EngineUnreachable

log = logging.getLogger(__name__)

CLOSED = "it closed the connection"  # with no answer

MAX_HEAD = 64 * 1024
# Seconds of silence until the system asks whether the other side is there, between two such
# questions, and how many; milliseconds that what was sent may stay without an answer.
GONE_AFTER = (
    (socket.TCP_KEEPIDLE, 10),
    (socket.TCP_KEEPINTVL, 5),
    (socket.TCP_KEEPCNT, 3),
    (socket.TCP_USER_TIMEOUT, 25_000),
)
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


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
            for option, value in GONE_AFTER:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
            if self.tls is None:
                return sock
            return self.tls.wrap_socket(sock, server_hostname=host)
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or str(e) or type(e).__name__
            raise (EngineNotAsked if is_want(e) else EngineUnreachable)(self.url, reason) from None


class EngineConnection:
    """One request and its answer. ``status`` is the HTTP status; what follows is read as it comes.

    ``pieces``: more of the request, sent as they come. One greenlet reads. Raises EngineUnreachable
    when there is no answer within ``timeout`` seconds.
    """

    def __init__(
        self, address: Address, request: bytes, timeout: float, pieces: Iterable[bytes] = ()
    ) -> None:
        self._address = address
        self._sock = address.connect(timeout)
        self._arrival: Parking | None = None
        self._taken = False  # the last read took all there was: the next one waits first
        try:
            self._sock.sendall(request)
            with suppress(BrokenPipeError, ConnectionResetError):
                # One that has refused what was sent so far reads no more of it: it says why.
                for piece in pieces:
                    self._sock.sendall(piece)
            self.status, self.fields, self._early = self._head()
            # Read without waiting from here on: `wait` does the waiting. The system's own calls,
            # where that is possible: for a single key gevent's around them would cost more.
            self._sock.settimeout(0)
            plain = address.tls is None
            self._recv = self._sock._sock.recv if plain else self._sock.recv
            self._send_now = self._sock._sock.send if plain else self._sock.send
            self._arrival = Parking(readable=self._sock.fileno())
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
            data, self._early = self._early[:limit], self._early[limit:]
            return data
        try:
            data = self._recv(limit)
        except NOT_YET:
            return None
        except OSError:
            return b""  # a reset is an end like any other: the caller asks the engine
        # With TLS there may be more that was received already.
        self._taken = 0 < len(data) < limit and self._address.tls is None
        return data

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until :meth:`read_now` has something (or the end), or until :meth:`wake`; False
        when ``timeout`` passed."""
        if self._early or (self._address.tls is not None and self._sock.pending()):
            return True  # received already, the system does not know of it
        assert self._arrival is not None
        if timeout is None:
            self._arrival.wait()
            return True
        with gevent.Timeout(timeout, False):
            self._arrival.wait()
            return True
        return False

    def wake(self) -> None:
        """Let the greenlet that waits look up."""
        if self._arrival is not None:
            self._arrival.call()

    def read(self, limit: int = 65536) -> bytes:
        """The next bytes, waiting for them; ``b""`` at the end."""
        if self._taken:
            self._taken = False
            self.wait()
        while (data := self.read_now(limit)) is None:
            self.wait()
        return data

    def read_all(self, limit: int = 64 * 1024 * 1024) -> bytes:
        """The rest of the body, at most about ``limit`` bytes."""
        found, size = [], 0
        while size < limit and (data := self.read()):
            found.append(data)
            size += len(data)
        return b"".join(found)

    def refusal(self, what: str, call: str = "") -> EngineRefused | EngineUnreachable:
        """The error that a response reports: in the engine's own words, or not by the engine."""
        body, size = b"", self.fields.get(b"content-length", b"")
        # Not to the end where the size is known: the connection may be kept for another request.
        wanted = min(int(size), MAX_HEAD) if size.isdigit() else MAX_HEAD
        with gevent.Timeout(5, False):
            while len(body) < wanted and (data := self.read()):
                body += data
        try:
            return EngineRefused(what, self.status, str(orjson.loads(body)["message"]), call)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.debug("%s: %d, %s", what, self.status, body.decode("utf-8", "replace")[:500])
            if self.status in (502, 503, 504):  # a proxy whose engine is away
                return EngineUnreachable(self._address.url, f"a proxy answers {self.status}")
            return RefusedBetween(what, self.status, call)

    def abandon(self, within: float, told: bool = False) -> bool:
        """Close it, and let the engine end what it does for us first: whether it has.

        With half of the connection closed it gives up, as with all of it, but what it sends until
        it has is still read, to the end. That takes ``within`` seconds at most. ``told``: it was
        told to end in another way as well.
        """
        ended = False
        try:
            with gevent.Timeout(within, False):
                half = self._address.tls is None  # with TLS there is no half of one
                if half:
                    self._sock.shutdown(socket.SHUT_WR)
                if half or told:
                    while self.read():
                        pass
                    ended = True
        except OSError:
            ended = True  # it is gone altogether
        finally:
            self.close()
        return ended

    def close(self) -> None:
        if self._arrival is not None:
            self._arrival.close()
            self._arrival = None
        self._sock.close()

    def _head(self) -> tuple[int, dict[bytes, bytes], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._sock.recv(65536)
            if not more or len(data) > MAX_HEAD:
                raise EngineUnreachable(self._address.url, CLOSED)
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        fields = {}
        for line in lines:
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        try:
            return int(first.split(b" ", 2)[1]), fields, body
        except (IndexError, ValueError):
            raise EngineUnreachable(self._address.url, "it does not speak HTTP") from None
