"""What no event tells: metrics over a threshold, lines of a log by their rate, disks that fill up,
certificates that end."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gevent import get_hub

from cloudbang.core.threads import in_thread
from cloudbang.domain.alerts.machine import Verdict, verdict_of
from cloudbang.domain.alerts.rules import (
    EventCondition,
    LogCondition,
    MetricCondition,
    Rule,
)
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.series import Labels, SeriesKey
from cloudbang.errors import CloudBangError
from cloudbang.monitoring.alerts.about import Apps, Found
from cloudbang.monitoring.app_series import AppSeries

log = logging.getLogger(__name__)

NEWEST = 10  # seconds of a metric whose mean is looked at
LINES = 5_000  # of one log at a look; of a flood the newest, and more are too many anyway
BYTES = 2 * 1024 * 1024
DISK_EVERY, CERTIFICATES_EVERY = 30.0, 3600.0
DISK_FRESH = 30  # seconds
DAY = 86_400.0
SLOPE = 6 * 3600.0  # seconds by which it is known how quickly a disk fills
SLOPE_LEAST = 1800.0  # and how many of them are needed


class Series(Protocol):
    """What is asked of the series."""

    newest: int

    @property
    def stale(self) -> bool: ...
    def of(self, app: str) -> AppSeries | None: ...
    def window(self, key: SeriesKey, seconds: int) -> list[float | None]: ...


class MetricRules:
    """Of the newest seconds the mean. What was not measured is unknown; of an app that does not run
    nothing is over any limit."""

    def __init__(self, series: Series, apps: Apps, names: Callable[[], Collection[str]]) -> None:
        self._series, self._apps, self._names = series, apps, names

    def look(self, rules: Sequence[Rule]) -> Iterator[Found]:
        about = [
            (rule, rule.condition)
            for rule in rules
            if rule.enabled and isinstance(rule.condition, MetricCondition)
        ]
        if not about:
            return
        stale = self._series.stale
        for rule, its in about:
            for name in [rule.app] if rule.app else self._names():
                team = self._apps.owner(name)
                if team is not None and rule.is_about(name, team):
                    yield self._found(rule, its, name, stale)

    def _found(self, rule: Rule, its: MetricCondition, name: str, stale: bool) -> Found:
        value = None if stale else self._value(name, its)
        verdict = verdict_of(value, its.begin, its.end, its.below)
        app = self._apps.get(name)
        if value is None and not stale and (app is None or not app.running):
            verdict = "under"
        shown = "" if value is None else _amount(its, value)
        return Found(rule, name, "", verdict, {"metric": its.metric, "value": shown})

    def _value(self, name: str, its: MetricCondition) -> float | None:
        value = self._mean(name, its.metric)
        if value is None or not its.of:
            return value
        whole = self._mean(name, its.of)
        return value / whole if whole else None

    def _mean(self, name: str, metric: str) -> float | None:
        labels: Labels = ()
        known = [
            v for v in self._series.window(SeriesKey(name, metric, labels), NEWEST) if v is not None
        ]
        return sum(known) / len(known) if known else None


def _amount(its: MetricCondition, value: float) -> str:
    return f"{value * 100:.0f} % of {its.of}" if its.of else f"{value:.4g}"


Matching = Callable[[str], Callable[[bytes], bool]]
"""Of a text with wildcards whether a record has it in it. Raises BadRequest."""


class Log(Protocol):
    """What is asked of the log store."""

    def next_seq(self, app: str) -> int: ...
    def newest(self, app: str, lines: int, size: int) -> tuple[int, list[bytes]]: ...


class LogRules:
    """Lines as they come, counted. What was stored before a rule was made, or while nobody looked,
    counts for nothing."""

    def __init__(
        self,
        logs: Log,
        apps: Apps,
        matching: Matching,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logs, self._apps = logs, apps
        self._matching, self._monotonic = matching, monotonic
        self._seen: dict[int, tuple[str, int]] = {}  # by rule: its text and the next seq
        self._hits: dict[int, deque[tuple[float, int]]] = {}

    def look(self, rules: Sequence[Rule]) -> Iterator[Found]:
        about = [
            (rule, rule.condition)
            for rule in rules
            if rule.enabled and isinstance(rule.condition, LogCondition) and self._is_its(rule)
        ]
        known = {rule.id for rule, _ in about}
        for id in self._seen.keys() - known:
            del self._seen[id], self._hits[id]
        for rule, its in about:
            facts: dict[str, Any] = {"text": its.text, "minutes": max(1, round(its.within / 60))}
            try:
                count = self._count(rule, its)
            except CloudBangError as e:
                log.debug("the log of %s is not looked at: %s", rule.app, e)
                yield Found(rule, rule.app, "", "unknown", facts)
                continue
            facts["count"] = count
            verdict = verdict_of(float(count), its.begin, its.end)
            yield Found(rule, rule.app, "", verdict, facts)

    def _is_its(self, rule: Rule) -> bool:
        """Whether the app is its team's: a name may be another team's, now or since before it was made."""
        team = self._apps.owner(rule.app)
        return team is not None and rule.is_about(rule.app, team)

    def _count(self, rule: Rule, its: LogCondition) -> int:
        now = self._monotonic()
        text, seen = self._seen.get(rule.id, ("", 0))
        end = self._logs.next_seq(rule.app)
        hits = self._hits.setdefault(rule.id, deque())
        if text != its.text or end < seen:
            hits.clear()
        elif end > seen:
            first, records = self._logs.newest(rule.app, min(end - seen, LINES), BYTES)
            wanted = self._matching(its.text)
            found = sum(wanted(record) for seq, record in enumerate(records, first) if seq >= seen)
            end = first + len(records)
            if found:
                hits.append((now, found))
        self._seen[rule.id] = (its.text, end)
        while hits and hits[0][0] < now - its.within:
            hits.popleft()
        return sum(count for _, count in hits)


Room = Mapping[str, tuple[float, float]]
"""By the path of a file system how many bytes of it are used, and of how many."""


def disks_of(series: Series) -> Callable[[], Room]:
    """Those that the sampler measures: where CloudBang keeps what it keeps, and, where that is
    another, the engine's. Nothing of what was not measured lately."""

    def now() -> Room:
        of_node = series.of(NODE)
        if of_node is None or series.stale:
            return {}
        newest: dict[tuple[str, Labels], float] = {}
        for name, labels, ring in of_node.series():
            if name in ("disk.used", "disk.limit") and (last := ring.last()):
                at, value = last
                if at > series.newest - DISK_FRESH:
                    newest[name, labels] = value
        return {
            dict(labels).get("path", ""): (used, newest["disk.limit", labels])
            for (name, labels), used in newest.items()
            if name == "disk.used" and ("disk.limit", labels) in newest
        }

    return now


class Disks:
    """How much of each is used, and, where it grows, in how many days it is full."""

    def __init__(
        self, room: Callable[[], Room], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._room, self._monotonic = room, monotonic
        self._at = -1e9
        self._past: dict[str, deque[tuple[float, float]]] = {}
        self._now: dict[str, tuple[float, float | None] | None] = {}

    def look(self, rules: Sequence[Rule]) -> Iterator[Found]:
        about = list(_about(rules, "disk"))
        if not about:
            return
        now = self._monotonic()
        if now - self._at >= DISK_EVERY:
            self._at = now
            room = self._room()
            for path in {**self._now, **room}:
                self._now[path] = self._measure(path, now, room.get(path))
        for rule, its in about:
            for path, known in self._now.items():
                yield Found(rule, "", path, *_of_disk(its, known))

    def known(self) -> Mapping[str, tuple[float, float | None] | None]:
        """As it was looked at last: by path the share that is used, and in how many days it is full."""
        return self._now

    def _measure(
        self, path: str, now: float, room: tuple[float, float] | None
    ) -> tuple[float, float | None] | None:
        """None of one that was not measured: nobody knows."""
        if room is None:
            return None
        used, whole = room
        past = self._past.setdefault(path, deque())
        past.append((now, used))
        while past[0][0] < now - SLOPE:
            past.popleft()
        return used / max(whole, 1), _days(past, whole - used)


def _days(past: Sequence[tuple[float, float]], left: float) -> float | None:
    """Until it is full, as it grew lately: the median of its steps, which one large file does not move."""
    (first, _), (last, _) = past[0], past[-1]
    if last - first < SLOPE_LEAST:
        return None
    parts = 6
    width = (last - first) / parts
    edges = [_nearest(past, first + n * width) for n in range(parts + 1)]
    steps = sorted(b - a for a, b in pairwise(edges))
    speed = steps[len(steps) // 2] / width
    return left / speed / DAY if speed > 0 else None


def _nearest(past: Sequence[tuple[float, float]], at: float) -> float:
    """What was used at the moment that is nearest; they are in order."""
    after = bisect_left(past, at, key=lambda one: one[0])
    near = (past[min(max(n, 0), len(past) - 1)] for n in (after - 1, after))
    return min(near, key=lambda one: abs(one[0] - at))[1]


def _of_disk(
    its: EventCondition, known: tuple[float, float | None] | None
) -> tuple[Verdict, dict[str, Any]]:
    if known is None:
        return "unknown", {}
    share, days = known
    verdict = verdict_of(share, its.begin, its.end)
    facts: dict[str, Any] = {"value": round(share * 100)}
    if days is not None and its.days and share > 0.5:
        if days <= its.days:
            verdict = "over"
            facts["days"] = f"{days:.1f}"
        elif days <= 2 * its.days and verdict == "under":
            verdict = "between"
    return verdict, facts


LATE = 0.25  # of its whole time: by then the gateway has tried for long to renew it


class Life(NamedTuple):
    """Of a certificate: seconds since 1970."""

    begins: float
    ends: float


class Certificates:
    """Of the gateway's domains: the days until theirs end. It renews them itself, when a third of their
    time is left; here it is told when it does not. Of one that is given for some days only, what a rule
    calls few days is no more than a quarter of them."""

    def __init__(
        self,
        folder: Path,
        hosts: Callable[[], Mapping[str, str]],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``folder``: in which Caddy keeps them; ``hosts``: by domain the app that is there."""
        self._folder, self._hosts, self._clock, self._monotonic = folder, hosts, clock, monotonic
        self._at = -1e9
        self._lives: Mapping[str, Life] = {}
        self._apps: dict[str, str] = {}

    def look(self, rules: Sequence[Rule]) -> Iterator[Found]:
        about = list(_about(rules, "certificate"))
        if not about:
            return
        now = self._monotonic()
        if now - self._at >= CERTIFICATES_EVERY:
            self._at = now
            self._apps = dict(self._hosts())
            self._lives = in_thread(get_hub().threadpool, _lives_of, self._folder, self._apps)
        for rule, its in about:
            for host, life in self._lives.items():
                app = self._apps[host]
                if rule.app in ("", app):
                    verdict, days = of_certificate(its, life, self._clock())
                    shown = max(0, int(days) if days >= 2 else round(days, 1))
                    yield Found(rule, app, host, verdict, {"value": shown})

    def known(self) -> Mapping[str, tuple[str, Life]]:
        """By domain, with its app, as they are now. Waits for the disk."""
        apps = dict(self._hosts())
        lives = in_thread(get_hub().threadpool, _lives_of, self._folder, apps)
        return {host: (apps[host], life) for host, life in lives.items()}


def of_certificate(its: EventCondition, life: Life, now: float) -> tuple[Verdict, float]:
    """And how many days are left."""
    days = (life.ends - now) / DAY
    share = min(1.0, LATE * (life.ends - life.begins) / DAY / max(its.begin, 0.01))
    return verdict_of(days, share * its.begin, share * its.end, below=True), days


def _lives_of(folder: Path, hosts: Collection[str]) -> dict[str, Life]:
    """By host the certificate that ends last."""
    from cryptography import x509

    found: dict[str, Life] = {}
    for host in hosts:
        for path in folder.glob(f"*/{host}/{host}.crt"):
            try:
                first = x509.load_pem_x509_certificates(path.read_bytes())[0]
            except (OSError, ValueError, IndexError):
                continue
            begins, ends = first.not_valid_before_utc, first.not_valid_after_utc
            one = Life(begins.timestamp(), ends.timestamp())
            found[host] = max(found.get(host, one), one, key=lambda life: life.ends)
    return found


def _about(rules: Iterable[Rule], occurrence: str) -> Iterator[tuple[Rule, EventCondition]]:
    for rule in rules:
        its = rule.condition
        # A disk and a domain are the installation's.
        ours = rule.enabled and not rule.team
        if ours and isinstance(its, EventCondition) and its.occurrence == occurrence:
            yield rule, its
