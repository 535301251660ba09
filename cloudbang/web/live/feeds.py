"""The channels that show a state or events rather than numbered lines: ``app/*``, ``status``,
``terminal/*``, ``alert/*``, ``event/<app>``, ``partial/<app>``.

A viewer of a state that was too slow for a change is sent the whole state again when it reads;
what was in between is of no use to it. A viewer of events is told that some are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import orjson

from cloudbang.accounts import DEFAULT_TEAM, INSTALLATION, Caller
from cloudbang.bus import Malformed, Message, read_header
from cloudbang.domain.apps import App
from cloudbang.domain.partial_line import PartialLine
from cloudbang.web.live.base import Viewer, ViewerConnection, message
from cloudbang.web.live.broadcast import Parcel, broadcast
from cloudbang.web.server.frames import SharedFrame


class Feed:
    """One channel: its viewers, and what a viewer is sent first."""

    def __init__(self, name: str, topics: tuple[str, ...]) -> None:
        self.name, self.topics = name, topics
        self.viewers = 0
        self._group: tuple[FeedViewer, ...] = ()

    @property
    def live(self) -> int:
        """Viewers that take part in the broadcast."""
        return sum(viewer.live for viewer in self._group)

    def first(self, viewer: FeedViewer) -> bytes | None:
        """What brings a viewer up to date at the start."""
        return None

    def missed(self, viewer: FeedViewer) -> bytes | None:
        """The same after it was too slow."""
        return self.first(viewer)

    def receive(self, received: Message) -> None:
        """A message of one of the topics. Raises Malformed."""

    def send(self, text: bytes, team: str | None = None) -> None:
        """Broadcast one message, about what ``team`` owns to those who may view that."""
        group = self._group
        if team is not None:
            group = tuple(viewer for viewer in group if team in viewer.teams)
        if group:
            broadcast([Parcel(group, SharedFrame(text), _too_slow)])

    def send_to(self, teams: frozenset[str], text: bytes) -> None:
        """Broadcast to those who may view exactly these teams' things."""
        group = tuple(viewer for viewer in self._group if viewer.teams == teams)
        broadcast([Parcel(group, SharedFrame(text), _too_slow)])

    def audiences(self) -> set[frozenset[str]]:
        """The sets of teams that viewers may view."""
        return {viewer.teams for viewer in self._group}

    def enter(self, viewer: FeedViewer) -> None:
        self._group = (*self._group, viewer)

    def leave(self, viewer: FeedViewer) -> None:
        self._group = tuple(v for v in self._group if v is not viewer)


class FeedViewer(Viewer):
    """One connection's view of a feed. Not ``live`` while its queue is full."""

    __slots__ = ("_begun", "_closed", "feed", "teams")

    def __init__(self, connection: ViewerConnection, feed: Feed) -> None:
        super().__init__(connection)
        self.feed = feed
        self.teams = connection.caller.teams("view")
        self._begun = self._closed = False

    @property
    def busy(self) -> bool:
        """Never: a state is in memory."""
        return False

    def start(self) -> None:
        """Say that it is subscribed, then what there is to know."""
        self.connection.send(message("subscribed", self.feed.name))
        if not self._closed:
            self.feed.enter(self)
            self.drained()

    def drained(self) -> None:
        """Brought up to date, and live from there. Refused once more, it waits once more."""
        if self.live or self._closed:
            return
        text = self.feed.missed(self) if self._begun else self.feed.first(self)
        self.live = text is None or self.offer(SharedFrame(text))
        self._begun = self._begun or self.live

    def close(self) -> None:
        """Send nothing more."""
        self._closed, self.live = True, False
        self.feed.leave(self)


def _too_slow(viewer: Viewer) -> None:
    viewer.live = False  # overload policy: see the top of this file


class Apps(Protocol):
    """What is asked of the registry of apps."""

    def get(self, name: str) -> App | None: ...
    def owner(self, name: str) -> str | None: ...
    def apps(self, teams: Collection[str]) -> list[App]: ...
    def counts(self, teams: Collection[str]) -> dict[str, int]: ...
    def as_json(self, app: App) -> dict[str, object]: ...
    def activity_of(self, name: str) -> list[object]: ...


class AppsFeed(Feed):
    """``app/*``: the apps with their instances, each change, and once a second who logs. Of those
    that are gone only how many there are. Each viewer is told of the teams whose things they may
    view; those who may view the same share frames."""

    def __init__(self, apps: Apps) -> None:
        super().__init__("app/*", ("app/", "activity/"))
        self._apps = apps
        self._counts: dict[frozenset[str], dict[str, int]] = {}  # as they were told
        # Made once for all pages that come back at one moment, as after a restart: of 5,000 apps it
        # takes a tenth of a second. Good until the next message.
        self._first: dict[frozenset[str], bytes] = {}

    def first(self, viewer: FeedViewer) -> bytes:
        teams = viewer.teams
        if (made := self._first.get(teams)) is not None:
            return made
        self._counts[teams] = counts = self._apps.counts(teams)
        shown = [self._apps.as_json(app) for app in self._apps.apps(teams)]
        self._first[teams] = text = message("apps", self.name, apps=shown, **counts)
        return text

    def leave(self, viewer: FeedViewer) -> None:
        super().leave(viewer)
        self._first.clear()  # nobody may be here to be told of what changes
        self._counts = {t: c for t, c in self._counts.items() if t in self.audiences()}

    def receive(self, received: Message) -> None:
        self._first.clear()
        header = read_header(received.header)
        kind, _, rest = received.topic.partition("/")
        # A message says that something changed; what it is now, the registry knows best.
        if kind == "activity":
            self._tell_activity(_object(received.body).keys())
            return
        name = rest.removesuffix("/")
        found = self._apps.get(name)
        if found is None:
            team = str(header.get("team", DEFAULT_TEAM))
            self.send(message("removed", self.name, app=name), team)
        else:
            team = found.team
            self.send(message("app", self.name, app=self._apps.as_json(found)), team)
        for teams in self.audiences():
            if team in teams and (counts := self._apps.counts(teams)) != self._counts.get(teams):
                self._counts[teams] = counts
                self.send_to(teams, message("counts", self.name, **counts))

    def _tell_activity(self, names: Iterable[str]) -> None:
        team_of = {name: app.team for name in names if (app := self._apps.get(name))}
        activity = {name: self._apps.activity_of(name) for name in team_of}
        for teams in self.audiences():
            seen = {name: activity[name] for name, team in team_of.items() if team in teams}
            if seen:
                self.send_to(teams, message("activity", self.name, activity=seen))


class EventsFeed(Feed):
    """``event/<app>``: what happens to an app, as it happens. The past is in the API."""

    def __init__(self, app: str) -> None:
        super().__init__(f"event/{app}", (f"event/{app}/",))
        self._newest = 0  # its ids grow: what has one that was told is sent again by a stranger

    def missed(self, viewer: FeedViewer) -> bytes:
        # Events have no seq here: what is missing is asked of the API, by time.
        return message("gap", self.name, **{"from": None, "to": None, "reason": "slow"})

    def receive(self, received: Message) -> None:
        read_header(received.header)
        event = _object(received.body)
        number = event.get("id")
        if not isinstance(number, int) or number <= self._newest:
            raise Malformed(f"event {number!r} has been told")
        self._newest = number
        self.send(message("event", self.name, event=event))


class TerminalsFeed(Feed):
    """``terminal/*``: that a terminal has begun, ended, or been joined or left. What there is now
    the API says, to each who asks what they may see."""

    def __init__(self) -> None:
        super().__init__("terminal/*", ())

    def first(self, viewer: FeedViewer | None = None) -> bytes:
        # What changed between a page's first question and this is not missed.
        return message("changed", self.name)

    def changed(self, concerns: Callable[[Caller], bool]) -> None:
        """Tell those whom it ``concerns``; nobody else learns that there is such a terminal."""
        frame = SharedFrame(self.first())
        for viewer in self._group:
            if viewer.live and concerns(viewer.connection.caller) and not viewer.offer(frame):
                _too_slow(viewer)


class AlertsFeed(Feed):
    """``alert/*``: that alerts of one's teams, or rules and receivers, are others than before. What
    they are now the API says."""

    def __init__(self) -> None:
        super().__init__("alert/*", ("alert/",))

    def first(self, viewer: FeedViewer | None = None) -> bytes:
        # What changed between a page's first question and this is not missed.
        return message("changed", self.name, what="all")

    def receive(self, received: Message) -> None:
        team = read_header(received.header).get("team")
        what = _object(received.body).get("what")
        if not isinstance(team, str) or what not in ("alerts", "settings"):
            raise Malformed(f"news of {what!r}")
        self.send(message("changed", self.name, what=what), team or None)


class PartialFeed(Feed):
    """``partial/<app>``: the lines that are not ended, as they are now; all of them each time."""

    def __init__(self, app: str, lines: Callable[[str], list[PartialLine]]) -> None:
        """``lines(app)``: what they are at this moment."""
        super().__init__(f"partial/{app}", (f"partial/{app}/",))
        self._app, self._lines = app, lines
        self._head = b'{"op":"partial","channel":%b,"lines":' % orjson.dumps(self.name)

    def first(self, viewer: FeedViewer) -> bytes:
        return self._head + orjson.dumps([list(line) for line in self._lines(self._app)]) + b"}"

    def receive(self, received: Message) -> None:
        read_header(received.header)
        self.send(self._head + received.body + b"}")  # the mark has proved it


class StatusFeed(Feed):
    """``status``: what everybody has to know now, as the full list at each change."""

    def __init__(self, notices: Callable[[Caller], list[dict[str, object]]]) -> None:
        """``notices(caller)`` is the list for that one."""
        super().__init__("status", ())
        self._notices = notices
        self._shown: dict[object, bytes] = {}

    def first(self, viewer: FeedViewer) -> bytes:
        self._shown[_reader(viewer)] = text = self._text(viewer)
        return text

    def look(self) -> None:
        """Called once a second: send the list if it has changed."""
        before, self._shown = self._shown, {}
        groups: dict[object, list[FeedViewer]] = {}
        for viewer in self._group:
            groups.setdefault(_reader(viewer), []).append(viewer)
        for reader, group in groups.items():
            self._shown[reader] = now = self._text(group[0])
            if now != before.get(reader):
                broadcast([Parcel(tuple(group), SharedFrame(now), _too_slow)])

    def _text(self, viewer: FeedViewer) -> bytes:
        return message("status", self.name, notices=self._notices(viewer.connection.caller))


def _reader(viewer: FeedViewer) -> object:
    """Whose list it is: that of one account, by what it may do."""
    caller = viewer.connection.caller
    return caller.holder, viewer.teams, caller.can("manage", INSTALLATION)


def _object(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the body is not JSON: {e}") from None
    if not isinstance(value, dict):
        raise Malformed("the body is not a JSON object")
    return value
