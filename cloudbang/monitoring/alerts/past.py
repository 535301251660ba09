"""The last day of what is measured, as rules about traffic, disks and certificates would have judged it:
by what judges later, and by what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from cloudbang.core.loop import in_turns
from cloudbang.domain.alerts.machine import Machine, Verdict, verdict_of
from cloudbang.domain.alerts.rules import QUANTILES, EventCondition, Rule, TrafficCondition
from cloudbang.domain.alerts.traffic import value_of
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.monitoring.alerts.measured import SLOPE, Disks, Life, of_certificate
from cloudbang.monitoring.alerts.traffic_rules import SILENT, subject_of
from cloudbang.monitoring.slab_maker import LATENCY
from cloudbang.monitoring.traffic.recent import Counted, Subject
from cloudbang.storage.traffic.store import FINE, KEPT, MIDDLE

DISKS_STEP, CERTIFICATES_STEP = 60, 600  # seconds between two looks
REQUESTS, ERRORS = "http.requests", "http.errors"


class Now(NamedTuple):
    """How it is with one thing that a rule is about: in the rule's own unit; of a disk ``days`` until
    it is full as well. None is not known."""

    what: str
    value: float | None
    days: float | None = None


class Judged(NamedTuple):
    """``began``: when it would have been told of; ``known``: for how much of the time."""

    now: Now
    began: list[float]
    known: float


class Kept(Protocol):
    """What is asked of the metrics that are kept."""

    def means(
        self, app: str, names: Sequence[str], since: int, until: int, width: int
    ) -> dict[str, list[float | None]]: ...
    def means_of(
        self, keys: Sequence[SeriesKey], since: int, until: int, width: int
    ) -> dict[SeriesKey, list[float | None]]: ...
    def keys(self, app: str, names: Sequence[str]) -> list[SeriesKey]: ...
    def distributed(
        self, key: SeriesKey, since: int, until: int, width: int
    ) -> list[Histogram | None]: ...


class Requests(Protocol):
    """What is asked of the traffic that is kept."""

    def past(self, subject: Subject, width: int, since: int, until: int) -> list[Counted]: ...


def run(rule: Rule, since: int, width: int, verdicts: Sequence[Verdict]) -> list[float]:
    """When it would have been told of. What is known of these seconds is so at their end."""
    machine, told = Machine(rule.wait, rule.clear), []
    for n, verdict in in_turns(enumerate(verdicts)):
        at = since + (n + 1) * width
        if machine.step(at, verdict) in ("began", "flapping"):
            told.append(float(at))
    return told


# -- traffic


def of_traffic(
    kept: Kept, requests: Requests, rule: Rule, app: str, since: int, until: int, width: int
) -> Judged:
    """Of one app, or of one of its addresses. Raises StorageFailed."""
    its = rule.condition
    assert isinstance(its, TrafficCondition)
    counts = kept.means(app, [REQUESTS], since, until, width)[REQUESTS]
    read = [value is not None for value in counts]
    if its.address:
        values = _of_address(requests, its, app, since, until, width)
    else:
        values = _of_app(kept, its, app, since, until, width)
    # Where the log was not read nobody knows anything.
    known = [value if was else None for value, was in zip(values, read, strict=True)]
    verdicts, silent = list[Verdict](), 0
    for value, was in zip(known, read, strict=True):
        silent = silent + width if was and value is None else 0
        verdicts.append(
            "under" if silent >= SILENT else verdict_of(value, its.begin, its.end, its.below)
        )
    newest = next((value for value in reversed(known[-3:]) if value is not None), None)
    began = run(rule, since, width, verdicts)
    return Judged(Now(app, newest), began, sum(read) / max(len(read), 1))


def _of_app(
    kept: Kept, its: TrafficCondition, app: str, since: int, until: int, width: int
) -> list[float | None]:
    back = max(int(its.within) // width, 1)
    first = since - (back - 1) * width
    found = kept.means(app, [REQUESTS, ERRORS], first, until, width)
    latency: Sequence[Histogram | None] = [None] * len(found[REQUESTS])
    if its.measure in QUANTILES:
        latency = kept.distributed(SeriesKey(app, LATENCY), first, until, width)
    parts = [
        (width * (asked or 0.0), width * (failed or 0.0), one)
        for asked, failed, one in zip(found[REQUESTS], found[ERRORS], latency, strict=True)
    ]
    return _sliding(its, parts, back, width)


def _of_address(
    requests: Requests, its: TrafficCondition, app: str, since: int, until: int, width: int
) -> list[float | None]:
    """The last two hours in parts of 10 s; what is before is kept in parts of ten minutes, of each of
    which it is one number."""
    subject, back = subject_of(its, app), max(int(its.within) // width, 1)
    fine = max(until - KEPT[FINE] + MIDDLE, since) // MIDDLE * MIDDLE
    values: list[float | None] = []
    coarse = {one.at: one for one in requests.past(subject, MIDDLE, since, fine)}
    for at in range(since, fine, width):
        one = coarse.get(at - at % MIDDLE)
        values.append(_value(its, one, MIDDLE))
    first = fine - (back - 1) * width
    parts: list[tuple[float, float, Histogram | None]] = [(0.0, 0.0, None)] * (
        (until - first) // width
    )
    for one in requests.past(subject, FINE, first, until):
        n = (one.at - first) // width
        if 0 <= n < len(parts):
            asked, failed, latency = parts[n]
            made = Histogram.unpack(one.latency)
            if latency is not None:
                made.merge(latency)
            parts[n] = (asked + one.requests, failed + one.errors, made)
    return values + _sliding(its, parts, back, width)


def _value(its: TrafficCondition, one: Counted | None, seconds: float) -> float | None:
    if one is None:
        return value_of(its, 0, 0, 0, lambda q: None, seconds)
    latency = Histogram.unpack(one.latency)
    told = (one.requests, one.errors, latency.count, latency.quantile, seconds)
    return value_of(its, *told)


def _sliding(
    its: TrafficCondition,
    parts: Sequence[tuple[float, float, Histogram | None]],
    back: int,
    width: int,
) -> list[float | None]:
    """At the end of each part but the first ones, of it and those before it."""
    values: list[float | None] = []
    requests = errors = 0.0
    latency = Histogram()
    for n, (asked, failed, one) in in_turns(enumerate(parts)):
        requests, errors = requests + asked, errors + failed
        if one is not None:
            latency.merge(one)
        if n < back - 1:
            continue
        told = (round(requests), round(errors), latency.count, latency.quantile, back * width)
        values.append(value_of(its, *told))
        gone = parts[n - back + 1]
        requests, errors = requests - gone[0], errors - gone[1]
        if gone[2] is not None:
            latency.take_away(gone[2])
    return values


# -- disks and certificates


def of_disks(kept: Kept, rule: Rule, since: int, until: int) -> Iterator[tuple[str, Judged]]:
    """Of each that was measured, by what judges it later. Raises StorageFailed."""
    first = since - int(SLOPE)
    keys = kept.keys(NODE, ("disk.used", "disk.limit"))
    found = kept.means_of(keys, first, until, DISKS_STEP)
    paths = {dict(key.labels).get("path", ""): key.labels for key in keys}
    at = first

    def room() -> Mapping[str, tuple[float, float]]:
        n = (at - first) // DISKS_STEP
        now = {}
        for path, labels in paths.items():
            used = found.get(SeriesKey(NODE, "disk.used", labels), [])
            whole = found.get(SeriesKey(NODE, "disk.limit", labels), [])
            if n < min(len(used), len(whole)):
                pair = used[n], whole[n]
                if pair[0] is not None and pair[1]:
                    now[path] = (pair[0], pair[1])
        return now

    disks = Disks(room, lambda: float(at))
    verdicts: dict[str, list[Verdict]] = {path: [] for path in paths}
    newest: dict[str, tuple[float, float | None]] = {}
    for at in in_turns(range(first, until, DISKS_STEP)):
        for one in disks.look([rule]):
            if at >= since:
                verdicts[one.subject].append(one.verdict)
        if at >= since:
            for its in verdicts.values():
                its += ["unknown"] * ((at - since) // DISKS_STEP + 1 - len(its))
        if at >= until - 3 * DISKS_STEP:
            newest |= {path: known for path, known in disks.known().items() if known}
    for path, its in sorted(verdicts.items()):
        known = sum(verdict != "unknown" for verdict in its) / max(len(its), 1)
        share, days = newest.get(path, (None, None))
        yield path, Judged(Now(path, share, days), run(rule, since, DISKS_STEP, its), known)


def of_certificates(
    lives: Mapping[str, Life], rule: Rule, since: int, until: int, clock: Callable[[], float]
) -> Iterator[tuple[str, Judged]]:
    """Of each domain, by the certificate that it has now: what it had before is kept by nobody."""
    its = rule.condition
    assert isinstance(its, EventCondition)
    for host, life in sorted(lives.items()):
        steps = range(since, until, CERTIFICATES_STEP)
        verdicts: list[Verdict] = [
            of_certificate(its, life, at)[0] if at >= life.begins else "unknown" for at in steps
        ]
        known = sum(verdict != "unknown" for verdict in verdicts) / max(len(verdicts), 1)
        _, days = of_certificate(its, life, clock())
        yield (
            host,
            Judged(Now(host, max(days, 0.0)), run(rule, since, CERTIFICATES_STEP, verdicts), known),
        )
