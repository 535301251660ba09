"""Which message tells of which change of which alert: what both sides of the outbox do within one
transaction of the other's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.domain.alerts.incidents import Item
from cloudbang.storage.database.alert_rows import (
    Message,
    items_json,
    message_of,
    message_values,
)
from cloudbang.storage.database.rows import insert_row
from cloudbang.storage.database.tables import alert_messages, alert_told


def the_message(message: int) -> sa.Update:
    return sa.update(alert_messages).where(alert_messages.c.id == message)


def forget_reminders(c: sa.Connection, incidents: Collection[int]) -> None:
    """What is over needs none; those that wait, and were never tried, no longer say it of these."""
    waiting = (alert_messages.c.state == "pending") & (alert_messages.c.tries == 0)
    mine = sa.select(alert_told.c.message).where(
        alert_told.c.incident.in_(incidents), alert_told.c.change == "reminder"
    )
    wanted = sa.select(alert_messages).where(waiting, alert_messages.c.id.in_(mine))
    for row in c.execute(wanted).mappings().all():
        message = message_of(row)
        rest = tuple(
            item
            for item in message.items
            if item.change != "reminder" or item.incident not in incidents
        )
        if rest:
            c.execute(the_message(message.id).values(items=items_json(rest)))
        else:
            c.execute(the_message(message.id).values(state="held", why="it is over"))


def told_to(
    c: sa.Connection, incidents: Collection[int], *, all_taken: bool = False
) -> dict[int, frozenset[int]]:
    """By incident the receivers that were told that it began, or will be; ``all_taken``: only those
    that were, and for whom nothing of it waits."""
    wanted = sa.select(alert_told.c.incident, alert_messages.c.receiver)
    wanted = wanted.join(alert_messages, alert_messages.c.id == alert_told.c.message)
    wanted = wanted.where(
        alert_told.c.incident.in_(incidents),
        alert_told.c.change.in_(("began", "flapping")),
        alert_messages.c.state.in_(("pending", "sent")),
    )
    found: dict[int, set[int]] = {}
    for incident, receiver in c.execute(wanted).all():
        found.setdefault(incident, set()).add(receiver)
    if all_taken:
        waits = sa.select(alert_told.c.incident, alert_messages.c.receiver)
        waits = waits.join(alert_messages, alert_messages.c.id == alert_told.c.message)
        waits = waits.where(
            alert_told.c.incident.in_(incidents), alert_messages.c.state == "pending"
        )
        for incident, receiver in c.execute(waits).all():
            found.get(incident, set()).discard(receiver)
    return {incident: frozenset(its) for incident, its in found.items()}


def is_news(c: sa.Connection, items: Collection[Item], receiver: int) -> bool:
    """Whether there is one among these that this receiver is not told of."""
    wanted = sa.select(alert_told.c.incident, alert_told.c.change)
    wanted = wanted.join(alert_messages, alert_messages.c.id == alert_told.c.message)
    wanted = wanted.where(
        alert_told.c.incident.in_([item.incident for item in items]),
        alert_messages.c.receiver == receiver,
        alert_messages.c.state.in_(("pending", "sent")),
    )
    told = {tuple(row) for row in c.execute(wanted).all()}
    return any(
        item.change == "reminder" or (item.incident, item.change) not in told for item in items
    )


def add_message(c: sa.Connection, message: Message) -> Message:
    made = replace(message, id=insert_row(c, alert_messages, message_values(message)))
    for item in made.items:
        told = {"incident": item.incident, "change": item.change, "message": made.id}
        c.execute(insert(alert_told).values(**told).on_conflict_do_nothing())
    return made
