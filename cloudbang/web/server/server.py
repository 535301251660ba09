"""The one port: gevent's pywsgi server, bounded, and stopping gracefully."""

from __future__ import annotations

import errno
import io
import logging
import socket as std_socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gevent
from gevent.pywsgi import Input, WSGIServer
from gevent.socket import socket as GeventSocket

from cloudbang.core import descriptors
from cloudbang.core.counters import export
from cloudbang.core.loop import yield_to_loop
from cloudbang.errors import PortInUse
from cloudbang.web.server.body_stream import BodyStream, LargeBody
from cloudbang.web.server.handshake import from_same_origin
from cloudbang.web.server.heartbeat import SocketRegistry
from cloudbang.web.server.http_reader import Limits, RequestReader, RequestRefused
from cloudbang.web.server.socket_handler import SocketHandler, SocketRoute

log = logging.getLogger(__name__)

WRITE = 64 * 1024  # bytes of an answer handed over under one deadline
LINGER = 1.0  # seconds a refused peer has to read its answer


@dataclass(eq=False)
class ServerCounts:
    """Since the start; see ``COUNTED``."""

    connections: int = 0
    connections_refused: int = 0
    requests: int = 0
    requests_refused: int = 0
    responses_failed: int = 0


COUNTED = {
    "connections": "Connections that were taken.",
    "connections_refused": "Connections that were one too many, and told so.",
    "requests": "Requests with a head that could be read.",
    "requests_refused": "Requests that were not, or were too large, and never reached the application.",
    "responses_failed": "Requests answered with 5xx.",
}


class Handler(SocketHandler):
    """One connection: its requests within limits, then perhaps a WebSocket."""

    rfile: RequestReader
    wsgi_input: Any
    body: BodyStream | None = None  # of a call that reads it as it comes

    def handle_one_request(self) -> Any:
        if self.server.stopping:
            return None
        try:
            if not self.rfile.read_head():
                return None
        except RequestRefused as e:
            return self._refused(e)
        self.server.counts.requests += 1
        # TimeoutError while an answer is written: see _sendall.
        result = super().handle_one_request()
        self.rfile.idle = True
        # Requests sent without a pause would have the hub for themselves: nothing here waits.
        yield_to_loop()
        return result

    def handle_one_response(self) -> None:
        self.wsgi_input.send_100_continue_enabled = self._body_fits()
        super().handle_one_response()
        if self.code is not None and self.code >= 500:
            self.server.counts.responses_failed += 1

    def run_application(self) -> None:
        self.body = None
        if self.environ["PATH_INFO"] not in self.server.routes:
            bounds = self.server.large_body(self.environ)
            try:
                if bounds is None:
                    self._read_body()
                else:
                    self._hand_on_body(bounds)
            except RequestRefused as e:
                self._answer(e)
                return
            finally:
                # All of it is read or none of it will be: pywsgi has nothing left to discard.
                self.wsgi_input = Input(self.rfile, 0)
        self.environ[PEER_LEFT] = self._peer_left
        super().run_application()
        if self.body is not None and not self.body.exhausted:
            self._linger()  # it was answered before all of it was sent

    def _peer_left(self) -> bool:
        """Whether it has closed the connection. One that only says nothing more is taken for the same:
        no browser, library or proxy does that and waits for an answer."""
        try:
            return self.socket._sock.recv(1, std_socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        if self.body is not None and not self.body.exhausted:
            headers = [*headers, ("Connection", "close")]
        return super().start_response(status, headers, exc_info)

    def _hand_on_body(self, bounds: LargeBody) -> None:
        """Leave it to the application to read the body. Raises RequestRefused: 400."""
        incoming = self.wsgi_input
        self._check_encoding()
        incoming.send_100_continue_enabled = True
        length = None if incoming.chunked_input else self.content_length or 0
        self.body = BodyStream(self.rfile, bounds, length, incoming._send_100_continue)
        self.environ["wsgi.input"] = self.body
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)

    def _read_body(self) -> None:
        """Take in the whole body: a slow sender then holds nothing but its connection.

        Raises RequestRefused: 400, 408, 413.
        """
        incoming = self.wsgi_input
        self._check_encoding()
        if not self._body_fits():
            raise RequestRefused(413)
        if not incoming.chunked_input and not self.content_length:
            return
        limit = self.rfile.limits.body_bytes
        try:
            if incoming.chunked_input:
                incoming._send_100_continue()
                body = self.rfile.read_chunked()
            else:
                body = incoming.read()
        except TimeoutError:
            raise RequestRefused(408) from None
        except (OSError, ValueError):  # cut short, or chunks that make no sense
            raise RequestRefused(400) from None
        if len(body) > limit:
            raise RequestRefused(413)
        self.environ["wsgi.input"] = io.BytesIO(body)
        if incoming.chunked_input:
            del self.environ["HTTP_TRANSFER_ENCODING"]
            self.environ["CONTENT_LENGTH"] = str(len(body))

    def _check_encoding(self) -> None:
        """Raises RequestRefused: where a body ends would be a guess, and what follows it someone
        else's request."""
        if self.environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
            raise RequestRefused(400)

    def _body_fits(self) -> bool:
        return (self.content_length or 0) <= self.rfile.limits.body_bytes

    def _answer(self, refusal: RequestRefused) -> None:
        """Answer in place of the application; what the peer goes on sending is not read."""
        self.server.counts.requests_refused += 1
        self.close_connection = True
        self.status, self.code, self.headers_sent = b"%d" % refusal.status, refusal.status, True
        self._sendall(refusal.response())
        self._linger()

    def _refused(self, refusal: RequestRefused) -> None:
        self.server.counts.requests_refused += 1
        try:
            self._sendall(refusal.response())
            self._linger()
        except OSError:
            pass

    def _linger(self) -> None:
        """Let the peer read its answer: closing with bytes unread would reset the connection."""
        deadline = time.monotonic() + LINGER
        try:
            self.socket.shutdown(std_socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.socket.timeout = left
                if not self.socket.recv(WRITE):
                    return
                yield_to_loop()
        except OSError:
            pass

    def _sendall(self, data: bytes | bytearray) -> None:
        """A peer that stops reading its answer is given up after ``write_seconds``."""
        view = memoryview(data)
        send = super()._sendall
        for at in range(0, len(view), WRITE):
            self.socket.timeout = self.rfile.limits.write_seconds
            try:
                send(view[at : at + WRITE])
            except TimeoutError:
                raise OSError(errno.EPIPE, "the peer does not read its answer") from None

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        log.debug("bad request from %s: %s", self.client_address, ex)
        self.server.counts.requests_refused += 1
        return ("400", RequestRefused(400).response())

    def _log_error(self, t: Any, v: Any, tb: Any) -> None:
        if not issubclass(t, gevent.GreenletExit):
            log.error("%s %s failed", self.command, self.path, exc_info=(t, v, tb))


PEER_LEFT = "cloudbang.peer_left"
"""In the environment of a request: a function that says whether who asked has gone."""

WANTS_TOLD = 10.0  # seconds after which it is said again that nobody can connect


class Server(WSGIServer):
    """Serves ``app`` (WSGI) and the ``routes`` (path -> SocketRoute) on one address.

    ``address`` is (host, port); port 0 takes a free one, see ``port``. ``is_our_page``
    says of a handshake whether the page that asks is of this server; by its Host, unless given.
    ``large_body`` says of a request that it may bring a large one, which its application reads as it
    comes; of any other it is None.
    """

    handler_class = Handler
    backlog = 1024

    def __init__(
        self,
        address: tuple[str, int],
        app: Callable[..., Iterable[bytes]],
        routes: Mapping[str, SocketRoute] | None = None,
        *,
        limits: Limits | None = None,
        is_our_page: Callable[[Mapping[str, Any]], bool] = from_same_origin,
        registry: SocketRegistry | None = None,
        setting: str = "CLOUDBANG_SERVER_PORT",
        large_body: Callable[[Mapping[str, Any]], LargeBody | None] = lambda environ: None,
    ) -> None:
        # SERVER_NAME is given: pywsgi would ask DNS for it, which may hold up the start.
        super().__init__(address, app, log=None, error_log=log, environ={"SERVER_NAME": address[0]})
        self.application = app
        self.routes = dict(routes or {})
        self.limits = limits or Limits()
        self.is_our_page = is_our_page
        self.large_body = large_body
        self.registry = SocketRegistry() if registry is None else registry
        self.counts = ServerCounts()
        export(self.counts, "http", counters=COUNTED)
        text = "Connections that are open now, requests and sockets."
        export(self, "open", gauges={"connections": text})
        self.stopping = False
        self._setting = setting
        self._wants_told = -WANTS_TOLD
        self._open: dict[Handler, gevent.Greenlet] = {}
        self._coming = 0  # accepted, and their greenlets have not begun

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address[1])

    @property
    def connections(self) -> int:
        """Open connections: requests, idle ones and sockets."""
        return len(self._open) + self._coming

    def start(self) -> None:
        """Listen and serve. Raises PortInUse."""
        wanted = self.limits.connections
        room = descriptors.allow(wanted)
        if room < wanted:
            self.limits = replace(self.limits, connections=room)
            log.warning(
                "%d connections at a time and not %d: only %d files may be open at once "
                "(ulimit -Hn), and the logs need some of them",
                *(room, wanted, descriptors.hard_limit()),
            )
        try:
            super().start()
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                raise PortInUse("{}:{}".format(*self.address), self._setting) from None
            raise

    @classmethod
    def get_listener(cls, address: Any, backlog: int | None = None, family: Any = None) -> Any:
        """As gevent's, which leaves the socket open when the address is taken."""
        listener = GeventSocket(family=family)
        try:
            listener.setsockopt(std_socket.SOL_SOCKET, std_socket.SO_REUSEADDR, 1)
            # Inherited by every connection: heads and bodies are written apart, and Nagle's
            # algorithm would hold back the body for the peer's delayed acknowledgement (40 ms).
            listener.setsockopt(std_socket.IPPROTO_TCP, std_socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(backlog or cls.backlog)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener

    def do_read(self) -> Any:
        try:
            return super().do_read()
        except OSError as e:
            if not descriptors.is_want(e):
                raise
            # Whoever connects waits with the kernel until a file may be opened again.
            if time.monotonic() > self._wants_told + WANTS_TOLD:
                self._wants_told = time.monotonic()
                log.warning("nobody can connect at the moment: %s; see `cloudbang doctor`", e)
            self.stop_accepting()
            self._timer = self.loop.timer(self.min_delay)
            self._timer.start(self._start_accepting_if_started)
            return None

    def do_handle(self, sock: Any, address: Any) -> None:
        # Overload: one connection too many is told so and closed, it does not wait unheard. A hundred
        # and more are accepted before the greenlet of the first has its turn: they count from here on.
        if self.connections >= self.limits.connections:
            self.counts.connections_refused += 1
            try:
                sock._sock.send(RequestRefused(503).response())
                sock._sock.recv(WRITE)
            except OSError:
                pass
            sock.close()
            return
        self._coming += 1
        try:
            super().do_handle(sock, address)
        except BaseException:
            self._coming -= 1
            raise

    def handle(self, sock: Any, address: Any) -> None:
        self._coming -= 1
        self.counts.connections += 1
        handler = self.handler_class(sock, address, self, RequestReader(sock, self.limits))
        self._open[handler] = gevent.getcurrent()
        try:
            handler.handle()
        finally:
            del self._open[handler]

    def stop(self, timeout: float | None = 3.0) -> None:
        """Stop accepting, close the sockets with 1001, let running requests finish.

        What still runs after ``timeout`` seconds is cut off.
        """
        deadline = time.monotonic() + (3.0 if timeout is None else timeout)
        self.stopping = True
        self.close()
        self.registry.close_all()
        for handler, greenlet in tuple(self._open.items()):
            if handler.rfile.idle:
                greenlet.kill(block=False)
        while self.connections and time.monotonic() < deadline:
            gevent.sleep(0.01)
        rest = tuple(self._open.values())
        for socket in self.registry:
            socket.drop()
        gevent.killall(rest, block=False)
        gevent.joinall(rest, timeout=1.0)
        self.registry.stop()
