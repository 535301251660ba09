"""What programs measure of themselves: how many series an app may have, rates from counters,
histograms from what Prometheus counts, the 10 s that are being put together."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf
from typing import NamedTuple

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.own_samples import Counts, Growth, NotTaken, Sample
from cloudbang.domain.metrics.series import Aggregate, Labels

MOST = 500  # series of an app
QUIET = 3600  # seconds after which a series' place is another's
FREE_EVERY = 60  # seconds between two looks for places that are free
SAID = 100  # names that were refused for want of a place, and are said
PARTS = 8  # of a bucket, over which its counts are spread
LONGEST = 3600  # seconds between two counts from which a rate is made

Id = tuple[str, Labels]


class Told(NamedTuple):
    """What a sample came to: a value of a series now. ``unit`` is the series'."""

    name: str
    labels: Labels
    time: int
    value: float
    unit: str


class Open(NamedTuple):
    """10 s that are being put together."""

    points: dict[Id, Aggregate]
    histograms: dict[Id, Histogram]


class _Series:
    """What must be known of one from one sample to the next."""

    __slots__ = ("counts", "kind", "seen", "time", "unit", "value")

    def __init__(self, kind: str, unit: str) -> None:
        self.kind, self.unit = kind, unit
        self.seen = self.time = 0
        self.value: float | None = None
        self.counts: Counts | None = None


class OwnMetrics:
    """Of one app. ``refused`` counts the samples for which there was no place, by name."""

    def __init__(self) -> None:
        self._series: dict[Id, _Series] = {}
        self.refused: dict[str, int] = {}
        self.refused_count = 0
        self._freed = 0
        self._open: dict[int, Open] = {}  # by when the 10 s begin

    def __len__(self) -> int:
        return len(self._series)

    def known(self, name: str, labels: Labels = ()) -> bool:
        return (name, labels) in self._series

    def take(self, sample: Sample) -> list[Told]:
        """Take it over; what it came to, nothing where it is the first of a counter. Raises
        NotTaken where the app has too many series."""
        series = self._place(sample)
        series.seen = max(series.seen, sample.time)
        if isinstance(sample.value, Counts):
            return self._take_counts(sample, sample.value, series)
        if isinstance(sample.value, Growth):
            return self._take_growth(sample, sample.value)
        value: float | None = sample.value
        if sample.kind == "counter":
            value = _rate(series, sample.time, sample.value)
        if value is None:
            return []
        self._add(sample.time, (sample.name, sample.labels), value)
        return [Told(sample.name, sample.labels, sample.time, value, series.unit)]

    def _place(self, sample: Sample) -> _Series:
        key = sample.name, sample.labels
        found = self._series.get(key)
        if found is None:
            needed = 2 if sample.kind == "histogram" else 1
            if len(self._series) + needed > MOST:
                self._free(sample.time)
            if len(self._series) + needed > MOST:
                self.refused_count += 1
                if sample.name in self.refused or len(self.refused) < SAID:
                    self.refused[sample.name] = self.refused.get(sample.name, 0) + 1
                raise NotTaken(
                    "{name} is one too many: an app has at most {most} series of its own",
                    name=sample.name,
                    most=MOST,
                )
            unit = sample.unit
            if sample.kind == "counter":
                unit = "1/s" if unit == "1" else f"{unit}/s"
            found = self._series[key] = _Series(sample.kind, unit)
        elif found.kind != sample.kind:
            raise NotTaken(
                "{name} is a {kind}, as its first sample said", name=sample.name, kind=found.kind
            )
        return found

    def _free(self, now: int) -> None:
        if abs(now - self._freed) < FREE_EVERY:
            return
        self._freed = now
        kept = {key: one for key, one in self._series.items() if one.seen >= now - QUIET}
        if len(kept) < len(self._series):
            self._series, self.refused, self.refused_count = kept, {}, 0

    def _take_counts(self, sample: Sample, counts: Counts, series: _Series) -> list[Told]:
        before, series.counts = series.counts, counts
        apart, series.time = sample.time - series.time, sample.time
        if before is None or before.bounds != counts.bounds or not 0 < apart <= LONGEST:
            return []
        if any(new < old for new, old in zip(counts.counts, before.counts, strict=True)):
            before = Counts(counts.bounds, (0.0,) * len(counts.bounds), 0.0)  # it began anew
        grown = tuple(new - old for new, old in zip(counts.counts, before.counts, strict=True))
        rate = round(grown[-1]) / apart
        return self._take_growth(sample, Growth(((counts.bounds, grown),), rate))

    def _take_growth(self, sample: Sample, growth: Growth) -> list[Told]:
        key = sample.name, sample.labels
        at = sample.time // 10 * 10
        for bounds, grown in growth.parts:
            if (made := spread(bounds, grown)).count:
                self._at(at).histograms.setdefault(key, Histogram()).merge(made)
        rate = growth.rate
        counted = f"{sample.name}.count", sample.labels
        if counted not in self._series:
            self._series[counted] = _Series("gauge", "1/s")
        self._series[counted].seen = sample.time
        self._add(sample.time, counted, rate)
        return [Told(*counted, sample.time, rate, "1/s")]

    def _add(self, time: int, key: Id, value: float) -> None:
        into = self._at(time // 10 * 10).points
        one = Aggregate(1, value, value, value)
        into[key] = into[key] + one if key in into else one

    def _at(self, begin: int) -> Open:
        return self._open.setdefault(begin, Open({}, {}))

    def unit_of(self, name: str, labels: Labels) -> str | None:
        found = self._series.get((name, labels))
        return found.unit if found else None

    def open(self, begin: int) -> Open:
        """What is put together for the 10 s that begin then."""
        return self._open.get(begin) or Open({}, {})

    def closed(self, begin: int) -> None:
        """The 10 s that begin then are written down: what comes now is late."""
        self._open.pop(begin, None)

    def take_before(self, time: int) -> dict[int, Open]:
        """What came late, of the 10 s that begin before then."""
        return {begin: self._open.pop(begin) for begin in list(self._open) if begin < time}


def _rate(series: _Series, time: int, value: float) -> float | None:
    """How much a counter grew a second; None for the first, and where no time has passed."""
    before, apart = series.value, time - series.time
    if before is None or apart > LONGEST:
        series.value, series.time = value, time
        return None
    if apart <= 0:
        return None  # the next one that is later counts what this one did as well
    series.value, series.time = value, time
    return (value - before if value >= before else value) / apart


def spread(bounds: tuple[float, ...], grown: Sequence[float]) -> Histogram:
    """What was counted up to each bound, as if evenly between that and the one before. Beyond the
    last finite bound there is only that bound to say."""
    made, low, before = Histogram(), 0.0, 0.0
    for high, upto in zip(bounds, grown, strict=True):
        count = round(upto) - round(before)
        before = upto
        if count > 0:
            if isinf(high):
                made.add(low, count)
            else:
                for part in range(PARTS):
                    # As many in each part as make the whole right, whatever is left over.
                    share = count * (part + 1) // PARTS - count * part // PARTS
                    if share:
                        made.add(low + (high - low) * (part + 0.5) / PARTS, share)
        low = high if high != inf else low
    return made
