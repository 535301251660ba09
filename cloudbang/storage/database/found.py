"""What is to be remembered of containers and Compose projects that CloudBang did not make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import compose_projects, taken_over


@dataclass(frozen=True, slots=True)
class Taking:
    """A container that becomes an app. ``restart``: the engine's policy, to be put back; ``stopped``:
    whether we stopped it before; ``deployment``: 0 until there is one."""

    container: str
    app: str
    deployment: int
    restart: Mapping[str, Any]
    stopped: bool


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """Where a Compose project is written down."""

    name: str
    folder: str
    files: tuple[str, ...]


class FoundStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- containers that become apps

    def takings(self) -> list[Taking]:
        rows = self._database.read(lambda c: c.execute(sa.select(taken_over)).mappings().all())
        return [Taking(**{**row, "restart": orjson.loads(row["restart"])}) for row in rows]

    def save_taking(self, taking: Taking) -> None:
        values = {
            "container": taking.container,
            "app": taking.app,
            "deployment": taking.deployment,
            "restart": orjson.dumps(dict(taking.restart)).decode(),
            "stopped": taking.stopped,
        }
        statement = insert(taken_over).values(**values)
        new = {name: value for name, value in values.items() if name != "container"}
        statement = statement.on_conflict_do_update(index_elements=["container"], set_=new)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def end_taking(self, container: str) -> None:
        statement = sa.delete(taken_over).where(taken_over.c.container == container)
        self._database.write(lambda c: c.execute(statement).rowcount)

    # -- Compose projects

    def projects(self) -> list[ProjectFiles]:
        statement = sa.select(compose_projects).order_by(compose_projects.c.name)
        rows = self._database.read(lambda c: c.execute(statement).all())
        return [
            ProjectFiles(name, folder, tuple(orjson.loads(files))) for name, folder, files in rows
        ]

    def save_project(self, project: ProjectFiles) -> None:
        new = {"folder": project.folder, "files": orjson.dumps(list(project.files)).decode()}
        statement = insert(compose_projects).values(name=project.name, **new)
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=new)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def forget_project(self, name: str) -> None:
        statement = sa.delete(compose_projects).where(compose_projects.c.name == name)
        self._database.write(lambda c: c.execute(statement).rowcount)
