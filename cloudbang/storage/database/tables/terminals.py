"""The audit list of terminals. Times are RFC 3339 text with nanoseconds, as in the log."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
)

from cloudbang.storage.database.tables.metadata import metadata

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
