"""How many different clients: exactly while they are few, within 2 % when they are many."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from math import inf, log, sqrt
from struct import Struct, error

WINDOW = 300  # seconds within which somebody is online
STEP = 10
MOST = 100_000  # clients that are counted exactly
TOLD = 20_000  # clients that are told of one by one at once
_AGAIN = 0.8  # of it, below which they are counted exactly again

_EXACT, _SKETCH = b"\1", b"\2"
_HASH = Struct("<Q")
_STEP = Struct("<I")  # when ten seconds begin
_CLIENT = 8 + 4  # bytes: a hash, and when it was seen

ERROR = 0.02  # how far off what is not exact is, nineteen times in twenty
FEW = 500  # hashes that are remembered one by one: half as much as the registers take, packed
BITS, DAY_BITS = 13, 14  # of registers: 1.04 / sqrt(2^13) is 1.15 %


def hash_of(client: str, salt: bytes) -> int:
    """64 bits that say nothing of the client to who has no salt."""
    made = blake2b(client.encode("utf-8", "replace"), key=salt, digest_size=8).digest()
    return int.from_bytes(made, "little")


class Distinct:
    """How many different hashes there were, and mergeable: exactly up to ``FEW``, which are remembered
    one by one; then in a byte for each of 2^``bits`` registers (HyperLogLog)."""

    __slots__ = ("_bits", "_few", "_registers")

    def __init__(self, bits: int = BITS, packed: bytes = b"") -> None:
        """``packed``: what ``bytes`` gave. ValueError for what it cannot have given."""
        self._bits = bits
        self._few: set[int] | None = None
        self._registers = bytearray()
        if len(packed) == 1 << bits and max(packed) <= 65 - bits:
            self._registers = bytearray(packed)
        elif len(packed) <= FEW * 8 and len(packed) % 8 == 0:
            self._few = {hashed for (hashed,) in _HASH.iter_unpack(packed)}
        else:
            raise ValueError("no packed count of clients")

    def add(self, hashed: int) -> None:
        """``hashed``: 64 bits."""
        if self._few is not None:
            self._few.add(hashed)
            if len(self._few) > FEW:
                self._estimate()
            return
        bits = self._bits
        at = hashed & ((1 << bits) - 1)
        rank = 65 - bits - (hashed >> bits).bit_length()
        if rank > self._registers[at]:
            self._registers[at] = rank

    def merge(self, other: Distinct) -> None:
        """Of the same ``bits``."""
        if other._few is not None:
            for hashed in other._few:
                self.add(hashed)
        else:
            self._estimate()
            self._registers = bytearray(map(max, self._registers, other._registers))

    def __bytes__(self) -> bytes:
        if self._few is not None:
            return b"".join(map(_HASH.pack, sorted(self._few)))
        return bytes(self._registers)

    @property
    def exact(self) -> bool:
        """Whether ``count`` is."""
        return self._few is not None

    def _estimate(self) -> None:
        """Remember none one by one any more."""
        few, self._few = self._few, None
        if few is not None:
            self._registers = bytearray(1 << self._bits)
            for hashed in few:
                self.add(hashed)

    def count(self) -> int:
        """Of more than a few by Otmar Ertl's estimator (arXiv 1702.01284, algorithm 6), which is as
        good for few as for many and needs no table of corrections."""
        if self._few is not None:
            return len(self._few)
        size, last = len(self._registers), 64 - self._bits
        having = [self._registers.count(rank) for rank in range(last + 2)]
        z = size * _tau(1 - having[last + 1] / size)
        for n in having[last:0:-1]:
            z = 0.5 * (z + n)
        z += size * _sigma(having[0] / size)
        return round(size * size / (2 * log(2) * z)) if z < inf else 0


def _sigma(x: float) -> float:
    if x == 1:
        return inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0, 1):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before, y = sqrt(x), z, y / 2
        z -= (1 - x) ** 2 * y
    return z / 3


class Online:
    """Different clients of the last 5 minutes; times in seconds, from any clock that goes on."""

    __slots__ = ("_changed", "_fresh", "_last", "_sketches", "_trying", "most")

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._last: dict[int, int] | None = {}  # hash -> when it was seen last, oldest first
        self._sketches: dict[int, Distinct] | None = None  # by ten seconds
        self._trying = 0  # since when they are counted exactly beside the sketches; 0: not
        self._fresh: set[int] = set()  # hashes, and
        self._changed: set[int] = set()  # ten seconds of sketches, that nobody was told of

    def __len__(self) -> int:
        """How many are remembered one by one."""
        return len(self._last or ())

    @property
    def exact(self) -> bool:
        return self._sketches is None

    def add(self, hashed: int, time: int) -> None:
        if self._sketches is not None:
            self._sketch(time).add(hashed)
            self._changed.add(time - time % STEP)
        last = self._last
        if last is None:
            return
        last.pop(hashed, None)
        last[hashed] = time
        self._fresh.add(hashed)
        if len(last) > self.most:
            self._prune(time)
            if len(last) > self.most:
                self.give_up()

    def give_up(self) -> None:
        """Remember nobody one by one any more: there are too many."""
        last, self._last, self._trying = self._last or {}, None, 0
        self._fresh.clear()
        if self._sketches is None:
            self._sketches = {}
            for hashed, time in last.items():
                self._sketch(time).add(hashed)
            self._changed.update(self._sketches)

    def move(self, by: int) -> None:
        """The clock was set by so many seconds: what passed since somebody was seen did not change."""
        if self._last:
            self._last = {hashed: time + by for hashed, time in self._last.items()}
        self._trying += by if self._trying else 0
        if self._sketches:
            before, self._sketches = self._sketches, {}
            for step, sketch in before.items():
                self._sketch(step + by).merge(sketch)
            self._changed = {(step + by) // STEP * STEP for step in self._changed}

    # -- over a restart

    def news(self) -> list[bytes]:
        """Who was seen since ``told``, packed, for ``load``; of very many only how many."""
        made = []
        last = self._last or {}
        seen = [hashed for hashed in self._fresh if hashed in last]
        if len(seen) > TOLD:
            sketches: dict[int, Distinct] = {}
            for hashed in seen:
                step = last[hashed] // STEP * STEP
                sketches.setdefault(step, Distinct()).add(hashed)
            made += [_packed(*one) for one in sketches.items()]
        elif seen:
            times = (last[hashed] for hashed in seen)
            made.append(_EXACT + _bytes(array("Q", seen)) + _bytes(array("I", times)))
        for step in sorted(self._changed):
            if self._sketches is not None and step in self._sketches:
                made.append(_packed(step, self._sketches[step]))
        return made

    def told(self) -> None:
        """What ``news`` gave is where it will be found again."""
        self._fresh.clear()
        self._changed.clear()

    def load(self, packed: list[bytes], time: int) -> None:
        """Go on at ``time`` from all that ``news`` gave in the 5 minutes before. Passes over what it
        cannot have given."""
        seen: dict[int, int] = {}
        for one in packed:
            try:
                if one[:1] == _EXACT:
                    for hashed, at in _clients(one[1:]):
                        seen[hashed] = max(seen.get(hashed, 0), min(at, time))
                else:
                    (step,), sketch = _STEP.unpack(one[1:5]), Distinct(BITS, one[5:])
                    if self._sketches is None:
                        self._sketches = {}
                    self._sketch(min(step, time)).merge(sketch)
            except (ValueError, error):
                continue
        for hashed, at in sorted(seen.items(), key=lambda pair: pair[1]):
            if self._last is not None:
                self._last[hashed] = at
        if self._sketches is not None:
            for hashed, at in seen.items():
                self._sketch(at).add(hashed)
        if self._sketches is not None or len(self) > self.most:
            self.give_up()
        self.told()

    def count(self, time: int) -> int:
        """Of the 5 minutes before ``time``."""
        self._prune(time)
        if self._sketches is None:
            return len(self._last or ())
        whole = Distinct()
        for one in self._sketches.values():
            whole.merge(one)
        found = whole.count()
        if self._last is None and found < self.most * _AGAIN:
            self._last, self._trying = {}, time
        elif self._last is not None and time - self._trying >= WINDOW:
            self._sketches = None
            return len(self._last)
        return found

    def _prune(self, time: int) -> None:
        oldest = time - WINDOW
        last = self._last or {}
        gone = []
        for hashed, seen in last.items():
            if seen > oldest:
                break
            gone.append(hashed)
        for hashed in gone:
            del last[hashed]
            self._fresh.discard(hashed)
        if self._sketches is not None:
            for step in [step for step in self._sketches if step + STEP <= oldest]:
                del self._sketches[step]
                self._changed.discard(step)

    def _sketch(self, time: int) -> Distinct:
        assert self._sketches is not None
        step = time - time % STEP
        found = self._sketches.get(step)
        if found is None:
            found = self._sketches[step] = Distinct()
        return found


def _packed(step: int, sketch: Distinct) -> bytes:
    return _SKETCH + _STEP.pack(step) + bytes(sketch)


def _clients(data: bytes) -> Iterator[tuple[int, int]]:
    """Hashes and when each was seen: first all of the ones, then all of the others."""
    count = len(data) // _CLIENT
    hashes, times = array("Q"), array("I")
    hashes.frombytes(data[: count * 8])
    times.frombytes(data[count * 8 :])
    if sys.byteorder == "big":
        hashes.byteswap()
        times.byteswap()
    return zip(hashes, times, strict=True)


def _bytes(values: array[int]) -> bytes:
    """The low byte first."""
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
