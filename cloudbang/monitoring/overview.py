"""What a page of all apps is given: a small picture of each, packed."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Iterable

from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.series import SeriesKey
from cloudbang.monitoring.series import COLUMNS, Series
from cloudbang.monitoring.slabs import STEP

POINTS = 30  # of a picture: five minutes by 10 s
MOST = 32_767
NOTHING = -1

Spark = tuple[float, str]
"""What one step is, and the steps."""


class Sparks:
    """Of each app, and of the node, the pictures of the columns. Made once for each 10 s, for all
    who look."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._end = 0
        self._made: dict[str, list[Spark]] = {}

    def of(self, app: str) -> list[Spark]:
        end = self._series.newest // STEP * STEP
        if end != self._end:
            self._end, self._made = end, {}
        found = self._made.get(app)
        if found is None:
            found = self._made[app] = [
                pack(self._means(SeriesKey(app, name), end)) for name in COLUMNS
            ]
        return found

    def node(self) -> list[Spark]:
        return self.of(NODE)

    def _means(self, key: SeriesKey, end: int) -> list[float | None]:
        series = self._series.of(key.app)
        ring = series.ring_of(key.name, key.labels) if series else None
        if ring is None:
            return [None] * POINTS
        since = end - POINTS * STEP
        values = ring.between(since, end)
        size = STEP // ring.step
        return [_mean(values[at : at + size]) for at in range(0, len(values), size)]


def pack(values: Iterable[float | None]) -> Spark:
    """As docs/protocols/metrics.md has it."""
    found = list(values)
    most = max((value for value in found if value is not None), default=0.0)
    scale = most / MOST if most > 0 else 1.0
    steps = [NOTHING if value is None else round(max(value, 0.0) / scale) for value in found]
    packed = struct.pack(f"<{len(steps)}h", *steps)
    return float(f"{scale:.6g}"), b64encode(packed).decode()


def _mean(values: list[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
