"""Stacks on their way: what was asked for, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import sqlalchemy as sa

from cloudbang.domain.deploy.stack_run import Part, StackRun
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import With, alone, insert_row
from cloudbang.storage.database.tables import stack_runs as table


class StackStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: StackRun, also: With = alone) -> StackRun:
        """The same with the id that it gets."""
        values = _values(run)
        del values["id"]

        def work(c: sa.Connection) -> StackRun:
            made = replace(run, id=insert_row(c, table, values))
            also(c, made.id)
            return made

        return self._database.write(work)

    def save(self, run: StackRun) -> None:
        statement = sa.update(table).where(table.c.id == run.id).values(**_values(run))
        self._database.write(lambda c: c.execute(statement).rowcount)

    def remove(self, id: int, also: With = alone) -> None:
        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(table).where(table.c.id == id))
            also(c, id)

        self._database.write(work)

    def get(self, id: int) -> StackRun | None:
        return next(iter(self._find(table.c.id == id, 1)), None)

    def find(self, stack: str | None = None, limit: int = 50) -> list[StackRun]:
        """The newest first."""
        return self._find(sa.true() if stack is None else table.c.stack == stack, limit)

    def running(self) -> list[StackRun]:
        """What a start goes on with."""
        return self._find(table.c.state == "running", 10_000)[::-1]

    def _find(self, wanted: sa.ColumnElement[bool], limit: int) -> list[StackRun]:
        statement = sa.select(table).where(wanted).order_by(table.c.id.desc()).limit(limit)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [_run(row) for row in rows]


def _values(run: StackRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "stack": run.stack,
        "team": run.team,
        "by": run.by,
        "admin": run.admin,
        "created": run.created,
        "state": run.state,
        "parts": orjson.dumps([part.as_json() for part in run.parts]).decode(),
    }


def _run(row: Mapping[Any, Any]) -> StackRun:
    parts = tuple(Part.of(part) for part in orjson.loads(row["parts"]))
    return StackRun(
        row["id"], row["stack"], row["by"], row["admin"], row["created"], parts, row["team"]
    )
