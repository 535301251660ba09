"""A download that ends in the middle is cut on the wire, so that nobody takes a part for the whole."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cloudbang.domain.lines import record
from tests.support import no_descriptor_left, patient
from tests.web.whole_app import NO_ENGINE, PASSWORD, WHEN, WholeApp

pytestmark = NO_ENGINE

LINES, SIZE = 24, 1_000_000  # far more than the kernel takes for a peer that does not read
END = b"0\r\n\r\n"  # of an answer in chunks that is whole


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApp]:
    made = WholeApp(tmp_path_factory.mktemp("cut"))
    line = record(WHEN.encode(), b"0123456789ab", b"stdout", b"x" * SIZE)
    for _ in range(LINES):
        made.parts.store.append("long", [line])
    yield made
    made.close()


@contextmanager
def download(house: WholeApp, shown: str, query: str = "") -> Iterator[Callable[[], bytes]]:
    """Asks, and reads the first bytes of the answer; what it gives reads the rest to the end of the
    connection."""
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        wire.settimeout(patient(10))
        wire.connect(("127.0.0.1", house.server.port))
        request = f"GET /api/v1/apps/long/download{query} HTTP/1.1\r\nHost: x\r\n{shown}\r\n\r\n"
        wire.sendall(request.encode())
        begun = wire.recv(1000)
        assert begun.startswith(b"HTTP/1.1 200")
        assert b"chunked" in begun.lower()

        def rest() -> bytes:
            found = bytearray(begun)
            try:
                while piece := wire.recv(1 << 20):
                    found += piece
                    if found.endswith(END):
                        break
            except ConnectionResetError:
                pass
            return bytes(found)

        yield rest


def cookie(secret: str) -> str:
    return f"Cookie: cloudbang_session={secret}"


def signed_out(house: WholeApp) -> tuple[str, Callable[[], object]]:
    secret = house.sign_in("ann")
    login = house.parts.accounts.credentials.find(secret).login
    return cookie(secret), lambda: house.parts.accounts.credentials.end_login(login)


def account_deleted(house: WholeApp) -> tuple[str, Callable[[], object]]:
    found = house.parts.accounts.create("leaving", PASSWORD, "viewer")
    return cookie(house.sign_in("leaving")), lambda: house.parts.accounts.delete(found.id)


def role_lost(house: WholeApp) -> tuple[str, Callable[[], object]]:
    found = house.parts.accounts.named("ann")
    return cookie(house.sign_in("ann")), lambda: house.parts.accounts.set_role(found.id, None)


def token_revoked(house: WholeApp) -> tuple[str, Callable[[], object]]:
    header, token = house.token("a program", "viewer")
    shown = f"Authorization: {header['Authorization']}"
    return shown, lambda: house.parts.accounts.tokens.revoke(token.id)


@pytest.mark.parametrize("how", [signed_out, account_deleted, role_lost, token_revoked])
@pytest.mark.parametrize("query", ["", "?format=jsonl"])
def test_who_may_no_longer_gets_a_cut_answer(
    house: WholeApp, how: Callable[[WholeApp], tuple[str, Callable[[], object]]], query: str
) -> None:
    """Signed out, deleted, without the role, without the token: the connection ends without the
    end of the answer."""
    if how in (signed_out, role_lost):
        house.parts.accounts.create("ann", PASSWORD, "viewer")
    try:
        shown, end = how(house)
        with download(house, shown, query) as rest:
            end()
            came = rest()
        assert len(came) < LINES * SIZE
        assert not came.endswith(END)
    finally:
        if how in (signed_out, role_lost):
            house.parts.accounts.delete(house.parts.accounts.named("ann").id)


def test_a_disk_that_fails_in_the_middle_cuts_the_answer(
    house: WholeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read any more ends the connection, not the answer."""
    header, _ = house.token("a program", "viewer")
    with download(house, f"Authorization: {header['Authorization']}") as rest:

        def fails(*args: Any, **kwargs: Any) -> Any:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr("cloudbang.storage.logs.log_store.collect", fails)
        came = rest()
    assert len(came) < LINES * SIZE
    assert not came.endswith(END)


def test_a_disk_that_fails_at_once_is_said(
    house: WholeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent yet: the answer is a problem, in words."""
    header, _ = house.token("another program", "viewer")

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("cloudbang.storage.logs.log_store.collect", fails)
    answer = house.ask("/api/v1/apps/long/download", headers=header)
    assert (answer.status_code, answer.json["code"]) == (500, "storage-failed")


def test_a_want_of_descriptors_is_no_fault_of_the_program(
    house: WholeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever could not be opened: it is said, without a traceback, that it may go in a moment."""
    header, _ = house.token("a fourth program", "viewer")
    with no_descriptor_left():
        answer = house.ask("/static/favicon.svg", headers=header)
    assert (answer.status_code, answer.json["code"]) == (503, "out-of-descriptors")
    assert int(answer.headers["Retry-After"]) > 0
    assert not [record for record in caplog.records if record.exc_info]


def test_the_whole_has_its_end(house: WholeApp) -> None:
    """Who may, gets every byte and the end."""
    header, _ = house.token("a third program", "viewer")
    with download(house, f"Authorization: {header['Authorization']}") as rest:
        came = rest()
    assert came.endswith(END)
    assert came.count(b"x" * 1000) == LINES * SIZE // 1000
