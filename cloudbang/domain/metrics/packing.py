"""Some time of one series, packed into bytes.

Little-endian throughout, as every machine that this runs on is. What is packed here is compressed
by who keeps it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate, chain, repeat
from operator import add, floordiv, mul, sub

from cloudbang.domain.metrics.points import FLOATING, Points


class Damaged(ValueError):
    """Bytes that nothing here can have packed."""


# -- blocks: some time of one series
#
# A version, how many steps there are and in which of them something was measured; then by column
# what was: how many samples; the mean of these, rounded down, and what its multiple lacks of the
# total; how far below the mean the least is, and how far above it the most. Of a column that never
# changes only what it is; else each number, or how far it is from the one before, in as few bytes
# as all fit into, the lowest bytes of all first: those above hardly change, and are packed to nothing.

_BLOCK_VERSION = 1
_CONSTANT, _PLAIN, _DELTA = range(3)
_DECIMALS = (0, 1, 2, 3, 6, 9, 12, 15)
_IN_DOUBLES = 255  # in place of decimals
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_WIDTHS = (0, 1, 2, 4, 4, 8, 8, 8, 8)  # by how many bytes are needed
_WIDEST = 2**62


def pack_points(points: Points, scale: float) -> bytes:
    """Of one series whose numbers are of this scale."""
    out = bytearray((_BLOCK_VERSION,))
    _put_presence(out, points.samples)
    if not all(points.samples):
        columns = (points.samples, points.totals, points.leasts, points.mosts)
        kept = [row for row in zip(*columns, strict=True) if row[0]]
        if not kept:
            return bytes(out)
        points = Points(*(list(column) for column in zip(*kept, strict=True)))
    if scale == FLOATING:
        decimals = _decimals(points)
        out.append(decimals)
        if decimals == _IN_DOUBLES:
            _put_column(out, points.samples)
            for doubles in (points.totals, points.leasts, points.mosts):
                _put_doubles(out, doubles)
            return bytes(out)
        points = _multiplied(points, 10**decimals)
    _put_columns(out, points, scale)
    return bytes(out)


def _put_columns(out: bytearray, points: Points, scale: float) -> None:
    samples, totals = points.samples, points.totals
    means = list(map(floordiv, totals, samples))
    _put_column(out, samples)
    _put_column(out, means)
    _put_column(out, list(map(sub, totals, map(mul, means, samples))))
    _put_column(out, list(map(sub, means, points.leasts)))
    if not _says_most(samples, scale):
        _put_column(out, list(map(sub, points.mosts, means)))


def _says_most(samples: Sequence[int], scale: float) -> bool:
    """Of two samples the sum and one say what the other is; not where each number was shortened by
    itself, as those are whose scale nobody knows."""
    return scale != FLOATING and max(samples) <= 2


def unpack_points(data: bytes, scale: float) -> Points:
    """What ``pack_points`` gave. Raises Damaged."""
    try:
        return _unpack_points(_Reader(data), scale)
    except (IndexError, ValueError, OverflowError, MemoryError) as e:
        raise Damaged(f"a block that says nothing: {e}") from e


def _unpack_points(source: _Reader, scale: float) -> Points:
    if source.byte() != _BLOCK_VERSION:
        raise Damaged("a block of another form")
    steps, runs = _presence(source)
    count = sum(size for _, size in runs)
    points = Points.nothing(0)
    if count:
        decimals = source.byte() if scale == FLOATING else 0
        if decimals == _IN_DOUBLES:
            columns = [list(_column(source, count)), *(_doubles(source, count) for _ in range(3))]
            points = Points(*columns)  # type: ignore[arg-type]
        else:
            points = _columns(source, count, scale)
            if scale == FLOATING:
                points = _divided(points, 10**decimals)
    if source.left():
        raise Damaged("a block with something behind it")
    if count == steps:
        return points
    spread, at = Points.nothing(steps), 0
    for start, size in runs:
        spread.lay(points[at : at + size], start)
        at += size
    return spread


def _columns(source: _Reader, count: int, scale: float) -> Points:
    samples, means = _column(source, count), _column(source, count)
    lacking, below = _column(source, count), _column(source, count)
    above: Sequence[int]
    if _says_most(samples, scale):
        above = [b + (r if s == 2 else 0) for b, r, s in zip(below, lacking, samples, strict=True)]
    else:
        above = _column(source, count)
    totals = map(mul, means, samples)
    # Most of what is measured hardly moves: then these are nothing but zeros, and quickly seen.
    return Points(
        list(samples),
        list(map(add, totals, lacking) if any(lacking) else totals),
        list(map(sub, means, below) if any(below) else means),
        list(map(add, means, above) if any(above) else means),
    )


def _put_presence(out: bytearray, samples: Sequence[int]) -> None:
    """How many steps there are, and the lengths of what is there and what is not, in turns."""
    _put_number(out, len(samples))
    runs, last = [0], True
    for n in samples:
        if bool(n) != last:
            runs.append(0)
            last = not last
        runs[-1] += 1
    _put_number(out, len(runs))
    for run in runs[:-1]:
        _put_number(out, run)


def _presence(source: _Reader) -> tuple[int, list[tuple[int, int]]]:
    steps, count = source.number(), source.number()
    if steps > 100_000 or not 1 <= count <= steps + 1:
        raise Damaged("a block of too many steps")
    sizes = [source.number() for _ in range(count - 1)]
    sizes.append(steps - sum(sizes))
    if sizes[-1] < 0:
        raise Damaged("a block whose steps are not as many as it says")
    starts = accumulate(chain((0,), sizes[:-1]))
    return steps, [
        (start, size)
        for n, (start, size) in enumerate(zip(starts, sizes, strict=True))
        if size and not n % 2
    ]


def _put_column(out: bytearray, numbers: Sequence[int]) -> None:
    first, low, high = numbers[0], min(numbers), max(numbers)
    if low == high:
        out.append(_CONSTANT)
        _put_signed(out, low)
        return
    steps = list(map(sub, numbers[1:], numbers))
    middle = (low + high) // 2
    near = high - low < _WIDEST // 2  # else a step might not go into 64 bits
    if near and sum(map(abs, steps)) < sum(map(abs, map(sub, numbers, repeat(middle)))):
        out.append(_DELTA)
        _put_signed(out, first)
        # What is between -128 and 127 has the same upper bytes, whatever else there is.
        low = (min(steps) + 128) // 256 * 256 - 128
        numbers = steps
    else:
        out.append(_PLAIN)
        if low > 0 and _bytes_of(high) == _bytes_of(high - low):
            low = 0  # nothing to be added again
    _put_signed(out, low)
    above = list(map(sub, numbers, repeat(low)))
    need = _bytes_of(max(above))
    width = _WIDTHS[need]
    raw = array(_CODES[width], above).tobytes()
    out.append(need)
    for plane in range(need):
        out += raw[plane::width]


def _bytes_of(number: int) -> int:
    return (number.bit_length() + 7) // 8


def _column(source: _Reader, count: int) -> Sequence[int]:
    kind, value = source.byte(), source.signed()
    if kind == _CONSTANT:
        return [value] * count
    if kind not in (_PLAIN, _DELTA):
        raise Damaged("a column of another form")
    low = source.signed() if kind == _DELTA else value
    need = source.byte()
    if not 1 <= need <= 8:
        raise Damaged("a column of no width")
    size = count - (kind == _DELTA)
    above: Sequence[int] = source.take(size)  # of one byte each they are what they are
    if need > 1:
        width = _WIDTHS[need]
        raw = bytearray(size * width)
        raw[::width] = above
        for plane in range(1, need):
            raw[plane::width] = source.take(size)
        above = array(_CODES[width], bytes(raw))
    if kind == _PLAIN:
        return list(map(add, above, repeat(low))) if low else above
    return list(accumulate(map(add, above, repeat(low)), initial=value))


def _put_doubles(out: bytearray, numbers: Sequence[float]) -> None:
    raw = array("d", numbers).tobytes()
    for plane in range(8):
        out += raw[plane::8]


def _doubles(source: _Reader, count: int) -> list[float]:
    raw = bytearray(count * 8)
    for plane in range(8):
        raw[plane::8] = source.take(count)
    return list(array("d", bytes(raw)))


def _decimals(points: Points) -> int:
    """With how many all of them are whole; ``_IN_DOUBLES`` where that is not so."""
    columns = (points.totals, points.leasts, points.mosts)
    largest = max(max(map(abs, column)) for column in columns)
    for decimals in _DECIMALS:
        times = 10**decimals
        if largest * times > _WIDEST:
            break
        if all(round(v * times) / times == v for column in columns for v in column):
            return decimals
    return _IN_DOUBLES


def _multiplied(points: Points, times: int) -> Points:
    columns = (points.totals, points.leasts, points.mosts)
    whole = [[round(v * times) for v in column] for column in columns]
    return Points(points.samples, *whole)  # type: ignore[arg-type]


def _divided(points: Points, times: int) -> Points:
    columns = (points.totals, points.leasts, points.mosts)
    return Points(points.samples, *([v / times for v in column] for column in columns))


def pack_some(things: Sequence[bytes | None]) -> bytes:
    """Packed things of one series, one a step: its histograms."""
    out = bytearray((_BLOCK_VERSION,))
    _put_number(out, len(things))
    for thing in things:
        _put_number(out, len(thing) if thing else 0)
    for thing in things:
        out += thing or b""
    return bytes(out)


def unpack_some(data: bytes) -> list[bytes | None]:
    """What ``pack_some`` gave. Raises Damaged."""
    try:
        source = _Reader(data)
        if source.byte() != _BLOCK_VERSION:
            raise Damaged("a block of another form")
        count = source.number()
        if count > 100_000:
            raise Damaged("a block of too many steps")
        sizes = [source.number() for _ in range(count)]
        found = [source.take(size) if size else None for size in sizes]
    except IndexError as e:
        raise Damaged("a block that is cut off") from e
    if source.left():
        raise Damaged("a block with something behind it")
    return found


class _Reader:
    """Bytes from the front on. Raises IndexError where there are none left."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def left(self) -> int:
        return len(self._data) - self._at

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def take(self, size: int) -> bytes:
        if size > self.left():
            raise IndexError("it is cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self) -> int:
        found = shift = 0
        while (byte := self.byte()) & 128:
            found |= (byte & 127) << shift
            shift += 7
            if shift > 70:
                raise Damaged("a number that does not end")
        return found | byte << shift

    def signed(self) -> int:
        number = self.number()
        return -(number >> 1) - 1 if number & 1 else number >> 1


def _put_number(out: bytearray, number: int) -> None:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)


def _put_signed(out: bytearray, number: int) -> None:
    _put_number(out, number << 1 if number >= 0 else (-number << 1) - 1)
