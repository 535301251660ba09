"""Where requests for apps come from, and where they go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "routes",
        sa.Column("app", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("own_port", sa.Integer, nullable=False),
        sa.Column("service", sa.String, nullable=False),
        sa.Column("service_port", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_routes"),
    )
