"""Numbers of series as they are kept: multiples of what a metric's scale says, packed.

Little-endian throughout, as every machine that this runs on is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from math import inf, isfinite
from struct import Struct
from typing import NamedTuple

from cloudbang.domain.metrics.series import Aggregate

FLOATING = 0.0
"""The scale of a series whose values nobody knows beforehand: they are kept as they came."""

Kept = tuple[int, float, float, float]
"""Samples, total, least, most: whole numbers of the scale's multiples, or of ``FLOATING`` any."""

_HIGHEST = 2**62  # of a multiple; what is beyond is a mistake, and would not go into 64 bits


class Damaged(ValueError):
    """Bytes that nothing here can have packed."""


def to_scale(value: Aggregate, scale: float) -> Kept | None:
    """An aggregate as it is kept; None of what is no number, or absurdly large."""
    samples, total, least, most = value
    if not (isfinite(total) and isfinite(least) and isfinite(most)) or samples < 1:
        return None
    if scale == FLOATING:
        return samples, total, least, most
    each = 1 / scale
    low, high = round(least * each), round(most * each)
    if not (low > -_HIGHEST and high < _HIGHEST and abs(total) * each < _HIGHEST):
        return None
    if samples == 1:
        return 1, low, low, low
    # Of two samples the sum says nothing that they do not: kept so, it takes no room.
    return samples, (low + high if samples == 2 else round(total * each)), low, high


def from_scale(kept: Kept, scale: float) -> Aggregate:
    """The aggregate again, each number at most half the scale off."""
    samples, total, least, most = kept
    if scale == FLOATING or scale == 1:
        return Aggregate(samples, float(total), float(least), float(most))
    if scale < 1:
        parts = round(1 / scale)  # dividing gives 0.3, where a product gives 0.30000000000000004
        return Aggregate(samples, total / parts, least / parts, most / parts)
    return Aggregate(samples, total * scale, least * scale, most * scale)


class Points:
    """One series over some steps, one entry each; a step in which nothing was measured has no
    samples."""

    __slots__ = ("leasts", "mosts", "samples", "totals")

    def __init__(
        self, samples: list[int], totals: list[float], leasts: list[float], mosts: list[float]
    ) -> None:
        self.samples, self.totals, self.leasts, self.mosts = samples, totals, leasts, mosts

    @classmethod
    def nothing(cls, steps: int) -> Points:
        return cls([0] * steps, [0] * steps, [inf] * steps, [-inf] * steps)

    def __len__(self) -> int:
        return len(self.samples)

    def __bool__(self) -> bool:
        return any(self.samples)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Points):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, steps: slice) -> Points:
        return Points(
            self.samples[steps], self.totals[steps], self.leasts[steps], self.mosts[steps]
        )

    def put(self, step: int, kept: Kept) -> None:
        self.samples[step], self.totals[step], self.leasts[step], self.mosts[step] = kept

    def lay(self, other: Points, at: int) -> None:
        """What ``other`` has stands from here on, its first step at ``at``; where it has nothing,
        or reaches beyond, all stays as it is."""
        if at < 0:
            other, at = other[-at:], 0
        other = other[: max(len(self) - at, 0)]
        if all(other.samples):
            to = slice(at, at + len(other))
            self.samples[to], self.totals[to] = other.samples, other.totals
            self.leasts[to], self.mosts[to] = other.leasts, other.mosts
            return
        for step, samples in enumerate(other.samples, at):
            if samples:
                n = step - at
                self.put(step, (samples, other.totals[n], other.leasts[n], other.mosts[n]))

    def rolled(self, steps: int) -> Points:
        """So many steps as one, from sums and counts; the last may be of fewer."""
        starts = range(0, len(self), steps)
        return Points(
            [sum(self.samples[i : i + steps]) for i in starts],
            [sum(self.totals[i : i + steps]) for i in starts],
            [min(self.leasts[i : i + steps]) for i in starts],
            [max(self.mosts[i : i + steps]) for i in starts],
        )

    def aggregates(self, scale: float) -> list[Aggregate | None]:
        columns = zip(self.samples, self.totals, self.leasts, self.mosts, strict=True)
        return [from_scale(kept, scale) if kept[0] else None for kept in columns]


# -- slabs: one moment of all series

_SLAB = Struct("<BII")  # version, series of whole numbers, series of any
_SLAB_VERSION = 1


class Slab(NamedTuple):
    """One moment, by column: ``ids`` first of those that are whole numbers, then of the others."""

    ids: array[int]
    samples: array[int]
    whole: tuple[array[int], array[int], array[int]]
    floating: tuple[array[float], array[float], array[float]]

    def at(self, index: int) -> Kept:
        """Of the series whose id is at ``index``."""
        whole = len(self.whole[0])
        columns, n = (self.whole, index) if index < whole else (self.floating, index - whole)
        return self.samples[index], columns[0][n], columns[1][n], columns[2][n]


def pack_slab(points: Iterable[tuple[int, Kept, bool]]) -> bytes:
    """Of ``(id, kept, whether it floats)``."""
    ordered = sorted(points, key=lambda point: (point[2], point[0]))
    floating = sum(1 for point in ordered if point[2])
    whole = len(ordered) - floating
    out = [_SLAB.pack(_SLAB_VERSION, whole, floating)]
    out.append(array("I", [point[0] for point in ordered]).tobytes())
    out.append(array("I", [point[1][0] for point in ordered]).tobytes())
    for code, part in (("q", ordered[:whole]), ("d", ordered[whole:])):
        for column in (1, 2, 3):
            out.append(array(code, [point[1][column] for point in part]).tobytes())
    return b"".join(out)


def unpack_slab(data: bytes) -> Slab:
    """What ``pack_slab`` gave. Raises Damaged."""
    if len(data) < _SLAB.size:
        raise Damaged("a slab that is cut off")
    version, whole, floating = _SLAB.unpack_from(data)
    if version != _SLAB_VERSION or len(data) != _SLAB.size + 32 * (whole + floating):
        raise Damaged("a slab of another form")
    at = _SLAB.size

    def column(code: str, count: int) -> array[int]:
        nonlocal at
        made: array[int] = array(code)
        size = made.itemsize * count
        made.frombytes(data[at : at + size])
        at += size
        return made

    ids, samples = column("I", whole + floating), column("I", whole + floating)
    of_whole = (column("q", whole), column("q", whole), column("q", whole))
    of_floating = (column("d", floating), column("d", floating), column("d", floating))
    return Slab(ids, samples, of_whole, of_floating)  # type: ignore[arg-type]


# -- packed things by id: the histograms of one moment


def pack_by_id(things: Mapping[int, bytes]) -> bytes:
    ids = sorted(things)
    head = array("I", [len(ids), *ids, *(len(things[i]) for i in ids)])
    return head.tobytes() + b"".join(things[i] for i in ids)


def unpack_by_id(data: bytes) -> dict[int, bytes]:
    """What ``pack_by_id`` gave. Raises Damaged."""
    count = int.from_bytes(data[:4], "little")
    if len(data) < 4 + 8 * count:
        raise Damaged("a list that is cut off")
    head: array[int] = array("I")
    head.frombytes(data[4 : 4 + 8 * count])
    at, found = 4 + 8 * count, {}
    for number, size in zip(head[:count], head[count:], strict=True):
        found[number] = data[at : at + size]
        at += size
    if at != len(data):
        raise Damaged("a list whose lengths are wrong")
    return found
