"""Who is connected, and whether they are still there: one greenlet for all sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent

from cloudbang.core.counters import export
from cloudbang.core.deadline import Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.web.server.websocket import CLOSE_WAIT, Socket

SLOTS = 20  # of the timer wheel: each socket is looked at once a turn, a twentieth at a time


@dataclass(eq=False)
class SocketCounts:
    """Since the start. Bytes are those of sockets that have ended; see ``SocketRegistry``."""

    opened: int = 0
    handshakes_refused: int = 0
    violations: int = 0
    dropped_silent: int = 0
    received: int = 0
    sent: int = 0


COUNTED = {
    "opened": "WebSockets that were opened.",
    "handshakes_refused": "Handshakes of WebSockets that were refused.",
    "violations": "Peers that broke the protocol of WebSockets.",
    "dropped_silent": "WebSockets dropped because the peer was silent, or took nothing.",
}


class SocketRegistry:
    """Keeps the open sockets: pings each every ``ping_every`` seconds, drops the dead.

    Dead is a peer that was not heard for ``drop_after`` seconds, or that took nothing of what
    waits for it for so long.
    """

    def __init__(self, ping_every: float = 20.0, drop_after: float = 60.0) -> None:
        self.ping_every, self.drop_after = ping_every, drop_after
        self.counts = SocketCounts()
        self.stopping = False
        self._wheel: list[set[Socket]] = [set() for _ in range(SLOTS)]
        self._at = 0
        self._supervisor = Supervisor("sockets")
        self._running = False
        export(self.counts, "sockets", counters=COUNTED)
        bytes_in, bytes_out = "Bytes received on WebSockets.", "Bytes sent on WebSockets."
        export(self, "sockets", counters={"received": bytes_in, "sent": bytes_out})

    def __len__(self) -> int:
        return sum(map(len, self._wheel))

    def __iter__(self) -> Iterator[Socket]:
        for slot in self._wheel:
            yield from tuple(slot)

    def add(self, socket: Socket) -> None:
        if not self._running:
            self._running = True
            self._supervisor.run("pings", self._turn)
        socket.slot = self._at  # the slot just passed: its first ping is a whole turn away
        self._wheel[socket.slot].add(socket)
        self.counts.opened += 1
        if self.stopping:
            socket.start_close(1001, "the server is stopping")

    def remove(self, socket: Socket) -> None:
        self._wheel[socket.slot].discard(socket)
        self.counts.received += socket.received
        self.counts.sent += socket.sent

    @property
    def received(self) -> int:
        """Wire bytes received from all sockets, open and ended."""
        return self.counts.received + sum(socket.received for socket in self)

    @property
    def sent(self) -> int:
        """Wire bytes sent to all sockets, open and ended."""
        return self.counts.sent + sum(socket.sent for socket in self)

    def count_violation(self) -> None:
        """A peer broke the protocol."""
        self.counts.violations += 1

    def spawn(self, name: str, work: Callable[..., Any], *args: Any) -> None:
        """A short piece of work for a socket, in a greenlet of its own."""
        self._supervisor.once(name, work, *args)

    def close_all(self, code: int = 1001, reason: str = "the server is stopping") -> None:
        """Say good-bye to every socket, those that are just opening too. Does not wait."""
        self.stopping = True
        for socket in self:
            socket.start_close(code, reason)

    def stop(self) -> None:
        self._supervisor.stop(Deadline(1.0))
        self._running = False

    def _turn(self) -> None:
        step = self.ping_every / SLOTS
        before = listening = time.monotonic()
        while True:
            gevent.sleep(step)
            now = time.monotonic()
            if now - before > step + self.drop_after / 4:
                # We were away, as a machine is that was stopped for a while: nobody was asked, and
                # what they said is still to be read.
                listening = now
            before = now
            self._at = (self._at + 1) % SLOTS
            # A ping's answer is a little younger than the ping: a slot's width of grace drops a
            # dead peer at drop_after, not a whole turn later.
            dead = now - self.drop_after + step
            for socket in tuple(self._wheel[self._at]):
                silent = max(socket.seen, socket.moved, listening) < dead
                stuck = socket.backlog and max(socket.moved, listening) < dead
                if socket.closed:
                    if socket.moved < now - CLOSE_WAIT:
                        socket.drop()  # it was told to go and does not answer
                elif silent or stuck:
                    self.counts.dropped_silent += 1
                    socket.drop()
                else:
                    socket.ping()
