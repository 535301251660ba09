"""Incidents, messages and attempts, and the rows they are kept as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from cloudbang.domain.alerts.incidents import Incident, Item
from cloudbang.storage.database.rows import fields_of, values_of

MessageState = Literal["pending", "sent", "failed", "held", "merged"]
MessageKind = Literal["alert", "digest", "test"]


@dataclass(frozen=True, slots=True)
class Message:
    """``uid`` stays the same however often it is sent, and to whom. ``tries`` is counted before a
    try, ``failures`` after one. Times in seconds since 1970."""

    id: int
    uid: str
    receiver: int
    team: str
    kind: MessageKind
    items: tuple[Item, ...]
    created: float
    due: float
    state: MessageState = "pending"
    why: str = ""
    tries: int = 0
    failures: int = 0
    finished: float | None = None
    second: bool = False
    instead_of: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    message: int
    time: float
    accepted: bool
    code: str
    text: str


def incident_values(one: Incident) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "what": one.what,
        "app": one.app,
        "team": one.team,
        "subject": one.subject,
        "began": one.began,
        "acknowledged_by": one.acknowledged_by,
        "acknowledged": one.acknowledged,
        "reminded": one.reminded,
        **changed_values(one),
    }


def changed_values(one: Incident) -> dict[str, Any]:
    """What the engine changes of one; that somebody has acknowledged it is not its,
    nor when it was told again."""
    return {
        "rule_name": one.rule_name,
        "severity": one.severity,
        "state": one.state,
        "ended": one.ended,
        "facts": orjson.dumps(dict(one.facts)).decode(),
        "receivers": orjson.dumps(one.receivers).decode(),
        "change": one.change,
    }


def incident_of(row: Mapping[Any, Any]) -> Incident:
    return Incident(
        **fields_of(Incident, row, "facts", "receivers"),
        facts=orjson.loads(row["facts"]),
        receivers=tuple(orjson.loads(row["receivers"])),
    )


def message_values(one: Message) -> dict[str, Any]:
    return {**values_of(one, "id"), "items": items_json(one.items)}


def items_json(items: Iterable[Item]) -> str:
    return orjson.dumps([item.as_json() for item in items]).decode()


def message_of(row: Mapping[Any, Any]) -> Message:
    items = tuple(Item(**item) for item in orjson.loads(row["items"]))
    return Message(**fields_of(Message, row, "items"), items=items)
