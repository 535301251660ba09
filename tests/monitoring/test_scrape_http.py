"""Programs that answer badly, slowly, endlessly: each refused with a sentence, within its bounds."""

from __future__ import annotations

import gc
import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from cloudbang.domain.metrics.exposed import Exposed, NotExposed, exposed
from cloudbang.domain.metrics.exposition import MOST as MOST_SAMPLES
from cloudbang.monitoring import scrape_http
from cloudbang.monitoring.scrape import read_lines
from cloudbang.monitoring.scrape_http import MOST, Answer
from tests.support import Stopwatch, flood

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@contextmanager
def serving(answer: Callable[[socket.socket, bytes], None]) -> Iterator[int]:
    def handle(sock: socket.socket, _: object) -> None:
        with suppress(OSError):  # who asks may have heard enough
            answer(sock, sock.recv(65536))

    server = StreamServer(("127.0.0.1", 0), handle)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop(0.1)


def says(text: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda sock, _: sock.sendall(text)


def whole(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def asked(answer: Callable[[socket.socket, bytes], None], within: float = 5.0) -> Answer:
    with serving(answer) as port:
        return scrape_http.ask("127.0.0.1", Exposed(port, "/metrics"), within)


def refused(answer: Callable[[socket.socket, bytes], None], within: float = 5.0) -> str:
    with pytest.raises(NotExposed) as e:
        read_lines(asked(answer, within), Exposed(1, "/metrics"))
    return str(e.value)


def endless(sock: socket.socket, _: bytes) -> None:
    sock.sendall(OK + b"\r\n")
    while True:
        sock.sendall(b"a 1\n" * 10_000)


def slow(sock: socket.socket, _: bytes) -> None:
    sock.sendall(OK + b"\r\n")
    while True:
        sock.sendall(b"#")
        gevent.sleep(0.02)


def slow_head(sock: socket.socket, _: bytes) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        sock.sendall(b"x")
        gevent.sleep(0.02)


def silent(sock: socket.socket, _: bytes) -> None:
    gevent.sleep(30)


def chunks(sock: socket.socket, _: bytes) -> None:
    sock.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n4\r\nb 2\n\r\n0\r\n\r\n")


BOMB = gzip.compress(b"#" * 1024 * 1024 * 20)
GZIP = b"Content-Encoding: gzip\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(b"HTTP/1.1 404 Not Found\r\n\r\n"), "is answered with 404, not with 200"),
        (
            says(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"),
            "is answered with 302, not with 200",
        ),
        (says(b"SSH-2.0-OpenSSH\r\n"), "something that does not speak HTTP"),
        (says(b""), "is not answered: the connection was closed"),
        (
            says(OK + b"Content-Length: 9\r\n\r\na 1\n"),
            "is not answered: the connection was closed",
        ),
        (says(OK + b"X: y\r\n" * 200 + b"\r\n"), "something that does not speak HTTP"),
        (says(OK + b"X: " + b"y" * 100_000), "something that does not speak HTTP"),
        (says(whole(b"<html>\n<p>\n")), "with something else than metrics"),
        (says(whole(BOMB, GZIP)), "is answered with more than 2,097,152 bytes"),
        (says(whole(b"no gzip at all", GZIP)), "cannot be unpacked: gzip"),
        (says(whole(gzip.compress(b"a 1\n" * 9)[:-9], GZIP)), "cannot be unpacked: gzip"),
        (says(whole(b"a 1\n", b"Content-Encoding: br\r\n")), "cannot be unpacked: br"),
        (endless, "is answered with more than 2,097,152 bytes"),
        (says(whole(b"a 1\n" * (MOST_SAMPLES + 1))), "with more than 10,000 samples"),
        (says(whole(b"#\n" * 50_001)), "with more than 50,000 lines"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence(answer: Any, said: str) -> None:
    assert said in refused(answer)


def test_what_is_packed_in_parts_is_read_whole() -> None:
    packed = gzip.compress(b"a 1\n") + gzip.compress(b"b 2\n" * 50_000) + b"\0" * 40
    assert asked(says(whole(packed, GZIP))).body == b"a 1\n" + b"b 2\n" * 50_000
    assert "cannot be unpacked" in refused(says(whole(gzip.compress(b"a 1\n") + b"more", GZIP)))


@pytest.mark.parametrize("answer", [slow, slow_head, silent])
def test_all_of_it_has_its_time(answer: Any) -> None:
    watch = Stopwatch()
    assert "is not answered in full within 0.3 s" in refused(answer, 0.3)
    assert watch.seconds < 3


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n#\r\n"),
    ],
    ids=["interim", "trailers", "chunks"],
)
def test_who_never_ends_keeps_nobody_else_from_their_turn(
    first: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In loops of the library's own, in which no time passes and nothing else happens: it is bounded in
    bytes. Fewer than usual: six at a time, with all who want a turn in between, that takes minutes."""
    monkeypatch.setattr(scrape_http, "SAYS", 200_000)
    told = "says more than 200,000 bytes"
    with flood(first, again) as port, pytest.raises(NotExposed, match=told):
        scrape_http.ask("127.0.0.1", Exposed(port, "/metrics"), 600.0)


def test_who_does_not_listen_is_told_by_the_port() -> None:
    with serving(silent) as port:
        pass
    with pytest.raises(NotExposed, match=f"port {port} does not answer: Connection refused"):
        scrape_http.ask("127.0.0.1", Exposed(port, "/metrics"))


def test_what_is_asked_and_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def answer(sock: socket.socket, request: bytes) -> None:
        heard.append(request)
        body = gzip.compress(b"a 1\n# EOF\n")
        sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n"
            + GZIP
            + b"\r\n"
            + body
        )

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert asked(answer) == Answer(b"a 1\n# EOF\n", True)
    assert heard[0].startswith(b"GET /metrics HTTP/1.1\r\n")
    assert b"Accept: text/plain;version=0.0.4," in heard[0]
    assert asked(chunks) == Answer(b"a 1\nb 2\n", False)
    assert asked(says(OK + b"\r\na 1\n")) == Answer(b"a 1\n", False)


def test_a_bomb_of_a_scrape_holds_nobody_up() -> None:
    """Others have their turn within 50 ms, whatever is unpacked, read, or cannot be."""
    many = b"".join(b'some_metric_name{path="/a/%d",x="y"} %d\n' % (n, n) for n in range(9_000))
    bodies = (many, b"?\n" * (MOST // 2), b"#\n" * (MOST // 2), b'a{b="' * (MOST // 8))
    bomb = says(whole(BOMB, GZIP))
    gaps: list[float] = []

    def ticks() -> None:
        while True:
            # What the loop did meanwhile, whoever else has the processor.
            before = time.thread_time()
            gevent.sleep(0.001)
            gaps.append(time.thread_time() - before)

    gc.collect()
    gc.freeze()  # what all other tests have left is not looked through, meanwhile or later
    ticking = gevent.spawn(ticks)
    try:
        refused(bomb)
        for body in bodies:
            with suppress(NotExposed):
                read_lines(Answer(body, False), Exposed(1, "/"))
    finally:
        ticking.kill()
    assert len(gaps) > 20
    assert max(gaps) < 0.05


@pytest.mark.parametrize(
    ("port", "path", "said"),
    [
        ("", "/metrics", "the label cloudbang.metrics.port is '': a port is a number"),
        ("0", "", "a port is a number from 1 to 65535"),
        ("65536", "", "a port is a number from 1 to 65535"),
        ("9100@evil", "", "a port is a number from 1 to 65535"),
        ("٩", "", "a port is a number from 1 to 65535"),
        ("80", "metrics", "the label cloudbang.metrics.path is 'metrics': a path begins with /"),
        ("80", "http://169.254.169.254/", "a path begins with / and has no spaces"),
        ("80", "@host/", "a path begins with /"),
        ("80", "/a b", "a path begins with / and has no spaces"),
        ("80", "/a\r\nHost: x", "a path begins with / and has no spaces"),
    ],
)
def test_labels_name_a_port_and_a_path_and_nothing_else(port: str, path: str, said: str) -> None:
    with pytest.raises(NotExposed) as e:
        exposed(port, path)
    assert said in str(e.value)


def test_a_path_need_not_be_said() -> None:
    assert exposed("80", "") == Exposed(80, "/metrics")
    assert exposed("80", "/a?b=c") == Exposed(80, "/a?b=c")
