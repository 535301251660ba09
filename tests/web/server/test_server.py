"""The HTTP server's limits, against raw sockets and an ordinary client."""

from __future__ import annotations

import contextlib
import logging
import socket as std_socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import httpx
import pytest
from gevent.event import Event
from gevent.monkey import get_original

from cloudbang.errors import PortInUse
from cloudbang.web.server.http_reader import Limits, RequestReader, RequestRefused
from cloudbang.web.server.server import Server
from tests.support import patient, wait_until

KIB = 1024
PlainSocket: type[std_socket.socket] = get_original("socket", "socket")


GO_ON = Event()  # what /slow waits for


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says how much body came; /slow waits to be told, /broken fails, /long is a long answer."""
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise RuntimeError("broken on purpose")
    if path == "/slow":
        GO_ON.wait(600)
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/long":
        return [b"x" * (32 * KIB * KIB)]
    return [b"%d bytes" % len(body)]


@contextmanager
def serving(**limits: Any) -> Iterator[Server]:
    GO_ON.clear()
    server = Server(("127.0.0.1", 0), application, limits=Limits(**limits))
    server.start()
    try:
        yield server
    finally:
        server.stop(0.2)
        assert server.connections == 0


class Client:
    """A connection on which any bytes can be sent."""

    def __init__(self, server: Server) -> None:
        self.sock = std_socket.create_connection(("127.0.0.1", server.port), timeout=patient(10))
        self.data = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """The status and body of the next answer (which has a Content-Length)."""
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(fields[b"content-length"])
        while len(self.data) < size:
            self._more()
        body, self.data = self.data[:size], self.data[size:]
        return int(head.split()[1]), body

    def _more(self) -> None:
        more = self.sock.recv(4096)
        assert more, self.data
        self.data += more

    def ended(self) -> bool:
        return self.sock.recv(1) == b""


def request(path: str = "/", body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


def test_an_ordinary_client() -> None:
    """Requests with and without bodies, plain and chunked, over kept-alive connections."""
    with (
        serving() as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=patient(20)) as client,
    ):
        assert client.get("/").text == "0 bytes"
        assert client.post("/", content=b"x" * 100_000).text == "100000 bytes"
        assert client.post("/", content=iter([b"abc", b"defg"])).text == "7 bytes"
        assert len(client.get("/long").content) == 32 * KIB * KIB
        assert server.counts.connections == 1
        assert server.counts.requests == 4


def test_pipelined_requests() -> None:
    """Requests sent without waiting are answered in order."""
    with serving() as server, Client(server) as client:
        client.send(request() + request("/", b"four") + b"\r\n" + request("/", b"seven77"))
        assert [client.answer() for _ in range(3)] == [
            (200, b"0 bytes"),
            (200, b"4 bytes"),
            (200, b"7 bytes"),
        ]


def test_a_request_byte_by_byte() -> None:
    """A head that comes in pieces is put together."""
    with serving() as server, Client(server) as client:
        for byte in request("/", b"abc"):
            client.send(bytes((byte,)))
        assert client.answer() == (200, b"3 bytes")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2_000_000, 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(150)) + b"\r\n", 431),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: five\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n" + b"x" * 100_000, 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", 400),
    ],
)
def test_what_is_too_much_or_wrong_is_answered_shortly(data: bytes, status: int) -> None:
    """Heads and bodies over the limits, and nonsense: an answer, then the end; never a 500."""
    with serving() as server, Client(server) as client:
        with contextlib.suppress(OSError):  # it may hang up before all of it is sent
            client.send(data)
        assert client.answer()[0] == status
        assert client.ended()
        assert server.counts.requests_refused >= (status != 414)


def test_a_chunked_body_over_the_limit() -> None:
    """A body without a length is counted as it comes."""
    with serving(body_bytes=1000) as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n")
        assert client.answer()[0] == 413


def test_expect_continue() -> None:
    """A client that asks first is told to go on, or that it is too much, before it sends."""
    with serving(body_bytes=1000) as server:
        with Client(server) as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            )
            assert client.sock.recv(100).startswith(b"HTTP/1.1 100 Continue")
            client.send(b"abc")
            assert client.answer() == (200, b"3 bytes")
        with Client(server) as client:
            client.send(
                b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n"
            )
            assert client.answer()[0] == 413


def test_a_slow_head_is_given_up() -> None:
    """A head that does not end in time is a 408, however steadily it trickles."""
    with serving(head_seconds=0.4) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n")
        started = time.monotonic()
        while time.monotonic() - started < 0.3:
            client.send(b"X: y\r\n")
            gevent.sleep(0.05)
        assert client.answer()[0] == 408
        assert client.ended()


def test_a_slow_body_is_given_up() -> None:
    """A body that does not come in time is a 408."""
    with serving(body_seconds=0.3) as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        assert client.answer()[0] == 408


def test_a_body_cut_short() -> None:
    """A client that leaves in the middle of its body never reaches the application."""
    with serving() as server, Client(server) as client:
        client.send(b"POST /broken HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        client.sock.shutdown(std_socket.SHUT_WR)
        assert client.answer()[0] == 400


@pytest.mark.parametrize("before", [b"", request()])
def test_an_idle_connection_is_closed(before: bytes) -> None:
    """A connection on which nothing is asked is closed without a word."""
    with serving(idle_seconds=0.3) as server, Client(server) as client:
        if before:
            client.send(before)
            assert client.answer()[0] == 200
        assert client.ended()
        wait_until(lambda: server.connections == 0)


def test_an_answer_that_is_not_read_is_given_up() -> None:
    """A client that stops reading a long answer does not hold its connection for ever."""
    with serving(write_seconds=0.3) as server, Client(server) as client:
        client.send(request("/long"))
        wait_until(lambda: server.connections == 1)
        wait_until(lambda: server.connections == 0)


def test_too_many_connections() -> None:
    """One connection over the limit is told so; when one leaves there is room again."""
    with serving(connections=2) as server:
        with Client(server) as one, Client(server) as two:
            for client in (one, two):
                client.send(request())
                assert client.answer()[0] == 200
            with Client(server) as third:
                assert third.answer()[0] == 503
            assert server.counts.connections_refused == 1
        wait_until(lambda: server.connections == 0)
        with Client(server) as again:
            again.send(request())
            assert again.answer()[0] == 200


def test_all_of_a_burst_are_counted() -> None:
    """Those that come in one turn of the loop, before any of their greenlets has begun: those that there is
    room for are let in, every other one is told 503."""
    with serving(connections=5) as server, contextlib.ExitStack() as opened:
        # Connected without a turn of the loop: all of them wait with the kernel.
        burst = []
        for _ in range(150):
            burst.append(opened.enter_context(PlainSocket()))
            burst[-1].connect(("127.0.0.1", server.port))
        wait_until(lambda: server.counts.connections_refused + server.connections == 150)
        assert server.connections == 5
        for one in burst[5:]:
            one.settimeout(patient(10))
            assert one.recv(12) == b"HTTP/1.1 503"


def test_a_failing_application(caplog: pytest.LogCaptureFixture) -> None:
    """An error is a short 500, logged with its cause, and the server lives on."""
    with serving() as server, caplog.at_level(logging.ERROR, "cloudbang"):
        with Client(server) as client:
            client.send(request("/broken"))
            assert client.answer()[0] == 500
        assert "broken on purpose" in caplog.text
        assert server.counts.responses_failed == 1
        with Client(server) as client:
            client.send(request())
            assert client.answer()[0] == 200


def test_stop_lets_requests_finish() -> None:
    """stop() hangs up on the idle at once, answers what was asked, then is done."""
    with serving() as server, Client(server) as idle, Client(server) as busy:
        idle.send(request())
        assert idle.answer()[0] == 200
        busy.send(request("/slow"))
        wait_until(lambda: server.counts.requests == 2)
        stopping = gevent.spawn(server.stop, 20.0)
        assert idle.ended()
        GO_ON.set()
        assert busy.answer() == (200, b"0 bytes")
        assert busy.ended()
        stopping.get(timeout=patient(10))
        with pytest.raises(OSError, match="refused"):
            Client(server)


def test_stop_cuts_what_takes_too_long() -> None:
    """A request that outlasts the timeout is cut off."""
    with serving() as server, Client(server) as busy:
        busy.send(request("/slow"))
        wait_until(lambda: server.counts.requests == 1)
        server.stop(0.1)
        assert not GO_ON.is_set()
        assert server.connections == 0


def test_a_taken_port() -> None:
    """A port that is taken says which and what to do."""
    with serving() as server:
        second = Server(("127.0.0.1", server.port), application)
        with pytest.raises(PortInUse) as caught:
            second.start()
        assert caught.value.address == f"127.0.0.1:{server.port}"
        assert "CLOUDBANG_SERVER_PORT" in str(caught.value)


def test_the_reader_reads_lines_and_bytes() -> None:
    """The reader is what the standard library's parser and pywsgi expect of a file."""
    ours, theirs = gevent.socket.socketpair()
    reader = RequestReader(ours, Limits())
    theirs.sendall(b"\r\nGET / HTTP/1.1\nA: b\n\nbody\nand more")
    assert reader.idle
    assert reader.read_head()
    assert not reader.idle
    assert reader.readline() == b"GET / HTTP/1.1\n"
    assert reader.readline(3) == b"A: "
    assert reader.readline() == b"b\n"
    assert reader.readline() == b"\n"
    assert reader.read(2) == b"bo"
    assert reader.readline() == b"dy\n"
    theirs.close()
    assert reader.readline() == b"and more"
    assert reader.readline() == b""
    assert reader.read(5) == b""
    assert not reader.read_head()
    ours.close()


def test_a_refusal_is_a_whole_answer() -> None:
    """The sentence, the status and the length agree."""
    head, _, body = RequestRefused(413).response().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Length: %d" % len(body) in head


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 0_4\r\n",
        b"Content-Length : 4\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"X: a\r\n Content-Length: 4\r\n",
        b"X: a\rContent-Length: 4\r\n",
        b"X: a\0b\r\n",
        b"no colon\r\nContent-Length: 4\r\n",
        b"Host: a\r\nHost: b\r\n",
    ],
)
def test_a_head_that_two_readers_may_understand_differently(fields: bytes) -> None:
    """Request smuggling: what a proxy takes for a body must not be a request to us."""
    with serving() as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\n" + fields + b"\r\n0\r\n\r\n" + request())
        assert client.answer()[0] == 400
        assert client.ended()


def test_an_old_protocol_has_no_chunks() -> None:
    """HTTP/1.0 does not know Transfer-Encoding: a proxy that speaks it would not see the end."""
    with serving() as server, Client(server) as client:
        client.send(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert client.answer()[0] == 400


def test_a_chunk_without_a_size_is_no_fault_of_ours() -> None:
    """pywsgi's own reader stumbles over it; the peer is told, and nothing is logged as a fault."""
    with serving() as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n")
        assert client.answer()[0] == 400
