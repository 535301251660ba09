"""Routes: where requests for an app come from, and to which release they go."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import routes as table


@dataclass(frozen=True, slots=True)
class KeptRoute:
    """``host`` "" for the app's own name on this machine; ``port``: of the app, which the next
    release is asked at; ``own_port``: of the gateway, 0 for none; ``service`` and ``service_port``:
    what is asked by now, "" and 0 before the first release serves."""

    app: str
    host: str = ""
    path: str = "/"
    port: int = 0
    own_port: int = 0
    service: str = ""
    service_port: int = 0


class RouteStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[KeptRoute]:
        statement = sa.select(table).order_by(table.c.app)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [KeptRoute(**row) for row in rows]

    def save(self, route: KeptRoute) -> None:
        values = asdict(route)
        new = {name: value for name, value in values.items() if name != "app"}
        statement = insert(table).values(**values)
        statement = statement.on_conflict_do_update(index_elements=["app"], set_=new)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def remove(self, app: str) -> None:
        statement = sa.delete(table).where(table.c.app == app)
        self._database.write(lambda c: c.execute(statement).rowcount)
