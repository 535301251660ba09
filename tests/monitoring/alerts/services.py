"""Real HTTP servers on loopback that play the services which are told of alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gevent
import orjson
from gevent.server import StreamServer


class Asked(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


Answer = Callable[[Asked], bytes | None]
"""The whole answer; None: none comes, ever."""


def answer(status: int = 200, body: object = None, **headers: str) -> bytes:
    data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(data)}\r\n"
    for name, value in headers.items():
        head += f"{name.replace('_', '-')}: {value}\r\n"
    return f"{head}\r\n".encode() + data


class Service:
    """``answers``: what it says from now on; ``asked``: what it was told, the oldest first."""

    def __init__(self, answers: Answer) -> None:
        self.answers = answers
        self.asked: list[Asked] = []
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.port = int(self._server.server_port)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/token-of-it"

    def _serve(self, socket: Any, _peer: object) -> None:
        with socket, socket.makefile("rb") as reader:
            path = reader.readline().decode().split(" ")[1]
            headers = {}
            while (line := reader.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            asked = Asked(path, headers, reader.read(int(headers.get("content-length", 0))))
            self.asked.append(asked)
            said = self.answers(asked)
            if said is None:
                gevent.sleep(3600)
            socket.sendall(said)

    def close(self) -> None:
        self._server.stop(timeout=0)


@contextmanager
def service(answers: Answer | bytes = b"") -> Iterator[Service]:
    said = answers or answer()
    made = Service(said if callable(said) else lambda asked: said)
    try:
        yield made
    finally:
        made.close()
