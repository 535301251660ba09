"""Alerts: rules, what they found, whom it is told, and what came of telling it. Secrets of receivers
are among the other secrets. Times are RFC 3339 text, those that are counted with seconds since 1970."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, String, Table

from cloudbang.storage.database.tables.metadata import metadata

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team", String, nullable=False),  # "" for all
    Column("app", String, nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("condition", String, nullable=False),  # JSON
    Column("severity", String, nullable=False),
    Column("wait", Float, nullable=False),
    Column("clear", Float, nullable=False),
    Column("remind", Float, nullable=False),  # 0: never
    Column("receivers", String, nullable=False),  # JSON
    Column("enabled", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("created", String, nullable=False),
    sqlite_autoincrement=True,
)

# It names its rule and its app without a foreign key, since it outlives them.
alert_incidents = Table(
    "alert_incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", Integer, nullable=False),
    Column("rule_name", String, nullable=False),
    Column("what", String, nullable=False),
    Column("app", String, nullable=False),
    Column("team", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("state", String, nullable=False),
    Column("began", String, nullable=False),
    Column("ended", String),
    Column("facts", String, nullable=False),  # JSON
    Column("receivers", String, nullable=False),  # JSON
    Column("acknowledged_by", String, nullable=False),
    Column("acknowledged", String),
    Column("change", String, nullable=False),  # nobody was told of yet
    Column("reminded", String),  # when it was last told again
    Index(None, "state"),
    Index(None, "change"),
    Index(None, "team", "began"),
    sqlite_autoincrement=True,
)

alert_receivers = Table(
    "alert_receivers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("options", String, nullable=False),  # JSON, without secrets
    Column("enabled", Boolean, nullable=False),
    Column("by", String, nullable=False),
    Column("created", String, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
    Column("why", String, nullable=False),  # of the last of them
    Column("until", Float, nullable=False),  # nothing is sent before
    sqlite_autoincrement=True,
)

# The outbox, and the history once it was sent.
alert_messages = Table(
    "alert_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String, nullable=False),  # the same however often it is sent, and to whom
    Column("receiver", Integer, nullable=False),
    Column("team", String, nullable=False),
    Column("kind", String, nullable=False),  # alert, digest, test
    Column("state", String, nullable=False),  # pending, sent, failed, held, merged
    Column("why", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("due", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("finished", Float),
    Column("second", Boolean, nullable=False),  # whether another receiver was asked as well
    Column("instead_of", Integer),  # the message whose receiver does not take it
    Column("items", String, nullable=False),  # JSON
    Index(None, "state", "due"),
    Index(None, "receiver", "state"),
    Index(None, "team", "created"),
    sqlite_autoincrement=True,
)

# Which message tells of which change of which incident.
alert_told = Table(
    "alert_told",
    metadata,
    Column("incident", Integer, primary_key=True),
    Column("change", String, primary_key=True),
    Column("message", Integer, primary_key=True),
    Index(None, "message"),
)

alert_attempts = Table(
    "alert_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, nullable=False, index=True),
    Column("time", Float, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("code", String, nullable=False),
    Column("text", String, nullable=False),
    sqlite_autoincrement=True,
)
