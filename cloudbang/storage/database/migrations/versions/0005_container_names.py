"""The names by which containers without a label were first known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "container_names",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_container_names"),
    )
