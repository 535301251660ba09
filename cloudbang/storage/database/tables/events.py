"""What happened to apps. Times are RFC 3339 text with nanoseconds, as the engine and the log have them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from cloudbang.storage.database.tables.metadata import metadata

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("app", String, nullable=False),
    Column("container", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("time", String, nullable=False),
    Column("data", String, nullable=False),  # JSON
    # What the engine tells twice (on the stream and after a reconnect) is kept once.
    UniqueConstraint("app", "container", "kind", "time"),
    Index(None, "app", "time"),
    sqlite_autoincrement=True,
)
