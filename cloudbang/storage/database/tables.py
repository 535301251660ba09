"""The tables of the database. A change here needs a migration in ``migrations/versions``.

Moments are whole seconds since 1970 (UTC), except for what happens in containers: the times of
events and terminals are RFC 3339 text with nanoseconds, as the engine and the log have them.
Secrets are kept as SHA-256 digests only.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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

REVISION = "0004"
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
    Column("created_at", Integer, nullable=False),
    Column("signed_in_at", Integer),
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
    CheckConstraint("role IN ('admin', 'viewer')", name="role"),
    sqlite_autoincrement=True,
)

# Every app that is known; of a forgotten one only the seq that its next line would get.
apps = Table(
    "apps",
    metadata,
    Column("name", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("kind", String, nullable=False),  # deployed | found | put; "" once forgotten
    Column("created_at", Integer, nullable=False),
    Column("put_away_at", Integer),
    Column("forgotten_at", Integer, index=True),
    Column("next_seq", Integer, nullable=False),  # of its first line in this life, or in the next
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

# The audit list: every terminal there ever was. It names accounts without a foreign key, since it
# outlives them.
terminals = Table(
    "terminals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session", String, nullable=False, unique=True),  # 16 hex digits
    Column("kind", String, nullable=False),
    Column("team", String, nullable=False),
    Column("app", String, nullable=False, index=True),
    Column("container", String, nullable=False),  # 64 hex digits, "" for a command of the host
    Column("name", String, nullable=False),  # of the container
    Column("image", String, nullable=False),
    Column("command", String, nullable=False),  # a JSON list
    Column("user", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("title", String, nullable=False),
    Column("account_id", Integer, index=True),  # none: a token made on the command line
    Column("account", String, nullable=False),  # the name it had
    Column("login", String, nullable=False),  # the browser's session or API token: s12, t3
    Column("address", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("started", String, nullable=False),
    Column("exec_id", String, nullable=False),  # these two by which an orphan is found
    Column("pid", Integer, nullable=False),
    Column("ended", String),  # none: it runs, or its server died
    Column("reason", String, nullable=False),
    Column("exit_code", Integer),
    Column("recorded", Boolean, nullable=False),  # whether there is a recording to be replayed
    Column("recording_bytes", Integer, nullable=False),  # as asciicast, not as packed on disk
    sqlite_autoincrement=True,
)

terminal_visits = Table(
    "terminal_visits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "session",
        String,
        ForeignKey("terminals.session", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("account_id", Integer),
    Column("account", String, nullable=False),
    Column("address", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("joined", String, nullable=False),
    Column("left", String),
    CheckConstraint("mode IN ('own', 'type', 'watch')", name="mode"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
