"""Who is told what: of incidents that changed, one message for each receiver."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence

from cloudbang.domain.alerts.incidents import Incident, Item, item_of, reminder_of
from cloudbang.domain.alerts.receivers import Receiver
from cloudbang.domain.lines import parse_time
from cloudbang.storage.database.alert_rows import Message


def compose(
    incidents: Sequence[Incident],
    receivers: Sequence[Receiver],
    told: Mapping[int, frozenset[int]],
    *,
    now: float,
) -> list[Message]:
    """``told``: by incident who was told that it began. That it is over they are told, and nobody
    else. Runs in the database's thread."""
    enabled = {one.id: one for one in receivers if one.enabled}
    there = {one.id for one in receivers}
    items: dict[int, list[Item]] = {}
    for incident in incidents:
        if incident.change == "ended":
            to: Iterable[int] = told.get(incident.id, frozenset()) & enabled.keys()
            its = [item_of(incident, "ended")]
        else:
            if incident.acknowledged and not told.get(incident.id):
                continue
            named = there & set(incident.receivers)
            to = (one.id for one in enabled.values() if _takes(one, incident, named))
            its = [item_of(incident, incident.change or "began")]
            if incident.state == "resolved":  # before anybody was told of it
                its.append(item_of(incident, "ended"))
        for id in to:
            items.setdefault(id, []).extend(its)
    return _messages(items, enabled, now)


def remind(
    incidents: Sequence[Incident],
    receivers: Sequence[Receiver],
    sent: Mapping[int, frozenset[int]],
    *,
    now: float,
) -> list[Message]:
    """That these are still so. ``sent``: by incident who has all of it that there was to tell."""
    enabled = {one.id: one for one in receivers if one.enabled}
    items: dict[int, list[Item]] = {}
    for incident in incidents:
        hours = max(now - parse_time(incident.began) / 1e9, 0.0) / 3600
        for id in sorted(sent.get(incident.id, frozenset()) & enabled.keys()):
            items.setdefault(id, []).append(reminder_of(incident, hours))
    return _messages(items, enabled, now)


def _messages(
    items: Mapping[int, Sequence[Item]], receivers: Mapping[int, Receiver], now: float
) -> list[Message]:
    return [
        Message(0, secrets.token_hex(8), id, receivers[id].team, "alert", tuple(its), now, now)
        for id, its in items.items()
    ]


def _takes(receiver: Receiver, incident: Incident, named: Collection[int]) -> bool:
    """What is a team's is told to its own only, whatever a rule names. ``named``: of those whom the rule
    names who is there yet; where nobody is, it is told as if it named nobody, or nobody would hear of it."""
    if receiver.team != incident.team:
        return False
    return receiver.id in named if named else receiver.options.everything
