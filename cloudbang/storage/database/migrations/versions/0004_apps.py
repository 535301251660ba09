"""The registry of apps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "apps",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("team", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("put_away_at", sa.Integer),
        sa.Column("forgotten_at", sa.Integer),
        sa.Column("next_seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_apps"),
    )
    op.create_index("ix_apps_forgotten_at", "apps", ["forgotten_at"])
