"""Answers that nobody reads hold no more memory than their account may have, and no other waits."""

from __future__ import annotations

import gc
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing

import gevent
import httpx
import orjson
import pytest
from gevent.event import Event
from werkzeug.test import create_environ

from cloudbang.domain.lines import record
from tests.support import patient, wait_until
from tests.web.whole_app import NO_ENGINE, WHEN, WholeApp

pytestmark = NO_ENGINE

LINES, SIZE = 40, 1_000_000
PAGE = 4 * SIZE


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApp]:
    made = WholeApp(tmp_path_factory.mktemp("bounded"))
    line = record(WHEN.encode(), b"0123456789ab", b"stdout", b"x" * SIZE)
    for _ in range(LINES):
        made.parts.store.append("big", [line])
    made.log("small", "a line")
    yield made
    made.close()


@pytest.fixture
def viewer(house: WholeApp) -> dict[str, str]:
    return house.token("a viewer", "viewer")[0]


def asked(house: WholeApp, headers: dict[str, str], path: str) -> socket.socket:
    """A connection that asks and does not read."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.settimeout(patient(10))
    wire.connect(("127.0.0.1", house.server.port))
    shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{shown}\r\n".encode())
    return wire


IN_PIECES = [
    "/api/v1/apps/big/lines?limit=5000",
    "/api/v1/apps/big/lines?limit=5000&before=41",
    "/api/v1/apps/big/download",
    "/api/v1/apps/big/download?format=jsonl",
]


@pytest.mark.parametrize("path", IN_PIECES)
def test_answers_that_are_not_read(house: WholeApp, viewer: dict[str, str], path: str) -> None:
    """Thirty of them together hold what one account may; another account's page comes; one that
    is read comes whole."""
    budget = house.parts.budget
    with ExitStack() as stack:
        wires = [stack.enter_context(asked(house, viewer, path)) for _ in range(30)]
        wait_until(lambda: budget.held > budget.each - PAGE)
        for _ in range(10):
            gevent.sleep(0.01)
            assert budget.held <= budget.each + PAGE
        other = house.token("another", "viewer")[0]
        answer = house.ask("/api/v1/apps/small/lines", headers=other)
        assert [line[4] for line in answer.json["lines"]] == ["a line"]
        for wire in wires[1:]:
            wire.close()
        came = bytearray()
        while not came.endswith(b"\r\n0\r\n\r\n"):
            piece = wires[0].recv(1 << 20)
            assert piece
            came += piece
        expected = LINES if "download" in path else 15
        assert expected <= came.count(b"x" * (SIZE // 2)) // 2 <= LINES
    wait_until(lambda: budget.held == 0)


@pytest.mark.parametrize("path", [*IN_PIECES, "/api/v1/apps/big/download?format=markdown"])
def test_who_waits_for_room_for_more_holds_nothing(
    house: WholeApp, viewer: dict[str, str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what they sent last either, nor what that was made of: there may be thousands of them."""
    budget = house.parts.budget
    began, sent = [], Event()

    def send() -> None:
        """As a server does."""
        asked = create_environ(path, headers=viewer)
        with closing(house.app(asked, lambda _status, _headers: None)) as answer:
            for data in answer:
                if len(data) > SIZE:
                    began.append(path)
                    sent.wait()

    tracemalloc.start()
    who = house.parts.accounts.credentials.find(viewer["Authorization"].removeprefix("Bearer "))
    share = budget.share(who.holder)
    senders = [gevent.spawn(send) for _ in range(4)]
    try:
        wait_until(lambda: len(began) == 4)
        assert lines_held() >= 4
        with share.lease().take(1):
            monkeypatch.setattr(budget, "each", 1)
            sent.set()
            wait_until(lambda: len(share.waiting) == 4)
            gc.collect()
            assert lines_held() == 0
            gevent.killall(senders)
    finally:
        tracemalloc.stop()


def lines_held() -> int:
    """How many there are of what is as large as a line."""
    return sum(trace.size >= SIZE for trace in tracemalloc.take_snapshot().traces)


def test_who_has_too_much_waiting_is_told_so(
    house: WholeApp, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that finds no room in time is refused in words, and can be sent again later."""
    budget = house.parts.budget
    monkeypatch.setattr(budget, "patience", 0.05)
    who = house.parts.accounts.credentials.find(viewer["Authorization"].removeprefix("Bearer "))
    held = budget.share(who.holder).lease().take(budget.each)
    refused = house.ask("/api/v1/apps", headers={**viewer, "Accept-Language": "en"})
    assert (refused.status_code, refused.json["code"]) == (503, "too-busy")
    assert refused.headers["Retry-After"] == "5"
    assert f"{budget.each} bytes wait for you already" in refused.json["detail"]
    assert house.ask("/healthz").status_code == 200
    assert "cloudbang_peers_held" in house.ask("/metrics").text
    assert house.ask("/sign-in").status_code == 200
    chinese = house.ask("/api/v1/apps", headers={**viewer, "Accept-Language": "zh"})
    assert "字节" in chinese.json["detail"]
    held.close()
    assert house.ask("/api/v1/apps", headers=viewer).status_code == 200


def test_a_long_answer_in_pieces_is_the_same_json(house: WholeApp, viewer: dict[str, str]) -> None:
    """What is sent in pieces has the fields of one that is sent at once, forwards and backwards."""
    for query in ("after=0&limit=5", "before=41&limit=5", "since=2025-01-01T00:00:00Z&limit=5"):
        body = house.ask(f"/api/v1/apps/big/lines?{query}", headers=viewer).data
        answer = orjson.loads(body)
        first = 36 if "before" in query else 1
        assert [line[0] for line in answer["lines"]] == list(range(first, first + 5))
        assert all(line[1:4] == [WHEN, "0123456789ab", "stdout"] for line in answer["lines"])
        assert all(len(line[4]) == SIZE for line in answer["lines"])
        assert (answer["first"], answer["next"]) == (1, LINES + 1)
        assert "cursor" not in answer


@pytest.mark.parametrize(
    ("path", "method", "more"),
    [
        ("/static/js/lib/dom.js", "GET", {}),
        ("/static/js/lib/dom.js", "HEAD", {}),
        ("/static/js/lib/dom.js", "GET", {"Range": "bytes=0-9"}),
        ("/static/js/lib/dom.js", "GET", {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        ("/static/js/none.js", "GET", {}),
        ("/api/v1/apps", "GET", {}),
        ("/api/v1/apps", "HEAD", {}),
        ("/api/v1/apps/none", "GET", {}),
        ("/api/v1/apps/small/download", "GET", {}),
        ("/login", "GET", {}),
    ],
)
def test_an_answer_that_is_gone_holds_nothing(
    house: WholeApp, viewer: dict[str, str], path: str, method: str, more: dict[str, str]
) -> None:
    """Whatever it was made of: a page alone brings a hundred files."""
    with httpx.Client(trust_env=False, headers={**viewer, **more}, timeout=patient(20)) as client:
        answer = client.request(method, f"http://127.0.0.1:{house.server.port}{path}")
    assert answer.status_code < 500
    wait_until(lambda: house.parts.budget.held == 0)
