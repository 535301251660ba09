"""What happened, as rules are told of it: events are read from where they are kept, after the last
one that was looked at, and judged by how their app does now."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from cloudbang.core.loop import yield_to_loop
from cloudbang.domain.alerts.incidents import Incident
from cloudbang.domain.alerts.occurrences import BEFORE_AWAY, Occurrences
from cloudbang.domain.alerts.rules import EventCondition, Rule
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.monitoring.alerts.about import Apps, Containers, Events, Found, Key

OLD = 120.0  # seconds after which an event is told only where its app has not come back
HISTORY = 600.0  # seconds of events that count after a start
SETTLE_AFTER_AWAY = 10.0  # seconds after the engine came back in which nothing is concluded
WELL = frozenset({"running", "starting", "done", "paused"})
AWAYS = 20  # times that the engine was away, which are known after a start


class Happened:
    """For one greenlet. ``judged``: the last event before which everything was; ``away``: from when
    until when what ended did so with the engine, the newest last, in nanoseconds since 1970."""

    def __init__(
        self,
        apps: Apps,
        containers: Containers,
        events: Events,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.judged = 0
        self.away: list[tuple[int, int]] = []
        self._apps, self._containers, self._events, self._clock = apps, containers, events, clock
        self._occurrences = Occurrences()
        self._cursor = 0
        self._known: dict[tuple[str, str], int] = {}  # by app and occurrence the last one told of
        self._away = self._seen_engine = False
        self._unknown_until = 0.0

    def load(
        self,
        cursor: int,
        lately: Iterable[Incident],
        now: float,
        away: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Go on after the event ``cursor``. ``lately``: what was made of those before; ``away``: as the
        process before this one left it. Raises StorageFailed."""
        self.away = list(away)
        for one in lately:
            told = self._known.get((one.app, one.what), 0)
            self._known[one.app, one.what] = max(told, int(one.facts.get("event", 0)))
        self._cursor = self.judged = cursor
        wall = self._clock()
        oldest = format_time(wall - int(HISTORY * 1e9))
        for event in self._events.after(max(0, cursor - 2_000), 2_000):
            at = parse_time(event.time)
            with_engine = any(since <= at <= until for since, until in self.away)
            if event.id <= cursor and event.time >= oldest and not with_engine:
                ago = max((wall - at) / 1e9, 0.0)
                self._occurrences.take(event, now - ago, fresh=False)

    @property
    def settling(self) -> set[str]:
        """The apps of which something happened that will be judged in a moment."""
        return self._occurrences.settling

    def settled_in(self, now: float) -> float | None:
        """Seconds until that moment; None where there is nothing to judge."""
        return self._occurrences.settled_in(now)

    def look(
        self, rules: Sequence[Rule], on: Collection[Key], names: Collection[str], now: float
    ) -> Iterator[Found]:
        """``on``: what is an alert, or about to be one; ``names``: apps that are to be looked at
        besides those of which something happened. Raises StorageFailed."""
        self._look_at_engine(now)
        self._take_events(now)
        about = [
            (rule, rule.condition)
            for rule in rules
            if rule.enabled and isinstance(rule.condition, EventCondition) and not rule.is_measured
        ]
        for name in dict.fromkeys([*self._occurrences.notable, *names]):
            if name:
                yield from self._look_at_app(name, about, on, now)
        if not self.settling:
            self.judged = self._cursor

    def _look_at_engine(self, now: float) -> None:
        connected = self._containers.engine_state == "connected"
        if connected and not self._seen_engine:
            self._seen_engine = True
            for instance in self._containers.instances():
                if instance.health == "unhealthy":
                    self._occurrences.set_unhealthy(instance.app)
        if not connected and not self._away and self._seen_engine:
            self._away = True
            self._occurrences.engine_away(now)
            wall = self._clock()
            self.away = [*self.away[1 - AWAYS :], (wall - int(BEFORE_AWAY * 1e9), wall)]
        elif connected and self._away:
            self._away = False
            self._unknown_until = now + SETTLE_AFTER_AWAY
            settled = self._clock() + int(SETTLE_AFTER_AWAY * 1e9)
            self.away = [*self.away[:-1], (self.away[-1][0], settled)]

    def _take_events(self, now: float) -> None:
        while found := self._events.after(self._cursor):
            wall = self._clock()
            settling = self._away or now < self._unknown_until
            for event in found:
                if event.kind != "alert":
                    age = (wall - parse_time(event.time)) / 1e9
                    # What is only found out after the engine was away ended with it.
                    fresh = not (settling and event.found_out) and not self._is_known(event)
                    self._occurrences.take(event, now, fresh=fresh, old=age > OLD)
            self._cursor = found[-1].id
            if settling:
                self._occurrences.engine_away(now)
            yield_to_loop()

    def _is_known(self, event: Event) -> bool:
        """Whether a process before this one has made an alert of it."""
        what = {"die": "died", "oom": "oom"}.get(event.kind, "")
        return event.id <= self._known.get((event.app, what), 0)

    def _look_at_app(
        self,
        name: str,
        about: Iterable[tuple[Rule, EventCondition]],
        on: Collection[Key],
        now: float,
    ) -> Iterator[Found]:
        found = self._apps.get(name)
        team = self._apps.owner(name) or (found.team if found else "default")
        gone = found is None or not found.instances
        condition = found.condition if found else "gone"
        well: bool | None = gone or condition in WELL
        if self._containers.engine_state != "connected" or now < self._unknown_until:
            well = None
        for rule, its in about:
            if not rule.is_about(name, team):
                continue
            firing = (rule.id, name, "") in on
            verdict = self._occurrences.verdict(
                name, its, now, well, firing, condition == "unhealthy"
            )
            # A job's deployment may fail without leaving anything behind.
            if gone and well is not None and its.occurrence != "deployment-failed":
                verdict = "under"
            facts = self._occurrences.facts(name, its, now)
            facts["minutes"] = round(its.within / 60)
            if gone:
                facts["gone"] = True
            yield Found(rule, name, "", verdict, facts)
        if well is not None:
            self._occurrences.judged(name, now)
        if gone and well is not None and not any(app == name for _, app, _ in on):
            self._occurrences.forget(name)
