"""Whether a limit fits what is used: said with the number, and only after days of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Literal, NamedTuple

from cloudbang.domain.metrics.series import Aggregate

Fit = Literal["large", "small", "fits"]

SPAN = 14 * 86_400  # seconds that are looked at
LEAST = 3 * 86_400  # of them that have to be measured
QUANTILE = 0.95
LARGE = 2.0  # times what was ever used
SMALL = 0.9  # of it, in use most of the time
HELD = 0.05  # s/s for which its limit held it back
SPARE = 1.3  # of what is used, of a limit that fits
ROUND = {"memory": 16.0 * 2**20, "cpu": 0.1}
WORTH = {"memory": 64.0 * 2**20, "cpu": 0.25}  # the least that it is too large by


class Sized(NamedTuple):
    """``usual``: 95 of a hundred stretches use no more; ``most``: the highest that was measured;
    ``wanted``: a limit that would fit; ``days`` of which that is known."""

    name: Literal["memory", "cpu"]
    fit: Fit
    limit: float
    usual: float
    most: float
    wanted: float
    days: float


Parts = Sequence[Aggregate | None]


def sized_memory(used: Parts, kept: Parts, limits: Parts, width: int) -> Sized | None:
    """``used``: memory as the engine counts it; ``kept``: what programs keep, which is all that
    cannot be let go of; each ``width`` seconds, the oldest first."""

    def needed(limit: float, usual: float, most: float) -> float | None:
        return max(most, limit) if usual >= SMALL * limit else None

    return _sized("memory", used, kept, limits, width, needed)


def sized_cpu(used: Parts, throttled: Parts, limits: Parts, width: int) -> Sized | None:
    """``throttled``: for how long the limit held it back."""

    def needed(limit: float, usual: float, most: float) -> float | None:
        return limit if usual >= HELD else None

    return _sized("cpu", used, throttled, limits, width, needed)


def _sized(
    name: Literal["memory", "cpu"],
    used: Parts,
    held: Parts,
    limits: Parts,
    width: int,
    needed: Callable[[float, float, float], float | None],
) -> Sized | None:
    """``needed(limit, usual, most)`` of ``held``: what it would take at least, where the limit is too
    small."""
    limit, since = _limit(limits)
    found = _known(used[since:], width)
    if limit is None or found is None:
        return None
    usual, most, days = found
    fit: Fit = "fits"
    wanted = _rounded(most * SPARE, name)
    if limit >= LARGE * most and limit - wanted >= WORTH[name]:
        fit = "large"
    elif known := _known(held[since:], width):
        least = needed(limit, known[0], known[1])
        if least is not None:
            fit, wanted = "small", _rounded(least * SPARE, name)
    return Sized(name, fit, limit, usual, most, wanted, days)


def _limit(limits: Parts) -> tuple[float | None, int]:
    """The limit that there is, and from which entry on it has been the same."""
    now: float | None = None
    since = len(limits)
    for index in range(len(limits) - 1, -1, -1):
        one = limits[index]
        if one is None:
            continue
        if now is None:
            now = one.mean
        if max(abs(one.least - now), abs(one.most - now)) > 0.01 * now:
            break
        since = index
    return now, since


def _known(parts: Parts, width: int) -> tuple[float, float, float] | None:
    """The usual, the most, and of how many days; None of too few."""
    known = [one for one in parts if one is not None]
    if len(known) * width < LEAST:
        return None
    means = sorted(one.mean for one in known)
    usual = means[min(ceil(QUANTILE * len(means)), len(means)) - 1]
    return usual, max(one.most for one in known), len(known) * width / 86_400


def _rounded(value: float, name: Literal["memory", "cpu"]) -> float:
    return round(ceil(value / ROUND[name]) * ROUND[name], 6)
