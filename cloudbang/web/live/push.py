"""The live socket's server side: from the one green SUB to every viewer.

One greenlet receives from the bus and routes by exact topic to channels; a channel turns a
message into one frame and offers that frame to all who look. See ``lines`` for the channels of
lines, ``feeds`` for the others, ``connection`` for one socket.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gevent

from cloudbang.accounts import Caller
from cloudbang.bus import Malformed, Message, Subscriber
from cloudbang.core.budget import Budget
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.deploy.errors import NoSuchDeployment
from cloudbang.deploy.log import log_name
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.partial_line import PartialLine
from cloudbang.errors import NoSuchApp
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.series import Series
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.web.live.base import (
    CHANNELS,
    NoSuchChannel,
    Subscription,
    Topics,
    ViewerConnection,
)
from cloudbang.web.live.connection import LiveConnection
from cloudbang.web.live.deployments import (
    DeploymentChannel,
    DeploymentNews,
    Deployments,
    DeploymentsFeed,
    DeploymentViewer,
)
from cloudbang.web.live.feeds import (
    AlertsFeed,
    Apps,
    AppsFeed,
    EventsFeed,
    Feed,
    FeedViewer,
    PartialFeed,
    StatusFeed,
    TerminalsFeed,
)
from cloudbang.web.live.line_viewer import LogViewer
from cloudbang.web.live.lines import LogChannel, deliver
from cloudbang.web.live.messages import Lines, read_lines
from cloudbang.web.live.metrics import MetricsFeed, OverviewFeed, Units
from cloudbang.web.live.query_viewer import QueryViewer
from cloudbang.web.live.traffic import Traffic, TrafficFeed
from cloudbang.web.security.access import can_view_deployment, require_app
from cloudbang.web.security.sockets_by_login import SocketsByLogin
from cloudbang.web.server.socket_handler import LANGUAGE
from cloudbang.web.server.websocket import Socket
from cloudbang.web.status import Status

log = logging.getLogger(__name__)

LOOK_EVERY = 0.05  # seconds between two comparisons of what was sent with what is stored
WIDE = 0.004  # seconds of sending after which messages are waited for
REST = 0.03  # seconds of waiting at most, unless sending takes longer than that itself
FEW = 300  # lines that wait already; with more of them frames are large anyway


class Metrics(NamedTuple):
    """What is asked of what is measured."""

    series: Series
    units: Units
    sparks: Sparks


class LivePush:
    """Everything that is pushed to pages. ``serve`` is what the path ``/websocket`` leads to."""

    subprotocols = ("cloudbang.live.v1",)

    def __init__(
        self,
        store: LogStore,
        apps: Apps,
        status: Status,
        subscriber: Subscriber,
        budget: Budget,
        deployments: Deployments | None = None,
        metrics: Metrics | None = None,
        *,
        traffic: Traffic | None = None,
        partial_lines: Callable[[str], list[PartialLine]] = lambda app: [],
    ) -> None:
        self.slow = self.filled = 0  # of channels that are gone; see LogChannel
        self._store, self._apps, self._status = store, apps, status
        self._subscriber, self._budget = subscriber, budget
        self._traffic = traffic
        self._partial_lines = partial_lines
        self._topics = Topics(subscriber)
        self._logs: dict[str, LogChannel] = {}  # by topic
        self._feeds: dict[str, Feed] = {}  # by channel
        self._routes: dict[str, Feed] = {}  # by topic, or by its first part for app/*
        self._all_deployments = DeploymentsFeed(deployments, apps) if deployments else None
        self._metrics = metrics
        self._news = DeploymentNews(self._tell_deployment)
        self._supervisor = Supervisor("live")
        self._sockets_by_login = SocketsByLogin(self._supervisor)
        self._connections: set[LiveConnection] = set()
        filled = "Lines that the bus dropped on the way to pages, and the store filled in."
        slow = "Viewers too slow for the lines."
        export(self, "live", counters={"slow_viewers": slow, "filled_lines": filled})

    def start(self) -> None:
        """Begin to receive and to look after the channels."""
        self._supervisor.run("receive", self._receive)
        self._supervisor.run("look", self._look)
        self._supervisor.run("deployments", self._news.run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop. The sockets themselves are closed by the server."""
        self._subscriber.close()
        self._supervisor.stop(deadline)

    # -- connections --------------------------------------------------------------------------

    def serve(self, socket: Socket, environ: Mapping[str, Any], caller: Caller) -> None:
        """Talk with one page until it leaves."""
        share, language = self._budget.share(caller.holder), environ.get(LANGUAGE, "en")
        connection = LiveConnection(self, socket, caller, share, language)
        self._connections.add(connection)
        try:
            with self._sockets_by_login.holds(caller.login, socket):
                connection.serve()
        finally:
            self._connections.discard(connection)

    def close_login(self, login: str) -> None:
        """That login has ended or may do less: its sockets are closed with 4401."""
        self._sockets_by_login.close(login)

    def terminal_changed(self, concerns: Callable[[Caller], bool]) -> None:
        """A terminal has begun, ended, or been joined or left: those whom it concerns are told."""
        feed = self._feeds.get("terminal/*")
        if isinstance(feed, TerminalsFeed):
            feed.changed(concerns)

    def deployment_changed(self, deployment: Deployment) -> None:
        """It is another than before, and that is written down. Does not wait."""
        self._news.changed(deployment)

    def deployments_forgotten(self, app: str, team: str) -> None:
        """An app of that team was deleted with all its deployments."""
        if self._all_deployments is not None:
            self._all_deployments.forget(app, team)

    def lines_deleted(self, app: str, first: int, end: int) -> None:
        """Somebody deleted lines ``first`` up to but without ``end``: who looks is told."""
        if (channel := self._logs.get(f"log/{app}/")) is not None and first < end:
            channel.tell_deleted(first, end)

    def app_begun(self, app: str, team: str) -> None:
        """A name is an app's of that team from now on. Who followed one of that name before, and may not
        view this one, is told nothing of it. Does not wait."""
        channels = {one.replace("<app>", app) for one in CHANNELS if one.endswith("/<app>")}
        if not any(channel.name in channels for channel in self._channels):
            return
        for connection in self._connections:
            if not connection.caller.can("view", team):
                connection.lose(channels, NoSuchApp(app))

    @property
    def connections(self) -> int:
        """Open live sockets."""
        return len(self._sockets_by_login)

    @property
    def malformed(self) -> int:
        """Messages of the bus that were dropped: they do not parse, or are not ours."""
        return self._subscriber.drops.total()

    @property
    def drops(self) -> dict[tuple[str, str], int]:
        """The same by the first part of their topic, and by cause."""
        return dict(self._subscriber.drops.dropped)

    @property
    def viewers(self) -> dict[str, int]:
        """Viewers by channel, of channels that have some."""
        return {channel.name: channel.viewers for channel in self._channels}

    @property
    def live_viewers(self) -> dict[str, int]:
        """Those of them that take part in the broadcast: not behind, and not on their way."""
        return {channel.name: channel.live for channel in self._channels}

    @property
    def _channels(self) -> list[LogChannel | Feed]:
        return [*self._logs.values(), *self._feeds.values()]

    @property
    def slow_viewers(self) -> int:
        """How often, since the start, a viewer of lines was too slow for them."""
        return self.slow + sum(channel.slow for channel in self._logs.values())

    @property
    def filled_lines(self) -> int:
        """Lines, since the start, that the bus did not bring and the store had."""
        return self.filled + sum(channel.filled for channel in self._logs.values())

    # -- channels -----------------------------------------------------------------------------

    def view(
        self, channel: str, connection: ViewerConnection, request: dict[str, Any]
    ) -> Subscription:
        """A view of ``channel``, not yet started. Raises NoSuchChannel, NoSuchApp, BadRequest."""
        kind, _, name = channel.partition("/")
        if kind == "deployment" and self._all_deployments is not None and name != "*":
            return self._view_deployment(channel, connection, request)
        if name not in ("", "*") and f"{kind}/<app>" in CHANNELS:
            require_app(connection.caller, name, "view", self._apps)
        elif channel not in CHANNELS:
            raise NoSuchChannel(channel)
        if kind == "log":
            return self._view_lines(name, connection, request)
        return self._view_feed(channel, name, connection)

    def leave(self, channel: str) -> None:
        """A viewer of ``channel`` has gone; the last one closes it."""
        if (lines := self._logs.get(_log_topic(channel))) is not None:
            lines.viewers -= 1
            if not lines.viewers:
                del self._logs[lines.topic]
                self._topics.release(lines.topic)
                self.slow += lines.slow
                self.filled += lines.filled
        elif (feed := self._feeds.get(channel)) is not None:
            feed.viewers -= 1
            if not feed.viewers:
                del self._feeds[channel]
                for topic in feed.topics:
                    self._topics.release(topic)
                    del self._routes[topic]

    def _view_lines(
        self, app: str, connection: ViewerConnection, request: dict[str, Any]
    ) -> LogViewer:
        topic = f"log/{app}/"
        channel = self._logs.get(topic) or LogChannel(app, self._store, self._supervisor)
        kind = QueryViewer if request.get("query") else LogViewer
        viewer = kind(connection, channel, request)
        channel.viewers += 1
        if channel.viewers == 1:
            self._logs[topic] = channel
            self._topics.hold(topic)
        return viewer

    def _view_deployment(
        self, channel: str, connection: ViewerConnection, request: dict[str, Any]
    ) -> LogViewer:
        assert self._all_deployments is not None
        number = channel.partition("/")[2]
        if not re.fullmatch(r"[1-9][0-9]{0,15}", number):
            raise NoSuchChannel(channel)
        found = self._all_deployments.now(int(number))
        if found is None or not can_view_deployment(connection.caller, found, self._apps):
            raise NoSuchDeployment(int(number))
        topic = _log_topic(channel)
        known = self._logs.get(topic)
        if not isinstance(known, DeploymentChannel):
            known = DeploymentChannel(found, self._store, self._supervisor)
        viewer = DeploymentViewer(connection, known, request)
        known.viewers += 1
        if known.viewers == 1:
            self._logs[topic] = known
            self._topics.hold(topic)
        return viewer

    def _tell_deployment(self, deployment: Deployment) -> None:
        channel = self._logs.get(_log_topic(f"deployment/{deployment.id}"))
        if isinstance(channel, DeploymentChannel):
            channel.changed(deployment)
        if self._all_deployments is not None:
            self._all_deployments.changed(deployment)

    def _view_feed(self, channel: str, name: str, connection: ViewerConnection) -> FeedViewer:
        feed = self._feeds.get(channel)
        if feed is None:
            feed = self._feeds[channel] = self._new_feed(channel, name)
            for topic in feed.topics:
                self._topics.hold(topic)
                self._routes[topic] = feed
        feed.viewers += 1
        return FeedViewer(connection, feed)

    def _new_feed(self, channel: str, name: str) -> Feed:
        kind = channel.partition("/")[0]
        if channel == "status":
            return StatusFeed(self._status.notices)
        if channel == "terminal/*":
            return TerminalsFeed()
        if channel == "alert/*":
            return AlertsFeed()
        if channel == "app/*":
            return AppsFeed(self._apps)
        if channel == "deployment/*":
            if self._all_deployments is None:
                raise NoSuchChannel(channel)
            self._all_deployments.load()
            return self._all_deployments
        if kind == "metric" and self._metrics is not None:
            series, units, sparks = self._metrics
            if name == "*":
                return OverviewFeed(series, self._apps, sparks)
            return MetricsFeed(name, series, units)
        if kind == "partial":
            return PartialFeed(name, self._partial_lines)
        if kind == "traffic" and self._traffic is not None:
            return TrafficFeed(name, self._traffic, self._supervisor)
        if kind != "event":
            raise NoSuchChannel(channel)
        return EventsFeed(name)

    # -- the bus ------------------------------------------------------------------------------

    def _receive(self) -> None:
        for batch in self._subscriber.batches():
            lines: dict[LogChannel, list[Lines]] = {}
            for received in batch:
                try:
                    self._route(received, lines)
                except Malformed as e:
                    self._subscriber.drops.add(received.topic, "body")
                    log.debug("dropped a message on %s: %s", received.topic[:200], e)
            started = time.perf_counter()
            deliver(lines)
            took = time.perf_counter() - started
            if took > WIDE and all(channel.behind < FEW for channel in lines):
                # A frame for a thousand viewers costs a thousand sends however short it is: let a
                # few messages come together. With few viewers nothing ever waits here.
                gevent.sleep(min(4 * took, max(REST, took)))

    def _route(self, received: Message, lines: dict[LogChannel, list[Lines]]) -> None:
        topic = received.topic
        channel = self._logs.get(topic)
        if channel is not None:
            found = read_lines(received, self._store.next_seq(channel.app))
            lines.setdefault(channel, []).append(found)
            return
        feed = self._routes.get(topic) or self._routes.get(topic.partition("/")[0] + "/")
        if feed is not None:
            feed.receive(received)

    def _look(self) -> None:
        count = 0
        while True:
            gevent.sleep(LOOK_EVERY)
            for channel in list(self._logs.values()):
                channel.look(self._subscriber.resting)
            count += 1
            if count % 20 == 0:
                self._topics.sweep()
                status = self._feeds.get("status")
                if isinstance(status, StatusFeed):
                    status.look()


def _log_topic(channel: str) -> str:
    """The bus' topic of the lines of a channel, where it has some."""
    kind, _, name = channel.partition("/")
    return (
        f"log/{log_name(int(name))}/" if kind == "deployment" and name.isdigit() else channel + "/"
    )
