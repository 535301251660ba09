"""The channels that show a state or events rather than numbered lines: ``app/*``, ``status``,
``terminal/*``, ``event/<app>``.

A viewer of a state that was too slow for a change is sent the whole state again when it reads;
what was in between is of no use to it. A viewer of events is told that some are missing.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from cloudbang.accounts import Caller
from cloudbang.bus import Malformed, Message, read_header
from cloudbang.web.live.base import Viewer, ViewerConnection, broadcast, message
from cloudbang.web.server.frames import SharedFrame


class Feed:
    """One channel: its viewers, and what a viewer is sent first."""

    def __init__(self, name: str, topics: tuple[str, ...]) -> None:
        self.name, self.topics = name, topics
        self.viewers = 0
        self._group: tuple[FeedViewer, ...] = ()

    def first(self) -> bytes | None:
        """What brings a viewer up to date at the start."""
        return None

    def missed(self) -> bytes | None:
        """The same after it was too slow."""
        return self.first()

    def receive(self, received: Message) -> None:
        """A message of one of the topics. Raises Malformed."""

    def send(self, text: bytes) -> None:
        """Broadcast one message."""
        if self._group:
            broadcast((self._group,), (SharedFrame(text),), _too_slow)

    def enter(self, viewer: FeedViewer) -> None:
        self._group = (*self._group, viewer)

    def leave(self, viewer: FeedViewer) -> None:
        self._group = tuple(v for v in self._group if v is not viewer)


class FeedViewer(Viewer):
    """One connection's view of a feed. Not ``live`` while its queue is full."""

    __slots__ = ("_begun", "_closed", "feed")

    def __init__(self, link: ViewerConnection, feed: Feed) -> None:
        super().__init__(link)
        self.feed = feed
        self._begun = self._closed = False

    @property
    def busy(self) -> bool:
        """Never: a state is in memory."""
        return False

    def start(self) -> None:
        """Say that it is subscribed, then what there is to know."""
        self.link.send(message("subscribed", self.feed.name))
        if not self._closed:
            self.feed.enter(self)
            self.drained()

    def drained(self) -> None:
        """Brought up to date, and live from there. Refused once more, it waits once more."""
        if self.live or self._closed:
            return
        text = self.feed.missed() if self._begun else self.feed.first()
        self.live = text is None or self.offer(SharedFrame(text))
        self._begun = self._begun or self.live

    def close(self) -> None:
        """Send nothing more."""
        self._closed, self.live = True, False
        self.feed.leave(self)


def _too_slow(viewer: Viewer) -> None:
    viewer.live = False  # overload policy: see the top of this file


class AppsFeed(Feed):
    """``app/*``: the apps with their instances, each change, and once a second who logs."""

    def __init__(
        self, every: Callable[[], list[dict[str, object]]], describe: Callable[[str], object]
    ) -> None:
        """``every()`` is all apps as JSON values, ``describe(name)`` one of them or None."""
        super().__init__("app/*", ("app/", "activity/"))
        self._every, self._describe = every, describe

    def first(self) -> bytes:
        return message("apps", self.name, apps=self._every())

    def receive(self, received: Message) -> None:
        read_header(received.header)
        kind, _, rest = received.topic.partition("/")
        if kind == "activity":
            self.send(message("activity", self.name, activity=_object(received.body)))
            return
        # The message says that an app changed; what it is now, the inventory knows best.
        name = rest.removesuffix("/")
        found = self._describe(name)
        if found is None:
            self.send(message("removed", self.name, app=name))
        else:
            self.send(message("app", self.name, app=found))


class EventsFeed(Feed):
    """``event/<app>``: what happens to an app, as it happens. The past is in the API."""

    def __init__(self, app: str) -> None:
        super().__init__(f"event/{app}", (f"event/{app}/",))

    def missed(self) -> bytes:
        # Events have no seq here: what is missing is asked of the API, by time.
        return message("gap", self.name, **{"from": None, "to": None, "reason": "slow"})

    def receive(self, received: Message) -> None:
        read_header(received.header)
        self.send(message("event", self.name, event=_object(received.body)))


class TerminalsFeed(Feed):
    """``terminal/*``: that a terminal has begun, ended, or been joined or left. What there is now
    the API says, to each who asks what they may see."""

    def __init__(self) -> None:
        super().__init__("terminal/*", ())

    def first(self) -> bytes:
        # What changed between a page's first question and this is not missed.
        return message("changed", self.name)

    def changed(self, concerns: Callable[[Caller], bool]) -> None:
        """Tell those whom it ``concerns``; nobody else learns that there is such a terminal."""
        frame = SharedFrame(self.first())
        for viewer in self._group:
            if viewer.live and concerns(viewer.link.caller) and not viewer.offer(frame):
                _too_slow(viewer)


class StatusFeed(Feed):
    """``status``: what everybody has to know now, as the full list at each change."""

    def __init__(self, notices: Callable[[], list[dict[str, object]]]) -> None:
        super().__init__("status", ())
        self._notices = notices
        self._shown = self.first()

    def first(self) -> bytes:
        return message("status", self.name, notices=self._notices())

    def look(self) -> None:
        """Called once a second: send the list if it has changed."""
        now = self.first()
        if now != self._shown:
            self._shown = now
            self.send(now)


def _object(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the body is not JSON: {e}") from None
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value
