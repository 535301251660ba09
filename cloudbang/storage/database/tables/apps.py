"""The apps that are known. Moments are whole seconds since 1970 (UTC)."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from cloudbang.storage.database.tables.metadata import metadata

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

# Of each container without a label the app it was first known by, and the name it was last seen with.
container_names = Table(
    "container_names",
    metadata,
    Column("id", String, primary_key=True),  # 64 hex digits
    Column("app", String, nullable=False),
    Column("name", String, nullable=False),
)

# Of apps whose logs are kept otherwise than the settings say: for how long, how much; none: as they say.
log_keeping = Table(
    "log_keeping",
    metadata,
    Column("app", String, primary_key=True),
    Column("days", Float),
    Column("bytes", Integer),
)
