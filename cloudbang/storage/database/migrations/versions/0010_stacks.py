"""Stacks on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "stack_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("stack", sa.String, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("parts", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stack_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stack_runs_stack", "stack_runs", ["stack"])
    op.create_index("ix_stack_runs_state", "stack_runs", ["state"])
