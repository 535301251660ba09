"""Peers that never pause, and a process that may open no more files."""

from __future__ import annotations

import contextlib
import os
import resource
import socket as std_socket
import time

import gevent
import pytest
from gevent import monkey

from tests.support import patient, wait_until
from tests.web.server.test_server import Client, request, serving

KIB = 1024


def test_without_a_descriptor_left_who_connects_waits(caplog: pytest.LogCaptureFixture) -> None:
    """Until there is one again; it is said once, and is no traceback."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving() as server, std_socket.socket() as waiting:
        held = [os.dup(0) for _ in range(2)]  # below the limit nothing is free
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(*held, waiting.fileno()) + 1, before[1]))
        try:
            for _ in range(1000):
                held.append(os.dup(0))
        except OSError:
            pass
        try:
            waiting.connect(("127.0.0.1", server.port))
            wait_until(lambda: "nobody can connect" in caplog.text)
            gevent.sleep(0.3)
        finally:
            for one in held:
                os.close(one)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        waiting.settimeout(patient(10))
        waiting.sendall(request())
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in caplog.text
    assert caplog.text.count("nobody can connect") == 1


@pytest.mark.parametrize(
    ("start", "flood"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"a" * 8000 + b"\r\nx\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000),
        (b"\r\n", b"\r\n" * 8000),
        (b"\r\n", b"GET / HTTP/1.1\r\n\r\n" * 500),
    ],
    ids=["chunk extensions", "trailers", "blank lines", "pipelined requests"],
)
def test_a_peer_that_never_pauses_does_not_keep_the_hub(start: bytes, flood: bytes) -> None:
    """One connection without an account stopped everything for as long as it went on sending."""
    with serving(body_bytes=64 * KIB) as server, Client(server) as client:
        client.send((b"POST / HTTP/1.1\r\n" if start != b"\r\n" else b"") + start)
        # Of the processor's time: for how long a busy machine let nobody here run is not the peer's doing.
        longest, last, ends = 0.0, time.thread_time(), time.monotonic() + 1.0

        def send() -> None:
            with contextlib.suppress(OSError):
                while time.monotonic() < ends:
                    client.sock.sendall(flood)

        def read() -> None:
            with contextlib.suppress(OSError):
                while client.sock.recv(65536):
                    pass

        # Plain sockets in threads of the system: the flood must not depend on the hub's mercy.
        plain = monkey.get_original("socket", "socket")(fileno=client.sock.detach())
        plain.setblocking(True)
        client.sock = plain
        pool = gevent.get_hub().threadpool
        jobs = [pool.spawn(send), pool.spawn(read)]
        while time.monotonic() < ends:
            gevent.sleep(0.005)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()
        with contextlib.suppress(OSError):  # it was hung up on
            plain.shutdown(std_socket.SHUT_RDWR)
        gevent.joinall(jobs, timeout=patient(5))
        # Kept for as long as the flood lasts, it would be the whole second.
        assert longest < 0.25
