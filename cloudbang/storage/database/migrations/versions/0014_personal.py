"""What people keep for themselves: marks and searches; apps whose logs are kept for a time of their
own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("regex", sa.Boolean, nullable=False),
        sa.Column("hue", sa.Integer, nullable=False),
        sa.Column("chosen", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "text", "regex"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("view", sa.String, nullable=False),
        sa.Column("apps", sa.String, nullable=False),
        sa.Column("query", sa.String, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_keeping",
        sa.Column("app", sa.String, nullable=False),
        sa.Column("days", sa.Float),
        sa.Column("bytes", sa.Integer),
        sa.PrimaryKeyConstraint("app"),
    )
