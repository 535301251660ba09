"""Looks again and again at what rules are about, and keeps what begins and ends of it.

Events are read from where they are kept, after the last one that was looked at; how far that is is
kept with what came of it. What was not kept yet is so at the next look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import gevent
from gevent.event import Event as Flag

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.alerts.delivery import Grouping
from cloudbang.domain.alerts.incidents import STATE_AFTER, Incident
from cloudbang.domain.alerts.machine import FLAP_WITHIN, Change, Machine, Verdict
from cloudbang.domain.alerts.occurrences import Occurrences
from cloudbang.domain.alerts.rules import EventCondition, Rule
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.monitoring.alerts.compose import compose
from cloudbang.storage.database.alert_settings import AlertSettings
from cloudbang.storage.database.alerts import AlertStore

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks at what happened
TOGETHER = 0.2  # seconds in which events come that are looked at together
MEASURED_EVERY = 5.0  # and at numbers and logs
MOST = (
    10.0  # seconds that count between two looks: in a starved process nobody has looked for longer
)
OLD = 120.0  # seconds after which an event is told only where its app has not come back
HISTORY = 600.0  # seconds of events that count after a start
SETTLE_AFTER_AWAY = 10.0  # seconds after the engine came back in which nothing is concluded
CURSOR_EVERY = 30.0  # seconds between two notes of how far events were looked at
PRUNE_EVERY = 3600.0
WELL = frozenset({"running", "starting", "done", "paused"})
APART = 200  # machines that are looked at without giving way

Key = tuple[int, str, str]  # rule, app, subject


class Apps(Protocol):
    """What is asked of the registry."""

    def get(self, name: str) -> App | None: ...
    def owner(self, name: str) -> str | None: ...


class Containers(Protocol):
    """What is asked of the inventory."""

    @property
    def engine_state(self) -> str: ...
    def instances(self) -> list[Instance]: ...


class Events(Protocol):
    """What is kept of events."""

    def after(self, id: int, limit: int = 500) -> list[Event]: ...
    def newest_id(self) -> int: ...


class Recorder(Protocol):
    """Who keeps them."""

    def listen(self, callback: Callable[[], None]) -> None: ...
    def record(self, *events: Event) -> None: ...


class Measured(Protocol):
    """What is measured or counted, and not told by events."""

    def look(
        self, rules: Sequence[Rule]
    ) -> Iterable[tuple[Rule, str, str, Verdict, dict[str, Any]]]:
        """Of each rule that it is about: app, subject, verdict, facts."""


class AlertEngine:
    """All rules about all apps. For one greenlet; what others ask is answered from memory."""

    def __init__(
        self,
        store: AlertStore,
        settings: AlertSettings,
        apps: Apps,
        containers: Containers,
        events: Events,
        recorder: Recorder,
        wake_outbox: Callable[[], None],
        measured: Sequence[Measured] = (),
        *,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
        every: float = EVERY,
    ) -> None:
        self.firing = 0
        self.looked_at: float | None = None  # monotonic, the last whole look
        self._store, self._settings, self._apps = store, settings, apps
        self._containers, self._events, self._recorder = containers, events, recorder
        self._wake_outbox, self._measured = wake_outbox, measured
        self._clock, self._monotonic, self._every = clock, monotonic, every
        self._occurrences = Occurrences()
        self._machines: dict[Key, Machine] = {}
        self._incidents: dict[Key, Incident] = {}  # those that are not over
        self._unsaved: dict[Key, Incident] = {}
        self._over: list[Incident] = []  # that are over and not kept yet
        self._rules: list[Rule] = []
        self._stale = True  # rules are to be read again
        self._cursor, self._saved_at = 0, 0.0
        self._judged = 0  # the last event before which all is judged
        self._known: dict[tuple[str, str], int] = {}  # by app and occurrence the last one told of
        self._grouping = Grouping()
        self._away = False
        self._unknown_until = 0.0
        self._seen_engine = False
        self._measured_at = -1e9
        self._pruned_at = 0.0
        self._wake = Flag()
        self._supervisor = Supervisor("alerts")
        recorder.listen(self._wake.set)
        export(self, "alerts", gauges={"firing": "Alerts that are on."}, of_teams=True)

    # -- what others ask

    def reload(self) -> None:
        """Rules are others now."""
        self._stale = True
        self._wake.set()

    def rules(self) -> list[Rule]:
        return self._rules

    # -- running

    def start(self) -> None:
        self._supervisor.run("evaluate", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def _run(self) -> None:
        loaded, told = False, ""
        while True:
            self._wake.clear()
            try:
                if not loaded:
                    self.load()
                    loaded = True
                self.look()
                told = ""
            except (StorageFailed, StorageFull) as e:
                if str(e) != told:
                    told = str(e)
                    log.warning("alerts wait: %s", e)
            self._wake.wait(self._every)
            if self._wake.is_set():
                # Events come one after the other: each alone is not worth a look.
                gevent.sleep(min(TOGETHER, self._every))

    def load(self) -> None:
        """Go on where the last process ended. Raises StorageFailed."""
        now = self._monotonic()
        self._rules, self._stale = self._settings.rules(), False
        rules = {rule.id: rule for rule in self._rules}
        self._incidents = {_key(one): one for one in self._store.open()}
        wall = self._clock()
        lately = self._store.lately(format_time(wall - int(FLAP_WITHIN * 1e9)))
        changes: dict[Key, list[float]] = {}
        for one in lately:
            told = self._known.get((one.app, one.what), 0)
            self._known[one.app, one.what] = max(told, int(one.facts.get("event", 0)))
            for moment in (one.began, one.ended):
                if moment:
                    ago = (wall - parse_time(moment)) / 1e9
                    if 0 <= ago <= FLAP_WITHIN:
                        changes.setdefault(_key(one), []).append(now - ago)
        for key, one in [*self._incidents.items()]:
            rule = rules.get(one.rule)
            if rule is None or not rule.enabled:
                self._end_for_good(key)
            else:
                flaps = one.state == "flapping"
                made = Machine.firing(rule.wait, rule.clear, flaps, sorted(changes.get(key, ())))
                self._machines[key] = made
        cursor = self._store.cursor()
        if cursor is None:  # the first start: what was before it is nobody's alert
            cursor = self._events.newest_id()
            self._store.save((), cursor)
        self._cursor = self._judged = cursor
        self._take_history(cursor, now, wall)
        if self._store.untold():
            self._grouping.add(now)

    def _take_history(self, cursor: int, now: float, wall: int) -> None:
        """What counts, and was looked at already."""
        oldest = format_time(wall - int(HISTORY * 1e9))
        for event in self._events.after(max(0, cursor - 2_000), 2_000):
            if event.id <= cursor and event.time >= oldest:
                ago = max((wall - parse_time(event.time)) / 1e9, 0.0)
                self._occurrences.take(event, now - ago, fresh=False)

    def look(self) -> None:
        """Once at everything. Raises StorageFailed, StorageFull; then the same is done again."""
        now = self._monotonic()
        if self._stale:
            self._take_rules(self._settings.rules())
        self._look_at_engine(now)
        self._take_events(now)
        self._step_events(now)
        if now - self._measured_at >= MEASURED_EVERY:
            self._measured_at = now
            for one in self._measured:
                for n, (rule, app, subject, verdict, facts) in enumerate(one.look(self._rules)):
                    self._step(rule, app, subject, verdict, facts, now, MOST + MEASURED_EVERY)
                    if n % APART == APART - 1:
                        yield_to_loop()
        self._save(now)
        self._tell(now)
        self.firing = len(self._incidents)
        self.looked_at = now

    def _take_rules(self, rules: list[Rule]) -> None:
        self._rules, self._stale = rules, False
        known = {rule.id: rule for rule in rules}
        for key in [*self._machines]:
            rule = known.get(key[0])
            if rule is None or not rule.enabled:
                del self._machines[key]
                self._end_for_good(key)
            else:
                machine = self._machines[key]
                machine.wait, machine.clear = rule.wait, rule.clear

    def _end_for_good(self, key: Key) -> None:
        """Its rule is gone: it is over, since nobody looks at it any more."""
        if one := self._incidents.pop(key, None):
            facts = {**one.facts, "gone": True}
            over = replace(one, state="resolved", ended=self._now(), facts=facts)
            self._finish(key, over)

    # -- events

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
        elif connected and self._away:
            self._away = False
            self._unknown_until = now + SETTLE_AFTER_AWAY

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

    def _step_events(self, now: float) -> None:
        names = {*self._occurrences.notable, *(key[1] for key in self._machines)}
        about = [
            (rule, rule.condition)
            for rule in self._rules
            if rule.enabled
            and isinstance(rule.condition, EventCondition)
            and rule.condition.occurrence not in ("certificate", "disk")
        ]
        for n, name in enumerate(names):
            if name:
                self._step_app(name, about, now)
            if n % APART == APART - 1:
                yield_to_loop()

    def _step_app(
        self, name: str, about: Iterable[tuple[Rule, EventCondition]], now: float
    ) -> None:
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
            key = (rule.id, name, "")
            machine = self._machines.get(key)
            firing = key in self._incidents or (machine is not None and machine.state == "pending")
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
            self._step(rule, name, "", verdict, facts, now, MOST)
        if well is not None:
            self._occurrences.judged(name, now)
        if gone and well is not None and not any(k[1] == name for k in self._incidents):
            self._occurrences.forget(name)

    # -- what comes of it

    def _step(
        self,
        rule: Rule,
        app: str,
        subject: str,
        verdict: Verdict,
        facts: Mapping[str, Any],
        now: float,
        most: float,
    ) -> None:
        key = (rule.id, app, subject)
        machine = self._machines.get(key)
        if machine is None:
            if verdict != "over":
                return
            machine = self._machines[key] = Machine(rule.wait, rule.clear)
        change = machine.step(now, verdict, most)
        if change is not None:
            self._change(rule, key, change, facts)
        elif machine.state == "ok" and not machine.may_flap(now) and key not in self._incidents:
            del self._machines[key]

    def _change(self, rule: Rule, key: Key, change: Change, facts: Mapping[str, Any]) -> None:
        known = self._incidents.get(key)
        now = self._now()
        if change == "ended":
            if known is None:
                return
            merged = {**known.facts, **{k: v for k, v in facts.items() if k in ("value", "gone")}}
            over = replace(known, state="resolved", ended=now, facts=merged)
            del self._incidents[key]
            self._finish(key, over)
            return
        if known is None:
            team = (self._apps.owner(key[1]) if key[1] else None) or "default"
            what = rule.condition.occurrence if isinstance(rule.condition, EventCondition) else ""
            known = Incident(
                id=0,
                rule=rule.id,
                rule_name=rule.name,
                what=what or rule.kind,
                app=key[1],
                team=team,
                subject=key[2],
                severity=rule.severity,
                state="firing",
                began=now,
                receivers=rule.receivers,
            )
        state = STATE_AFTER[change]
        self._unsaved[key] = self._incidents[key] = replace(
            known, state=state, facts=dict(facts), change=change
        )

    def _finish(self, key: Key, over: Incident) -> None:
        # Nobody was told that it began: both are told at once.
        self._unsaved.pop(key, None)
        self._over.append(over if over.change else replace(over, change="ended"))

    def _save(self, now: float) -> None:
        """What changed, and how far events were looked at."""
        if not (self._unsaved or self._over) and now - self._saved_at < CURSOR_EVERY:
            return
        keys = [*self._unsaved]
        changed = [*self._unsaved.values(), *self._over]
        if not self._occurrences.settling:
            self._judged = self._cursor
        kept = self._store.save(changed, self._judged)
        for key, one in zip(keys, kept, strict=False):
            if self._incidents.get(key) is self._unsaved[key]:
                self._incidents[key] = one
        self._unsaved.clear()
        self._over.clear()
        self._saved_at = now
        if kept:
            self._grouping.add(now)
            self._mark(kept)

    def _mark(self, kept: Collection[Incident]) -> None:
        """Markers on the time axes of the apps."""
        now = self._now()
        for one in kept:
            if one.app:
                change = "ended" if one.state == "resolved" else one.change
                data = {"change": change, "rule": one.rule_name, "incident": one.id}
                self._recorder.record(Event(one.app, now, "alert", "", data))

    def _tell(self, now: float) -> None:
        due = self._grouping.due()
        if due is None or now < due:
            if now - self._pruned_at >= PRUNE_EVERY:
                self._pruned_at = now
                self._store.prune()
            return
        wall = self._clock() / 1e9
        made = self._store.compose(lambda *about: compose(*about, now=wall))
        for key, one in self._incidents.items():
            if one.change:
                self._incidents[key] = replace(one, change="")
        self._grouping.told(now, max((len(one.items) for one in made), default=0))
        if made:
            self._wake_outbox()

    def _now(self) -> str:
        return format_time(self._clock())


def _key(one: Incident) -> Key:
    return (one.rule, one.app, one.subject)
