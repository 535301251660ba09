"""How a request becomes a WebSocket: the handshake, who may, and the connection's whole life.

A path of ``Server.routes`` leads to a :class:`SocketRoute`; everything else is the application's.
"""

from __future__ import annotations

import json
import logging
import socket as std_socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import gevent
from gevent.pywsgi import Input, WSGIHandler
from geventwebsocket.handler import WebSocketHandler

from cloudbang.web.server.deflate import negotiate
from cloudbang.web.server.handshake import Refusal, accepted, bad_handshake, choose
from cloudbang.web.server.websocket import KIB, QUEUE, Socket, SocketClosed

log = logging.getLogger(__name__)

# What an endpoint still needs to know once the socket is open; the rest of the request is let go,
# so that an idle socket stays small and its cookie does not stay in memory.
LANGUAGE = "cloudbang.language"  # of who opened it: the door writes it down, since a cookie says it
KEPT = (
    *("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST", "HTTP_ORIGIN"),
    *("HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR", "wsgi.url_scheme"),
    LANGUAGE,
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


class SocketHandler(WebSocketHandler):
    """Opens a WebSocket at the paths of ``server.routes``."""

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
        if "HTTP_ORIGIN" not in environ or self.server.is_our_page(environ):
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
            *refusal.headers,
        ]
        if refusal.status == 426:
            headers += [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")]
        self.start_response(f"{refusal.status} {title}", headers)
        self.write(body)

    def log_request(self) -> None:
        """No access log: writing it would hold up the hub. Requests are counted instead."""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        return WSGIHandler.start_response(self, status, headers, exc_info)
