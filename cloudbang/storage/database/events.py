"""Events of apps, kept: what the markers on every timeline are made from."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.domain.events import INSPECTION, Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables.events import events

KEEP_PER_APP = 20_000  # a crash loop makes about 30,000 a day: the oldest go first
AT_ONCE = 500  # events that are deleted in one transaction: others write in between
_TRIM_EVERY = 1_000  # additions between two looks at what is too much
_SCAN = 20_000  # ids that are looked through at a time for what is too old
_NAMING = ("create", "remove")  # events that say what a container is called
_NEAR = 500  # events of a container that are looked through at a time

Near = Callable[..., Sequence[Event]]
"""``near(ns, kind, found_out=)``: the events kept of the same app and container, as near in time; see
``cloudbang/events/reconcile.py``."""


class EventStore:
    """The events of all apps. All methods raise StorageFailed; those that write StorageFull, too."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._added = 0

    def add(self, event: Event) -> Event | None:
        """Keep one event; returns it with its id, or None when it was already known."""
        kept = self.add_batch([event])
        return kept[0] if kept else None

    def add_batch(
        self,
        batch: Sequence[Event],
        is_news: Callable[[Event, Near], bool] = lambda event, near: True,
    ) -> builtins.list[Event]:
        """Keep what is not known, all of it or, when this raises, nothing; returns it with ids.

        Known is an event of the same app, container, kind and time: the engine tells of some
        twice. ``is_news(event, near)`` may judge besides; it runs in the database's thread and
        sees those of the batch that are before it.
        """

        def work(c: sa.Connection) -> builtins.list[Event]:
            kept = []
            for event in batch:
                if is_news(event, partial(_near, c, event)):
                    number = c.execute(_INSERT, _values(event)).scalar()
                    if number is not None:
                        kept.append(replace(event, id=int(number)))
            return kept

        kept = self._database.write(work)
        for event in kept:
            self._added += 1
            if self._added % _TRIM_EVERY == 0:
                self._trim(event.app)
        return kept

    def list(
        self,
        app: str | Collection[str],
        since: str | None = None,
        until: str | None = None,
        limit: int = 500,
    ) -> builtins.list[Event]:
        """The newest ``limit`` events of an app, or of several, from ``since`` to ``until`` (RFC 3339
        as the records have it, both inclusive), oldest first."""
        whose = events.c.app == app if isinstance(app, str) else events.c.app.in_(app)
        wanted = sa.select(events).where(whose)
        if since is not None:
            wanted = wanted.where(events.c.time >= since)
        if until is not None:
            wanted = wanted.where(events.c.time <= until)
        wanted = wanted.order_by(events.c.time.desc(), events.c.id.desc()).limit(limit)
        return self._database.read(lambda c: [_event(row) for row in c.execute(wanted)])[::-1]

    def instance_names(self, app: str, newest: int | None = None) -> dict[str, str]:
        """The names that the containers of an app had, those that are gone too, by short id: as so
        many of the newest events say, all unless told."""
        name = sa.func.json_extract(events.c.data, "$.name")
        wanted = (
            sa.select(events.c.container, name)
            .where(events.c.app == app, events.c.kind.in_(_NAMING), name.is_not(None))
            .order_by(events.c.time.desc(), events.c.id.desc())
            .limit(newest)
        )
        found = self._database.read(lambda c: c.execute(wanted).all())
        return {container: str(name) for container, name in reversed(found)}

    def newest_id(self) -> int:
        """The id of the newest one; 0 when there is none."""
        wanted = sa.select(sa.func.max(events.c.id))
        return int(self._database.read(lambda c: c.execute(wanted).scalar()) or 0)

    def after(self, id: int, limit: int = 500) -> builtins.list[Event]:
        """What was kept after the one with this id, of all apps, in that order."""
        wanted = sa.select(events).where(events.c.id > id).order_by(events.c.id).limit(limit)
        return self._database.read(lambda c: [_event(row) for row in c.execute(wanted)])

    def newest_time(self) -> str | None:
        """The time of the newest event of all, None when there is none yet."""
        found = self._database.read(
            lambda c: c.execute(sa.select(sa.func.max(events.c.time))).scalar()
        )
        return str(found) if found else None

    def forget(self, app: str) -> int:
        """Delete all events of an app; gives how many there were."""
        return self._delete(events.c.app == app)

    def prune(self, before: str) -> int:
        """Delete what happened before this time; gives how many there were.

        What is too old is looked for by reading, a part of the table after the other: there is no
        index for it, and nobody who writes waits meanwhile.
        """
        ends = sa.select(sa.func.min(events.c.id), sa.func.max(events.c.id))
        first, last = self._database.read(lambda c: c.execute(ends).one())
        gone = 0
        for at in range(first or 0, (last or 0) + 1, _SCAN):
            found = self._older(before, at, at + _SCAN - 1)
            for n in range(0, len(found), AT_ONCE):
                gone += self._delete(events.c.id.in_(found[n : n + AT_ONCE]))
        return gone

    def _older(self, before: str, first: int, last: int) -> Sequence[int]:
        """The ids from ``first`` to ``last`` of what happened before this time."""
        old = sa.select(events.c.id).where(events.c.id.between(first, last), events.c.time < before)
        return self._database.read(lambda c: c.execute(old).scalars().all())

    def _trim(self, app: str) -> None:
        """Delete the oldest of an app that has too many."""
        order = (events.c.time.desc(), events.c.id.desc())
        wanted = sa.select(events.c.time).where(events.c.app == app).order_by(*order)
        newest = wanted.offset(KEEP_PER_APP).limit(1)
        if time := self._database.read(lambda c: c.execute(newest).scalar()):
            self._delete(events.c.app == app, events.c.time <= time)

    def _delete(self, *where: sa.ColumnElement[bool]) -> int:
        """In small transactions: who else writes has a turn in between."""
        some = sa.select(events.c.id).where(*where).limit(AT_ONCE)
        statement = sa.delete(events).where(events.c.id.in_(some))
        gone = 0
        while count := self._database.write(lambda c: c.execute(statement).rowcount):
            gone += count
        return gone


# Made once: making them costs more than what SQLite does with them.
_INSERT = insert(events).on_conflict_do_nothing().returning(events.c.id)

_NEAR_BY = (
    sa.select(events)
    .where(
        events.c.app == sa.bindparam("of_app"),
        events.c.container == sa.bindparam("of_container"),
        events.c.kind == sa.bindparam("of_kind"),
        events.c.time.between(sa.bindparam("since"), sa.bindparam("until")),
    )
    .limit(_NEAR)
)
_NEAR_BY_FOUND_OUT = _NEAR_BY.where(sa.func.json_extract(events.c.data, "$.source") == INSPECTION)


def _values(event: Event) -> dict[str, str]:
    return {
        "app": event.app,
        "container": event.container,
        "kind": event.kind,
        "time": event.time,
        "data": orjson.dumps(event.data).decode(),
    }


def _near(
    c: sa.Connection, event: Event, ns: int, kind: str = "", *, found_out: bool = False
) -> builtins.list[Event]:
    at = parse_time(event.time)
    values = {
        "of_app": event.app,
        "of_container": event.container,
        "of_kind": kind or event.kind,
        "since": format_time(max(at - ns, 0)),
        "until": format_time(at + ns),
    }
    wanted = _NEAR_BY_FOUND_OUT if found_out else _NEAR_BY
    return [_event(row) for row in c.execute(wanted, values)]


def _event(row: sa.Row[tuple[object, ...]]) -> Event:
    return Event(row.app, row.time, row.kind, row.container, orjson.loads(row.data), row.id)
