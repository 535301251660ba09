"""Incidents, and the messages that tell of them: an outbox in the same transactions.

An incident and how far events were looked at are kept together; so are a message and that it tells
of an incident. Whenever the process ends, nothing is lost in between and nothing is told twice under
two names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.domain.alerts.incidents import Incident
from cloudbang.domain.alerts.receivers import Receiver
from cloudbang.storage.database.alert_rows import (
    Attempt,
    Message,
    changed_values,
    incident_of,
    incident_values,
    message_of,
)
from cloudbang.storage.database.alert_settings import receiver_of
from cloudbang.storage.database.alert_told import (
    add_message,
    forget_reminders,
    is_news,
    the_message,
    told_to,
)
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import fields_of, insert_row, values_of
from cloudbang.storage.database.tables import (
    alert_attempts,
    alert_incidents,
    alert_messages,
    alert_receivers,
    alert_told,
    settings,
)

_CURSOR, _AWAY = "alert-cursor", "alert-engine-away"
KEPT = 2_000  # resolved incidents and settled messages of a team; the oldest go first

Compose = Callable[
    [Sequence[Incident], Sequence[Receiver], Mapping[int, frozenset[int]]], Sequence[Message]
]
"""Of incidents whose change nobody was told of, all receivers, and by incident the receivers that
were told that it began (or will be): the messages. Runs in the database's thread."""


class AlertStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- incidents

    def cursor(self) -> int | None:
        """The id of the last event that was looked at; None: none ever was."""
        wanted = sa.select(settings.c.value).where(settings.c.key == _CURSOR)
        found = self._database.read(lambda c: c.execute(wanted).scalar())
        return None if found is None else int(found)

    def away(self) -> list[tuple[int, int]]:
        """From when until when the engine was away, as it was kept last."""
        wanted = sa.select(settings.c.value).where(settings.c.key == _AWAY)
        found = self._database.read(lambda c: c.execute(wanted).scalar())
        return [(int(since), int(until)) for since, until in orjson.loads(found or "[]")]

    def save(
        self,
        incidents: Sequence[Incident],
        cursor: int | None = None,
        away: Sequence[tuple[int, int]] | None = None,
    ) -> list[Incident]:
        """New ones (id 0) and changed ones, how far events were looked at, and when the engine was
        away; with their ids."""
        told = {} if cursor is None else {_CURSOR: str(cursor)}
        if away is not None:
            told[_AWAY] = orjson.dumps(away).decode()

        def work(c: sa.Connection) -> list[Incident]:
            kept = []
            for one in incidents:
                if one.id:
                    its = sa.update(alert_incidents).where(alert_incidents.c.id == one.id)
                    c.execute(its.values(**changed_values(one)))
                    kept.append(one)
                else:
                    made = insert_row(c, alert_incidents, incident_values(one))
                    kept.append(replace(one, id=made))
            for key, value in told.items():
                new = insert(settings).values(key=key, value=value)
                c.execute(new.on_conflict_do_update(["key"], set_={"value": value}))
            return kept

        return self._database.write(work)

    def open(self) -> list[Incident]:
        """Those that are not over."""
        return self._incidents(alert_incidents.c.state != "resolved")

    def lately(self, since: str) -> list[Incident]:
        """Those that began or ended since then."""
        its = (alert_incidents.c.began >= since) | (alert_incidents.c.ended >= since)
        return self._incidents(its)

    def untold(self) -> int:
        """How many changes wait to be put into messages."""
        wanted = sa.select(sa.func.count()).where(alert_incidents.c.change != "")
        return int(self._database.read(lambda c: c.execute(wanted).scalar() or 0))

    def find(
        self, teams: Collection[str], app: str = "", state: str = "", limit: int = 100
    ) -> list[Incident]:
        """Those of these teams, the newest first."""
        wanted = sa.select(alert_incidents).where(alert_incidents.c.team.in_(teams))
        if app:
            wanted = wanted.where(alert_incidents.c.app == app)
        if state:
            over = alert_incidents.c.state == "resolved"
            wanted = wanted.where(over if state == "resolved" else ~over)
        wanted = wanted.order_by(alert_incidents.c.id.desc()).limit(limit)
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        return [incident_of(row) for row in rows]

    def incident(self, id: int) -> Incident | None:
        return next(iter(self._incidents(alert_incidents.c.id == id)), None)

    def acknowledge(self, id: int, who: str, when: str) -> None:
        """Somebody looks at it. What still was to tell that it began is held back; and then so is
        that it is over."""

        def work(c: sa.Connection) -> None:
            its = (alert_incidents.c.id == id) & (alert_incidents.c.acknowledged.is_(None))
            values = {"acknowledged_by": who, "acknowledged": when}
            c.execute(sa.update(alert_incidents).where(its).values(**values))
            mine = sa.select(alert_told.c.message).where(alert_told.c.incident == id)
            waiting = (alert_messages.c.state == "pending") & alert_messages.c.id.in_(mine)
            for row in c.execute(sa.select(alert_messages).where(waiting)).mappings().all():
                message = message_of(row)
                # One that tells of others too is sent all the same.
                if {item.incident for item in message.items} == {id} and not message.tries:
                    held = {"state": "held", "why": "somebody looks at it"}
                    c.execute(the_message(message.id).values(**held))

        self._database.write(work)

    # -- the outbox

    def compose(self, make: Compose) -> list[Message]:
        """Put what nobody was told of into messages. The incidents and what tells of them change
        together."""

        def work(c: sa.Connection) -> list[Message]:
            changed = sa.select(alert_incidents).where(alert_incidents.c.change != "")
            rows = c.execute(changed.order_by(alert_incidents.c.id)).mappings().all()
            incidents = [incident_of(row) for row in rows]
            if not incidents:
                return []
            every = c.execute(sa.select(alert_receivers)).mappings().all()
            told = told_to(c, [one.id for one in incidents])
            forget_reminders(c, {one.id for one in incidents if one.state == "resolved"})
            made = [
                add_message(c, one)
                for one in make(incidents, [receiver_of(row) for row in every], told)
            ]
            ids = [one.id for one in incidents]
            done = sa.update(alert_incidents).where(alert_incidents.c.id.in_(ids))
            c.execute(done.values(change=""))
            return made

        return self._database.write(work)

    def remind(self, incidents: Collection[int], when: str, make: Compose) -> list[Message]:
        """Tell of those of these that are on and that nobody looks at, once more, those who have taken
        all that there was to tell of them. When that was is kept with it."""

        def work(c: sa.Connection) -> list[Message]:
            its = alert_incidents.c.id.in_(incidents) & (alert_incidents.c.state != "resolved")
            its &= alert_incidents.c.acknowledged.is_(None) & (alert_incidents.c.change == "")
            wanted = sa.select(alert_incidents).where(its).order_by(alert_incidents.c.id)
            rows = c.execute(wanted).mappings().all()
            found = [incident_of(row) for row in rows]
            every = c.execute(sa.select(alert_receivers)).mappings().all()
            told = told_to(c, [one.id for one in found], all_taken=True)
            made = [
                add_message(c, one)
                for one in make(found, [receiver_of(row) for row in every], told)
            ]
            done = sa.update(alert_incidents).where(alert_incidents.c.id.in_(incidents))
            c.execute(done.values(reminded=when))
            return made

        return self._database.write(work)

    def add(self, message: Message) -> Message:
        return self._database.write(lambda c: add_message(c, message))

    def pending(self) -> list[Message]:
        """The oldest first."""
        return self._messages(alert_messages.c.state == "pending")

    def message(self, id: int) -> Message | None:
        return next(iter(self._messages(alert_messages.c.id == id)), None)

    def sent_since(self, receiver: int, since: float) -> list[float]:
        """When alerts were sent to it since then, the oldest first."""
        its = (alert_messages.c.receiver == receiver) & (alert_messages.c.state == "sent")
        its &= (alert_messages.c.finished >= since) & (alert_messages.c.kind != "test")
        wanted = sa.select(alert_messages.c.finished).where(its)
        wanted = wanted.order_by(alert_messages.c.finished)
        return [float(t) for t in self._database.read(lambda c: c.execute(wanted).scalars().all())]

    def shift(self, seconds: float) -> None:
        """The clock was set by so many: what is waited for is as far away as before."""

        def work(c: sa.Connection) -> None:
            waits = alert_messages.c.state == "pending"
            moved = {name: alert_messages.c[name] + seconds for name in ("created", "due")}
            c.execute(sa.update(alert_messages).where(waits).values(**moved))
            until = alert_receivers.c.until
            c.execute(sa.update(alert_receivers).where(until > 0).values(until=until + seconds))

        self._database.write(work)

    def begin_try(self, message: Message) -> Message:
        """It is about to be sent, and may be by the time that this process ends."""
        tried = replace(message, tries=message.tries + 1)
        self._database.write(lambda c: c.execute(the_message(message.id).values(tries=tried.tries)))
        return tried

    def settle(
        self, message: Message, attempt: Attempt | None, receiver: Receiver | None = None
    ) -> None:
        """What came of a try, and how its receiver does now."""
        values = {
            name: getattr(message, name)
            for name in ("state", "why", "due", "tries", "failures", "finished", "second")
        }

        def work(c: sa.Connection) -> None:
            c.execute(the_message(message.id).values(**values))
            if attempt is not None:
                c.execute(sa.insert(alert_attempts).values(**values_of(attempt)))
            if receiver is not None:
                its = sa.update(alert_receivers).where(alert_receivers.c.id == receiver.id)
                now = {"failures": receiver.failures, "why": receiver.why, "until": receiver.until}
                c.execute(its.values(**now))

        self._database.write(work)

    def merge(self, messages: Sequence[Message], digest: Message) -> Message:
        """These have become one."""

        def work(c: sa.Connection) -> Message:
            made = add_message(c, digest)
            for one in messages:
                c.execute(
                    the_message(one.id).values(state="merged", why=made.uid, finished=made.created)
                )
            return made

        return self._database.write(work)

    def hand_over(self, messages: Sequence[Message], receiver: Receiver, now: float) -> None:
        """Another receiver is told as well: the same messages, under the same names; but for what it
        is told of already."""

        def work(c: sa.Connection) -> None:
            for one in messages:
                c.execute(the_message(one.id).values(second=True))
                if not is_news(c, one.items, receiver.id):
                    continue
                new = replace(
                    one,
                    id=0,
                    receiver=receiver.id,
                    tries=0,
                    failures=0,
                    due=now,
                    why="",
                    # It is the second one already: whoever is its own second ends here.
                    second=True,
                    instead_of=one.id,
                )
                add_message(c, new)

        self._database.write(work)

    # -- history

    def history(self, teams: Collection[str], limit: int = 100, before: int = 0) -> list[Message]:
        """The newest first."""
        wanted = sa.select(alert_messages).where(alert_messages.c.team.in_(teams))
        if before:
            wanted = wanted.where(alert_messages.c.id < before)
        wanted = wanted.order_by(alert_messages.c.id.desc()).limit(limit)
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        return [message_of(row) for row in rows]

    def attempts(self, messages: Collection[int], most: int = 5) -> dict[int, list[Attempt]]:
        """By message the last ones, the oldest first."""
        wanted = sa.select(alert_attempts).where(alert_attempts.c.message.in_(messages))
        wanted = wanted.order_by(alert_attempts.c.id)
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        found: dict[int, list[Attempt]] = {}
        for row in rows:
            its = found.setdefault(row["message"], [])
            its.append(Attempt(**fields_of(Attempt, row)))
        return {id: its[-most:] for id, its in found.items()}

    def told_of(self, incidents: Collection[int]) -> dict[int, list[str]]:
        """By incident the states of the messages that tell of it."""
        wanted = sa.select(alert_told.c.incident, alert_messages.c.state)
        wanted = wanted.join(alert_messages, alert_messages.c.id == alert_told.c.message)
        wanted = wanted.where(alert_told.c.incident.in_(incidents))
        found: dict[int, list[str]] = {}
        for incident, state in self._database.read(lambda c: c.execute(wanted).all()):
            found.setdefault(incident, []).append(state)
        return found

    def prune(self) -> None:
        """Forget the oldest of what is over."""

        def work(c: sa.Connection) -> None:
            for table, over in (
                (alert_incidents, alert_incidents.c.state == "resolved"),
                (alert_messages, alert_messages.c.state != "pending"),
            ):
                for team in c.execute(sa.select(table.c.team).distinct()).scalars().all():
                    its = sa.select(table.c.id).where(over, table.c.team == team)
                    oldest = its.order_by(table.c.id.desc()).offset(KEPT).limit(500)
                    c.execute(sa.delete(table).where(table.c.id.in_(oldest)))
            for table in (alert_told, alert_attempts):
                there = sa.select(alert_messages.c.id)
                c.execute(sa.delete(table).where(table.c.message.not_in(there)))

        self._database.write(work)

    def _incidents(self, wanted: sa.ColumnElement[bool]) -> list[Incident]:
        statement = sa.select(alert_incidents).where(wanted).order_by(alert_incidents.c.id)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [incident_of(row) for row in rows]

    def _messages(self, wanted: sa.ColumnElement[bool]) -> list[Message]:
        statement = sa.select(alert_messages).where(wanted).order_by(alert_messages.c.id)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [message_of(row) for row in rows]
