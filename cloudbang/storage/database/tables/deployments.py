"""Releases and deployments. Times are RFC 3339 text with nanoseconds, as in the log."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from cloudbang.storage.database.tables.metadata import metadata

# A release never changes, but for its image, which is known after it was pulled or built.
releases = Table(
    "releases",
    metadata,
    Column("app", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created", String, nullable=False),
    Column("body", String, nullable=False),  # JSON, as domain.deploy.release has it
)

# One attempt each. It names accounts without a foreign key, since it outlives them.
deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("app", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("release", Integer, nullable=False),
    Column("previous", Integer),  # the release that served; none: nothing did
    Column("by", String, nullable=False),
    Column("created", String, nullable=False),
    Column("source", String, nullable=False),  # JSON: from what
    Column("stop_first", Boolean, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("steps", String, nullable=False),  # JSON
    Column("failure", String),  # JSON
    Column("last_lines", String),  # JSON: what it logged last, kept longer than the log
    Column("cancelled_by", String, nullable=False),
    Column("finished", String),
    Column("settled", Boolean, nullable=False, index=True),
    UniqueConstraint("app", "number"),
    sqlite_autoincrement=True,
)

# What of an app that was deployed is so now, and no release says.
deployed_apps = Table(
    "deployed_apps",
    metadata,
    Column("app", String, primary_key=True),
    Column("serving", Integer),  # the release that serves; none: it is deleted, or never did
    Column("stopped", Boolean, nullable=False),
    Column("replicas", Integer),  # none: as the release says
)

# Values are encrypted with a key that is in a file beside the database.
secret_values = Table(
    "secret_values",
    metadata,
    Column("app", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# Where requests for an app come from, and where they go: what the gateway is to be, whatever it is.
routes = Table(
    "routes",
    metadata,
    Column("app", String, primary_key=True),
    Column("host", String, nullable=False),  # "" for the app's own name on this machine
    Column("path", String, nullable=False),
    Column("port", Integer, nullable=False),  # of the app, for the next release
    Column("own_port", Integer, nullable=False),  # of the gateway; 0 for none
    Column("service", String, nullable=False),  # that is answered by now; "" for none yet
    Column("service_port", Integer, nullable=False),
)

# Stacks on their way: the specifications of their apps are among the secrets until all have begun.
stack_runs = Table(
    "stack_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stack", String, nullable=False, index=True),
    Column("team", String, nullable=False, server_default="default"),
    Column("by", String, nullable=False),
    Column("admin", Boolean, nullable=False),
    Column("created", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("parts", String, nullable=False),  # JSON
    sqlite_autoincrement=True,
)
