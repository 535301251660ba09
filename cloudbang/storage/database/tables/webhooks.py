"""Webhooks of apps, and what came of their deliveries. Their secrets are among the other secrets."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, UniqueConstraint

from cloudbang.storage.database.tables.metadata import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("app", String, nullable=False, index=True),
    Column("key", String, nullable=False),  # in its address
    Column("kind", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("paths", String, nullable=False),  # JSON
    Column("enabled", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("created", String, nullable=False),
    UniqueConstraint("key"),
    sqlite_autoincrement=True,
)

# What was asked for once and may be asked again: a delivery of a webhook, a call with a key.
deliveries = Table(
    "deliveries",
    metadata,
    Column("scope", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("received", String, nullable=False, index=True),
    Column("deployment", Integer),
    Column("outcome", String, nullable=False),
)
