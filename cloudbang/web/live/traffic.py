"""The channel ``traffic/<app>``: what people got from an app in the last 5 minutes, each 5 s.

It is made once for all who look, in each language that they read. Overload: who is too slow for one
is sent the next that they take.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import gevent

from cloudbang.core.supervise import Supervisor
from cloudbang.errors import CloudBangError
from cloudbang.web.live.base import message
from cloudbang.web.live.feeds import Feed, FeedViewer
from cloudbang.web.pages.i18n import say_in
from cloudbang.web.server.frames import SharedFrame
from cloudbang.web.traffic_text import in_words

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds
TOP = 20
LISTS = ("seconds", "mean", "count")


class Traffic(Protocol):
    """What is asked of who counts."""

    @property
    def trouble(self) -> str | None: ...

    def report(
        self,
        app: str,
        since: float | None = None,
        until: float | None = None,
        points: int = 60,
        top: int = 20,
        by: Sequence[str] = ("seconds",),
    ) -> dict[str, Any]: ...


class TrafficFeed(Feed):
    """One app's, for as long as somebody looks."""

    def __init__(self, app: str, traffic: Traffic, supervisor: Supervisor) -> None:
        super().__init__(f"traffic/{app}", ())
        self._app, self._traffic, self._supervisor = app, traffic, supervisor
        self._found: dict[str, Any] | None = None  # the newest, once it was made
        self._telling: gevent.Greenlet | None = None

    def first(self, viewer: FeedViewer) -> bytes | None:
        return None if self._found is None else self._text(viewer.connection.language)

    def enter(self, viewer: FeedViewer) -> None:
        super().enter(viewer)
        if self._telling is None:
            self._telling = self._supervisor.run(self.name, self._tell)

    def leave(self, viewer: FeedViewer) -> None:
        super().leave(viewer)
        if not self._group and self._telling is not None:
            self._telling.kill(block=False)
            self._telling = None

    def _tell(self) -> None:
        while True:
            try:
                self._found = self._traffic.report(self._app, top=TOP, by=LISTS)
            except CloudBangError as e:
                log.warning("the traffic of %s cannot be told now: %s", self._app, e)
            else:
                self._send()
            gevent.sleep(EVERY)

    def _send(self) -> None:
        frames: dict[str, SharedFrame] = {}
        for viewer in self._group:
            language = viewer.connection.language
            if language not in frames:
                frames[language] = SharedFrame(self._text(language))
            # Each is the whole: who did not take the last one goes on with this.
            viewer.live = viewer.offer(frames[language])

    def _text(self, language: str) -> bytes:
        trouble = in_words(self._traffic.trouble, say_in(language))
        return message("traffic", self.name, traffic={**(self._found or {}), "trouble": trouble})
