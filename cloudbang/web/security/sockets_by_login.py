"""Which sockets were opened with which login: they close within 2 s of its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cloudbang.core.supervise import Supervisor
from cloudbang.web.server.websocket import Socket

LOGIN_ENDED = 4401


class SocketsByLogin:
    """The open sockets of one route, by login: a browser's session or an API token."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._sockets: dict[str, set[Socket]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._sockets.values()))

    @contextmanager
    def holds(self, login: str, socket: Socket) -> Iterator[None]:
        """For as long as a socket is served."""
        mates = self._sockets.setdefault(login, set())
        mates.add(socket)
        try:
            yield
        finally:
            mates.discard(socket)
            if not mates and self._sockets.get(login) is mates:
                del self._sockets[login]

    def close(self, login: str) -> None:
        """The login has ended or may do less: its sockets are closed with 4401. Does not wait."""
        for socket in self._sockets.pop(login, ()):
            self._supervisor.once("end", socket.close, LOGIN_ENDED, "session ended")
