"""Reading series out of the file. In a thread, within one transaction: what moves from one tier to
the next meanwhile is seen once."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Sequence

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.packing import Points, Slab
from cloudbang.storage.metrics import slabs
from cloudbang.storage.metrics.metrics_file import STEP


def read(
    connection: sqlite3.Connection, ids: Sequence[int], since: int, until: int, step: int
) -> dict[int, Points]:
    """Each step that begins in ``[since, until)``; both are multiples of it."""
    steps = (until - since) // STEP
    found = {number: Points.nothing(steps) for number in ids}
    for time, slab in slabs.points(connection, since, until):
        for number in ids:
            for index in _places(slab, number):
                found[number].put((time - since) // STEP, slab.at(index))
    if step == STEP:
        return found
    return {number: points.rolled(step // STEP) for number, points in found.items()}


def _places(slab: Slab, number: int) -> list[int]:
    """Where a series stands in a slab: nowhere or in one place."""
    whole = len(slab.whole[0])
    for low, high in ((0, whole), (whole, len(slab.ids))):
        index = bisect_left(slab.ids, number, low, high)
        if index < high and slab.ids[index] == number:
            return [index]
    return []


def read_histograms(
    connection: sqlite3.Connection, number: int, since: int, until: int, step: int
) -> list[Histogram | None]:
    """The histograms of one series, as :func:`read` has its numbers."""
    found: list[Histogram | None] = [None] * ((until - since) // step)
    for time, by_id in slabs.histograms(connection, since, until):
        if number in by_id:
            at = (time - since) // step
            found[at] = merged(found[at], by_id[number])
    return found


def merged(histogram: Histogram | None, packed: bytes) -> Histogram:
    other = Histogram.unpack(packed)
    if histogram is None:
        return other
    histogram.merge(other)
    return histogram
