"""What a program exposes for Prometheus to read: text 0.0.4, and OpenMetrics where it differs.

A line that cannot be read loses that line alone, and is counted; see the decision about it in
docs/decisions.
"""

from __future__ import annotations

import re
from itertools import pairwise
from math import inf, isfinite, isnan
from typing import Literal, NamedTuple

from cloudbang.domain.metrics.own_samples import MOST_BUCKETS, Counts, Kind
from cloudbang.domain.metrics.series import Labels

MOST = 10_000  # samples of one answer
MOST_LINES = 50_000  # of it: as many samples, each with all that can be said of it, and room
LONGEST = 16 * 1024  # bytes of a line
SHOWN = 80  # characters of a line that is shown

# Labels that are ours where a series has them; the name is the one Prometheus gives such a label.
_RENAMED = {"container": "exported_container", "quantile": "exported_quantile"}
_UNITS = {"seconds": "s", "bytes": "bytes", "ratio": "1"}
_KNOWN = {
    *("counter", "gauge", "histogram", "summary", "untyped", "unknown"),
    *("info", "stateset", "gaugehistogram"),
}
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "summary": ("_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "info": ("_info",),
}
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_QUOTED_NAME = re.compile(rf"\s*{_QUOTED}\s*(,|(?=\}}))")
_LABEL = re.compile(rf"\s*(?:([a-zA-Z_]\w*)|{_QUOTED})\s*=\s*{_QUOTED}\s*(,|(?=\}}))", re.ASCII)
_END = re.compile(r"\s*\}\s*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI]nf(?:inity)?|[nN]a[nN])", re.ASCII
)

Role = Literal["value", "counter", "bucket", "count", "rest"]
"""What a line is of its family; ``count`` is a histogram's, ``rest`` is not kept."""


class TooMany(Exception):
    """More than ``MOST`` samples, or ``MOST_LINES`` lines: ``most``."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(most)


class Point(NamedTuple):
    """``time`` in seconds since 1970, None where the program says none."""

    name: str
    labels: Labels
    kind: Kind
    unit: str
    value: float | Counts
    time: float | None


class Reading(NamedTuple):
    """``samples``: lines that could be read. ``bad``: those that could not, and ``first`` of them its
    number and how it begins. What is NaN or infinite was not measured, and is in no point."""

    points: list[Point]
    samples: int
    bad: int
    first: tuple[int, str] | None


class _Bad(ValueError):
    pass


class _Meaning(NamedTuple):
    family: str
    role: Role
    unit: str


class _Buckets:
    __slots__ = ("count", "counts", "time", "unit", "whole")

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.counts: dict[float, float] = {}
        self.time: float | None = None
        self.whole = True  # none of its buckets is NaN
        self.count = 0.0  # of all, as it says beside them


class Exposition:
    """One answer, line by line, so that whoever reads it gives way in between."""

    def __init__(self, *, openmetrics: bool = False) -> None:
        self._openmetrics = openmetrics
        self._kinds: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._meanings: dict[str, _Meaning] = {}
        self._points: dict[tuple[str, Labels], Point | None] = {}
        self._histograms: dict[tuple[str, Labels], _Buckets] = {}
        self._number = self._samples = self._bad = 0
        self._first: tuple[int, str] | None = None
        self._ended = False

    def line(self, raw: bytes) -> None:
        """The next one, without its end. Raises TooMany."""
        self._number += 1
        if self._number > MOST_LINES:
            raise TooMany(MOST_LINES)
        if self._ended:
            return
        try:
            if len(raw) > LONGEST:
                raise _Bad
            if self._number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")  # as some write in front of any text
            text = raw.decode().strip(" \t\r")
            if not text:
                return
            if text[0] == "#":
                self._comment(text)
            else:
                self._sample(text)
        except ValueError:  # not UTF-8, too, is one
            self._lose(raw)

    def done(self) -> Reading:
        """What was read of it."""
        points = [point for point in self._points.values() if point is not None]
        for (name, labels), found in self._histograms.items():
            if not found.whole or not found.counts:
                continue
            counts = _counts(found)
            if counts is None:
                self._lose(f"{name}_bucket".encode())
            else:
                points.append(Point(name, labels, "histogram", found.unit, counts, found.time))
        return Reading(points, self._samples, self._bad, self._first)

    def _lose(self, raw: bytes) -> None:
        self._bad += 1
        if self._first is None:
            begin = raw[: SHOWN * 4].decode("utf-8", "replace").strip()[:SHOWN]
            self._first = self._number, "".join(c if c.isprintable() else "?" for c in begin)

    def _comment(self, text: str) -> None:
        words = text.split(None, 3)
        if text.rstrip() == "# EOF":
            self._ended = self._openmetrics
        elif len(words) > 2 and words[0] == "#" and words[1] in ("TYPE", "UNIT"):
            name, told = words[2].strip('"'), words[3].strip() if len(words) > 3 else ""
            if words[1] == "UNIT":
                self._units[name] = told
            else:
                if told not in _KNOWN or self._kinds.get(name, told) != told:
                    raise _Bad
                self._kinds[name] = told
            self._meanings.clear()

    def _sample(self, text: str) -> None:
        name, labels, value, time = self._parts(text)
        self._samples += 1
        if self._samples > MOST:
            raise TooMany(MOST)
        meaning = self._meanings.get(name)
        if meaning is None:
            meaning = self._meanings[name] = self._meaning(name)
        match meaning.role:
            case "bucket":
                self._bucket(meaning, labels, value, time)
            case "count" if isfinite(value):
                self._histogram(meaning, labels).count = value
            case "value" | "counter":
                _rename(labels)
                key = name, tuple(sorted(labels.items()))
                if key in self._points:
                    raise _Bad  # the first of two is kept
                kind: Kind = "counter" if meaning.role == "counter" else "gauge"
                self._points[key] = (
                    Point(*key, kind, meaning.unit, value, time) if isfinite(value) else None
                )

    def _parts(self, text: str) -> tuple[str, dict[str, str], float, float | None]:
        name, at = "", 0
        if (match := _NAME.match(text)) is not None:
            name, at = match[0], match.end()
            while text[at : at + 1] in (" ", "\t"):
                at += 1
        labels: dict[str, str] = {}
        if text[at : at + 1] == "{":
            at += 1
            if not name and (match := _QUOTED_NAME.match(text, at)) is not None:
                name, at = _unescaped(match[1]), match.end()
            while (match := _LABEL.match(text, at)) is not None:
                label = match[1] or _unescaped(match[2])
                if label in labels:
                    raise _Bad
                labels[label] = _unescaped(match[3])
                at = match.end()
            if (match := _END.match(text, at)) is None:
                raise _Bad
            at = match.end()
            labels = {name: value for name, value in labels.items() if value}  # "" is none
        elif at == len(name):
            raise _Bad
        words = text[at:].partition(" # ")[0].split()  # an exemplar comes after it
        if not name or not 1 <= len(words) <= 2:
            raise _Bad
        time = None
        if len(words) == 2:
            time = _number(words[1])
            if not isfinite(time):
                raise _Bad
            if not self._openmetrics:
                time /= 1000
        return name, labels, _number(words[0]), time

    def _meaning(self, name: str) -> _Meaning:
        kind = self._kinds.get(name)
        family, suffix = name, ""
        base, under, end = name.rpartition("_")
        theirs = self._kinds.get(base, "")
        if kind is None and under + end in _SUFFIXES.get(theirs, ()):
            family, suffix, kind = base, under + end, theirs
        if end == "created" and (base in self._kinds or f"{base}_total" in self._kinds):
            suffix = "_created"  # the older format has a type for it
        unit = self._unit(family)
        if kind in ("histogram", "summary") and suffix == "_count":
            unit = "1"
        role: Role = "value"
        match kind, suffix:
            case (_, "_created") | ("gaugehistogram", "_bucket"):
                role = "rest"
            case "histogram", "_bucket":
                role = "bucket"
            case "histogram", "_count":
                role = "count"
            case "histogram", _:
                role = "rest"  # their rate and their number are with the buckets
            case ("counter", _) | ("summary", "_sum" | "_count"):
                role = "counter"
            case ((None | "untyped" | "unknown"), _) if name.endswith("_total"):
                role = "counter"
        return _Meaning(family, role, unit)

    def _unit(self, family: str) -> str:
        told = self._units.get(family) or family.removesuffix("_total").rpartition("_")[2]
        return _UNITS.get(told, self._units.get(family, "")[:32] or "1")

    def _bucket(
        self, meaning: _Meaning, labels: dict[str, str], value: float, time: float | None
    ) -> None:
        if "le" not in labels:
            raise _Bad
        bound = _number(labels.pop("le"))
        found = self._histogram(meaning, labels)
        if isnan(bound) or bound in found.counts or len(found.counts) >= MOST_BUCKETS:
            raise _Bad
        found.counts[bound] = value
        found.time = time
        found.whole = found.whole and isfinite(value)

    def _histogram(self, meaning: _Meaning, labels: dict[str, str]) -> _Buckets:
        _rename(labels)
        key = meaning.family, tuple(sorted(labels.items()))
        found = self._histograms.get(key)
        if found is None:
            found = self._histograms[key] = _Buckets(meaning.unit)
        return found


def _counts(found: _Buckets) -> Counts | None:
    """None where they are no histogram that there can be."""
    bounds = sorted(found.counts)
    counts = [found.counts[bound] for bound in bounds]
    if bounds[-1] != inf:  # some leave it out: then what is above the last bound is in their number
        bounds.append(inf)
        counts.append(max(counts[-1], found.count))
    if bounds[0] < 0 or counts[0] < 0 or any(low > high for low, high in pairwise(counts)):
        return None
    return Counts(tuple(bounds), tuple(counts), 0.0)  # their sum is asked for by nobody


def _rename(labels: dict[str, str]) -> None:
    for theirs, ours in _RENAMED.items():
        if theirs in labels:
            while ours in labels:
                ours = f"exported_{ours}"
            labels[ours] = labels.pop(theirs)


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise _Bad
    return float(text)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    # What is escaped and need not be stands as it is written, as Prometheus reads it.
    return _ESCAPE.sub(lambda m: {"n": "\n", '"': '"', "\\": "\\"}.get(m[1], m[0]), text)
