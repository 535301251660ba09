"""Nothing more is done for who has closed the connection, and who stands behind them does not wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cloudbang.core.budget import EACH
from cloudbang.domain.lines import record
from tests.support import patient, wait_until
from tests.web.whole_app import NO_ENGINE, PASSWORD, WHEN, WholeApp

pytestmark = NO_ENGINE

LINES = 30_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApp]:
    made = WholeApp(tmp_path_factory.mktemp("left"))
    for _ in range(LINES // 1_000):
        made.parts.store.append(
            "long", [record(WHEN.encode(), b"0123456789ab", b"stdout", b"x" * 200)] * 1_000
        )
    yield made
    made.close()


def asks(house: WholeApp, shown: str, path: str) -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", house.server.port), patient(10))
    wire.sendall(f"GET /api/v1/{path} HTTP/1.1\r\nHost: x\r\n{shown}\r\n\r\n".encode())
    return wire


def test_who_leaves_while_they_wait_for_room_waits_no_more(house: WholeApp) -> None:
    ann = house.parts.accounts.create("ann", PASSWORD, "viewer")
    shown = f"Cookie: cloudbang_session={house.sign_in('ann')}"
    budget = house.parts.budget
    share = budget.share(f"a{ann.id}")
    with share.lease().take(EACH):
        with ExitStack() as open_ones:
            for n in range(4):
                open_ones.enter_context(asks(house, shown, f"search?q=nothing{n}"))
            open_ones.enter_context(asks(house, shown, "apps/long/download"))
            wait_until(lambda: len(share.waiting) == 5)
            before = budget.refused
        wait_until(lambda: not share.waiting, what="nobody waits for who has left")
        assert share.held == EACH
    wait_until(lambda: house.server.connections == 0)
    assert (share.held, budget.refused) == (0, before)
    with asks(house, shown, "search?q=nothing") as wire:
        assert wire.recv(12) == b"HTTP/1.1 200"


def test_a_stream_ends_when_its_reader_leaves(
    house: WholeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that has nothing to say for long, and so would not find out."""
    monkeypatch.setattr("cloudbang.storage.logs.merged_logs.SLICE", 0.0)
    monkeypatch.setattr("cloudbang.web.api.search_all.EVERY", 0.0)
    header, token = house.token("one who goes", "viewer")
    shown = f"Authorization: {header['Authorization']}"
    left = []

    def never_written(self: object, data: bytes) -> None:
        left.append(data)  # as if the kernel took it all

    with asks(house, shown, "search?q=nothing") as wire:
        assert wire.recv(12) == b"HTTP/1.1 200"
        monkeypatch.setattr("cloudbang.web.server.server.Handler._sendall", never_written)
    wait_until(lambda: house.server.connections == 0)
    assert not any(b'"op":"end"' in piece for piece in left)
    house.parts.accounts.tokens.revoke(token.id)


def test_one_who_only_has_nothing_more_to_ask_is_answered(house: WholeApp) -> None:
    """What is answered at once does not ask whether the other side is still there."""
    with asks(house, "", "apps") as wire:
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(12) == b"HTTP/1.1 401"
