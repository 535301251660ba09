"""Whether something serves, asked from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from cloudbang.deploy import probe


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    server = StreamServer(("127.0.0.1", 0), lambda sock, _: answer(sock))
    server.start()
    yield server.server_port
    server.stop(1)


def test_a_port_that_answers() -> None:
    with serving(lambda sock: None) as port:
        assert probe.tcp("127.0.0.1", port) == ""
    said = probe.tcp("127.0.0.1", port)
    assert f"port {port} does not answer" in said
    assert "refused" in said


def says(text: bytes) -> Callable[[socket.socket], None]:
    def answer(sock: socket.socket) -> None:
        sock.recv(4096)
        for n in range(len(text)):
            sock.sendall(text[n : n + 1])

    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", ""),
        (b"HTTP/1.1 204\r\n\r\n", ""),
        (b"HTTP/1.1 503 Oh\r\n\r\n", "is answered with 503"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "is answered with 404"),
        (b"SSH-2.0-x\r\n", "does not speak HTTP"),
        (b"", "closed"),
        (b"\xff\n", "does not speak HTTP"),
    ],
)
def test_what_an_answer_means(answer: bytes, said: str) -> None:
    """2xx and 3xx are well; anything else is told by what it was."""
    with serving(says(answer)) as port:
        found = probe.http("127.0.0.1", port, "/healthz")
    assert said in found if said else found == ""


def test_who_does_not_answer_is_not_waited_for() -> None:
    with serving(lambda sock: gevent.sleep(5)) as port:
        found = probe.http("127.0.0.1", port, "/", within=0.1)
    assert "is not answered within 0.1 s" in found


def test_an_endless_answer_is_not_read() -> None:
    """Of one without a line's end no more than a head may have."""

    def flood(sock: socket.socket) -> None:
        with suppress(OSError):  # it hangs up
            while True:
                sock.sendall(b"x" * 65536)

    with serving(flood) as port:
        assert "does not speak HTTP" in probe.http("127.0.0.1", port, "/")
