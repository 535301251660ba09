"""One moment of all series, packed into bytes. Little-endian, as every machine that this runs on is."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import NamedTuple

from cloudbang.domain.metrics.packing import Damaged
from cloudbang.domain.metrics.points import Kept

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
