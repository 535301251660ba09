"""Webhooks of apps, and what came of their deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("branch", sa.String, nullable=False),
        sa.Column("paths", sa.String, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("key", name="uq_webhooks_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_webhooks_app", "webhooks", ["app"])
    op.create_table(
        "deliveries",
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("received", sa.String, nullable=False),
        sa.Column("deployment", sa.Integer),
        sa.Column("outcome", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_received", "deliveries", ["received"])
