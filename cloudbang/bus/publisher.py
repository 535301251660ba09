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
        """Publish. Never blocks; what the hub's queue has no room for is dropped and counted."""
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

    def wanted(self, topic: str) -> bool:
        """Whether anyone subscribed to this topic, as far as the hub has told."""
        if (now := time.monotonic()) - self._looked > 0.01:  # asking costs as much as four lines
            self._looked = now
            if int(bare.Socket.get(self._socket, EVENTS)) & POLLIN:
                self._note_subscriptions()
        known = self._asked.get(topic)
        if known is None:
            if len(self._asked) > 10_000:
                self._asked.clear()
            name = topic.encode()
            known = any(name.startswith(prefix) for prefix in self._prefixes)
            self._asked[topic] = known
        return known

    def close(self) -> None:
        """Disconnect. What the hub does not take at once is dropped."""
        self._socket.close(PARTING)

    def _note_subscriptions(self) -> None:
        self._asked.clear()
        while True:
            try:
                note = self._socket.recv(NOBLOCK)
            except zmq.Again:
                return
            if note[:1] == b"\x01":
                self._prefixes.add(note[1:])
            elif note[:1] == b"\x00":
                self._prefixes.discard(note[1:])
