"""How Caddy is asked, with a socket that does what its own does at times."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.gateway.admin import AGAIN, SOCKET, CaddyAdmin
from cloudbang.gateway.errors import GatewayAway

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"a":1}'


class Caddy:
    """Takes connections; drops the first ``drops`` of them, heard or unheard."""

    def __init__(self, folder: Path) -> None:
        self.drops, self.heard, self.asked = 0, False, 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / SOCKET))
        self._socket.listen()
        self._loop = gevent.spawn(self._run)

    def _run(self) -> None:
        while True:
            link, _ = self._socket.accept()
            self.asked += 1
            dropped, self.drops = self.drops > 0, self.drops - 1
            if self.heard and dropped:
                link.recv(65536)
            if not dropped:
                self._read_all(link)
                link.sendall(ANSWER)
            link.close()

    @staticmethod
    def _read_all(link: socket.socket) -> None:
        with link.makefile("rb") as request:
            size = 0
            while (line := request.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            request.read(size)

    def close(self) -> None:
        self._loop.kill()
        self._socket.close()


@pytest.fixture
def caddy(tmp_path: Path) -> Iterator[Caddy]:
    one = Caddy(tmp_path)
    yield one
    one.close()


@pytest.mark.parametrize("heard", [True, False])
def test_who_is_dropped_unanswered_asks_again(caddy: Caddy, tmp_path: Path, heard: bool) -> None:
    """As whom the listener of the configuration before has taken: nothing fails for it."""
    admin = CaddyAdmin(tmp_path)
    for drops in range(len(AGAIN) + 1):
        caddy.drops, caddy.heard, caddy.asked = drops, heard, 0
        assert admin.config() == {"a": 1}
        assert caddy.asked == drops + 1
    caddy.drops = 1
    admin.load({"b": "x" * 1_000_000})  # reset, and not closed, where more was sent than is read


def test_one_that_drops_everybody_is_away(caddy: Caddy, tmp_path: Path) -> None:
    """It is not asked for ever."""
    caddy.drops, caddy.heard = 99, True
    with pytest.raises(GatewayAway, match="it closed the connection"):
        CaddyAdmin(tmp_path).config()
    assert caddy.asked == len(AGAIN) + 1


def test_where_nobody_listens_it_is_said_at_once(caddy: Caddy, tmp_path: Path) -> None:
    caddy.close()
    with pytest.raises(GatewayAway) as refused:
        CaddyAdmin(tmp_path).config()
    assert not refused.value.silent
