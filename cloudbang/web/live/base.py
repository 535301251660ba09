"""What every channel of the live socket is made with: viewers, messages, topics of the bus."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import orjson
from gevent.lock import Semaphore

from cloudbang.accounts import Caller
from cloudbang.bus import Subscriber
from cloudbang.core.budget import Share
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.web.server.frames import JoinedFrames, SharedFrame

LINGER = 10.0  # seconds a topic stays subscribed after its last viewer: pages are reloaded

CHANNELS = (
    *("log/<app>", "event/<app>", "traffic/<app>", "app/*", "terminal/*", "status"),
    *("alert/*", "partial/<app>"),
    *("metric/<app>", "metric/*"),
    *("deployment/<id>", "deployment/*"),
)
"""Every channel there is. What one of an app shows is for who may view that app."""


class NoSuchChannel(CloudBangError):
    """There is no channel of that name."""

    code = "no-such-channel"
    status = 404
    sentence = "there is no channel {channel!r}: there are {known}"

    def __init__(self, channel: str) -> None:
        self.channel = channel
        super().__init__(channel)

    def facts(self) -> dict[str, object]:
        return {"channel": self.channel[:200], "known": ", ".join(CHANNELS)}


class ViewerConnection(Protocol):
    """The connection of a viewer, as a channel sees it."""

    offer: Callable[[SharedFrame | JoinedFrames], bool]
    """Hand over a frame without waiting; False when the queue is full."""

    batches: bool
    """Whether it takes several messages as one: they have less bytes when they are deflated."""

    caller: Caller
    """Who looks."""

    language: str
    """In which they read."""

    share: Share
    """What their account has of the memory for what waits for peers."""

    turn: Semaphore
    """Held while a page of the store is read and sent. Overload: who does not read holds one
    page in memory, however many channels it follows."""

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""

    def send(self, text: bytes) -> None:
        """Send, and wait until there is room for it. Does nothing on a closed connection."""


class Viewer:
    """One subscription of one connection. ``live`` while it takes part in broadcasts."""

    __slots__ = ("connection", "live", "offer")

    def __init__(self, connection: ViewerConnection) -> None:
        self.connection = connection
        self.offer = (
            connection.offer
        )  # looked up once: it is called a hundred thousand times a second
        self.live = False


class Subscription(Protocol):
    """What a connection holds of each channel it follows."""

    @property
    def busy(self) -> bool:
        """Whether work for it is under way that goes on a little after ``close``."""

    def start(self) -> None:
        """Say that it is subscribed, and begin."""

    def close(self) -> None:
        """Send nothing more."""

    def drained(self) -> None:
        """The connection's queue, which had refused a frame, has emptied."""


def message(op: str, channel: str | None, **fields: Any) -> bytes:
    """One message to a client, as the bytes of a text frame."""
    return orjson.dumps({"op": op, "channel": channel, **fields})


class Topics:
    """The bus topics somebody looks at. Each is subscribed once, however many the viewers."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._held: dict[str, int] = {}
        self._leaving: dict[str, float] = {}

    def hold(self, topic: str) -> None:
        """One more looks at ``topic``."""
        count = self._held.get(topic, 0)
        self._held[topic] = count + 1
        if not count and self._leaving.pop(topic, None) is None:
            self._subscriber.subscribe(topic)

    def release(self, topic: str) -> None:
        """One less. The last one leaves the topic subscribed for a few seconds more."""
        self._held[topic] -= 1
        if not self._held[topic]:
            del self._held[topic]
            self._leaving[topic] = time.monotonic() + LINGER

    def sweep(self) -> None:
        """Unsubscribe what nobody has come back to."""
        now = time.monotonic()
        for topic in [t for t, end in self._leaving.items() if end <= now]:
            del self._leaving[topic]
            self._subscriber.unsubscribe(topic)


def whole_number(request: dict[str, Any], name: str, most: int) -> int | None:
    """A number from 0 to ``most`` in a client's message, None when it is not there."""
    value = request.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= most:
        raise BadRequest(name, value, f"a whole number from 0 to {most}")
    return value
