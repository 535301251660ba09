"""By which name a container was first known: the engine tells its present one only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import container_names


class Named(NamedTuple):
    """The app of a container, and the name it had when that was last looked at."""

    app: str
    name: str


class ContainerNameStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> dict[str, Named]:
        """By full id."""
        wanted = sa.select(container_names.c.id, container_names.c.app, container_names.c.name)
        return self._database.read(lambda c: {row[0]: Named(*row[1:]) for row in c.execute(wanted)})

    def save(self, known: Mapping[str, Named], gone: Collection[str]) -> None:
        """Keep these as they are now, and forget those that are gone."""
        rows = [{"id": one, "app": named.app, "name": named.name} for one, named in known.items()]
        statement = insert(container_names)
        new = {name: statement.excluded[name] for name in ("app", "name")}
        statement = statement.on_conflict_do_update(index_elements=["id"], set_=new)
        forget = sa.delete(container_names).where(container_names.c.id == sa.bindparam("gone"))

        def work(c: sa.Connection) -> None:
            if rows:
                c.execute(statement, rows)
            if gone:
                c.execute(forget, [{"gone": one} for one in gone])

        if rows or gone:
            self._database.write(work)
