"""Values and the rows that they are kept as, where both have the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

With = Callable[[sa.Connection, int], object]
"""What is written with a row, in one transaction: it is there with it, or neither is. Gets the row's
number."""


def alone(c: sa.Connection, id: int) -> None:
    """Nothing is written with it."""


def values_of(one: Any, *without: str) -> dict[str, Any]:
    """Of a frozen value what its columns get, but for these."""
    return {name: getattr(one, name) for name in type(one).__slots__ if name not in without}


def fields_of(kind: type[Any], row: Mapping[Any, Any], *without: str) -> dict[str, Any]:
    """Of a row what such a value is made of, but for these."""
    return {name: row[name] for name in kind.__slots__ if name not in without}


def insert_row(c: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """The number that the new row got."""
    key = c.execute(sa.insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])
