"""WebSocket connections: gevent-websocket's handler and socket with their weaknesses mended.

The one importer of ``geventwebsocket``. What it lacks and this has: one writer per connection,
close codes that are sent, size limits, masks required, fast unmasking in slices, an Origin check,
permessage-deflate, deadlines. How a socket writes is in ``outbox``.
"""

from __future__ import annotations

import json
import logging
import socket as std_socket
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import gevent
from gevent.event import Event as Signal
from gevent.pywsgi import Input, WSGIHandler
from geventwebsocket.handler import WebSocketHandler
from geventwebsocket.websocket import WebSocket

from cloudbang.core.loop import yield_to_loop
from cloudbang.web.server import frames
from cloudbang.web.server.deflate import Agreement, negotiate
from cloudbang.web.server.frames import BINARY, TEXT, SharedFrame
from cloudbang.web.server.handshake import Refusal, accepted, bad_handshake, choose, same_origin
from cloudbang.web.server.heartbeat import CLOSE_WAIT, SocketRegistry
from cloudbang.web.server.outbox import QUEUE, Outbox, SocketClosed, nothing_more

__all__ = ["BINARY", "TEXT", "Refusal", "SharedFrame", "Socket", "SocketClosed", "SocketRoute"]

log = logging.getLogger(__name__)

KIB = 1024
READ = 64 * KIB  # bytes asked of the kernel at a time, when there is much
SHORT = 4 * KIB  # and otherwise
TURN = 0.005  # seconds one connection may work before the others get theirs
# What a door still needs to know once the socket is open; the rest of the request is let go,
# so that an idle socket stays small and its cookie does not stay in memory.
KEPT = (
    *("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST", "HTTP_ORIGIN"),
    *("HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR", "wsgi.url_scheme"),
)


@dataclass(frozen=True)
class SocketRoute:
    """A path at which sockets open.

    ``serve(socket, environ, account)`` runs for as long as the connection lives; ``environ`` holds
    only the keys in ``KEPT``. ``authorize(environ)`` sees the whole request before the handshake;
    it returns a :class:`Refusal`, or what ``serve`` gets as ``account``. ``max_message`` and
    ``queue`` are bytes. ``compress`` is whether permessage-deflate is agreed to.
    """

    serve: Callable[[Socket, Mapping[str, Any], Any], None]
    authorize: Callable[[dict[str, Any]], Any]
    subprotocols: tuple[str, ...] = ()
    max_message: int = 64 * KIB
    queue: int = QUEUE
    compress: bool = True


class Socket(Outbox, WebSocket):
    """One open connection. One greenlet receives; any may ``offer``, ``send`` and ``close``.

    ``backlog`` is what the kernel has not taken yet, ``received`` and ``sent`` count wire bytes,
    ``seen`` and ``moved`` (monotonic seconds) say when the peer was last heard and last took
    something. ``on_drained`` is called, in a greenlet of its own, when the queue has emptied
    after a refused offer.
    """

    __slots__ = (
        *("__weakref__", "backlog", "deflate", "left", "moved", "on_drained", "queue_limit"),
        *("received", "seen", "sent", "slot", "subprotocol", "_decoder", "_ended", "_hand"),
        *("_registry", "_more", "_queue", "_raw", "_reading", "_refused", "_signal", "_since"),
        *("_sock", "_watcher", "_window_bits"),
    )

    def __init__(
        self,
        sock: Any,
        registry: SocketRegistry,
        *,
        agreement: Agreement | None = None,
        subprotocol: str | None = None,
        max_message: int = 64 * KIB,
        queue: int = QUEUE,
        early: bytes = b"",
    ) -> None:
        # WebSocket.__init__ is left out on purpose: it holds on to the request and its reader.
        self._sock = sock
        self._raw = sock._sock  # the plain non-blocking socket under gevent's
        self._hand = self._raw.send
        self._registry = registry
        self._window_bits = agreement.window_bits if agreement else 0
        # A shared frame is made with the full window; who asked for less gets it plain.
        self.deflate = self._window_bits == 15
        self.subprotocol = subprotocol
        self.queue_limit = queue
        self._decoder = frames.Decoder(max_message, agreement is not None)
        if early:
            self._decoder.feed(early)
        self._queue: deque[bytes | memoryview] | None = None
        self._watcher: Any = None
        self._signal: Signal | None = None
        self.on_drained: Callable[[Socket], None] | None = None
        self.closed = False  # we have sent, or can no longer send, a close frame
        self._ended = False  # nothing more will be received
        self.left = False  # the peer has said good-bye: it did not just break off
        self._reading = self._refused = False
        self._more = True  # there may be more to read without waiting for it
        self.backlog = self.sent = 0
        self.received = len(early)
        self.seen = self.moved = time.monotonic()
        self._since = self.seen  # when this connection last waited for its peer
        self.slot = -1

    def __del__(self) -> None:
        """The handler ends a connection, not the garbage collector."""

    # -- reading ------------------------------------------------------------------------------

    def receive(self, timeout: float | None = None) -> str | bytes | None:
        """The next message, or None once the connection has ended.

        Raises TimeoutError after ``timeout`` seconds without a whole message.
        """
        if self._reading:  # close() in another greenlet reads what is left
            while not self._ended:
                self._wait_signal(None)
            return None
        decoder = self._decoder
        deadline = None if timeout is None else time.monotonic() + timeout
        self._reading = True
        try:
            while not self._ended:
                if time.monotonic() - self._since > TURN:
                    yield_to_loop()
                    self._since = time.monotonic()
                event = decoder.next()
                if event is None:
                    if not self._read(deadline):
                        self._lose()
                elif isinstance(event, str | bytes):
                    if not self.closed:  # what comes after our close is not read any more
                        return event
                elif event is not frames.WORKING:
                    self._control(event)
        except frames.PeerViolation as e:
            self._registry.counts.violations += 1
            self._end(e.close_code, e.reason)
        finally:
            self._reading = False
            if self._ended and self._signal is not None:
                self._signal.set()
        return None

    def _read(self, deadline: float | None) -> bool:
        left = None if deadline is None else deadline - time.monotonic()
        limit = READ if self._more else SHORT
        wait = not self._more and (left is None or left > 0)
        while True:
            try:
                if wait:
                    self._sock.timeout = left
                    self._sock._wait(self._sock._read_event)
                    self._since = time.monotonic()
                data = self._raw.recv(limit)
                break
            except BlockingIOError:
                if left is not None and left <= 0:
                    raise TimeoutError from None
                wait = True
            except TimeoutError:
                if left is None:
                    return False  # the system has given the peer up
                raise
            except OSError:
                return False
        self._more = len(data) == limit
        if data:
            self.seen = time.monotonic()
            self.received += len(data)
            self._decoder.feed(data)
        return bool(data)

    def _control(self, event: Any) -> None:
        if isinstance(event, frames.Ping):
            # Overload: pings of a peer that does not read its pongs go unanswered.
            if not self.closed and self.backlog <= self.queue_limit:
                self._put(frames.frame(event.payload, frames.PONG))
        elif isinstance(event, frames.Closing):
            self.left = True
            self._end(event.code, event.reason)

    def _end(self, code: int | None, reason: str) -> None:
        """Nothing more will be read; say so to the peer unless that was said."""
        self._start_close(frames.close_frame(code, reason))
        self._ended = True

    # -- ending -------------------------------------------------------------------------------

    def start_close(self, code: int = 1000, reason: str = "") -> None:
        """Send the close frame, after what is queued, and do not wait. Later calls do nothing."""
        self._start_close(frames.close_frame(code, reason))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send the close code and wait at most 2 s for the peer's; then the connection is cut."""
        self.start_close(code, reason)
        deadline = time.monotonic() + CLOSE_WAIT
        try:
            if self._reading:  # by another greenlet, which will see the answer
                while not self._ended and time.monotonic() < deadline:
                    self._wait_signal(deadline)
            else:
                self.receive(CLOSE_WAIT)
        except TimeoutError:
            pass
        if not self._ended:
            self.drop()

    def drop(self) -> None:
        """Cut the connection at once, without a word, and free what the kernel holds for it."""
        try:
            self._raw.setsockopt(
                std_socket.SOL_SOCKET, std_socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self._raw.shutdown(std_socket.SHUT_RDWR)  # wakes the greenlet that reads
        except OSError:
            pass
        self._lose()

    def finish(self) -> None:
        """The last act, by the handler: close if need be, let the peer hang up, let go."""
        try:
            if not self.closed:
                self.close()
            deadline = time.monotonic() + CLOSE_WAIT
            while self.backlog and time.monotonic() < deadline:
                self._wait_signal(deadline)
            # The peer has our FIN and reads our close frame in peace: closing with bytes unread
            # would send a reset that may overtake it.
            self._raw.shutdown(std_socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._sock.timeout = left
                if not self._sock.recv(READ):
                    break
                yield_to_loop()
        except OSError:
            pass
        finally:
            self._lose()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None

    def _start_close(self, data: bytes) -> None:
        if not self.closed:
            self._put(data)
            self.closed = True
            self._hand = nothing_more
            self.moved = time.monotonic()

    def _lose(self) -> None:
        """The connection can carry nothing more in either direction."""
        self.closed = self._ended = True
        self._hand = nothing_more
        self.backlog, self._queue = 0, None
        if self._watcher is not None:
            self._watcher.stop()
        if self._signal is not None:
            self._signal.set()


class SocketHandler(WebSocketHandler):
    """Opens the doors of ``server.doors``; everything else goes to the WSGI application."""

    environ: Any
    wsgi_input: Any

    def run_application(self) -> None:
        route = self.server.routes.get(self.environ["PATH_INFO"])
        if route is None:
            WSGIHandler.run_application(self)
            return
        self.close_connection = True
        self.wsgi_input = Input(None, 0)  # a body, if there is one, is refused and not read
        opened = self._open(route)
        if isinstance(opened, Refusal):
            self.server.registry.counts.handshakes_refused += 1
            self._refuse(opened)
            return
        socket, account = opened
        if isinstance(account, Refusal):
            socket.finish()
            return
        environ = {key: self.environ[key] for key in KEPT if key in self.environ}
        # An idle socket keeps nothing of its request.
        self.environ, self.headers = {}, None
        self.requestline = self.path = ""
        self._serve(route, socket, environ, account)

    def _serve(
        self, route: SocketRoute, socket: Socket, environ: dict[str, Any], account: Any
    ) -> None:
        registry = self.server.registry
        registry.add(socket)
        try:
            route.serve(socket, environ, account)
        except SocketClosed:
            pass  # the peer left while something was being sent to it
        except gevent.GreenletExit:
            socket.start_close(1001)
            raise
        except Exception:
            log.exception("the socket at %s failed", environ.get("PATH_INFO"))
            socket.start_close(1011, "internal error")
        finally:
            try:
                socket.finish()
            finally:
                registry.remove(socket)

    def _open(self, route: SocketRoute) -> Refusal | tuple[Socket, Any]:
        """Check the handshake (RFC 6455, 4.2) and answer it with 101."""
        environ = self.environ
        refusal = bad_handshake(environ, self.request_version) or self._foreign(environ)
        if refusal is None and self.server.registry.stopping:
            refusal = Refusal(503, "stopping", "the server is stopping")
        if refusal is not None:
            return refusal
        account = route.authorize(environ)
        if isinstance(account, Refusal):
            return account
        subprotocol = choose(environ, route.subprotocols)
        offered = environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS", "") if route.compress else ""
        agreement = negotiate(offered)
        self.socket.setsockopt(std_socket.IPPROTO_TCP, std_socket.TCP_NODELAY, 1)
        self.socket.sendall(accepted(environ, subprotocol, agreement))
        self.headers_sent, self.status, self.code = True, b"101 Switching Protocols", 101
        socket = Socket(
            self.socket,
            self.server.registry,
            agreement=agreement,
            subprotocol=subprotocol,
            max_message=route.max_message,
            queue=route.queue,
            early=self.rfile.rest(),
        )
        # A peer that did not read its answer made us wait: who was let in may have been thrown
        # out meanwhile, when there was no socket yet that could have been closed.
        again = route.authorize(environ)
        if isinstance(again, Refusal):
            socket.start_close(4401, again.message)
        return socket, again

    def _foreign(self, environ: Mapping[str, Any]) -> Refusal | None:
        """A browser's page may connect only to where it came from. Programs send no Origin."""
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or same_origin(origin, environ.get("HTTP_HOST", "")):
            return None
        if origin.lower() in self.server.origins:
            return None
        return Refusal(403, "foreign-origin", "Origin is not this server")

    def _refuse(self, refusal: Refusal) -> None:
        title = HTTPStatus(refusal.status).phrase
        problem = {
            "type": "about:blank",
            "title": title,
            "status": refusal.status,
            "code": refusal.code,
            "detail": refusal.message,
        }
        body = json.dumps(problem).encode()
        headers = [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        if refusal.status == 426:
            headers += [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")]
        self.start_response(f"{refusal.status} {title}", headers)
        self.write(body)

    def log_request(self) -> None:
        """No access log: writing it would hold up the hub. Requests are counted instead."""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        return WSGIHandler.start_response(self, status, headers, exc_info)
