"""How often a rule would have been an alert lately, from what is kept: told before it is made.

The same machine judges that judges later. Of a log the newest hours are looked through, as many as there is
time for.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, Protocol

from cloudbang.core.loop import in_turns, yield_to_loop
from cloudbang.domain.alerts.machine import Machine, Verdict, verdict_of
from cloudbang.domain.alerts.occurrences import SETTLES, Occurrences
from cloudbang.domain.alerts.rules import (
    EventCondition,
    LogCondition,
    MetricCondition,
    Rule,
    TrafficCondition,
)
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time, record_ns
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.monitoring.alerts.measured import Life, Matching
from cloudbang.monitoring.alerts.past import (
    REQUESTS,
    Judged,
    Kept,
    Now,
    Requests,
    of_certificates,
    of_disks,
    of_traffic,
    run,
)
from cloudbang.storage.logs.reader import Page, Query

SPAN = 24 * 3600  # seconds that are looked at
FINE, COARSE = 10, 60  # seconds of which the means are taken, of few apps and of many
FEW = 5
MOST = 200  # apps that are looked at
WITHIN = 3.0  # seconds that it may take; then it says of how many it speaks
GRID = 30.0  # seconds between two looks at what happened
EVENTS = 5_000  # of an app, the newest
LOOK = 10  # seconds between two looks at how many lines there were
HOUR = 3600
LINES = 100_000  # in which something was found: a rule of more is no rule
SHOWN = 3  # of which is said how it is with them now
WITNESS = "cpu"  # of the node: where that was measured and an app was not, the app did not run


class PastEvents(Protocol):
    """What is asked of the events."""

    def list(
        self, app: str, since: str | None = None, until: str | None = None, limit: int = 500
    ) -> list[Event]: ...


class Log(Protocol):
    """What is asked of the log store."""

    def read(self, app: str, query: Query) -> Page: ...


class Found(NamedTuple):
    """``began``: by app, path or domain when it would have been told of, seconds since 1970;
    ``looked_at`` of them, ``of`` so many; ``known``: for how much of the time there is something, where
    it is measured; ``now``: how it is with each, the worst first, where that is a number."""

    since: int
    began: dict[str, list[float]]
    looked_at: int
    of: int
    known: float
    now: Sequence[Now] = ()


class Backtest:
    """Blocks the calling greenlet, for a few seconds at most."""

    def __init__(
        self,
        kept: Kept,
        events: PastEvents,
        logs: Log,
        matching: Matching,
        clock: Callable[[], float] = time.time,
        *,
        requests: Requests,
        certificates: Callable[[], Mapping[str, tuple[str, Life]]] = dict,
    ) -> None:
        """``certificates()``: those that there are, by domain, each with its app."""
        self._kept, self._events, self._clock = kept, events, clock
        self._logs, self._matching = logs, matching
        self._requests, self._certificates = requests, certificates

    def look(self, rule: Rule, apps: Sequence[str]) -> Found:
        """Raises BadRequest, StorageFailed."""
        its = rule.condition
        until = int(self._clock()) // COARSE * COARSE
        since = until - SPAN
        began: dict[str, list[float]] = {}
        known = looked_at = 0.0
        ends = time.monotonic() + WITHIN
        width = FINE if len(apps) <= FEW else COARSE
        now: list[Now] = []
        if isinstance(its, EventCondition) and rule.is_measured:
            return self._of_house(rule, its, set(apps), since, until)
        if isinstance(its, TrafficCondition):  # of those that people can ask
            apps = [name for name in apps if self._kept.keys(name, [REQUESTS])]
        if isinstance(its, MetricCondition):
            witness = self._kept.means(NODE, [WITNESS], since, until, width)[WITNESS]
        for name in apps[:MOST]:
            if time.monotonic() > ends:
                break
            if isinstance(its, TrafficCondition):
                judged = of_traffic(self._kept, self._requests, rule, name, since, until, width)
                known += judged.known
                told = judged.began
                now.append(judged.now)
            elif isinstance(its, MetricCondition):
                names = [its.metric, *([its.of] if its.of else [])]
                found = self._kept.means(name, names, since, until, width)
                values = _shares(found[its.metric], found[its.of] if its.of else None)
                known += sum(value is not None for value in values) / max(len(values), 1)
                told = _of_values(rule, its, since, width, values, witness)
                now.append(Now(name, values[-1] if values else None))
            elif isinstance(its, LogCondition):
                begins, lines = self._lines(name, its.text, since, until, ends)
                known += (until - begins) / SPAN
                told = _of_lines(rule, its, begins, until, lines)
            else:
                events = self._events.list(name, format_time(since * 10**9), limit=EVENTS)
                known += 1
                told = _of_events(rule, its, name, events, since, until)
            looked_at += 1
            if told:
                began[name] = told
            yield_to_loop()
        below = isinstance(its, MetricCondition | TrafficCondition) and its.below
        known /= max(looked_at, 1)
        return Found(since, began, int(looked_at), len(apps), known, _worst(now, below))

    def _of_house(
        self, rule: Rule, its: EventCondition, apps: Collection[str], since: int, until: int
    ) -> Found:
        """Of disks and certificates, of which the installation alone has rules."""
        found: dict[str, Judged] = {}
        if rule.team:
            pass
        elif its.occurrence == "disk":
            # With the minute that is under way: how it is now stands beside it.
            found = dict(of_disks(self._kept, rule, since, until + COARSE))
        else:
            lives = {h: life for h, (app, life) in self._certificates().items() if app in apps}
            found = dict(of_certificates(lives, rule, since, until, self._clock))
        began = {name: one.began for name, one in found.items() if one.began}
        known = sum(one.known for one in found.values()) / max(len(found), 1)
        now = _worst([one.now for one in found.values()], its.occurrence == "certificate")
        return Found(since, began, len(found), len(found), known, now)

    def _lines(
        self, app: str, text: str, since: int, until: int, ends: float
    ) -> tuple[int, list[float]]:
        """Since when the log was looked through, and when there was a line with that in it."""
        wanted, found = self._matching(text), list[float]()
        begins = until
        while begins > since and len(found) < LINES:
            lines = self._lines_of(app, wanted, begins - HOUR, begins, ends)
            if lines is None:
                break
            begins -= HOUR
            found = lines + found
        return begins, found

    def _lines_of(
        self, app: str, wanted: Callable[[bytes], bool], since: int, until: int, ends: float
    ) -> list[float] | None:
        """None where there was no time for all of them."""
        query = Query(
            since=since * 10**9,
            until=until * 10**9 - 1,
            match=wanted,
            limit=LINES,
            account="alerts",
        )
        found: list[float] = []
        while time.monotonic() < ends:
            page = self._logs.read(app, query)
            found += [record_ns(record) / 1e9 for _, record in page.lines]
            if page.cursor is None or len(found) >= LINES:
                return found
            query = replace(query, after=page.cursor)
        return None


def _of_lines(
    rule: Rule, its: LogCondition, since: int, until: int, lines: Sequence[float]
) -> list[float]:
    machine, told, within, at = Machine(rule.wait, rule.clear), [], deque[float](), 0
    for now in in_turns(range(since + LOOK, until + 1, LOOK)):
        while at < len(lines) and lines[at] <= now:
            within.append(lines[at])
            at += 1
        while within and within[0] < now - its.within:
            within.popleft()
        verdict = verdict_of(float(len(within)), its.begin, its.end)
        if machine.step(now, verdict) in ("began", "flapping"):
            told.append(float(now))
    return told


def _shares(
    values: Sequence[float | None], wholes: Sequence[float | None] | None
) -> list[float | None]:
    if wholes is None:
        return list(values)
    return [
        value / whole if value is not None and whole else None
        for value, whole in zip(values, wholes, strict=True)
    ]


def _of_values(
    rule: Rule,
    its: MetricCondition,
    since: int,
    width: int,
    values: Sequence[float | None],
    witness: Sequence[float | None],
) -> list[float]:
    verdicts: list[Verdict] = [
        "under"
        if value is None and seen is not None
        else verdict_of(value, its.begin, its.end, its.below)
        for value, seen in zip(values, witness, strict=True)
    ]
    return run(rule, since, width, verdicts)


def _worst(now: Sequence[Now], below: bool) -> list[Now]:
    """Those that are nearest to being an alert, of what is known."""
    known = [one for one in now if one.value is not None]
    return sorted(known, key=lambda one: one.value or 0.0, reverse=not below)[:SHOWN]


def _of_events(
    rule: Rule,
    its: EventCondition,
    app: str,
    events: Sequence[Event],
    since: int,
    until: int,
) -> list[float]:
    happened = [(parse_time(one.time) / 1e9, one) for one in events if one.kind != "alert"]
    if not happened:
        return []
    machine, told = Machine(rule.wait, rule.clear), []
    occurrences, well, at = Occurrences(), True, 0
    for now in in_turns(list(_moments([when for when, _ in happened], until))):
        while at < len(happened) and happened[at][0] <= now:
            when, event = happened[at]
            occurrences.take(event, when)
            well = _is_well(event, well)
            at += 1
        firing = machine.state != "ok"
        verdict: Verdict = occurrences.verdict(app, its, now, well, firing)
        occurrences.judged(app, now)
        if machine.step(now, verdict) in ("began", "flapping"):
            told.append(now)
    return told


def _moments(happened: Sequence[float], until: float) -> Iterator[float]:
    """Those at which it is looked: when each of these counts, and now and then in between."""
    counts = [when + SETTLES for when in happened]
    for one, following in pairwise([*counts, max(until, counts[-1])]):
        now = one
        while now < following or now == one:
            yield now
            now += GRID


def _is_well(event: Event, before: bool) -> bool:
    match event.kind:
        case "start":
            return True
        case "die":
            return event.data.get("exit_code") == 0
    return before
