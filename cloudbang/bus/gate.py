"""Where other programs publish: a socket of its own before the hub's, and a thread that reads it.

ZeroMQ counts its queues in messages and drops in silence at their end. So what programs *put* does
not pass through one: the gate hands it to the loop in a queue that is bounded in bytes. Where the
loop is late for a moment the gate waits, and publishers with it, each connection in its turn; where
it stays late, messages are dropped and counted. Everything is passed on to the hub as well, for
whoever else listens.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import gevent
import zmq
from gevent import monkey

from cloudbang.bus.messages import Dropped, Message
from cloudbang.core.parking import Parking

log = logging.getLogger(__name__)

PUT = b"put/"
MOST = 4 * 1024 * 1024  # bytes that are handed over and not taken yet
PATIENCE = 0.25  # seconds that the loop may be late
LOOK = 0.002  # seconds between two looks at whether there is room again
AT_ONCE = 50  # messages read before subscriptions are looked at
PARTS = 3


class Puts:
    """What is put, from the gate's thread to the one greenlet that reads :meth:`batches`."""

    def __init__(self) -> None:
        self.drops = Dropped()  # who reads may add to them
        self.wanted = self.closed = False
        self._lock = monkey.get_original("_thread", "allocate_lock")()
        self._sleep = monkey.get_original("time", "sleep")
        self._waiting: list[list[bytes]] = []
        self._size = 0
        self._lost = 0  # messages for which there was no room
        self._ready = Parking()
        self._signal = gevent.get_hub().loop.async_()
        self._signal.start(self._ready.call)

    def batches(self) -> Iterator[list[Message]]:
        """What arrives, as it arrives. Ends with :meth:`close`."""
        while not self.closed:
            self._ready.wait()
            with self._lock:
                taken, self._waiting, self._size = self._waiting, [], 0
                lost, self._lost = self._lost, 0
            if lost:
                self.drops.add(PUT, "room", lost)
            batch: list[Message] = []
            for parts in taken:
                try:
                    topic, header, body = parts
                    batch.append(Message(topic.decode(), header, body))
                except ValueError:  # UnicodeDecodeError is one too
                    self.drops.add(parts[0], "parts")
            if batch:
                yield batch

    def close(self) -> None:
        with self._lock:
            if self.closed:
                return
            self.closed, self.wanted = True, False
        self._signal.close()
        self._ready.call()

    def hand_over(self, parts: list[bytes]) -> None:
        """By the gate's thread."""
        size = sum(map(len, parts))
        tries = int(PATIENCE / LOOK)
        while self._size and self._size + size > MOST and tries and self.wanted:
            self._sleep(LOOK)
            tries -= 1
        with self._lock:
            if not self.wanted:
                return
            if self._size and self._size + size > MOST:
                self._lost += 1
                return
            self._waiting.append(parts)
            self._size += size
            if len(self._waiting) == 1:
                self._signal.send()


def let_in(outer: zmq.Socket[bytes], inner: zmq.Socket[bytes], puts: Puts) -> None:
    """In a thread of its own, until the context ends."""
    poller = zmq.Poller()
    poller.register(outer, zmq.POLLIN)
    poller.register(inner, zmq.POLLIN)
    subscribed = False
    while True:
        if puts.wanted and not subscribed:
            outer.send(b"\x01" + PUT)
            subscribed = True
        ready = dict(poller.poll(None if subscribed else 20))
        if inner in ready:
            outer.send(inner.recv())  # who subscribed to what
        if outer in ready:
            _take(outer, inner, puts)


def _take(outer: zmq.Socket[bytes], inner: zmq.Socket[bytes], puts: Puts) -> None:
    for _ in range(AT_ONCE):
        try:
            parts = outer.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        if parts[0].startswith(PUT):
            puts.hand_over(parts[: PARTS + 1])
        inner.send_multipart(parts)  # an XPUB: what nobody wants, or has room for, is dropped
