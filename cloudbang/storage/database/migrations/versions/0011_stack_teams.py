"""Whose the apps of a stack are to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    team = sa.Column("team", sa.String, nullable=False, server_default="default")
    op.add_column("stack_runs", team)
