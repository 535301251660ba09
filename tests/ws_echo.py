"""An echo application on our own WebSocket handler, for tests and the conformance suite.

``.venv/bin/python -m tests.ws_echo PORT`` prints one line when it listens.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import gevent

from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.server.websocket import Socket

BIG = 64 * 1024 * 1024  # bytes; the suite sends up to 16 MiB


def echo(socket: Socket, _environ: Mapping[str, Any], _account: Any) -> None:
    while (message := socket.receive()) is not None:
        socket.send(message)


def nothing_else(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"only a WebSocket at /"]


def main(port: int) -> None:
    route = SocketRoute(echo, authorize=lambda environ: None, max_message=BIG)
    server = Server(("127.0.0.1", port), nothing_else, {"/": route, "/websocket": route})
    server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, lambda: gevent.spawn(server.stop, 2.0))
    print(f"echo at ws://127.0.0.1:{server.port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9001)
