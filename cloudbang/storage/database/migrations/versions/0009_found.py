"""Containers that are being taken over as apps, and Compose projects that were seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "taken_over",
        sa.Column("container", sa.String, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("deployment", sa.Integer, nullable=False),
        sa.Column("restart", sa.String, nullable=False),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("container", name="pk_taken_over"),
    )
    op.create_table(
        "compose_projects",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("files", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_compose_projects"),
    )
