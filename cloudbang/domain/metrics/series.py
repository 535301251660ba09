"""What a series is, and what is kept of one for a stretch of time."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]
"""Sorted by name."""


class SeriesKey(NamedTuple):
    """``app`` is a name, or ``catalogue.NODE``. ``labels`` is empty for the app as a whole;
    ``container`` (the engine's short id) stands in it for one instance's."""

    app: str
    name: str
    labels: Labels = ()


class Aggregate(NamedTuple):
    """Some samples of one series: of 10 s, a minute, the width of a pixel.

    Nothing that was not measured has one: where samples are missing there is None instead, never a
    zero. ``total`` and ``samples`` and not a mean, since these can be put together again.
    """

    samples: int
    total: float
    least: float
    most: float

    @property
    def mean(self) -> float:
        return self.total / self.samples

    def __add__(self, other: Aggregate) -> Aggregate:  # type: ignore[override]
        """Of both stretches. Exact: in whatever order, and however often, they are put together."""
        return Aggregate(
            self.samples + other.samples,
            self.total + other.total,
            min(self.least, other.least),
            max(self.most, other.most),
        )


def aggregate(values: list[float]) -> Aggregate | None:
    """Of these; None when there are none. None of them is NaN."""
    if not values:
        return None
    return Aggregate(len(values), sum(values), min(values), max(values))


EMPTY = Aggregate(0, 0.0, inf, -inf)
"""What adding up begins with. It is no measurement: nobody gets to see it."""
