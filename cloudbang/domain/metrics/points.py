"""Numbers of series as they are kept: whole multiples of what a metric's scale says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf, isfinite
from typing import Any

from cloudbang.domain.metrics.series import Aggregate

FLOATING = 0.0
"""The scale of a series whose values nobody knows beforehand: of what is no whole number, nine
digits are kept."""

Kept = tuple[int, float, float, float]
"""Samples, total, least, most: whole numbers of the scale's multiples, or of ``FLOATING`` any."""

_HIGHEST = 2**62  # of a multiple; what is beyond is a mistake, and would not go into 64 bits


def to_scale(value: Aggregate, scale: float) -> Kept | None:
    """An aggregate as it is kept; None of what is no number, or absurdly large."""
    samples, total, least, most = value
    if not (isfinite(total) and isfinite(least) and isfinite(most)) or samples < 1:
        return None
    if scale == FLOATING:
        return samples, _nine(total), _nine(least), _nine(most)
    each = 1 / scale
    low, high = round(least * each), round(most * each)
    if not (low > -_HIGHEST and high < _HIGHEST and abs(total) * each < _HIGHEST):
        return None
    if samples == 1:
        return 1, low, low, low
    # Of two samples the sum says nothing that they do not: kept so, it takes no room.
    return samples, (low + high if samples == 2 else round(total * each)), low, high


def _nine(value: float) -> float:
    return float(value) if value % 1 == 0 and abs(value) < 2**53 else float(f"{value:.9g}")


_DIGITS = 11  # binary ones, of what goes by a second: 0.05 % off
_LARGE = 1 << _DIGITS + 1


def rounded(kept: Kept) -> Kept:
    """Of bytes a second: what is in its first three or four digits. Further ones are noise, and noise
    is what takes room. The sum of what is small stays exact, however long."""
    samples, total, least, most = kept
    mean = int(total // samples)
    if mean < _LARGE:
        return kept
    low, high = _few_digits(int(least)), _few_digits(int(most))
    return samples, low + high if samples == 2 else _few_digits(mean) * samples, low, high


def _few_digits(number: int) -> int:
    much = number.bit_length() - _DIGITS
    return number if much <= 0 else (number + (1 << much - 1) >> much) << much


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
        if not (there := [n for n, samples in enumerate(other.samples) if samples]):
            return
        # What ends early, or begins late, is laid as a whole, too.
        other, at = other[there[0] : there[-1] + 1], at + there[0]
        if len(there) == len(other):
            to = slice(at, at + len(other))
            self.samples[to], self.totals[to] = other.samples, other.totals
            self.leasts[to], self.mosts[to] = other.leasts, other.mosts
            return
        for step, samples in enumerate(other.samples, at):
            if samples:
                n = step - at
                self.put(step, (samples, other.totals[n], other.leasts[n], other.mosts[n]))

    def rounded(self) -> Points:
        """Each as :func:`rounded` says."""
        found = Points.nothing(len(self))
        columns = zip(self.samples, self.totals, self.leasts, self.mosts, strict=True)
        for step, kept in enumerate(columns):
            if kept[0]:
                found.put(step, rounded(kept))
        return found

    def rolled(self, steps: int) -> Points:
        """So many steps as one, from sums and counts; the last may be of fewer."""
        return Points(
            _each(sum, self.samples, steps),
            _each(sum, self.totals, steps),
            _each(min, self.leasts, steps),
            _each(max, self.mosts, steps),
        )

    def aggregates(self, scale: float) -> list[Aggregate | None]:
        columns = zip(self.samples, self.totals, self.leasts, self.mosts, strict=True)
        return [from_scale(kept, scale) if kept[0] else None for kept in columns]


def _each(of: Callable[[Iterable[Any]], Any], values: list[Any], steps: int) -> list[Any]:
    """``of`` each so many of them; without a slice for each, as there are thousands."""
    whole = len(values) // steps * steps
    found = list(map(of, zip(*[iter(values)] * steps, strict=False)))
    return found if whole == len(values) else [*found, of(values[whole:])]
