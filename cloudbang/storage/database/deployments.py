"""Releases and deployments: what was wanted, what happened, what serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.core.loop import in_turns
from cloudbang.domain.deploy.deployment import Deployment, Step
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import insert_row
from cloudbang.storage.database.tables import deployed_apps, deployments, releases

MOST = 500  # deployments of one answer


@dataclass(frozen=True, slots=True)
class DeployedApp:
    """``serving``: the number of the release that serves, None where none does; ``replicas``: None
    for as many as that release says."""

    app: str
    serving: int | None = None
    stopped: bool = False
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What a release of an app names: volumes, networks, and the stack that it is of, "" for none."""

    app: str
    volumes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    stack: str = ""


class DeploymentStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- releases

    def add(
        self,
        release: Release,
        deployment: Deployment,
        source: Mapping[str, object],
        lowest: int = 1,
    ) -> tuple[Release, Deployment]:
        """Keep a new release and the deployment of it, or, of a release that has a number, that
        alone; with the numbers and the id that they get. ``source``: from what it is made;
        ``lowest``: the number that a new release has at least."""

        def work(c: sa.Connection) -> tuple[Release, Deployment]:
            kept = release
            if not release.number:
                kept = replace(release, number=max(lowest, _next(c, releases, release.app)))
                c.execute(sa.insert(releases).values(**_release(kept, deployment.created)))
            number = _next(c, deployments, release.app)
            made = replace(deployment, number=number, release=kept.number)
            values = _values(made) | {"source": orjson.dumps(dict(source)).decode()}
            del values["id"]
            return kept, replace(made, id=insert_row(c, deployments, values))

        return self._database.write(work)

    def release(self, app: str, number: int) -> Release | None:
        its = (releases.c.app == app) & (releases.c.number == number)
        statement = sa.select(releases.c.body).where(its)
        body = self._database.read(lambda c: c.execute(statement).scalar_one_or_none())
        return None if body is None else Release.of(orjson.loads(body))

    def releases(
        self, app: str, limit: int = MOST, before: int | None = None
    ) -> list[tuple[str, Release]]:
        """When each was made, and what it is; the newest first; ``before``: only those with a
        smaller number."""
        wanted = releases.c.app == app
        if before is not None:
            wanted &= releases.c.number < before
        statement = (
            sa.select(releases.c.created, releases.c.body)
            .where(wanted)
            .order_by(releases.c.number.desc())
            .limit(limit)
        )
        rows = self._database.read(lambda c: c.execute(statement).all())
        return [(created, Release.of(orjson.loads(body))) for created, body in rows]

    def every_release(self) -> list[Release]:
        """Of all apps; of each the newest first."""
        statement = sa.select(releases.c.body).order_by(releases.c.app, releases.c.number.desc())
        bodies = self._database.read(lambda c: c.execute(statement).scalars().all())
        # Of hundreds of apps there may be thousands.
        return [Release.of(orjson.loads(body)) for body in in_turns(bodies)]

    def jobs(self) -> frozenset[tuple[str, int]]:
        """Apps and numbers of the releases that are there to end: their containers say so by a label,
        but for those that were made before there was one."""
        body = releases.c.body  # what has its default is not in it
        statement = sa.select(body).where(body.like('%"job"%') | body.like('%"restart"%'))
        bodies = self._database.read(lambda c: c.execute(statement).scalars().all())
        found = (Release.of(orjson.loads(body)) for body in in_turns(bodies))
        return frozenset((one.app, one.number) for one in found if one.spec.may_end)

    def named(self) -> list[Named]:
        """What releases name of the engine's own, the same of an app's once: read out of them by the
        database, since it is asked for each plan, and releases are thousands."""
        volumes, networks, stack = (
            sa.func.json_extract(releases.c.body, f"$.spec.{field}")
            for field in ("volumes", "networks", "stack")
        )
        any_of_them = sa.func.coalesce(volumes, networks, stack).is_not(None)
        statement = (
            sa.select(releases.c.app, volumes, networks, stack).where(any_of_them).distinct()
        )
        rows = self._database.read(lambda c: c.execute(statement).all())
        return [
            Named(
                app,
                tuple(one["name"] for one in orjson.loads(mounts or "[]") if one.get("name")),
                tuple(orjson.loads(on or "[]")),
                its or "",
            )
            for app, mounts, on, its in rows
        ]

    def save_release(self, release: Release) -> None:
        """Its image is known now; nothing else of a release ever changes."""
        its = (releases.c.app == release.app) & (releases.c.number == release.number)
        values = {"body": orjson.dumps(release.as_json()).decode()}
        statement = sa.update(releases).where(its).values(**values)
        self._database.write(lambda c: c.execute(statement).rowcount)

    # -- deployments

    def save(self, deployment: Deployment, last_lines: Sequence[str] | None = None) -> None:
        """As it is now; with what it logged last, where that is to be kept."""
        values = _values(deployment)
        if last_lines is not None:
            values["last_lines"] = orjson.dumps(list(last_lines)).decode()
        statement = sa.update(deployments).where(deployments.c.id == deployment.id).values(**values)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def get(self, id: int) -> Deployment | None:
        return next(iter(self._find(deployments.c.id == id, 1)), None)

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]:
        """The newest first; ``before``: only those with a smaller id."""
        wanted: list[sa.ColumnElement[bool]] = [sa.true()]
        if app is not None:
            wanted.append(deployments.c.app == app)
        if states:
            wanted.append(deployments.c.state.in_(states))
        if before is not None:
            wanted.append(deployments.c.id < before)
        return self._find(sa.and_(*wanted), min(limit, MOST))

    def unsettled(self) -> list[Deployment]:
        """Those of which something is left to be done, the oldest first: what a start goes on
        with."""
        return self._find(deployments.c.settled.is_(False), 10_000)[::-1]

    def more(self, id: int) -> tuple[dict[str, Any], list[str]] | None:
        """From what a deployment was made, and its last lines; None when there is none."""
        columns = (deployments.c.source, deployments.c.last_lines)
        statement = sa.select(*columns).where(deployments.c.id == id)
        row = self._database.read(lambda c: c.execute(statement).one_or_none())
        return None if row is None else (orjson.loads(row[0]), orjson.loads(row[1] or "[]"))

    def _find(self, wanted: sa.ColumnElement[bool], limit: int) -> list[Deployment]:
        statement = (
            sa.select(deployments).where(wanted).order_by(deployments.c.id.desc()).limit(limit)
        )
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [_deployment(row) for row in rows]

    # -- what serves

    def app(self, app: str) -> DeployedApp | None:
        """What of an app that was ever deployed is so now."""
        return next(iter(self._apps(deployed_apps.c.app == app)), None)

    def apps(self) -> list[DeployedApp]:
        return self._apps(sa.true())

    def serving(self) -> dict[str, int]:
        """By app the number of the release that serves, where one does."""
        return {one.app: one.serving for one in self.apps() if one.serving is not None}

    def save_app(self, app: DeployedApp) -> None:
        values = asdict(app)
        statement = insert(deployed_apps).values(**values)
        new = {name: value for name, value in values.items() if name != "app"}
        statement = statement.on_conflict_do_update(index_elements=["app"], set_=new)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def forget(self, app: str) -> None:
        """Everything of an app that was deleted."""

        def work(c: sa.Connection) -> None:
            for table in (deployments, releases, deployed_apps):
                c.execute(sa.delete(table).where(table.c.app == app))

        self._database.write(work)

    def _apps(self, wanted: sa.ColumnElement[bool]) -> list[DeployedApp]:
        statement = sa.select(deployed_apps).where(wanted).order_by(deployed_apps.c.app)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [DeployedApp(**row) for row in rows]


def _next(c: sa.Connection, table: sa.Table, app: str) -> int:
    """The number of an app's next release or deployment. In the transaction that adds it."""
    newest = sa.select(sa.func.max(table.c.number)).where(table.c.app == app)
    return int(c.execute(newest).scalar() or 0) + 1


def _release(release: Release, created: str) -> dict[str, object]:
    return {
        "app": release.app,
        "number": release.number,
        "created": created,
        "body": orjson.dumps(release.as_json()).decode(),
    }


def _values(deployment: Deployment) -> dict[str, Any]:
    failure = deployment.failure
    return {
        "id": deployment.id,
        "app": deployment.app,
        "number": deployment.number,
        "release": deployment.release,
        "previous": deployment.previous,
        "by": deployment.by,
        "created": deployment.created,
        "stop_first": deployment.stop_first,
        "state": deployment.state,
        "steps": orjson.dumps([step.as_json() for step in deployment.steps]).decode(),
        "failure": None if failure is None else orjson.dumps(asdict(failure)).decode(),
        "cancelled_by": deployment.cancelled_by,
        "finished": deployment.finished,
        "settled": deployment.settled,
    }


def _deployment(row: Mapping[Any, Any]) -> Deployment:
    failure = row["failure"]
    return Deployment(
        id=row["id"],
        app=row["app"],
        number=row["number"],
        release=row["release"],
        previous=row["previous"],
        by=row["by"],
        created=row["created"],
        steps=tuple(Step(**step) for step in orjson.loads(row["steps"])),
        stop_first=row["stop_first"],
        state=row["state"],
        failure=None if failure is None else Failure(**orjson.loads(failure)),
        cancelled_by=row["cancelled_by"],
        finished=row["finished"],
        settled=row["settled"],
    )
