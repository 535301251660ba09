"""One live socket: reads what its page asks for, a handler per op, and keeps its subscriptions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Protocol

import gevent
import orjson
from gevent.lock import Semaphore

from cloudbang.core.peer_json import read_json
from cloudbang.core.rate import TokenBucket
from cloudbang.errors import BadRequest, CloudBangError, shown
from cloudbang.web.live.base import NoSuchChannel, Subscription, ViewerConnection, message
from cloudbang.web.server.frames import JoinedFrames, SharedFrame
from cloudbang.web.server.websocket import Socket, SocketClosed

if TYPE_CHECKING:
    from cloudbang.accounts import Caller
    from cloudbang.core.budget import Share

MAX_SUBSCRIPTIONS = 64  # of one connection; a page needs three
# Overload: a client that asks faster than this is read more slowly; nobody else notices.
OPS_PER_SECOND = 1_000.0
OPS_AT_ONCE = 1_000.0
LEAVING = 2  # replaced subscriptions whose read of the store may still run; then it is waited for


class TooManySubscriptions(CloudBangError):
    """A connection follows as many channels as it may."""

    code = "too-many-subscriptions"
    status = 429
    sentence = "one socket may follow {limit} channels: unsubscribe from some, or open another"

    def __init__(self, limit: int = MAX_SUBSCRIPTIONS) -> None:
        self.limit = limit
        super().__init__(limit)


class BadMessage(CloudBangError):
    """A client sent what is no message of this protocol."""

    code = "bad-message"
    status = 400
    sentence = (
        "{what}: a message is a JSON object with the op subscribe, unsubscribe, ping or batch"
    )

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)


class Channels(Protocol):
    """All channels, as one connection sees them: ``push.LivePush``."""

    def view(
        self, channel: str, connection: ViewerConnection, request: dict[str, Any]
    ) -> Subscription:
        """A view of ``channel``, not yet started. Raises NoSuchChannel, NoSuchApp, BadRequest."""

    def leave(self, channel: str) -> None:
        """A viewer of ``channel`` has gone."""


class LiveConnection:
    """What one socket follows. It is the :class:`ViewerConnection` of its viewers."""

    __slots__ = (
        "_bucket",
        "_channels",
        "_following",
        "_leaving",
        "batches",
        "caller",
        "language",
        "offer",
        "share",
        "socket",
        "turn",
    )

    def __init__(
        self, channels: Channels, socket: Socket, caller: Caller, share: Share, language: str = "en"
    ) -> None:
        self.caller, self.language = caller, language
        self.batches = False
        self.socket, self.share = socket, share
        socket.share = share
        self.offer: Callable[[SharedFrame | JoinedFrames], bool] = socket.offer
        self._channels = channels
        self._following: dict[str, Subscription] = {}
        self._leaving: list[Subscription] = []
        self.turn = Semaphore()
        self._bucket = TokenBucket(OPS_AT_ONCE, OPS_PER_SECOND)
        socket.on_drained = self._on_drained

    @property
    def closed(self) -> bool:
        return self.socket.closed

    def send(self, text: bytes) -> None:
        """Send, and wait until there is room for it. Does nothing on a closed connection."""
        with contextlib.suppress(SocketClosed):
            end = self.socket.put_text(text)
            del text  # the socket has it, or what is left of it
            self.socket.wait_until_sent(end)

    def serve(self) -> None:
        """Handle what comes until the connection ends."""
        try:
            while (text := self.socket.receive()) is not None:
                self._bucket.take()
                self._handle(text)
        finally:
            self.socket.on_drained = None
            for channel in list(self._following):
                self._drop(channel)

    def _handle(self, text: str | bytes) -> None:
        channel: str | None = None
        try:
            request = _request(text)
            named = request.get("channel")
            channel = named[:200] if isinstance(named, str) else None
            op = request.get("op")
            handler = HANDLERS.get(op) if isinstance(op, str) else None
            if handler is None:
                raise BadMessage(f"there is no op {shown(op, 40)!r}")
            handler(self, request)
        except CloudBangError as e:
            self.send(message("error", channel, code=e.code, message=str(e)))

    def _subscribe(self, request: dict[str, Any]) -> None:
        channel = _channel(request)
        # Asking again for a channel replaces what was asked before: a page changes its filter.
        self._drop(channel)
        if len(self._following) >= MAX_SUBSCRIPTIONS:
            raise TooManySubscriptions
        self._wait_for_leaving()
        viewer = self._channels.view(channel, self, request)
        self._following[channel] = viewer
        viewer.start()

    def _unsubscribe(self, request: dict[str, Any]) -> None:
        channel = _channel(request)
        self._drop(channel)
        self.send(message("unsubscribed", channel))

    def _ping(self, request: dict[str, Any]) -> None:
        self.send(b'{"op":"pong"}')

    def _batch(self, request: dict[str, Any]) -> None:
        self.batches = True

    def _drop(self, channel: str) -> None:
        viewer = self._following.pop(channel, None)
        if viewer is not None:
            viewer.close()
            self._channels.leave(channel)

            if viewer.busy:
                self._leaving.append(viewer)

    def _wait_for_leaving(self) -> None:
        """Who changes a subscription faster than the store answers is read more slowly."""
        while True:
            self._leaving = [viewer for viewer in self._leaving if viewer.busy]
            if len(self._leaving) <= LEAVING or self.closed:
                return
            gevent.sleep(0.001)

    def lose(self, channels: Collection[str], error: CloudBangError) -> None:
        """End what is followed of these channels, and say why. Does not wait: it is little and may not be
        refused."""
        for channel, viewer in self._following.items():
            if channel in channels:
                viewer.close()
                told = message("error", channel, code=error.code, message=str(error))
                self.socket.post(SharedFrame(told))

    def _on_drained(self, _socket: Socket) -> None:
        for viewer in list(self._following.values()):
            viewer.drained()


HANDLERS: dict[str, Callable[[LiveConnection, dict[str, Any]], None]] = {
    "subscribe": LiveConnection._subscribe,
    "unsubscribe": LiveConnection._unsubscribe,
    "ping": LiveConnection._ping,
    "batch": LiveConnection._batch,
}


def _request(text: str | bytes) -> dict[str, Any]:
    if isinstance(text, bytes):
        raise BadMessage("a binary frame")
    try:
        request = read_json(text)
    except orjson.JSONDecodeError:
        raise BadMessage("this is not JSON") from None
    if not isinstance(request, dict):
        raise BadMessage("this is not a JSON object")
    return request


def _channel(request: dict[str, Any]) -> str:
    channel = request.get("channel")
    if not isinstance(channel, str):
        raise BadRequest("channel", channel, "the name of a channel, like log/web")
    if len(channel) > 200:
        raise NoSuchChannel(channel)
    return channel
