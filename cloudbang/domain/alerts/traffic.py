"""What a rule about traffic compares: of requests that were counted, the one number."""

from __future__ import annotations

from collections.abc import Callable

from cloudbang.domain.alerts.rules import QUANTILES, TrafficCondition


def value_of(
    its: TrafficCondition,
    requests: float,
    errors: float,
    answers: int,
    quantile: Callable[[float], float | None],
    seconds: float,
) -> float | None:
    """None where so few asked that nobody knows. ``answers``: those of the requests whose time counts,
    of which ``quantile`` gives percentiles; ``seconds`` in which all of them came."""
    if its.measure == "requests":
        return requests / seconds
    if its.measure == "errors":
        return errors / requests if requests >= its.least else None
    return quantile(QUANTILES[its.measure]) if answers >= its.least else None


def shown(its: TrafficCondition, value: float) -> str:
    """For a sentence: seconds, per cent, or requests a second."""
    if its.measure in QUANTILES:  # which are right to 1.1 %: more digits would say nothing
        return f"{float(f'{value:.2g}'):g}"
    return f"{value * (100 if its.measure == 'errors' else 1):.3g}"
