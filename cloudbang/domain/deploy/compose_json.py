"""What Docker's Compose prints, as it is read: a part of it is an object, a list of objects, or
nothing, whatever stands there."""

from __future__ import annotations

from collections.abc import Collection, Iterator

Json = dict[str, object]


def an_object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Of a list, or of one that stands alone."""
    found = value if isinstance(value, list) else [value]
    return [str(one) for one in found if one is not None]


def unread(its: Json, known: Collection[str]) -> Iterator[str]:
    """The keys of an object that say something, and that nobody takes."""
    for key, value in its.items():
        if key not in known and value not in (None, [], {}, "", False):
            yield key
