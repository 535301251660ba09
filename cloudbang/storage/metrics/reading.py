"""Reading series out of the file. In a thread, within one transaction: what moves from one tier to
the next meanwhile is seen once.

What is not rolled up yet is put together from the finer tier, so a coarse one is right at any moment.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.points import Points
from cloudbang.domain.metrics.slab_packing import Slab
from cloudbang.storage.metrics import slabs
from cloudbang.storage.metrics.blocks import Blocks
from cloudbang.storage.metrics.metrics_file import (
    HISTOGRAMS,
    SHAPES,
    STEP,
    TIERS,
    Kind,
    kind_of,
    row,
)

_COARSER = {SHAPES[kind].step: (kind, SHAPES[source].step) for kind, source in TIERS}
"""By step: what it is kept in, and by what step that which is not rolled up yet."""

Packed = list[bytes | None]


class Reading:
    """What is read in one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection, self._blocks = connection, Blocks(connection)
        self._damaged_slabs = 0
        self._rolled = dict(connection.execute("SELECT step, until FROM rolled"))

    @property
    def damaged(self) -> int:
        """Slabs and blocks that could not be read."""
        return self._damaged_slabs + self._blocks.damaged

    def _on_damaged(self) -> None:
        self._damaged_slabs += 1

    def points(
        self, scales: Mapping[int, float], since: int, until: int, step: int
    ) -> dict[int, Points]:
        """Each step that begins in ``[since, until)``, of series by id, with their scales. Both
        moments are multiples of it."""
        if step == STEP:
            return self._finest(scales, since, until)
        kind, finer = _COARSER[step]
        seam = self._seam(step, since, until)
        found = {number: Points.nothing((until - since) // step) for number in scales}
        self._lay_blocks(found, scales, kind, since, seam)
        if seam < until:
            rest = self.points(scales, seam, until, finer)
            for number, points in rest.items():
                found[number].lay(points.rolled(step // finer), (seam - since) // step)
        return found

    def histograms(self, number: int, since: int, until: int, step: int) -> Packed:
        """The same of the histograms of one series, packed."""
        found: Packed = [None] * ((until - since) // step)
        if step == STEP:
            for kind in (Kind.HOUR, Kind.PIECE):
                self._lay_histograms(found, number, kind, since, until)
            for time, by_id in slabs.histograms(self._connection, since, until, self._on_damaged):
                found[(time - since) // STEP] = by_id.get(number) or found[(time - since) // STEP]
            return found
        kind, finer = _COARSER[step]
        seam = self._seam(step, since, until)
        self._lay_histograms(found, number, kind, since, seam)
        if seam < until:
            rest = merged(self.histograms(number, seam, until, finer), step // finer)
            for at, packed in enumerate(rest, (seam - since) // step):
                found[at] = packed or found[at]
        return found

    def _seam(self, step: int, since: int, until: int) -> int:
        """Up to where a tier has everything."""
        end = min(self._rolled.get(one, 0) for one in _COARSER if one <= step)
        # What came late is in no tier yet, whatever was rolled up before.
        late = self._connection.execute(
            "SELECT min(time) FROM slabs WHERE time >= ?", (since,)
        ).fetchone()[0]
        if late is not None:
            end = min(end, late)
        return max(since, min(until, end // step * step))

    def _finest(self, scales: Mapping[int, float], since: int, until: int) -> dict[int, Points]:
        found = {number: Points.nothing((until - since) // STEP) for number in scales}
        for kind in (Kind.HOUR, Kind.PIECE):
            self._lay_blocks(found, scales, kind, since, until)
        for time, slab in slabs.points(self._connection, since, until, self._on_damaged):
            at = (time - since) // STEP
            for number, points in found.items():
                index = _place(slab, number)
                if index is not None:
                    points.put(at, slab.at(index))
        return found

    def _lay_blocks(
        self,
        found: Mapping[int, Points],
        scales: Mapping[int, float],
        kind: Kind,
        since: int,
        until: int,
    ) -> None:
        seconds, step = SHAPES[kind]
        for start in self._starts(kind, since, until):
            for number, points in found.items():
                block = self._blocks.points(row(kind, start, number), scales[number])
                if block is not None:
                    if start + seconds > until:
                        block = block[: (until - start) // step]
                    points.lay(block, (start - since) // step)

    def _lay_histograms(
        self, found: Packed, number: int, kind: Kind, since: int, until: int
    ) -> None:
        step = SHAPES[kind].step
        for start in self._starts(kind + HISTOGRAMS, since, until):
            block = self._blocks.histograms(row(kind + HISTOGRAMS, start, number)) or []
            for at, packed in enumerate(block, (start - since) // step):
                if packed and 0 <= at < (until - since) // step:
                    found[at] = packed

    def _starts(self, kind: int, since: int, until: int) -> Sequence[int]:
        seconds = SHAPES[kind_of(kind)].seconds
        return list(self._blocks.starts(kind, since - seconds + 1, until))


def _place(slab: Slab, number: int) -> int | None:
    """Where a series stands in a slab."""
    whole = len(slab.whole[0])
    for low, high in ((0, whole), (whole, len(slab.ids))):
        index = bisect_left(slab.ids, number, low, high)
        if index < high and slab.ids[index] == number:
            return index
    return None


def merged(packed: Packed, steps: int) -> Packed:
    """So many steps as one; of one alone nothing is unpacked."""
    found: Packed = []
    for start in range(0, len(packed), steps):
        some = [one for one in packed[start : start + steps] if one]
        if len(some) < 2:
            found.append(some[0] if some else None)
            continue
        whole = Histogram.unpack(some[0])
        for one in some[1:]:
            whole.merge(Histogram.unpack(one))
        found.append(whole.pack())
    return found
