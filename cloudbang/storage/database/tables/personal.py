"""What people keep for themselves: words in colour, and searches under a name."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, UniqueConstraint

from cloudbang.storage.database.tables.metadata import metadata


def _owner() -> Column[int]:
    key = ForeignKey("accounts.id", ondelete="CASCADE")
    return Column("account_id", Integer, key, nullable=False)


marks = Table(
    "marks",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    Column("text", String, nullable=False),
    Column("regex", Boolean, nullable=False),
    Column("hue", Integer, nullable=False),
    Column("chosen", Boolean, nullable=False),  # the keys go from one to the next
    UniqueConstraint("account_id", "text", "regex"),
    sqlite_autoincrement=True,
)

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    Column("name", String, nullable=False),
    Column("key", String, nullable=False),  # the name as it is compared
    Column("view", String, nullable=False),  # log | logs | search
    Column("apps", String, nullable=False),  # JSON: names; none for all
    Column("query", String, nullable=False),  # of its page's address, without the apps
    Column("pinned", Boolean, nullable=False),
    Column("created_at", Integer, nullable=False),
    UniqueConstraint("account_id", "key"),
    sqlite_autoincrement=True,
)
