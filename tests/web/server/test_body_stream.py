"""Large bodies: handed on as they come, to the calls that take them and within bounds of their own."""

from __future__ import annotations

import contextlib
import socket as std_socket
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from cloudbang.web.server.body_stream import LargeBody
from cloudbang.web.server.http_reader import Limits, RequestRefused
from cloudbang.web.server.server import Server
from tests.support import wait_until
from tests.web.server.test_server import Client, request

MIB = 1024 * 1024
SEEN: list[int] = []  # bytes of each piece


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says how much came; /early answers before, /two reads two bytes."""
    path, body = environ["PATH_INFO"], environ["wsgi.input"]
    SEEN.clear()
    status = "200 OK"
    try:
        if path == "/two":
            SEEN.append(len(body.read(2)))
        while path not in ("/early", "/two") and (piece := body.read(MIB)):
            SEEN.append(len(piece))
    except RequestRefused as e:
        status = f"{e.status} no"
    start_response(status, [("Content-Type", "text/plain")])
    return [b"%d bytes" % sum(SEEN)]


@contextmanager
def serving(**bounds: Any) -> Iterator[Server]:
    bounds.setdefault("bytes", 64 * MIB)

    def large(environ: Mapping[str, Any]) -> LargeBody | None:
        return None if environ["PATH_INFO"] == "/" else LargeBody(**bounds)

    limits = Limits(body_bytes=1000, body_seconds=0.3)
    server = Server(("127.0.0.1", 0), application, limits=limits, large_body=large)
    server.start()
    try:
        yield server
    finally:
        server.stop(0.2)
        assert server.connections == 0


def post(path: str, body: bytes, length: int | None = None) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length or len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(path: str, *parts: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def test_it_is_handed_on_as_it_comes() -> None:
    """A body far above the usual limit comes in pieces, takes no memory, and the connection goes on."""
    with serving() as server, Client(server) as client:
        piece = b"x" * MIB
        tracemalloc.start()
        client.send(post("/up", b"", 32 * MIB))
        for _ in range(32):
            client.send(piece)
        client.send(request())
        assert client.answer() == (200, b"%d bytes" % (32 * MIB))
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        tracemalloc.stop()
        assert max(SEEN, default=0) <= 64 * 1024
        assert client.answer() == (200, b"0 bytes")


def test_in_chunks() -> None:
    """The same without a length, whatever the size of the chunks."""
    with serving() as server, Client(server) as client:
        client.send(chunked("/up", b"a", b"b" * 200_000, b"cd") + request())
        assert client.answer() == (200, b"200003 bytes")
        assert client.answer() == (200, b"0 bytes")


def test_any_other_call_keeps_its_limit() -> None:
    """Only the calls that are said to take more do."""
    with serving() as server, Client(server) as client:
        client.send(post("/", b"x" * 1001))
        assert client.answer()[0] == 413


@pytest.mark.parametrize(
    "data",
    [post("/up", b"x" * 2001), chunked("/up", b"x" * 1500, b"x" * 501)],
    ids=["length", "chunks"],
)
def test_too_much(data: bytes) -> None:
    """Its own bound holds, and is told; then the connection ends."""
    with serving(bytes=2000) as server, Client(server) as client:
        with contextlib.suppress(OSError):
            client.send(data)
        assert client.answer()[0] == 413
        assert client.ended()


@pytest.mark.parametrize(
    "data",
    [
        post("/up", b"abc", 10),
        b"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    ],
    ids=["length", "chunk", "senseless"],
)
def test_cut_short(data: bytes) -> None:
    """Who leaves in the middle is not taken for one who has finished."""
    with serving() as server, Client(server) as client:
        client.send(data)
        client.sock.shutdown(std_socket.SHUT_WR)
        assert client.answer()[0] == 400
        assert client.ended()


class Ahead:
    """A steady clock that can be set ahead; what is waited for takes no longer by that."""

    def __init__(self) -> None:
        self.by = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.by


def send_slowly(client: Client, pieces: int, clock: Ahead) -> None:
    """One byte of a body at a time, each 25 seconds after the one before has been read."""
    for n in range(pieces):
        wait_until(lambda n=n: len(SEEN) == n)
        clock.by += 25
        client.send(b"x")


def test_slow_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take longer than other bodies, as long as more of it comes; then it is given up."""
    clock = Ahead()
    monkeypatch.setattr("cloudbang.web.server.http_reader.time", clock)
    monkeypatch.setattr("cloudbang.web.server.body_stream.time", clock)
    with serving(idle_seconds=30, seconds=300) as server:
        with Client(server) as client:
            SEEN[:] = [0]
            client.send(post("/up", b"", 9))
            send_slowly(client, 9, clock)
            assert client.answer() == (200, b"9 bytes")
        with Client(server) as client:
            SEEN[:] = [0]
            client.send(post("/up", b"", 1000))
            send_slowly(client, 12, clock)
            assert client.answer()[0] == 408
    with serving(idle_seconds=0.3) as server, Client(server) as client:
        client.send(post("/up", b"abc", 10))
        assert client.answer()[0] == 408


@pytest.mark.parametrize("path", ["/early", "/two"])
def test_answered_before_it_was_read(path: str) -> None:
    """Who may not make the call learns it, and what they go on sending is no request to anybody."""
    with serving() as server, Client(server) as client:
        with contextlib.suppress(OSError):
            client.send(post(path, request() * 1000, 8 * MIB))
        assert client.answer()[0] == 200
        assert client.ended()
        assert server.counts.requests == 1


def test_expect_continue() -> None:
    """A client that asks first sends nothing where the answer is known without its body."""
    with serving() as server:
        head = b"HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n"
        with Client(server) as client:
            client.send(b"POST /up " + head)
            assert client.sock.recv(100).startswith(b"HTTP/1.1 100 Continue")
            client.send(b"x" * 3000)
            assert client.answer() == (200, b"3000 bytes")
        with Client(server) as client:
            client.send(b"POST /early " + head)
            assert client.answer() == (200, b"0 bytes")
