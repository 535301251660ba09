"""The receiving side of the bus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import zmq
import zmq.green
from zmq import backend as bare

from cloudbang.bus.mark import Mark
from cloudbang.bus.messages import Dropped, Message
from cloudbang.bus.sockets import (
    EVENTS,
    MAX_MESSAGE,
    NOBLOCK,
    POLLIN,
    SUBSCRIBER_QUEUE,
    context,
    notice_dead_peers,
    use_keys,
)
from cloudbang.core.counters import export
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.parking import Parking

# What is taken from a subscriber's queue before anyone else gets a turn: messages, and bytes.
BATCH, BATCH_BYTES = 500, 1024 * 1024
PARTS = 3  # of a message; what has more is read away
TURN = 0.002  # seconds after which a busy subscriber lets timers and other sockets run


class _Socket(zmq.green.Socket):
    """A green socket whose one reader waits by itself.

    The green ``recv`` looks at the socket four times, makes a Timeout and two exceptions for each
    message that comes alone: a third of what a line cost on its way.
    """

    changed: Any = None  # a Parking; pyzmq takes attributes that the class has not for options

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        watching: Any = self._state_event
        watching.stop()
        # It signals when something has changed, and no more once that was looked at.
        self.changed = Parking(readable=int(bare.Socket.get(self, int(zmq.FD))))

    def is_readable(self) -> bool:
        """Whether a message can be received now; looks at what has changed."""
        return bool(int(bare.Socket.get(self, EVENTS)) & POLLIN)

    def take(self) -> zmq.Frame:
        """The next part of a message. Raises zmq.Again when there is none."""
        frame: zmq.Frame = bare.Socket.recv(self, NOBLOCK, False)
        return frame

    def close(self, linger: int | None = None) -> None:
        if self.changed is not None:
            self.changed.close()
        super().close(linger)


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
        """With ``mark`` only what bears it is received. ``within`` and ``mark`` are for
        :meth:`Hub.subscriber`."""
        self.received = 0
        self.resting = False  # whoever reads has been given all that has come, and waits for more
        self.drops = Dropped()  # who reads may add to them
        export(self, "subscriber", counters={"received": "Messages received, and not dropped."})
        green: zmq.Context[Any] = zmq.green.Context.shadow((within or context()).underlying)
        self._mark = mark
        self._socket = green.socket(zmq.SUB, socket_class=_Socket)
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

    def batches(self) -> Iterator[list[Message]]:
        """What arrives, as it arrives: 1 to 500 messages at a time. Ends with :meth:`close`."""
        sock = self._socket
        turn_ends = time.monotonic() + TURN
        while not sock.closed:
            try:
                if not sock.is_readable():
                    self.resting = True
                    if sock.changed.wait():
                        turn_ends = time.monotonic() + TURN
                    self.resting = False
                    continue
                batch = self._drain()
            except zmq.ZMQError:
                if sock.closed:
                    return
                raise
            if batch:
                self.received += len(batch)
                yield batch
            if time.monotonic() >= turn_ends:
                # The queue may never be empty, and then nothing here gives way to anyone.
                yield_to_loop()
                turn_ends = time.monotonic() + TURN

    def close(self) -> None:
        """Disconnect; ends :meth:`batches`."""
        self._socket.close(0)

    def _set(self, option: int, prefix: str) -> None:
        self._socket.set(option, prefix.encode())
        self._socket.changed.call()  # it may have looked at what the reader waits for

    def _drain(self) -> list[Message]:
        """The messages that are there."""
        take, mark = self._socket.take, self._mark
        batch: list[Message] = []
        taken = size = 0
        try:
            while True:
                # Frames know whether more follow; asking the socket each time costs a third of it.
                frame = take()
                parts = [frame.bytes]
                while frame.more:
                    frame = take()
                    if len(parts) <= PARTS:
                        parts.append(frame.bytes)
                taken += 1
                size += len(parts[-1])
                try:
                    topic, header, body = parts
                    if mark is not None and not mark.proves(topic, header, body):
                        self.drops.add(topic, "mark")
                    else:
                        batch.append(Message(topic.decode(), header, body))
                except ValueError:  # UnicodeDecodeError is one too
                    self.drops.add(parts[0], "parts")
                alone = taken == 1 and not self._socket.is_readable()
                if taken == BATCH or size > BATCH_BYTES or alone:
                    break  # mostly one comes alone, and an exception costs more than a look
        except zmq.Again:
            pass
        return batch
