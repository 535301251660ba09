"""The channels of what is measured: ``metric/<app>``, each second of one app, and ``metric/*``, the
last values of all. A viewer that was too slow is sent what is known of the last minutes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson

from cloudbang.bus import Malformed, Message, read_header
from cloudbang.domain.metrics.series import Labels, SeriesKey
from cloudbang.monitoring.overview import Sparks
from cloudbang.monitoring.series import COLUMNS, Series
from cloudbang.web.live.base import message
from cloudbang.web.live.feeds import Feed, FeedViewer
from cloudbang.web.pages.i18n import say_in
from cloudbang.web.server.frames import SharedFrame

HISTORY = 300  # seconds


class Units(Protocol):
    """Who knows what the numbers of a series are."""

    def unit_of(self, key: SeriesKey) -> str: ...


class Apps(Protocol):
    """What is asked of the registry of apps."""

    def owner(self, name: str) -> str | None: ...


class MetricsFeed(Feed):
    """``metric/<app>``."""

    def __init__(self, app: str, series: Series, units: Units) -> None:
        super().__init__(f"metric/{app}", (f"metric/{app}/",))
        self._app, self._series, self._units = app, series, units
        self._not_measured = self._why(str)

    def first(self, viewer: FeedViewer) -> bytes:
        found = self._series.of(self._app)
        newest = self._series.newest
        told = found.history(newest, HISTORY) if found else []
        for one in told:
            key = SeriesKey(self._app, str(one["name"]), _labels(one["labels"]))
            one["unit"] = self._units.unit_of(key)
        why = self._why(say_in(viewer.connection.language))
        return message("history", self.name, time=newest, series=told, not_measured=why)

    def receive(self, received: Message) -> None:
        at = _time(received)
        samples = _json(received.body)
        if not isinstance(samples, list):
            raise Malformed("the body is not an array")
        self.send(message("samples", self.name, time=at, samples=samples))
        if (now := self._why(str)) != self._not_measured:
            self._not_measured = now
            self._tell_why()

    def _tell_why(self) -> None:
        frames: dict[str, SharedFrame] = {}
        for viewer in self._group:
            language = viewer.connection.language
            if viewer.live and language not in frames:
                text = message("not_measured", self.name, not_measured=self._why(say_in(language)))
                frames[language] = SharedFrame(text)
            # Who is too slow for it is sent all of it again.
            viewer.live = viewer.live and viewer.offer(frames[language])

    def _why(self, say: Callable[[str], str]) -> list[dict[str, str]]:
        found = self._series.of(self._app)
        return found.not_measured(say) if found else []


class OverviewFeed(Feed):
    """``metric/*``. What was told last is the same for everybody; of each viewer's own teams."""

    def __init__(self, series: Series, apps: Apps, sparks: Sparks) -> None:
        super().__init__("metric/*", ("overview/",))
        self._series, self._apps, self._sparks = series, apps, sparks
        self._told = {name: _shown(values) for name, values in series.overview.items()}
        self._at = series.newest
        self._node: list[Any] = series.node
        # Made once for all pages that come at one moment. Good until the next message.
        self._first: dict[frozenset[str], bytes] = {}

    def first(self, viewer: FeedViewer) -> bytes:
        made = self._first.get(viewer.teams)
        if made is None:
            names = [name for name in self._told if self._apps.owner(name) in viewer.teams]
            made = self._first[viewer.teams] = message(
                "overview",
                self.name,
                time=self._at,
                columns=COLUMNS,
                apps={name: self._told[name] for name in names},
                sparks={name: self._sparks.of(name) for name in names},
                node=self._node,
                node_sparks=self._sparks.node(),
                trouble=self._series.trouble_of(),
            )
        return made

    def receive(self, received: Message) -> None:
        at, body = _time(received), _json(received.body)
        if not isinstance(body, dict) or not isinstance(body.get("apps"), dict):
            raise Malformed("the body has no apps")
        now = {name: _shown(values) for name, values in body["apps"].items()}
        changed: dict[str, Any] = {n: v for n, v in now.items() if self._told.get(n) != v}
        changed |= {name: None for name in self._told if name not in now}
        self._told, self._at, self._node = now, at, body.get("node") or []
        self._first.clear()
        team_of = {name: self._apps.owner(name) for name in changed}
        trouble = self._series.trouble_of()
        for teams in self.audiences():
            seen = {name: one for name, one in changed.items() if team_of[name] in teams}
            told = {"time": at, "apps": seen, "node": self._node, "trouble": trouble}
            self.send_to(teams, message("latest", self.name, **told))


def _shown(values: object) -> list[float | None]:
    """To what can be seen: a thousandth of a core, and of what memory there is used."""
    if not isinstance(values, list) or len(values) != len(COLUMNS):
        raise Malformed("an app has not one value for each column")
    cpu, memory = values
    return [
        None if cpu is None else round(float(cpu), 3),
        None if memory is None else int(float(f"{float(memory):.3g}")),
    ]


def _time(received: Message) -> int:
    at = read_header(received.header).get("time")
    if not isinstance(at, int):
        raise Malformed("the header has no time")
    return at


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise Malformed(f"the body is not JSON: {e}") from None


def _labels(found: object) -> Labels:
    assert isinstance(found, dict)
    return tuple(sorted((k, v) for k, v in found.items() if k != "quantile"))
