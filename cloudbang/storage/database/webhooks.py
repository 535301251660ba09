"""Webhooks of apps, and what came of what was asked for once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.domain.deploy.webhooks import Filter, WebhookKind
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.rows import With, alone, fields_of, insert_row, values_of
from cloudbang.storage.database.tables import deliveries, webhooks

ALL = Filter()


@dataclass(frozen=True, slots=True)
class Webhook:
    """``key``: what stands in its address."""

    app: str
    key: str
    kind: WebhookKind
    by: str
    created: str
    filter: Filter = ALL
    enabled: bool = True
    id: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was asked for, and what came of it: a deployment, or the outcome in a word."""

    scope: str
    key: str
    received: str
    outcome: str
    deployment: int | None = None


class WebhookStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, webhook: Webhook, also: With = alone) -> Webhook:
        """Keep a new one; with its id."""
        values = _values(webhook)

        def work(c: sa.Connection) -> Webhook:
            made = replace(webhook, id=insert_row(c, webhooks, values))
            also(c, made.id)
            return made

        return self._database.write(work)

    def save(self, webhook: Webhook) -> None:
        its = webhooks.c.id == webhook.id
        statement = sa.update(webhooks).where(its).values(**_values(webhook))
        self._database.write(lambda c: c.execute(statement).rowcount)

    def delete(self, id: int, also: With = alone) -> None:
        """With what came of its deliveries."""

        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(webhooks).where(webhooks.c.id == id))
            c.execute(sa.delete(deliveries).where(deliveries.c.scope == scope_of(id)))
            also(c, id)

        self._database.write(work)

    def of(self, app: str) -> list[Webhook]:
        """Those of an app, the oldest first."""
        return self._find(webhooks.c.app == app)

    def get(self, id: int) -> Webhook | None:
        return next(iter(self._find(webhooks.c.id == id)), None)

    def called(self, key: str) -> Webhook | None:
        """The one with this key in its address."""
        return next(iter(self._find(webhooks.c.key == key)), None)

    def delivered(self, scope: str, key: str) -> Delivery | None:
        """What came of it, where it was asked for before."""
        its = (deliveries.c.scope == scope) & (deliveries.c.key == key)
        statement = sa.select(deliveries).where(its)
        row = self._database.read(lambda c: c.execute(statement).mappings().one_or_none())
        return None if row is None else Delivery(**row)

    def deliveries(self, scope: str, limit: int) -> list[Delivery]:
        """The newest first."""
        statement = sa.select(deliveries).where(deliveries.c.scope == scope)
        statement = statement.order_by(deliveries.c.received.desc()).limit(limit)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [Delivery(**row) for row in rows]

    def keep(self, delivery: Delivery, oldest: str) -> None:
        """What came of one; all from before ``oldest``, RFC 3339, are forgotten."""
        values = values_of(delivery)
        statement = insert(deliveries).values(**values)
        statement = statement.on_conflict_do_update(index_elements=["scope", "key"], set_=values)
        forget = sa.delete(deliveries).where(deliveries.c.received < oldest)

        def work(c: sa.Connection) -> None:
            c.execute(statement)
            c.execute(forget)

        self._database.write(work)

    def _find(self, wanted: sa.ColumnElement[bool]) -> list[Webhook]:
        statement = sa.select(webhooks).where(wanted).order_by(webhooks.c.id)
        rows = self._database.read(lambda c: c.execute(statement).mappings().all())
        return [_webhook(row) for row in rows]


def scope_of(webhook: int) -> str:
    """Within which its deliveries have their names."""
    return f"webhook:{webhook}"


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        **values_of(webhook, "id", "filter"),
        "branch": webhook.filter.branch,
        "paths": orjson.dumps(webhook.filter.paths).decode(),
    }


def _webhook(row: Mapping[Any, Any]) -> Webhook:
    wanted = Filter(row["branch"], tuple(orjson.loads(row["paths"])))
    return Webhook(**fields_of(Webhook, row, "filter"), filter=wanted)
