"""What is counted is exported: who counts says so here, and what it counts stands at ``/metrics``.

The numbers stay plain attributes of their owner, so counting costs what an addition costs; they
are read when somebody asks. ``tests/core/test_counters.py`` finds those that nobody is told of.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["counter", "gauge"]


class Family(NamedTuple):
    """One metric: what all its owners count, added up. ``name`` is without ``cloudbang_`` and
    ``_total``; ``values`` by what its labels say, of one without labels by ``()``. ``of_teams``: it
    tells what all teams own together, and is for who may see that."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...]
    of_teams: bool
    values: dict[tuple[str, ...], float]


class _Export(NamedTuple):
    owner: weakref.ref[Any]
    attribute: str
    family: tuple[str, Kind, str, tuple[str, ...], bool]


_exports: list[_Export] = []


def export(
    owner: object,
    prefix: str,
    *,
    counters: Mapping[str, str] | None = None,
    gauges: Mapping[str, str] | None = None,
    labels: tuple[str, ...] = (),
    of_teams: bool = False,
) -> None:
    """Export attributes of ``owner``, by name with a sentence, for as long as it is there.

    ``owner.sent`` with the prefix ``bus`` is ``cloudbang_bus_sent_total``, as a gauge
    ``cloudbang_bus_sent``. Owners of the same prefix are added up. With ``labels`` each attribute
    is a mapping, from the values of the labels to the number.
    """
    reference = weakref.ref(owner, _forget)
    kinds: tuple[tuple[Kind, Mapping[str, str] | None], ...] = (
        ("counter", counters),
        ("gauge", gauges),
    )
    for kind, attributes in kinds:
        for attribute, text in (attributes or {}).items():
            family = (f"{prefix}_{attribute}", kind, text, labels, of_teams)
            _exports.append(_Export(reference, attribute, family))


def exported() -> Iterator[Family]:
    """Every metric there is, with its values now."""
    found: dict[str, Family] = {}
    for reference, attribute, told in tuple(_exports):
        owner = reference()
        if owner is None:
            continue
        family = found.setdefault(told[0], Family(*told, {}))
        value = getattr(owner, attribute)
        for key, number in value.items() if family.labels else (((), value),):
            family.values[key] = family.values.get(key, 0) + number
    yield from found.values()


def attributes() -> set[tuple[str, str]]:
    """The class and the name of everything that is exported."""
    return {
        (type(owner).__name__, attribute)
        for reference, attribute, _ in tuple(_exports)
        if (owner := reference()) is not None
    }


def _forget(reference: weakref.ref[Any]) -> None:
    _exports[:] = [one for one in _exports if one.owner is not reference]
