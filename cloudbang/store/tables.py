"""The tables of the database. A change here needs a migration in ``migrations/versions``.

Moments are whole seconds since 1970 (UTC), except for the time of an event, which is the
engine's RFC 3339 text with nanoseconds. Secrets are kept as SHA-256 digests only.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

REVISION = "0001"
"""The newest migration. A database of this revision is used as it is."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("key", String, nullable=False, unique=True),  # the name as it is compared
    Column("password", String, nullable=False),  # an argon2id hash with its parameters
    Column("role", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("signed_in_at", Integer),
    CheckConstraint("role IN ('admin', 'viewer')", name="role"),
    sqlite_autoincrement=True,  # an id in an old record must not come to mean another person
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column(
        "account_id",
        Integer,
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", Integer, nullable=False),
    Column("seen_at", Integer, nullable=False),
    Column("address", String, nullable=False),
    Column("agent", String, nullable=False),
    sqlite_autoincrement=True,
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", String, nullable=False),
    # Whose it is; none when an operator made it on the command line.
    Column("account_id", Integer, ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("role", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("seen_at", Integer),
    CheckConstraint("role IN ('admin', 'viewer')", name="role"),
    sqlite_autoincrement=True,
)

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

settings = Table(
    "settings",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
