"""How long things took, as counts in buckets, from which any percentile is read to 1.1 %.

OpenTelemetry's exponential buckets of scale 5: each is 2^(2^-5) times as wide as the one before, so
what is said of a value in it is off by 1.083 % at most. Two histograms are put together by adding
their counts, which loses nothing, however often and in whatever order. A percentile of a day is
therefore as exact as one of ten seconds; percentiles themselves are never averaged.
"""

from __future__ import annotations

from bisect import bisect_right
from math import ceil, frexp, isfinite, ldexp
from struct import Struct

SCALE = 5
_EACH = 1 << SCALE  # buckets between a number and its double
_BOUNDS = [2.0 ** (i / _EACH - 1) for i in range(_EACH)]  # of a mantissa, which is in [0.5, 1)

RELATIVE_ERROR = (2.0 ** (1 / _EACH) - 1) / (2.0 ** (1 / _EACH) + 1)

# What is smaller is zero; what is larger is in the last bucket. In seconds: 54 zs to 584 Ga. They
# bound how many buckets there can be, whatever values come.
LEAST_EXPONENT, MOST_EXPONENT = -63, 64
_SMALLEST, _LARGEST = ldexp(0.5, LEAST_EXPONENT), ldexp(1.0, MOST_EXPONENT)
_FIRST, _LAST = LEAST_EXPONENT * _EACH, MOST_EXPONENT * _EACH + _EACH - 1

_VERSION = 1
_HEAD = Struct("<Bd")  # version, total


def index_of(value: float) -> int:
    """The bucket of a value that is not negative and finite; ``ValueError`` of any other. What
    counts as zero is in the one below the first."""
    if value < 0 or not isfinite(value):
        raise ValueError(f"a histogram takes no {value}")
    if value < _SMALLEST:
        return _FIRST - 1
    mantissa, exponent = frexp(value)
    return min(exponent * _EACH + bisect_right(_BOUNDS, mantissa) - 1, _LAST)


def bounds_of(index: int) -> tuple[float, float]:
    """A bucket's lower bound, which is in it, and its upper one, which is not."""
    if index < _FIRST:
        return 0.0, _SMALLEST
    return _lower(index), _lower(index + 1)


def value_of(index: int) -> float:
    """What is said of a value in this bucket: that from which both bounds are equally far, as a
    share of themselves."""
    if index < _FIRST:
        return 0.0
    low, high = bounds_of(index)
    return 2 * low * high / (low + high)


def _lower(index: int) -> float:
    exponent, step = divmod(index, _EACH)
    return ldexp(_BOUNDS[step], exponent)


class Histogram:
    """Values that are not negative, in seconds or whatever unit. ``count`` of them, ``total`` of
    all; only buckets in which something is take room."""

    __slots__ = ("_counts", "count", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total = 0.0

    def add(self, value: float, n: int = 1) -> None:
        """``n`` times this value. ``ValueError`` where it is negative, infinite or no number."""
        index = index_of(value)
        if n < 1:
            raise ValueError(f"a histogram takes no {n} values")
        self.add_at(index, value, n)

    def add_at(self, index: int, value: float, n: int = 1) -> None:
        """The same of a value whose ``index_of`` is known, since it goes into several."""
        self._counts[index] = self._counts.get(index, 0) + n
        self.count += n
        self.total += min(value, _LARGEST) * n

    def merge(self, other: Histogram) -> None:
        """Takes over what the other has, which stays as it is. Exact."""
        mine = self._counts
        for index, n in other._counts.items():
            mine[index] = mine.get(index, 0) + n
        self.count += other.count
        self.total += other.total

    def take_away(self, other: Histogram) -> None:
        """Undoes a ``merge`` of the other: its counts exactly, the total but for rounding."""
        mine = self._counts
        for index, n in other._counts.items():
            left = mine.get(index, 0) - n
            if left > 0:
                mine[index] = left
            elif left == 0:
                del mine[index]
            else:
                raise ValueError("a histogram that was never added")
        self.count -= other.count
        self.total = max(self.total - other.total, 0.0) if self.count else 0.0

    def quantile(self, q: float) -> float | None:
        """The value that ``q`` of them (0 to 1) are not above, by nearest rank, at most
        ``RELATIVE_ERROR`` off; None where there are none."""
        if not self.count:
            return None
        rank = min(max(ceil(q * self.count), 1), self.count)
        for index, n in sorted(self._counts.items()):
            rank -= n
            if rank <= 0:
                return value_of(index)
        raise AssertionError("a histogram that counts more than it has")

    def buckets(self) -> list[tuple[float, float, int]]:
        """``(low, high, count)`` of those in which something is, smallest first."""
        return [(*bounds_of(index), n) for index, n in sorted(self._counts.items())]

    def indexes(self) -> list[tuple[int, int]]:
        """``(index, count)`` of the same, in no order."""
        return list(self._counts.items())

    def pack(self) -> bytes:
        """As it is kept: 9 bytes, then for each bucket how far it is from the last one and its
        count, each in as few bytes as it needs. Two that are equal give the same bytes."""
        out = bytearray(_HEAD.pack(_VERSION, self.total))
        last = _FIRST - 2
        for index, n in sorted(self._counts.items()):
            _put(out, index - last)
            _put(out, n)
            last = index
        return bytes(out)

    @classmethod
    def unpack(cls, packed: bytes) -> Histogram:
        """What ``pack`` gave. ``ValueError`` of anything that it cannot have given."""
        if len(packed) < _HEAD.size or packed[0] != _VERSION:
            raise ValueError("no packed histogram, or one of a newer version")
        made = cls()
        made.total = _HEAD.unpack_from(packed)[1]
        at, last = _HEAD.size, _FIRST - 2
        while at < len(packed):
            step, at = _get(packed, at)
            n, at = _get(packed, at)
            last += step
            if not step or not n or last > _LAST:
                raise ValueError("a packed histogram that is damaged")
            made._counts[last] = n
            made.count += n
        if not (isfinite(made.total) and made.total >= 0):
            raise ValueError("a packed histogram that is damaged")
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self._counts == other._counts and self.total == other.total

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Histogram({self.count} values, {self.total:.6g} in all)"


def _put(out: bytearray, number: int) -> None:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _get(packed: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(packed) and shift < 64:
        byte = packed[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError("a packed histogram that is damaged")
