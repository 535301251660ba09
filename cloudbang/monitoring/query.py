"""What a chart is given: the finest that is kept of the time it shows and fits into its points."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from cloudbang.domain.metrics.catalogue import NODE, OF_APPS, OF_NODES, Metric
from cloudbang.domain.metrics.comparison import Side
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Aggregate, Labels, SeriesKey
from cloudbang.monitoring.app_series import OWN_STEP
from cloudbang.monitoring.ring import KEPT, Ring
from cloudbang.monitoring.series import QUANTILES, Series
from cloudbang.monitoring.slab_maker import LATENCY
from cloudbang.monitoring.slabs import STEP, Store

POINTS, MOST_POINTS = 300, 2_000
OLDEST_FOR = 60  # seconds for which what is kept is not looked up again
SPAN = 300  # seconds, where nobody says since when
MEMORY = 1
TIERS = (10, 60, 600)
READ = (*TIERS, 7_200)  # the coarsest says nothing that 600 s do not, in a tenth of the time

WIDTHS = (
    *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800),
    *(3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 604_800),
)
"""Seconds of a point: each tier, and what people read off an axis."""

Point = tuple[int, float | None, float | None, float | None]


class Asked(NamedTuple):
    """``names`` empty: all there are; one that ends in ``.*``: those that begin so."""

    app: str
    names: Sequence[str] = ()
    since: int | None = None
    until: int | None = None
    points: int = POINTS
    instances: bool = False


class Kept(NamedTuple):
    """For how many seconds each tier is kept."""

    fine: int = 48 * 3_600
    middle: int = 14 * 86_400


class Query:
    """Answers from memory where that has all that is asked, else from the disk with the end from
    memory."""

    def __init__(
        self,
        series: Series,
        store: Store,
        kept: Kept = Kept(),  # noqa: B008 - a frozen value
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._series, self._store, self._kept, self._clock = series, store, kept, clock
        self._oldest: dict[int, int | None] = {}
        self._oldest_at = 0

    def answer(self, asked: Asked) -> dict[str, Any]:
        """``since``, ``until``, ``kept`` and ``series`` as docs/protocols/metrics.md has them.
        Raises StorageFailed."""
        now = self._until_now()
        until = min(asked.until, now) if asked.until is not None else now
        since = asked.since if asked.since is not None else until - SPAN
        since = max(min(since, until - 1), 0)
        tier = self._tier(since, now)
        plans = [
            plan
            for key in self._keys(asked)
            if (plan := self._plan(key, since, until, tier, asked))
        ]
        made = self._read(plans, since, until)
        return {"since": since, "until": until, "kept": tier, "series": made}

    def side(
        self, app: str, names: Sequence[str], since: int, until: int, *, coarse: bool = False
    ) -> Side:
        """What is kept of an app as a whole, of what lies wholly between two times: never finer than
        10 s, or as ``coarse`` as it is kept, without what is distributed. Raises StorageFailed."""
        now = self._until_now()
        width = TIERS[-1] if coarse else max(self._tier(since, now), STEP)
        begin, end = -(-since // width) * width, min(until, now) // width * width
        if end <= begin:
            return Side(begin, begin, width)
        found = self._from_disk([SeriesKey(app, name) for name in names], begin, end, width)
        latency: Histogram | None = None
        if not coarse:
            parts = self._histograms(SeriesKey(app, LATENCY), begin, end, width)
            (latency,) = _merged(parts, len(parts))
        return Side(
            *(begin, end, width),
            {key.name: values for key, values in found.items()},
            latency,
            {name: OF_APPS[name].step for name in names},
        )

    def means(
        self, app: str, names: Sequence[str], since: int, until: int, width: int
    ) -> dict[str, list[float | None]]:
        """Of what is kept of an app as a whole the mean of each ``width`` seconds: a multiple of 10, as
        both times are of it. Raises StorageFailed."""
        keys = [SeriesKey(app, name) for name in names]
        return {k.name: v for k, v in self.means_of(keys, since, until, width).items()}

    def means_of(
        self, keys: Sequence[SeriesKey], since: int, until: int, width: int
    ) -> dict[SeriesKey, list[float | None]]:
        """The same of any series. Raises StorageFailed."""
        found = self._from_disk(keys, since, until, width)
        return {k: [None if p is None else p.mean for p in parts] for k, parts in found.items()}

    def keys(self, app: str, names: Collection[str]) -> list[SeriesKey]:
        """The series of these names of which something is kept."""
        return [key for key in self._store.series_of(app) if key.name in names]

    def distributed(
        self, key: SeriesKey, since: int, until: int, width: int
    ) -> list[Histogram | None]:
        """How it was distributed in each ``width`` seconds, as above. Raises StorageFailed."""
        return self._histograms(key, since, until, width)

    def _until_now(self) -> int:
        """A second that nobody can have measured yet is no gap."""
        now, newest = int(self._clock()), self._series.newest
        return newest + 1 if newest <= now < newest + 4 else now + 1

    def _tier(self, since: int, now: int) -> int:
        """The finest that is kept of this time."""
        began = self._series.began
        if began and since >= max(now - KEPT, began):
            return MEMORY
        for (tier, coarser), seconds in zip(pairwise(TIERS), self._kept, strict=True):
            if since >= now - seconds and not self._was_cut(tier, coarser, since, now):
                return tier
        return TIERS[-1]

    def _was_cut(self, tier: int, coarser: int, since: int, now: int) -> bool:
        """Whether a tier has lost, for want of room, what the coarser one still has."""
        if abs(now - self._oldest_at) > OLDEST_FOR:
            self._oldest_at = now
            self._oldest = {step: self._store.oldest(step) for step in TIERS}
        fine, coarse = self._oldest[tier], self._oldest[coarser]
        return coarse is not None and (fine is None or since < fine) and coarse + coarser <= since

    # --- which series --------------------------------------------------------------------------

    def _keys(self, asked: Asked) -> list[SeriesKey]:
        """Of those in memory and on the disk, what was asked for; in order."""
        found = dict.fromkeys(self._store.series_of(asked.app))
        if (live := self._series.of(asked.app)) is not None:
            for name, labels, _ in live.series():
                plain = tuple(one for one in labels if one[0] != "quantile")
                found[SeriesKey(asked.app, name, plain)] = None
        return sorted(
            key
            for key in found
            if (asked.instances or key.name not in OF_APPS or not _is_an_instances(key))
            and (not asked.names or _is_named(key.name, asked.names))
        )

    def _plan(
        self, key: SeriesKey, since: int, until: int, tier: int, asked: Asked
    ) -> _Plan | None:
        metric = (OF_NODES if key.app == NODE else OF_APPS).get(key.name)
        step = metric.step if metric else OWN_STEP
        end = until
        if step >= STEP:
            # What programs send is here before the second that it is of is measured.
            now = int(self._clock()) + 1
            end = now if asked.until is None else max(end, min(asked.until, now))
        width = _width(since, end, max(tier, step), asked.points)
        begin = since - since % width
        return _Plan(key, metric, step, width, begin, end, memory=tier == MEMORY and step < STEP)

    # --- their points --------------------------------------------------------------------------

    def _read(self, plans: Iterable[_Plan], since: int, until: int) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        from_disk: dict[tuple[int, int, int], list[_Plan]] = {}
        for plan in plans:
            if not plan.memory:
                from_disk.setdefault((plan.begin, plan.end, plan.width), []).append(plan)
        read: dict[SeriesKey, list[Aggregate | None]] = {}
        for (begin, end, width), group in from_disk.items():
            read |= self._from_disk([plan.key for plan in group], begin, end, width)
        for plan in plans:
            if plan.memory:
                told.append(self._told(plan, _points(plan, self._from_memory(plan))))
                continue
            found = read[plan.key]
            if any(one is not None for one in found):
                told.append(self._told(plan, _points(plan, found)))
            elif self._is_distributed(plan):
                told += self._quantiles(plan)
            elif plan.metric is not None:
                told.append(self._told(plan, _points(plan, found)))
        return told

    def _from_memory(self, plan: _Plan) -> list[Aggregate | None]:
        series = self._series.of(plan.key.app)
        ring = series.ring_of(plan.key.name, plan.key.labels) if series else None
        if ring is None:
            return [None] * plan.size
        return in_widths(ring, plan.begin, plan.end, plan.width)

    def _from_disk(
        self, keys: Sequence[SeriesKey], begin: int, end: int, width: int
    ) -> dict[SeriesKey, list[Aggregate | None]]:
        """What is kept, and where the disk may not have it yet what is in memory."""
        whole, fine = self._seam(begin, end, width)
        tier = max(tier for tier in READ if width % tier == 0)
        found: dict[SeriesKey, list[Aggregate | None]] = {key: [] for key in keys}
        if begin < whole:
            # Put together where it is read: 90 days are 13,000 parts of each series.
            found |= self._store.read(keys, begin, whole, tier, width // tier)
        if whole < end:
            ends = self._store.read(keys, whole, max(fine, whole), STEP) if whole < fine else {}
            for key in keys:
                parts = list(ends.get(key, []))
                for at in range(max(fine, whole), end, STEP):
                    parts.append(self._series.slabs.memory_of(key, at))
                found[key] += _together(parts, width // STEP)
        return found

    def _seam(self, begin: int, end: int, width: int) -> tuple[int, int]:
        """Until when coarse parts are read, and until when those of 10 s."""
        # Before the first second is measured memory may have what programs sent in this one.
        written = self._series.slabs.unwritten() or (end - 1) // STEP * STEP
        fine = min(max(written, begin), end + STEP)
        return max(begin, min(fine // width * width, end)), fine // STEP * STEP

    def _is_distributed(self, plan: _Plan) -> bool:
        if plan.metric is not None:
            return plan.key.name == LATENCY
        return True  # of its own metrics nobody else knows

    def _histograms(
        self, key: SeriesKey, begin: int, end: int, width: int
    ) -> list[Histogram | None]:
        """The same as :meth:`_from_disk` of what is distributed."""
        whole, fine = self._seam(begin, end, width)
        tier = max(tier for tier in READ if width % tier == 0)
        found: list[Histogram | None] = []
        if begin < whole:
            found = self._store.read_histograms(key, begin, whole, tier, width // tier)
        if whole < end:
            parts = []
            if whole < fine:
                parts = self._store.read_histograms(key, whole, fine, STEP)
            for at in range(max(fine, whole), end, STEP):
                parts.append(self._series.slabs.histogram_of(key, at))
            found += _merged(parts, width // STEP)
        return found

    def _quantiles(self, plan: _Plan) -> list[dict[str, Any]]:
        key, width = plan.key, plan.width
        found = self._histograms(key, plan.begin, plan.end, width)
        if not any(found) and plan.metric is None:
            return []
        told = []
        for q in QUANTILES:
            points: list[Point] = []
            for index, one in enumerate(found[: plan.size]):
                value = _number(one.quantile(q)) if one else None
                points.append((plan.begin + index * width, value, value, value))
            labels = tuple(sorted((*key.labels, ("quantile", f"{q:g}"))))
            told.append(self._told(plan, points, labels))
        return told

    def _told(
        self, plan: _Plan, points: list[Point], labels: Labels | None = None
    ) -> dict[str, Any]:
        return {
            "name": plan.key.name,
            "unit": self.unit_of(plan.key),
            "labels": dict(plan.key.labels if labels is None else labels),
            "step": plan.step,
            "width": plan.width,
            "points": points,
        }

    def unit_of(self, key: SeriesKey) -> str:
        metric = (OF_NODES if key.app == NODE else OF_APPS).get(key.name)
        return metric.unit if metric else self._store.unit_of(key) or "1"


class _Plan(NamedTuple):
    """One series: from ``begin``, a multiple of ``width``, until before ``end``."""

    key: SeriesKey
    metric: Metric | None
    step: int
    width: int
    begin: int
    end: int
    memory: bool

    @property
    def size(self) -> int:
        return -(-(self.end - self.begin) // self.width)


def in_widths(ring: Ring, begin: int, end: int, width: int) -> list[Aggregate | None]:
    """What a ring has of each ``width`` that begins in ``[begin, end)``."""
    return [ring.aggregate(at, at + width) for at in range(begin, end, width)]


def _width(since: int, until: int, least: int, points: int) -> int:
    for width in WIDTHS:
        if width >= least and -(-until // width) - since // width <= points:
            return width
    width = WIDTHS[-1]
    while -(-until // width) - since // width > points:
        width *= 2
    return width


def _is_an_instances(key: SeriesKey) -> bool:
    return any(name == "container" for name, _ in key.labels)


def _is_named(name: str, names: Sequence[str]) -> bool:
    return any(
        name == one or (one.endswith(".*") and name.startswith(one.removesuffix("*")))
        for one in names
    )


def _together(parts: Sequence[Aggregate | None], count: int) -> list[Aggregate | None]:
    """Each ``count`` of them in one."""
    if count == 1:
        return list(parts)
    found: list[Aggregate | None] = []
    for at in range(0, len(parts), count):
        made: Aggregate | None = None
        for one in parts[at : at + count]:
            made = made + one if made and one else made or one
        found.append(made)
    return found


def _merged(parts: Sequence[Histogram | None], count: int) -> list[Histogram | None]:
    found: list[Histogram | None] = []
    for at in range(0, len(parts), count):
        made: Histogram | None = None
        for one in parts[at : at + count]:
            if one is not None:
                made = made or Histogram()
                made.merge(one)
        found.append(made)
    return found


def _points(plan: _Plan, found: Sequence[Aggregate | None]) -> list[Point]:
    told: list[Point] = []
    at = plan.begin
    for one in found[: plan.size]:
        if one is None:
            told.append((at, None, None, None))
        else:
            told.append((at, _number(one.least), _number(one.mean), _number(one.most)))
        at += plan.width
    return told


def _number(value: float | None) -> float | None:
    """As many digits as are meant, so that answers are no larger than they must be."""
    if value is None:
        return None
    if abs(value) >= 1e6:
        return round(value)
    return float(f"{value:.6g}")
