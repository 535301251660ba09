"""The writing half of a socket.

Writing never blocks and has no greenlet of its own: ``offer`` hands a frame to the kernel; what
the kernel does not take waits in a bounded queue that a write watcher of the loop empties. So at
any moment one at most writes to a socket, and a socket that keeps up costs nothing but the call.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event as Signal

from cloudbang.core.loop import yield_to_loop
from cloudbang.errors import CloudBangError
from cloudbang.web.server import frames
from cloudbang.web.server.frames import BINARY, TEXT, SharedFrame
from cloudbang.web.server.heartbeat import SocketRegistry

if TYPE_CHECKING:
    from cloudbang.web.server.websocket import Socket

KIB = 1024
QUEUE = 1024 * KIB  # bytes that may wait for a slow peer; then offer() refuses
MUCH = 1024 * KIB  # bytes; encoding and compressing more than this is done in slices


class SocketClosed(CloudBangError):
    """Nothing can be sent any more: the connection is closing or gone."""

    code = "socket-closed"

    def __str__(self) -> str:
        return "the WebSocket connection is closed"


class Outbox:
    """What :class:`~cloudbang.web.server.websocket.Socket` inherits to write; it owns the fields."""

    if not TYPE_CHECKING:
        __slots__ = ()  # Socket has them: two bases with fields cannot be combined

    backlog: int
    closed: bool
    deflate: bool
    moved: float
    on_drained: Callable[[Socket], None] | None
    queue_limit: int
    sent: int
    _hand: Callable[[bytes], int]
    _registry: SocketRegistry
    _queue: deque[bytes | memoryview] | None
    _raw: Any
    _refused: bool
    _signal: Signal | None
    _watcher: Any
    _window_bits: int

    def _lose(self) -> None:
        raise NotImplementedError

    @property
    def server_stops(self) -> bool:
        """Whether the connection ends, if it does, because the whole server stops."""
        return self._registry.stopping

    def offer(self, frame: SharedFrame) -> bool:
        """Send ``frame`` without ever waiting. False: refused, the queue is full, or closed."""
        data = frame.deflated if self.deflate else frame.plain
        if self.backlog:
            return self._enqueue(data)
        try:
            taken = self._hand(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self._lose()
            return False
        self.sent += taken
        if taken < len(data):
            self._wait_for_room(data, taken)
        return True

    def post(self, frame: SharedFrame) -> None:
        """Send or queue ``frame`` without ever waiting, whatever the queue holds already: for
        what is small and must not be refused."""
        if not self.closed:
            self._put(frame.deflated if self.deflate else frame.plain)

    def send(self, message: str | bytes) -> None:
        """Send ``message`` and wait until the kernel has all of it. Raises SocketClosed."""
        opcode = TEXT if isinstance(message, str) else BINARY
        payload = _encoded(message) if isinstance(message, str) else message
        first = frames.FIN
        if self._window_bits and len(payload) >= frames.DEFLATE_FROM:
            payload, first = _deflated(payload, self._window_bits), frames.FIN | frames.RSV1
        if self.closed:
            raise SocketClosed
        head = frames.header(opcode, len(payload), first)
        if len(payload) < MUCH:
            self._put(head + payload)
        else:
            self._put(head)
            self._put(payload)
        end = self.sent + self.backlog
        while self.sent < end:
            if self.closed and not self.backlog:
                raise SocketClosed
            self._wait_signal(None)

    def ping(self) -> None:
        """Ask for a sign of life; the answer shows in ``seen``."""
        if not self.closed:
            self._put(b"\x89\x00")

    def _put(self, data: bytes | memoryview) -> None:
        """Send now or queue, whatever the queue holds. For what is small or waited for."""
        if self.backlog:
            self._append(data)
            return
        try:
            taken = self._raw.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self._lose()
            return
        self.sent += taken
        if taken < len(data):
            self._wait_for_room(data, taken)

    def _enqueue(self, data: bytes) -> bool:
        # Overload: the newest frame is refused, and the caller decides what that viewer loses.
        if self.closed or self.backlog + len(data) > self.queue_limit:
            self._refused = True
            return False
        self._append(data)
        return True

    def _append(self, data: bytes | memoryview) -> None:
        assert self._queue is not None
        self._queue.append(data)
        self.backlog += len(data)

    def _wait_for_room(self, data: bytes | memoryview, taken: int) -> None:
        rest = memoryview(data)[taken:] if taken else data
        self._queue = deque((rest,))
        self.backlog = len(rest)
        self.moved = time.monotonic()
        if self._watcher is None:
            self._watcher = gevent.get_hub().loop.io(self._raw.fileno(), 2)
        self._watcher.start(self._drain)

    def _drain(self) -> None:
        """Runs on the hub when the kernel has room again: hands over all it takes."""
        queue, give = self._queue, self._raw.send
        before = self.backlog
        try:
            while queue:
                piece = queue[0]
                taken = give(piece)
                self.backlog -= taken
                if taken < len(piece):
                    queue[0] = memoryview(piece)[taken:]
                else:
                    queue.popleft()
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
            return
        self.sent += before - self.backlog
        self.moved = time.monotonic()
        if not queue:
            self._watcher.stop()
            self._queue = None
            if self._refused:
                self._refused = False
                if self.on_drained is not None:
                    self._registry.spawn("drained", self.on_drained, self)
        if self._signal is not None:
            self._signal.set()

    def _wait_signal(self, deadline: float | None) -> None:
        if self._signal is None:
            self._signal = Signal()
        self._signal.clear()
        self._signal.wait(None if deadline is None else max(deadline - time.monotonic(), 0))


def nothing_more(_data: bytes) -> int:
    """Stands in for the kernel's ``send`` once a socket is closed: one check less in offer()."""
    raise BrokenPipeError


def _encoded(text: str) -> bytes:
    if len(text) <= MUCH:
        return text.encode()
    parts = []
    for at in range(0, len(text), MUCH):
        parts.append(text[at : at + MUCH].encode())
        yield_to_loop()
    return b"".join(parts)


def _deflated(payload: bytes, window_bits: int) -> bytes:
    if len(payload) <= MUCH:
        return frames.deflate(payload, window_bits)
    packer = frames.packer(window_bits)
    parts = []
    for at in range(0, len(payload), MUCH // 4):
        parts.append(packer.compress(payload[at : at + MUCH // 4]))
        yield_to_loop()
    parts.append(packer.flush(zlib.Z_SYNC_FLUSH)[:-4])
    return b"".join(parts)
