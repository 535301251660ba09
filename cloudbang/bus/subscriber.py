"""The receiving side of the bus."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import zmq
import zmq.green

from cloudbang.bus.mark import Mark
from cloudbang.bus.messages import Message
from cloudbang.bus.sockets import (
    MAX_MESSAGE,
    SUBSCRIBER_QUEUE,
    context,
    notice_dead_peers,
    use_keys,
)
from cloudbang.core.loop import yield_to_loop

BATCH = 500  # messages taken from a subscriber's queue before anyone else gets a turn
TURN = 0.002  # seconds after which a busy subscriber lets timers and other sockets run


class Subscriber:
    """Receives from the hub. One greenlet reads :meth:`batches`; any may subscribe."""

    def __init__(
        self,
        address: str,
        curve_folder: str = "",
        *,
        within: zmq.Context[zmq.Socket[bytes]] | None = None,
        mark: Mark | None = None,
    ) -> None:
        """``within`` and ``mark`` are for :meth:`Hub.subscriber`."""
        self.received = 0
        self.malformed = 0  # wrong number of parts, or a topic that is not UTF-8
        green: zmq.Context[Any] = zmq.green.Context.shadow((within or context()).underlying)
        self._mark = mark
        self._empty = True  # the last look found nothing more
        self._socket: zmq.Socket[Any] = green.socket(zmq.SUB)
        self._socket.set(zmq.RCVHWM, SUBSCRIBER_QUEUE)
        self._socket.set(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._socket.set(zmq.LINGER, 0)
        notice_dead_peers(self._socket)
        use_keys(self._socket, curve_folder)
        self._socket.connect(address)

    def subscribe(self, prefix: str) -> None:
        """Receive every topic that starts with ``prefix``. Counted: undo each one by itself."""
        self._set(zmq.SUBSCRIBE, prefix)

    def unsubscribe(self, prefix: str) -> None:
        """Undo one :meth:`subscribe`."""
        self._set(zmq.UNSUBSCRIBE, prefix)

    @property
    def knows_ours(self) -> bool:
        """Whether what this process published can be told from what others did."""
        return self._mark is not None

    def is_ours(self, message: Message) -> bool:
        """Whether this process published it, as it is here."""
        topic, header, body = message
        return self._mark is not None and self._mark.proves(topic.encode(), header, body)

    def batches(self) -> Iterator[list[Message]]:
        """What arrives, as it arrives: 1 to 500 messages at a time. Ends with :meth:`close`."""
        sock = self._socket
        turn_ends = time.monotonic() + TURN
        while not sock.closed:
            try:
                if self._empty:
                    first = sock.recv(copy=False)  # the green call: it waits, and others run
                    turn_ends = time.monotonic() + TURN
                else:
                    first = sock.recv(zmq.NOBLOCK, copy=False)
                batch = self._drain(first)
            except zmq.Again:
                self._empty = True
                continue
            except zmq.ZMQError:
                if sock.closed:
                    return
                raise
            if batch:
                self.received += len(batch)
                yield batch
            if time.monotonic() >= turn_ends:
                # The queue may never be empty, and then recv never gives way to anyone.
                yield_to_loop()
                turn_ends = time.monotonic() + TURN

    def close(self) -> None:
        """Disconnect; ends :meth:`batches`."""
        self._socket.close(0)

    def _set(self, option: int, prefix: str) -> None:
        self._socket.set(option, prefix.encode())
        self._socket.get(zmq.EVENTS)  # the call may have swallowed the reader's edge

    def _drain(self, frame: zmq.Frame) -> list[Message]:
        """The messages that are there, the first of which begins with ``frame``."""
        sock = self._socket
        self._empty = False
        # Frames know whether more follow; asking the socket each time costs a third of it all.
        take: Any = functools.partial(zmq.Socket.recv, sock, zmq.NOBLOCK, False)
        new: Callable[..., Message] = tuple.__new__  # Message(…) costs twice as much
        batch: list[Message] = []
        taken = 0
        try:
            while True:
                taken += 1
                parts = [frame.bytes]
                while frame.more:
                    frame = take()
                    parts.append(frame.bytes)
                try:
                    topic, header, body = parts
                    batch.append(new(Message, (topic.decode(), header, body)))
                except ValueError:  # UnicodeDecodeError is one too
                    self.malformed += 1
                if taken >= BATCH:
                    break
                frame = take()
        except zmq.Again:
            self._empty = True
        return batch
