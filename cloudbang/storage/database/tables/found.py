"""What CloudBang did not make, and has been told something about."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table

from cloudbang.storage.database.tables.metadata import metadata

# Containers that are being taken over as apps: what has to be put back where that fails.
taken_over = Table(
    "taken_over",
    metadata,
    Column("container", String, primary_key=True),  # the full id
    Column("app", String, nullable=False),
    Column("deployment", Integer, nullable=False),
    Column("restart", String, nullable=False),  # JSON: when the engine restarted it
    Column("stopped", Boolean, nullable=False),  # by us, before the app began
)

# Compose projects that were seen on the engine: one that is down has no container that says it.
compose_projects = Table(
    "compose_projects",
    metadata,
    Column("name", String, primary_key=True),
    Column("folder", String, nullable=False),
    Column("files", String, nullable=False),  # JSON: paths
)
