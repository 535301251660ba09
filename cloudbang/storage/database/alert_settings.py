"""Rules of alerts, and who is told."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
import sqlalchemy as sa

from cloudbang.domain.alerts.receivers import Options, Receiver
from cloudbang.domain.alerts.rules import NoRule, Rule, condition_json, condition_of
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import With, alone, fields_of, insert_row, values_of
from cloudbang.storage.database.tables import (
    alert_messages,
    alert_receivers,
    alert_rules,
    settings,
)

log = logging.getLogger(__name__)

_MADE = "alert-rules-made"


class AlertSettings:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unread: set[int] = set()  # rules, of which that is said already

    def make_defaults(self, rules: Sequence[Rule]) -> None:
        """Once in the life of an installation, whatever becomes of them."""

        def work(c: sa.Connection) -> None:
            made = sa.select(settings.c.value).where(settings.c.key == _MADE)
            if c.execute(made).first() is None:
                for rule in rules:
                    c.execute(sa.insert(alert_rules).values(**_rule_values(rule)))
                c.execute(sa.insert(settings).values(key=_MADE, value="1"))

        self._database.write(work)

    def value(self, key: str) -> str:
        """A setting of the installation's, "" where there is none."""
        wanted = sa.select(settings.c.value).where(settings.c.key == key)
        return str(self._database.read(lambda c: c.execute(wanted).scalar()) or "")

    def set_value(self, key: str, value: str) -> None:
        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(settings).where(settings.c.key == key))
            c.execute(sa.insert(settings).values(key=key, value=value))

        self._database.write(work)

    # -- rules

    def rules(self) -> list[Rule]:
        """One that cannot be read, of a newer CloudBang, stops no other."""
        wanted = sa.select(alert_rules).order_by(alert_rules.c.id)
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        found = []
        for row in rows:
            try:
                found.append(_rule(row))
            except NoRule as e:
                if row["id"] not in self._unread:
                    log.warning(
                        "rule %d of alerts cannot be read, and is not followed: %s", row["id"], e
                    )
                self._unread.add(row["id"])
        return found

    def rule(self, id: int) -> Rule | None:
        return next((rule for rule in self.rules() if rule.id == id), None)

    def add_rule(self, rule: Rule) -> Rule:
        values = _rule_values(rule)
        return replace(rule, id=self._database.write(lambda c: insert_row(c, alert_rules, values)))

    def save_rule(self, rule: Rule) -> None:
        statement = sa.update(alert_rules).where(alert_rules.c.id == rule.id)
        self._database.write(lambda c: c.execute(statement.values(**_rule_values(rule))).rowcount)

    def delete_rule(self, id: int) -> None:
        statement = sa.delete(alert_rules).where(alert_rules.c.id == id)
        self._database.write(lambda c: c.execute(statement).rowcount)

    # -- receivers

    def receivers(self, teams: Collection[str] | None = None) -> list[Receiver]:
        """Of these teams, or of all."""
        wanted = sa.select(alert_receivers).order_by(alert_receivers.c.id)
        if teams is not None:
            wanted = wanted.where(alert_receivers.c.team.in_(teams))
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        return [receiver_of(row) for row in rows]

    def receiver(self, id: int) -> Receiver | None:
        wanted = sa.select(alert_receivers).where(alert_receivers.c.id == id)
        row = self._database.read(lambda c: c.execute(wanted).mappings().one_or_none())
        return None if row is None else receiver_of(row)

    def add_receiver(self, receiver: Receiver, also: With = alone) -> Receiver:
        values = _receiver_values(receiver)

        def work(c: sa.Connection) -> Receiver:
            made = replace(receiver, id=insert_row(c, alert_receivers, values))
            also(c, made.id)
            return made

        return self._database.write(work)

    def save_receiver(self, receiver: Receiver, also: With = alone) -> None:
        statement = sa.update(alert_receivers).where(alert_receivers.c.id == receiver.id)
        values = _receiver_values(receiver)

        def work(c: sa.Connection) -> None:
            c.execute(statement.values(**values))
            also(c, receiver.id)

        self._database.write(work)

    def delete_receiver(self, id: int, also: With = alone) -> None:
        """What still was to be sent to it is held back."""

        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(alert_receivers).where(alert_receivers.c.id == id))
            its = (alert_messages.c.receiver == id) & (alert_messages.c.state == "pending")
            held = {"state": "held", "why": "the receiver was deleted"}
            c.execute(sa.update(alert_messages).where(its).values(**held))
            also(c, id)

        self._database.write(work)


def _rule_values(rule: Rule) -> dict[str, Any]:
    return {
        **values_of(rule, "id"),
        "kind": rule.kind,
        "condition": orjson.dumps(condition_json(rule.condition)).decode(),
        "receivers": orjson.dumps(rule.receivers).decode(),
    }


def _rule(row: Mapping[Any, Any]) -> Rule:
    return Rule(
        **fields_of(Rule, row, "condition", "receivers"),
        condition=condition_of(row["kind"], orjson.loads(row["condition"])),
        receivers=tuple(orjson.loads(row["receivers"])),
    )


def _receiver_values(receiver: Receiver) -> dict[str, Any]:
    options = orjson.dumps(asdict(receiver.options)).decode()
    return {**values_of(receiver, "id"), "options": options}


def receiver_of(row: Mapping[Any, Any]) -> Receiver:
    """Of a row of its table."""
    told = orjson.loads(row["options"])
    told["to"] = tuple(told.get("to", ()))
    return Receiver(**fields_of(Receiver, row, "options"), options=Options(**told))
