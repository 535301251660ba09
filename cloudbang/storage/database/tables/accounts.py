"""People, what they were handed out, and what else the installation knows of itself.

Moments are whole seconds since 1970 (UTC). Secrets are kept as SHA-256 digests only.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
)

from cloudbang.storage.database.tables.metadata import metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("key", String, nullable=False, unique=True),  # the name as it is compared
    Column("password", String, nullable=False),  # an argon2id hash with its parameters
    Column("created_at", Integer, nullable=False),
    Column("signed_in_at", Integer),
    Column("ends_at", Integer),  # nobody signs in from then on; none: never
    sqlite_autoincrement=True,  # an id in an old record must not come to mean another person
)

# Those made besides "default", which every installation has.
teams = Table(
    "teams",
    metadata,
    Column("name", String, primary_key=True),
    Column("created_at", Integer, nullable=False),
)

# Who belongs to a team, and as what.
memberships = Table(
    "memberships",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("team", String, primary_key=True),
    Column("role", String, nullable=False),
    CheckConstraint("role IN ('admin', 'viewer')", name="role"),
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
    Column("secret_at", Integer, nullable=False),  # when it was given the secret that it has
    Column("rotation", Integer, nullable=False),  # how many it had before
    Column("ends_at", Integer),  # it is refused from then on; none: never
    Column("address", String),  # from where it was last used
    # The secret before that, which is still good until then.
    Column("old_digest", LargeBinary),
    Column("old_ends_at", Integer),
    CheckConstraint("role IN ('admin', 'viewer')", name="role"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
