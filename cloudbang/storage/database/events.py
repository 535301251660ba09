"""Events of apps, kept: what the markers on every timeline are made from."""

from __future__ import annotations

from dataclasses import replace

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.domain.events import Event
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import events

KEEP_PER_APP = 20_000  # a crash loop makes about 30,000 a day: the oldest go first
_TRIM_EVERY = 1_000  # additions between two looks at what is too much


class EventStore:
    """The events of all apps."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._added = 0

    def add(self, event: Event) -> Event | None:
        """Keep one event; returns it with its id, or None when it was already known.

        Known is an event of the same app, container, kind and time: the engine tells of some
        twice. Raises StorageFull, StorageFailed.
        """
        statement = (
            insert(events)
            .values(
                app=event.app,
                container=event.container,
                kind=event.kind,
                time=event.time,
                data=orjson.dumps(event.data).decode(),
            )
            .on_conflict_do_nothing()
            .returning(events.c.id)
        )
        number = self._database.write(lambda c: c.execute(statement).scalar())
        if number is None:
            return None
        self._added += 1
        if self._added % _TRIM_EVERY == 0:
            self._database.write(lambda c: _trim(c, event.app))
        return replace(event, id=int(number))

    def list(
        self, app: str, since: str | None = None, until: str | None = None, limit: int = 500
    ) -> list[Event]:
        """The newest ``limit`` events of an app from ``since`` to ``until`` (RFC 3339 as the
        records have it, both inclusive), oldest first."""
        wanted = sa.select(events).where(events.c.app == app)
        if since is not None:
            wanted = wanted.where(events.c.time >= since)
        if until is not None:
            wanted = wanted.where(events.c.time <= until)
        wanted = wanted.order_by(events.c.time.desc(), events.c.id.desc()).limit(limit)
        found = self._database.read(lambda c: c.execute(wanted).all())
        return [
            Event(r.app, r.time, r.kind, r.container, orjson.loads(r.data), r.id)
            for r in reversed(found)
        ]

    def newest_time(self) -> str | None:
        """The time of the newest event of all, None when there is none yet."""
        found = self._database.read(
            lambda c: c.execute(sa.select(sa.func.max(events.c.time))).scalar()
        )
        return str(found) if found else None


def _trim(connection: sa.Connection, app: str) -> None:
    newest = (
        sa.select(events.c.id)
        .where(events.c.app == app)
        .order_by(events.c.time.desc(), events.c.id.desc())
        .limit(KEEP_PER_APP)
    )
    connection.execute(sa.delete(events).where(events.c.app == app, events.c.id.not_in(newest)))
