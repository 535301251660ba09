"""The sending side of the bus."""

from __future__ import annotations

import time
from typing import Any

import orjson
import zmq
from zmq import backend as bare

from cloudbang.bus.mark import Mark
from cloudbang.bus.sockets import (
    EVENTS,
    NOBLOCK,
    PARTING,
    POLLIN,
    PUBLISHER_QUEUE,
    context,
    notice_dead_peers,
    use_keys,
)
from cloudbang.core.counters import export

MOST_PREFIXES = 10_000
"""Subscriptions that are looked up. Overload: beyond them everything counts as wanted, until so many
have gone again; a message that nobody wants is then built and dropped by the hub."""

AT_ONCE = 2_000  # changes of subscriptions that are taken note of together: about 2 ms

FIRST, LAST = NOBLOCK | int(zmq.SNDMORE), NOBLOCK


class Publisher:
    """Sends to the hub and never waits for it. For the gevent thread only.

    It is an XPUB underneath: the hub forwards what its subscribers want, so a message that
    nobody listens to need not even be built (see :meth:`wanted`).
    """

    def __init__(
        self,
        address: str,
        curve_folder: str = "",
        *,
        within: zmq.Context[zmq.Socket[bytes]] | None = None,
        mark: Mark | None = None,
    ) -> None:
        """With ``mark`` every message is signed. ``within`` is for :meth:`Hub.publisher`."""
        self.sent = 0
        self.dropped = 0  # at the high-water mark: the hub does not keep up, or is away
        sent, dropped = "Messages sent to the hub.", "Messages that the hub had no room for."
        export(self, "publisher", counters={"sent": sent, "dropped": dropped})
        self._prefixes: set[bytes] = set()
        self._beyond = 0  # how many there are besides
        self._catching_up = False  # there are changes that nobody has taken note of
        self._asked: dict[str, bool] = {}
        self._looked = 0.0
        self._mark = mark
        self._socket = (within or context()).socket(zmq.XPUB)
        self._socket.set(zmq.SNDHWM, PUBLISHER_QUEUE)
        self._socket.set(zmq.LINGER, PARTING)
        # XPUB would drop in silence at its high-water mark; with NODROP it says so and the drop
        # is counted. It has one peer, the hub, so nobody else's messages are held up by it.
        self._socket.set(zmq.XPUB_NODROP, 1)
        notice_dead_peers(self._socket)
        use_keys(self._socket, curve_folder)
        self._socket.connect(address)

    def send(self, topic: str, header: dict[str, Any] | bytes, body: bytes) -> None:
        """Publish. Never blocks; what the hub's queue has no room for is dropped and counted.

        So is what comes when it is closed: what is written last is told when the hub is gone.
        """
        head = header if isinstance(header, bytes) else orjson.dumps(header)
        name = topic.encode()
        if self._mark is not None:
            head = self._mark.sign(name, head, body)
        try:
            # What send_multipart does, without its look at each part's type.
            send, sock = bare.Socket.send, self._socket
            send(sock, name, FIRST)
            send(sock, head, FIRST)
            send(sock, body, LAST)
            self.sent += 1
        except zmq.Again:
            self.dropped += 1
        except zmq.ZMQError:
            if not self._socket.closed:
                raise
            self.dropped += 1

    def wanted(self, topic: str) -> bool:
        """Whether anyone subscribed to this topic, as far as the hub has told."""
        if (now := time.monotonic()) - self._looked > 0.01:  # asking costs as much as four lines
            self._looked = now
            if self._socket.closed:
                return False
            if int(bare.Socket.get(self._socket, EVENTS)) & POLLIN:
                self._note_subscriptions()
            elif self._catching_up:
                self._catching_up = False
                self._asked.clear()
        known = self._asked.get(topic)
        if known is None:
            if len(self._asked) > 10_000:
                self._asked.clear()
            known = self._asked[topic] = self._is_wanted(topic.encode())
        return known

    def _is_wanted(self, name: bytes) -> bool:
        if self._beyond or self._catching_up:
            return True
        # By what a topic can begin with, however many there are.
        return any(name[:size] in self._prefixes for size in range(len(name) + 1))

    def close(self) -> None:
        """Disconnect. What the hub does not take at once is dropped."""
        self._socket.close(PARTING)

    def _note_subscriptions(self) -> None:
        self._asked.clear()
        self._catching_up = True
        for _ in range(AT_ONCE):
            try:
                note = self._socket.recv(NOBLOCK)
            except zmq.Again:
                self._catching_up = False
                break
            if note[:1] == b"\x01":
                if len(self._prefixes) < MOST_PREFIXES:
                    self._prefixes.add(note[1:])
                else:
                    self._beyond += 1
            elif note[:1] == b"\x00":
                if note[1:] in self._prefixes:
                    self._prefixes.remove(note[1:])
                elif self._beyond:
                    self._beyond -= 1
        if not self._prefixes:
            self._prefixes = set()  # one that was large stays so
