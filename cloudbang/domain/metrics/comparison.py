"""What a deployment changed: so long before it against so long after it.

A verdict needs something on both sides that is larger than what the numbers do by themselves: of
times the bounds of the percentile, of shares and counts three standard deviations, of what is
measured how far its minutes differ. Where that cannot be known, it is said why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Literal

from cloudbang.domain.deploy.deployment import Deployment, StepName
from cloudbang.domain.lines import parse_time
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate

SPAN = 900  # seconds of a side
MEASURED = ("cpu", "memory", "http.requests", "http.errors", "log.errors")
LATENCY: Literal["http.latency"] = "http.latency"

Change = Literal["more", "less", "same", "unknown"]
Why = Literal["", "not-measured", "not-before", "not-after", "too-early", "too-short", "too-little"]
Name = Literal["http.latency", "http.errors", "log.errors", "cpu", "memory"]
Verdict = Literal["worse", "better", "mixed", "dearer", "cheaper", "same", "unknown"]

SERVED: tuple[Name, ...] = ("http.latency", "http.errors", "log.errors")
"""Of what people get from it; the rest is what it needs for that."""

LEAST_SECONDS = 60  # of a side that must be measured
LEAST_REQUESTS = 100  # of a side: the 95th percentile of fewer stands on less than five of them
QUANTILE = 0.95
CERTAIN = 3.0  # standard deviations
BLOCK = 60  # seconds of which one mean is taken, to see how far they differ
LEAST_BLOCKS = 3

# The least that anybody should be told of: as a share of what was before, and by itself.
TIME_SHARE, TIME_LEAST = 0.2, 0.005  # s
ERRORS_LEAST = 0.001  # of all requests
LINES_SHARE, LINES_LEAST = 0.5, 1 / 60  # 1/s
USE_SHARE, USE_LEAST = 0.2, {"cpu": 0.02, "memory": 16.0 * 2**20}


@dataclass(frozen=True, slots=True)
class Side:
    """``[since, until)`` in seconds since 1970, and what was measured in it: by name one value each
    ``width`` seconds, None where nothing was; ``steps``: seconds between two samples, by name."""

    since: int
    until: int
    width: int = 10
    values: Mapping[str, Sequence[Aggregate | None]] = field(default_factory=dict)
    latency: Histogram | None = None
    steps: Mapping[str, int] = field(default_factory=dict)

    def whole(self, name: str) -> Aggregate | None:
        """Of all of it."""
        made: Aggregate | None = None
        for one in self.values.get(name, ()):
            made = made + one if made and one else made or one
        return made

    def seconds(self, name: str) -> int:
        """For how many of them there is a sample."""
        whole = self.whole(name)
        return whole.samples * self.steps.get(name, 1) if whole else 0

    def blocks(self, name: str) -> list[float]:
        """The means of its minutes, or of what is coarser than one."""
        many, found = max(BLOCK // self.width, 1), list(self.values.get(name, ()))
        means = []
        for at in range(0, len(found), many):
            part = [one for one in found[at : at + many] if one]
            if part:
                means.append(sum(one.total for one in part) / sum(one.samples for one in part))
        return means

    @property
    def requests(self) -> float:
        whole = self.whole("http.requests")
        return whole.total if whole else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One of the numbers: seconds, a share of all requests, lines a second, cores, bytes. None: not
    measured. ``why`` there is no verdict."""

    name: Name
    unit: str
    before: float | None
    after: float | None
    change: Change
    why: Why = ""


@dataclass(frozen=True, slots=True)
class Stretches:
    """What is compared: both ``(since, until)``. ``cut``: by another deployment of the app; ``ended``:
    nothing more comes."""

    before: tuple[int, int]
    after: tuple[int, int]
    cut: bool
    ended: bool


# --- when --------------------------------------------------------------------------------------

_TOUCHING: tuple[StepName, ...] = ("release_command", "start", "health", "switch", "drain", "stop")


def touched(deployment: Deployment) -> tuple[int, int | None] | None:
    """From when until when, in seconds, it was about the app's containers, and not yet about
    fetching and building; None where it never came to that."""
    begun = [
        step.started
        for step in deployment.steps
        if step.name in _TOUCHING and step.started is not None
    ]
    if not begun:
        return None
    finished = deployment.finished
    return min(map(_seconds, begun)), None if finished is None else _seconds(finished)


def stretches(deployment: Deployment, others: Sequence[Deployment], now: float) -> Stretches | None:
    """The 15 minutes before and after it, as far as no other deployment of the app is in them;
    None of one that changed nothing, or replaced nothing."""
    its = touched(deployment)
    if deployment.state != "serving" or deployment.previous is None or its is None:
        return None
    begun, finished = its
    assert finished is not None
    since, until = begun - SPAN, finished + SPAN
    cut = False
    for other in others:
        when = touched(other)
        if when is None or other.id == deployment.id:
            continue
        if other.id < deployment.id:
            ended = min(when[1] if when[1] is not None else begun, begun)
            since, cut = max(since, ended), cut or ended > since
        else:
            until, cut = min(until, max(when[0], finished)), cut or when[0] < until
    ended_at, until = until, min(until, int(now))
    return Stretches((since, begun), (finished, max(until, finished)), cut, now >= ended_at)


def _seconds(time: str) -> int:
    return parse_time(time) // 1_000_000_000


# --- what --------------------------------------------------------------------------------------


def compare(before: Side, after: Side, *, ended: bool) -> list[Row]:
    """Each number of both sides. ``ended``: no more of the second one comes."""
    early: Why = "too-short" if ended else "too-early"
    return [
        _latency(before, after, early),
        _errors(before, after, early),
        _lines(before, after, early),
        _used("cpu", "cores", before, after, early),
        _used("memory", "bytes", before, after, early),
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """What it comes to: what people get counts before what it needs. Nothing is said of what nobody
    could tell."""
    served = {row.change for row in rows if row.name in SERVED}
    needed = {row.change for row in rows if row.name not in SERVED}
    if {"more", "less"} <= served:
        return "mixed"
    if "more" in served:
        return "worse"
    if "less" in served:
        return "better"
    if {"more", "less"} <= needed:
        return "mixed"
    if "more" in needed:
        return "dearer"
    if "less" in needed:
        return "cheaper"
    return "same" if "same" in served | needed else "unknown"


def _latency(before: Side, after: Side, early: Why) -> Row:
    one, other = before.latency, after.latency
    was = one.quantile(QUANTILE) if one else None
    now = other.quantile(QUANTILE) if other else None

    def row(change: Change, why: Why = "") -> Row:
        return Row(LATENCY, "s", was, now, change, why)

    if missing := _missing(before, after, "http.requests", early):
        return row("unknown", missing)
    if min(one.count if one else 0, other.count if other else 0) < LEAST_REQUESTS:
        return row("unknown", "too-little")
    assert one is not None
    assert other is not None
    assert was is not None
    assert now is not None
    low, high = _bounds(one)
    least, most = _bounds(other)
    if abs(now - was) < max(TIME_LEAST, TIME_SHARE * was):
        return row("same")
    return row("more" if least > high else "less" if most < low else "same")


def _bounds(histogram: Histogram) -> tuple[float, float]:
    """Between what the percentile of all that could have been asked lies."""
    wide = CERTAIN * sqrt(QUANTILE * (1 - QUANTILE) / histogram.count)
    low = histogram.quantile(max(QUANTILE - wide, 0.0))
    high = histogram.quantile(QUANTILE + wide) if QUANTILE + wide < 1 else inf
    return low or 0.0, high if high is not None else inf


def _errors(before: Side, after: Side, early: Why) -> Row:
    def share(side: Side) -> tuple[float, float, float | None]:
        whole = side.whole("http.errors")
        failed, all_ = whole.total if whole else 0.0, side.requests
        return failed, all_, failed / all_ if all_ and whole else None

    failed, asked, was = share(before)
    fail, ask, now = share(after)

    def row(change: Change, why: Why = "") -> Row:
        return Row("http.errors", "of requests", was, now, change, why)

    if missing := _missing(before, after, "http.errors", early):
        return row("unknown", missing)
    if min(asked, ask) < LEAST_REQUESTS or was is None or now is None:
        return row("unknown", "too-little")
    both = (failed + fail) / (asked + ask)
    doubt = sqrt(both * (1 - both) * (1 / asked + 1 / ask)) if both < 1 else 0.0
    if abs(now - was) < ERRORS_LEAST or abs(now - was) < CERTAIN * doubt:
        return row("same")
    return row("more" if now > was else "less")


def _lines(before: Side, after: Side, early: Why) -> Row:
    one, other = before.whole("log.errors"), after.whole("log.errors")
    was, now = one.mean if one else None, other.mean if other else None

    def row(change: Change, why: Why = "") -> Row:
        return Row("log.errors", "1/s", was, now, change, why)

    if missing := _missing(before, after, "log.errors", early):
        return row("unknown", missing)
    assert one is not None
    assert other is not None
    assert was is not None
    assert now is not None
    doubt = sqrt(one.total / one.samples**2 + other.total / other.samples**2)
    if abs(now - was) < max(LINES_LEAST, LINES_SHARE * was, CERTAIN * doubt):
        return row("same")
    return row("more" if now > was else "less")


def _used(name: Literal["cpu", "memory"], unit: str, before: Side, after: Side, early: Why) -> Row:
    one, other = before.whole(name), after.whole(name)
    was, now = one.mean if one else None, other.mean if other else None

    def row(change: Change, why: Why = "") -> Row:
        return Row(name, unit, was, now, change, why)

    if missing := _missing(before, after, name, early):
        return row("unknown", missing)
    assert was is not None
    assert now is not None
    first, second = before.blocks(name), after.blocks(name)
    if min(len(first), len(second)) < LEAST_BLOCKS:
        return row("unknown", "too-short" if len(first) < LEAST_BLOCKS else early)
    doubt = CERTAIN * sqrt(_variance(first) / len(first) + _variance(second) / len(second))
    if abs(now - was) < max(USE_LEAST[name], USE_SHARE * was, doubt):
        return row("same")
    return row("more" if now > was else "less")


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _missing(before: Side, after: Side, name: str, early: Why) -> Why:
    """Why there is too little of this one to compare it at all."""
    was, now = before.seconds(name), after.seconds(name)
    if not was:
        return "not-before" if now else "not-measured"
    if now < LEAST_SECONDS and early == "too-early":
        return "too-early"
    if not now:
        return "not-after"
    return "too-short" if min(was, now) < LEAST_SECONDS else ""
