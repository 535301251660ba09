"""Looks again and again at what rules are about, and keeps what begins and ends of it.

Events are read from where they are kept, after the last one that was looked at; how far that is is
kept with what came of it. What was not kept yet is so at the next look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gevent
from gevent.event import Event as Flag

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.alerts.delivery import QUIET, Grouping
from cloudbang.domain.alerts.incidents import STATE_AFTER, Incident
from cloudbang.domain.alerts.machine import FLAP_WITHIN, Change, Machine
from cloudbang.domain.alerts.rules import Rule
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.monitoring.alerts.about import (
    Apps,
    Containers,
    Events,
    Found,
    Key,
    Measured,
    Recorder,
)
from cloudbang.monitoring.alerts.compose import compose, remind
from cloudbang.monitoring.alerts.happened import Happened
from cloudbang.monitoring.alerts.news import News
from cloudbang.storage.database.alert_settings import AlertSettings
from cloudbang.storage.database.alerts import AlertStore

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two looks at what happened
LEAST = 0.05  # seconds until something is judged, or told
TOGETHER = 0.2  # seconds between two looks at events that come one after the other
MEASURED_EVERY = 5.0  # and at numbers and logs
MOST = (
    10.0  # seconds that count between two looks: in a starved process nobody has looked for longer
)
CURSOR_EVERY = 30.0  # seconds between two notes of how far events were looked at
PRUNE_EVERY = 3600.0
REMIND_EVERY = 30.0  # seconds between two looks at what is to be told again
ALONG = 0.75  # of the time until then: what comes so soon comes along
AT_ITS_END = ("value", "gone", "silent", "minutes")  # facts that are others then
FORGOTTEN = 600.0  # seconds for which nobody looked at what is measured, and it is over
APART = 200  # machines that are looked at without giving way


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
        news: News | None = None,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
        every: float = EVERY,
    ) -> None:
        self.firing = 0
        self.looked_at: float | None = None  # monotonic, the last whole look
        self._store, self._settings, self._apps = store, settings, apps
        self._containers, self._events, self._recorder = containers, events, recorder
        self._wake_outbox, self._measured = wake_outbox, measured
        self._news = news or News()
        self._clock, self._monotonic, self._every = clock, monotonic, every
        self._happened = Happened(apps, containers, events, clock)
        self._machines: dict[Key, Machine] = {}
        self._incidents: dict[Key, Incident] = {}  # those that are not over
        self._unsaved: dict[Key, Incident] = {}
        self._over: list[Incident] = []  # that are over and not kept yet
        self._rules: list[Rule] = []
        self._stale = True  # rules are to be read again
        self._saved_at = 0.0
        self._away_saved: list[tuple[int, int]] = []
        self._told_at: dict[Key, float] = {}  # when it was told last that it is so
        self._stepped: dict[Key, float] = {}  # when it was looked at last
        self._reminded_at = -1e9
        self._grouping = Grouping()
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
                told, wait = "", self._until_next()
            except (StorageFailed, StorageFull) as e:
                wait = self._every
                if str(e) != told:
                    told = str(e)
                    log.warning("alerts wait: %s", e)
            began = time.monotonic()
            self._wake.wait(wait)
            if self._wake.is_set():
                # The first event is looked at at once, so that it begins to settle; of those that come
                # right after it, each alone is not worth a look.
                least = min(TOGETHER, self._every)
                gevent.sleep(max(began + least - time.monotonic(), 0))

    def _until_next(self) -> float:
        """Seconds. What is due to be judged or told is not kept waiting for the next usual look."""
        now = self._monotonic()
        waits = [self._every]
        if (settled := self._happened.settled_in(now)) is not None:
            waits.append(max(settled, LEAST))
        if (due := self._grouping.due()) is not None:
            waits.append(max(due - now, LEAST))
        return min(waits)

    def load(self) -> None:
        """Go on where the last process ended. Raises StorageFailed."""
        now = self._monotonic()
        self._rules = self._read_rules()
        rules = {rule.id: rule for rule in self._rules}
        self._incidents = {_key(one): one for one in self._store.open()}
        wall = self._clock()
        lately = self._store.lately(format_time(wall - int(FLAP_WITHIN * 1e9)))
        changes: dict[Key, list[float]] = {}
        for one in lately:
            for moment in (one.began, one.ended):
                if moment:
                    ago = (wall - parse_time(moment)) / 1e9
                    if 0 <= ago <= FLAP_WITHIN:
                        changes.setdefault(_key(one), []).append(now - ago)
        for key, one in [*self._incidents.items()]:
            rule = rules.get(one.rule)
            if rule is None or not rule.enabled or rule.what != one.what:
                self._end_for_good(key)
            else:
                flaps = one.state == "flapping"
                made = Machine.firing(rule.wait, rule.clear, flaps, sorted(changes.get(key, ())))
                self._machines[key] = made
                ago = (wall - parse_time(one.reminded or one.began)) / 1e9
                self._told_at[key] = now - max(ago, 0.0)
        cursor = self._store.cursor()
        if cursor is None:  # the first start: what was before it is nobody's alert
            cursor = self._events.newest_id()
            self._store.save((), cursor)
        self._happened.load(cursor, lately, now, self._store.away())
        self._away_saved = self._happened.away
        if self._store.untold():
            self._grouping.add(now)

    def look(self) -> None:
        """Once at everything. Raises StorageFailed, StorageFull; then the same is done again."""
        now = self._monotonic()
        if self._stale:
            self._take_rules()
        names = {key[1] for key in self._machines}
        self._step_all(self._happened.look(self._rules, self._on(), names, now), now, MOST)
        if now - self._measured_at >= MEASURED_EVERY:
            self._measured_at = now
            for one in self._measured:
                self._step_all(one.look(self._rules), now, MOST + MEASURED_EVERY)
            self._end_what_is_gone(now)
        self._save(now)
        self._tell(now)
        self._remind(now)
        self.firing = len(self._incidents)
        self.looked_at = now

    def _end_what_is_gone(self, now: float) -> None:
        """A domain, a disk or an app that is there no more is measured no more: nobody would ever say
        that it is over."""
        measured = {rule.id for rule in self._rules if rule.is_measured}
        for key in [key for key in self._machines if key[0] in measured]:
            if now - self._stepped.setdefault(key, now) >= FORGOTTEN:
                del self._machines[key]
                self._end_for_good(key)
        for key in self._stepped.keys() - self._machines.keys():
            del self._stepped[key]

    def _on(self) -> set[Key]:
        pending = {key for key, machine in self._machines.items() if machine.state == "pending"}
        return pending | self._incidents.keys()

    def _step_all(self, found: Iterable[Found], now: float, most: float) -> None:
        for n, one in enumerate(found):
            self._step(one, now, most)
            if n % APART == APART - 1:
                yield_to_loop()

    def _read_rules(self) -> list[Rule]:
        self._stale = False  # before they are read: what is changed meanwhile is read again
        try:
            return self._settings.rules()
        except BaseException:
            self._stale = True
            raise

    def _take_rules(self) -> None:
        known = {rule.id: rule for rule in self._read_rules()}
        before = {rule.id: rule for rule in self._rules}
        self._rules = [*known.values()]
        for key in [*self._machines]:
            rule = known.get(key[0])
            # One that looks at something else now would never say that this is over, or with its numbers.
            if rule is None or not rule.enabled or not rule.looks_at_what(before[rule.id]):
                del self._machines[key]
                self._end_for_good(key)
            else:
                machine = self._machines[key]
                machine.wait, machine.clear = rule.wait, rule.clear

    def _end_for_good(self, key: Key) -> None:
        """Its rule is gone: it is over, since nobody looks at it any more."""
        self._told_at.pop(key, None)
        if one := self._incidents.pop(key, None):
            facts = {**one.facts, "gone": True}
            over = replace(one, state="resolved", ended=self._now(), facts=facts)
            self._finish(key, over)

    # -- what comes of it

    def _step(self, found: Found, now: float, most: float) -> None:
        rule, app, subject, verdict, facts = found
        key = (rule.id, app, subject)
        machine = self._machines.get(key)
        if machine is None:
            if verdict != "over":
                return
            machine = self._machines[key] = Machine(rule.wait, rule.clear)
        self._stepped[key] = now
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
            merged = {**known.facts, **{k: v for k, v in facts.items() if k in AT_ITS_END}}
            over = replace(known, state="resolved", ended=now, facts=merged)
            del self._incidents[key]
            self._told_at.pop(key, None)
            self._finish(key, over)
            return
        if known is None:
            team = (self._apps.owner(key[1]) if key[1] else None) or "default"
            known = Incident(
                id=0,
                rule=rule.id,
                rule_name=rule.name,
                what=rule.what,
                app=key[1],
                team=team,
                subject=key[2],
                severity=rule.severity,
                state="firing",
                began=now,
                receivers=rule.receivers,
            )
        state = STATE_AFTER[change]
        self._told_at[key] = self._monotonic()
        self._unsaved[key] = self._incidents[key] = replace(
            known, state=state, facts=dict(facts), change=change
        )

    def _finish(self, key: Key, over: Incident) -> None:
        # Nobody was told that it began: both are told at once.
        self._unsaved.pop(key, None)
        self._over.append(over if over.change else replace(over, change="ended"))

    def _save(self, now: float) -> None:
        """What changed, and how far events were looked at."""
        away = self._happened.away
        news = self._unsaved or self._over or away is not self._away_saved
        if not news and now - self._saved_at < CURSOR_EVERY:
            return
        keys = [*self._unsaved]
        changed = [*self._unsaved.values(), *self._over]
        kept = self._store.save(changed, self._happened.judged, away)
        self._away_saved = away
        for key, one in zip(keys, kept, strict=False):
            if self._incidents.get(key) is self._unsaved[key]:
                self._incidents[key] = one
        self._unsaved.clear()
        self._over.clear()
        self._saved_at = now
        if kept:
            self._grouping.add(now, self._is_alone({one.app or one.subject for one in kept}))
            self._mark(kept)
            for team in {one.team for one in kept}:
                self._news.changed("alerts", team)

    def _is_alone(self, apps: Collection[str]) -> bool:
        """Whether what changed is one app's, and nothing else is about to be an alert."""
        if len(apps) != 1:
            return False
        soon = {
            key[1] or key[2]
            for key, machine in self._machines.items()
            if machine.left is not None and machine.left <= QUIET
        }
        return not (soon - {*apps}) and not self._happened.settling

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

    def _remind(self, now: float) -> None:
        """Of what is still so, by the clock that nobody sets. Nobody is reminded of what nobody knows."""
        if now - self._reminded_at < REMIND_EVERY:
            return
        rules = {rule.id: rule for rule in self._rules if rule.remind}
        passed: dict[Key, float] = {}
        for key, one in self._incidents.items():
            rule, machine = rules.get(key[0]), self._machines.get(key)
            if rule and machine and one.id and not one.change and machine.still:
                passed[key] = (now - self._told_at.get(key, now)) / rule.remind
        if any(share >= 1 for share in passed.values()):
            keys = [key for key, share in passed.items() if share >= ALONG]
            wall = self._clock() / 1e9
            ids = [self._incidents[key].id for key in keys]
            made = self._store.remind(ids, self._now(), lambda *about: remind(*about, now=wall))
            self._told_at |= dict.fromkeys(keys, now)
            if made:
                self._wake_outbox()
        self._reminded_at = now

    def _now(self) -> str:
        return format_time(self._clock())


def _key(one: Incident) -> Key:
    return (one.rule, one.app, one.subject)
