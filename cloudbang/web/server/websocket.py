"""One open WebSocket: gevent-websocket's, with its weaknesses mended.

What that lacks and this has: one writer at any moment, close codes that are sent, size limits,
masks required, fast unmasking in slices, permessage-deflate, deadlines.

Writing never blocks and has no greenlet of its own: ``offer`` hands a frame to the kernel; what
the kernel does not take waits in a bounded queue that a write watcher of the loop empties. So at
any moment one at most writes to a socket, and a socket that keeps up costs nothing but the call.
"""

from __future__ import annotations

import socket as std_socket
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import gevent
from gevent.event import Event as Signal
from geventwebsocket.websocket import WebSocket

from cloudbang.core.budget import Share
from cloudbang.core.loop import yield_to_loop
from cloudbang.errors import CloudBangError
from cloudbang.web.server import frames
from cloudbang.web.server.deflate import Agreement
from cloudbang.web.server.frames import BINARY, TEXT, JoinedFrames, SharedFrame

KIB = 1024
READ = 64 * KIB  # bytes asked of the kernel at a time, when there is much
SHORT = 4 * KIB  # and otherwise
QUEUE = 1024 * KIB  # bytes that may wait for a slow peer; then offer() refuses
MUCH = 1024 * KIB  # bytes; encoding and compressing more than this is done in slices
TURN = 0.005  # seconds one connection may work before the others get theirs
CLOSE_WAIT = 2.0  # seconds a peer has to answer a close, and then to hang up
MESSAGE = (str, bytes)


class SocketClosed(CloudBangError):
    """Nothing can be sent any more: the connection is closing or gone."""

    code = "socket-closed"
    sentence = "the WebSocket connection is closed"


class Owner(Protocol):
    """Who keeps the open sockets, as one of them sees it: ``heartbeat.SocketRegistry``."""

    stopping: bool
    """Whether the whole server is stopping."""

    def count_violation(self) -> None:
        """A peer broke the protocol."""

    def spawn(self, name: str, work: Callable[..., Any], *args: Any) -> object:
        """Run a short piece of work in a greenlet of its own."""


class Socket(WebSocket):
    """One open connection. One greenlet receives; any may ``offer``, ``send`` and ``close``.

    ``backlog`` is what the kernel has not taken yet, ``received`` and ``sent`` count wire bytes,
    ``seen`` and ``moved`` (monotonic seconds) say when the peer was last heard and last took
    something. ``on_drained`` is called, in a greenlet of its own, when the queue has emptied
    after a refused offer.
    """

    __slots__ = (
        *("__weakref__", "backlog", "deflate", "left", "moved", "on_drained", "queue_limit"),
        *(
            "received",
            "seen",
            "sent",
            "share",
            "slot",
            "subprotocol",
            "_decoder",
            "_ended",
            "_hand",
        ),
        *("_owner", "_more", "_queue", "_raw", "_reading", "_refused", "_signal", "_since"),
        *("_sock", "_waited", "_watcher", "_window_bits"),
    )

    def __init__(
        self,
        sock: Any,
        owner: Owner,
        *,
        agreement: Agreement | None = None,
        subprotocol: str | None = None,
        max_message: int = 64 * KIB,
        queue: int = QUEUE,
        early: bytes = b"",
    ) -> None:
        # WebSocket.__init__ is left out on purpose: it holds on to the request and its reader.
        self._sock = sock
        self._raw = sock._sock  # the plain non-blocking socket under gevent's
        self._hand = self._raw.send
        self._owner = owner
        self._window_bits = agreement.window_bits if agreement else 0
        # A shared frame is made with the full window; who asked for less gets it plain.
        self.deflate = self._window_bits == 15
        self.subprotocol = subprotocol
        self.queue_limit = queue
        self._decoder = frames.Decoder(max_message, agreement is not None)
        if early:
            self._decoder.feed(early)
        self._queue: deque[bytes | memoryview] | None = None
        self._watcher: Any = None
        self._signal: Signal | None = None
        self.on_drained: Callable[[Socket], None] | None = None
        self.closed = False  # we have sent, or can no longer send, a close frame
        self._ended = False  # nothing more will be received
        self.left = False  # the peer has said good-bye: it did not just break off
        self._reading = self._refused = False
        self._more = True  # there may be more to read without waiting for it
        self.backlog = self.sent = 0
        self.received = len(early)
        self.seen = self.moved = time.monotonic()
        self._since = self.seen  # when this connection last waited for its peer
        self._waited = False  # it did, and nothing was handled since
        self.slot = -1
        self.share: Share | None = None  # of what waits for all sockets of an account

    def __del__(self) -> None:
        """The handler ends a connection, not the garbage collector."""

    @property
    def server_stops(self) -> bool:
        """Whether the connection ends, if it does, because the whole server stops."""
        return self._owner.stopping

    # -- reading ------------------------------------------------------------------------------

    def receive(self, timeout: float | None = None) -> str | bytes | None:
        """The next message, or None once the connection has ended.

        Raises TimeoutError after ``timeout`` seconds without a whole message.
        """
        if self._reading:  # close() in another greenlet reads what is left
            while not self._ended:
                self._wait_signal(None)
            return None
        decoder = self._decoder
        deadline = None if timeout is None else time.monotonic() + timeout
        self._reading = True
        try:
            while not self._ended:
                if decoder.hungry:
                    if not self._read(deadline):
                        self._lose()
                    continue
                if self._waited:
                    self._waited = False  # so everybody has had their turn
                elif time.monotonic() - self._since > TURN:
                    yield_to_loop()
                    self._since = time.monotonic()
                event = decoder.next()
                if isinstance(event, MESSAGE):
                    if not self.closed:  # what comes after our close is not read any more
                        return event
                elif event is not None and event is not frames.WORKING:
                    self._control(event)
        except frames.PeerViolation as e:
            self._owner.count_violation()
            self._end(e.close_code, e.reason)
        finally:
            self._reading = False
            if self._ended and self._signal is not None:
                self._signal.set()
        return None

    def _read(self, deadline: float | None) -> bool:
        """Take in what has come, waiting for it; False: nothing more will."""
        left = None if deadline is None else deadline - time.monotonic()
        limit = READ if self._more else SHORT
        wait = not self._more and (left is None or left > 0)
        sock = self._sock
        while True:
            try:
                if wait:
                    sock.timeout = left
                    sock._wait(sock._read_event)
                    self._waited = True
                data = self._raw.recv(limit)
                break
            except BlockingIOError:
                if left is not None and left <= 0:
                    raise TimeoutError from None
                wait = True
            except TimeoutError:
                if left is None:
                    return False  # the system has given the peer up
                raise
            except OSError:
                return False
        if not data:
            return False
        self._more = len(data) == limit
        self.seen = now = time.monotonic()
        if self._waited:
            self._since = now
        self.received += len(data)
        self._decoder.feed(data)
        return True

    def _control(self, event: Any) -> None:
        if isinstance(event, frames.Ping):
            # Overload: pings of a peer that does not read its pongs go unanswered.
            if not self.closed and self.backlog <= self.queue_limit:
                self._put(frames.frame(event.payload, frames.PONG))
        elif isinstance(event, frames.Closing):
            self.left = True
            self._end(event.code, event.reason)

    def _end(self, code: int | None, reason: str) -> None:
        """Nothing more will be read; say so to the peer unless that was said."""
        self._start_close(frames.close_frame(code, reason))
        self._ended = True

    # -- writing ------------------------------------------------------------------------------

    def offer(self, frame: SharedFrame | JoinedFrames) -> bool:
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

    def offer_bytes(self, payload: bytes) -> bool:
        """``offer`` for a binary message that is for this connection alone, never compressed."""
        if self.closed:
            return False
        size = len(payload)
        small = size < frames.SMALL
        head = frames.SMALL_BINARY[size] if small else frames.header(BINARY, size)
        if self.backlog:
            return self._enqueue(head + payload)
        try:
            # What is large is not copied only to stand behind its head.
            taken = self._hand(head + payload) if small else self._raw.sendmsg((head, payload))
        except BlockingIOError:
            taken = 0
        except OSError:
            self._lose()
            return False
        self.sent += taken
        if taken < len(head) + size:
            self._wait_for_room(head + payload, taken)
        return True

    def post(self, frame: SharedFrame) -> None:
        """Send or queue ``frame`` without ever waiting, whatever the queue holds already: for
        what is small and must not be refused."""
        if not self.closed:
            self._put(frame.deflated if self.deflate else frame.plain)

    def send(self, message: str | bytes) -> None:
        """Send ``message`` and wait until the kernel has all of it. Raises SocketClosed."""
        if isinstance(message, str):
            end = self.put_text(_encoded(message))
        else:
            end = self._put_message(BINARY, message)
        self.wait_until_sent(end)

    def put_text(self, text: bytes) -> int:
        """Send a text in UTF-8, or queue what the kernel does not take, whatever the queue holds
        already. What it gives is for :meth:`wait_until_sent`. Raises SocketClosed."""
        return self._put_message(TEXT, text)

    def wait_until_sent(self, end: int) -> None:
        """Wait until the kernel has everything up to there. Raises SocketClosed."""
        while self.sent < end:
            if self.closed and not self.backlog:
                raise SocketClosed
            self._wait_signal(None)

    def _put_message(self, opcode: int, payload: bytes) -> int:
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
        return self.sent + self.backlog

    def ping(self) -> None:
        """Ask for a sign of life; the answer shows in ``seen``."""
        if not self.closed:
            self._put(b"\x89\x00")

    def _put(self, data: bytes) -> None:
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
        if (
            self.closed
            or self.backlog + len(data) > self.queue_limit
            or (self.share is not None and not self.share.hold(data))
        ):
            self._refused = True
            return False
        self._append(data, held=True)
        return True

    def _append(self, data: bytes, *, held: bool = False) -> None:
        assert self._queue is not None
        if self.share is not None and not held:
            self.share.hold(data, force=True)
        self._queue.append(data)
        self.backlog += len(data)

    def _wait_for_room(self, data: bytes, taken: int) -> None:
        if self.share is not None:
            self.share.hold(data, force=True)
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
                    self._let_go(queue.popleft())
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
                    self._owner.spawn("drained", self.on_drained, self)
        if self._signal is not None:
            self._signal.set()

    def _let_go(self, piece: bytes | memoryview) -> None:
        if self.share is not None:
            whole: Any = piece.obj if isinstance(piece, memoryview) else piece
            self.share.let_go(whole)

    def _wait_signal(self, deadline: float | None) -> None:
        if self._signal is None:
            self._signal = Signal()
        self._signal.clear()
        self._signal.wait(None if deadline is None else max(deadline - time.monotonic(), 0))

    # -- ending -------------------------------------------------------------------------------

    def start_close(self, code: int = 1000, reason: str = "") -> None:
        """Send the close frame, after what is queued, and do not wait. Later calls do nothing."""
        self._start_close(frames.close_frame(code, reason))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send the close code and wait at most 2 s for the peer's; then the connection is cut."""
        self.start_close(code, reason)
        deadline = time.monotonic() + CLOSE_WAIT
        try:
            if self._reading:  # by another greenlet, which will see the answer
                while not self._ended and time.monotonic() < deadline:
                    self._wait_signal(deadline)
            else:
                self.receive(CLOSE_WAIT)
        except TimeoutError:
            pass
        if not self._ended:
            self.drop()

    def drop(self) -> None:
        """Cut the connection at once, without a word, and free what the kernel holds for it."""
        try:
            self._raw.setsockopt(
                std_socket.SOL_SOCKET, std_socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self._raw.shutdown(std_socket.SHUT_RDWR)  # wakes the greenlet that reads
        except OSError:
            pass
        self._lose()

    def finish(self) -> None:
        """The last act, by the handler: close if need be, let the peer hang up, let go."""
        try:
            if not self.closed:
                self.close()
            deadline = time.monotonic() + CLOSE_WAIT
            while self.backlog and time.monotonic() < deadline:
                self._wait_signal(deadline)
            # The peer has our FIN and reads our close frame in peace: closing with bytes unread
            # would send a reset that may overtake it.
            self._raw.shutdown(std_socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._sock.timeout = left
                if not self._sock.recv(READ):
                    break
                yield_to_loop()
        except OSError:
            pass
        finally:
            self._lose()
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None

    def _start_close(self, data: bytes) -> None:
        if not self.closed:
            self._put(data)
            self.closed = True
            self._hand = nothing_more
            self.moved = time.monotonic()

    def _lose(self) -> None:
        """The connection can carry nothing more in either direction."""
        self.closed = self._ended = True
        self._hand = nothing_more
        for piece in self._queue or ():
            self._let_go(piece)
        self.backlog, self._queue = 0, None
        if self._watcher is not None:
            self._watcher.stop()
        if self._signal is not None:
            self._signal.set()


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
