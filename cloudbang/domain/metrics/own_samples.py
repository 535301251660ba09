"""What a program measures of itself, as it says it: looked through, or refused with a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from math import inf, isfinite
from typing import Literal, NamedTuple, get_args

from cloudbang.domain.lines import parse_time
from cloudbang.domain.metrics.catalogue import OF_APPS
from cloudbang.domain.metrics.series import Labels
from cloudbang.errors import shown

Kind = Literal["gauge", "counter", "histogram"]

AHEAD, BEHIND = 60, 3600  # seconds that the time of a sample may be off
MOST_UNIT, MOST_LABELS, MOST_VALUE, MOST_BUCKETS = 32, 10, 128, 200

_NAME = re.compile(r"[A-Za-z_][\w.:/-]{0,127}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_OURS = {name.partition(".")[0] + "." for name in OF_APPS if "." in name}
_OUR_LABELS = {"container", "quantile"}
_FIELDS = {"name", "value", "time", "unit", "kind", "labels"}


class NotTaken(ValueError):
    """A sample is not taken. ``sentence`` has its ``facts`` in braces, and is translated before
    they are filled in."""

    def __init__(self, sentence: str, **facts: object) -> None:
        self.sentence, self.facts = sentence, facts
        super().__init__(sentence)

    def __str__(self) -> str:
        return self.sentence.format(**self.facts)


class Counts(NamedTuple):
    """A histogram as Prometheus has it: of each upper bound how many were at most so large, since
    the program began; the last bound is infinite."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    total: float


class Growth(NamedTuple):
    """By how much histograms as above have grown, of one instance each: ``parts`` are the bounds and
    the growth of each count. ``rate``: by how many they have grown a second, all of them."""

    parts: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    rate: float


class Sample(NamedTuple):
    """``time`` in whole seconds since 1970. ``value`` is a number, but for a histogram."""

    name: str
    labels: Labels
    time: int
    kind: Kind
    unit: str
    value: float | Counts | Growth


def sample(raw: object, now: float) -> Sample:
    """One as it came, at ``now``. Raises NotTaken."""
    if not isinstance(raw, dict):
        raise NotTaken("a sample is an object")
    for field in raw:
        if field not in _FIELDS:
            raise NotTaken("there is no field {field}", field=_shown(field))
    name = checked_name(raw.get("name"))
    kind: Kind = raw.get("kind") or "gauge"
    if kind not in get_args(Kind):
        raise NotTaken("the kind is {kind}, not gauge, counter or histogram", kind=_shown(kind))
    unit = raw.get("unit") or "1"
    if not isinstance(unit, str) or len(unit) > MOST_UNIT or not unit.isprintable():
        raise NotTaken("the unit is not a text of at most {most} characters", most=MOST_UNIT)
    labels = checked_labels(raw.get("labels") or {})
    moment = checked_time(raw.get("time"), now)
    if kind == "histogram":
        return Sample(name, labels, moment, kind, unit, _counts(raw.get("value")))
    value = _number(raw.get("value"))
    if value < 0 and kind == "counter":
        raise NotTaken("a counter is not negative, and this one is {value}", value=value)
    return Sample(name, labels, moment, kind, unit, value)


def checked_name(name: object) -> str:
    """The name of a metric of one's own. Raises NotTaken."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise NotTaken(
            "{name} cannot be a name: 1 to 128 letters, digits, _ . : / and -, a letter or _ first",
            name=_shown(name),
        )
    if name in OF_APPS or name.startswith(tuple(_OURS)):
        raise NotTaken("{name} is what CloudBang itself measures: another name, please", name=name)
    return name


def checked_labels(labels: object) -> Labels:
    """Labels that a program gives. Raises NotTaken."""
    if not isinstance(labels, dict) or len(labels) > MOST_LABELS:
        raise NotTaken("the labels are not an object of at most {most}", most=MOST_LABELS)
    for name, value in labels.items():
        if not _LABEL.fullmatch(name) or name in _OUR_LABELS:
            raise NotTaken("a label cannot be called {name}", name=_shown(name))
        if not isinstance(value, str) or len(value) > MOST_VALUE:
            raise NotTaken(
                "the label {name} is not a text of at most {most} characters",
                name=name,
                most=MOST_VALUE,
            )
    return tuple(sorted(labels.items()))


def checked_time(value: object, now: float) -> int:
    """When it was measured, ``now`` where None. Raises NotTaken."""
    moment = now
    if isinstance(value, str):
        try:
            moment = parse_time(value) / 1e9
        except ValueError:
            raise NotTaken("{time} is not a time", time=_shown(value)) from None
    elif value is not None:
        if (found := _finite(value)) is None:
            raise NotTaken("{time} is not a time", time=_shown(value))
        moment = found
    if moment - now > AHEAD:
        raise NotTaken(
            "the time is {seconds} s ahead; at most {most} s are taken",
            seconds=_rounded(moment - now),
            most=AHEAD,
        )
    if now - moment > BEHIND:
        raise NotTaken(
            "the time is {seconds} s ago; at most {most} s are taken",
            seconds=_rounded(now - moment),
            most=BEHIND,
        )
    return int(moment)


def _number(value: object) -> float:
    if (found := _finite(value)) is None:
        raise NotTaken("the value is {value}, not a finite number", value=_shown(value))
    return found


def _finite(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None


def _counts(value: object) -> Counts:
    raw = value.get("buckets") if isinstance(value, Mapping) else None
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_BUCKETS:
        raise NotTaken("the value of a histogram has 1 to {most} buckets", most=MOST_BUCKETS)
    assert isinstance(value, Mapping)
    bounds, counts = [], []
    for pair in raw:
        if not isinstance(pair, list) or len(pair) != 2:
            raise NotTaken("a bucket is an upper bound and a count")
        bound, count = pair
        bounds.append(inf if bound in ("+Inf", "Inf") else _number(bound))
        counts.append(_number(count))
    if any(low >= high for low, high in pairwise(bounds)) or bounds[0] < 0:
        raise NotTaken("the bounds of the buckets do not grow from zero")
    if any(low > high for low, high in pairwise(counts)) or counts[0] < 0:
        raise NotTaken("the counts of the buckets do not grow: each has all that are smaller")
    if bounds[-1] != inf:
        bounds.append(inf)
        counts.append(counts[-1])
    return Counts(tuple(bounds), tuple(counts), _number(value.get("sum") or 0))


def _shown(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else shown(value, 80)


def _rounded(seconds: float) -> int:
    return round(min(seconds, 1e15))
