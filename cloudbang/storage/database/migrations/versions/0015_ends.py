"""Tokens and accounts end by themselves; a token has a new secret while the old one is still good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("ends_at", sa.Integer))
    with op.batch_alter_table("api_tokens") as table:
        table.add_column(sa.Column("secret_at", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("rotation", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("ends_at", sa.Integer))
        table.add_column(sa.Column("address", sa.String))
        table.add_column(sa.Column("old_digest", sa.LargeBinary))
        table.add_column(sa.Column("old_ends_at", sa.Integer))
    # What was handed out before has no end, and the secret that it was made with.
    op.execute("UPDATE api_tokens SET secret_at = created_at")
    with op.batch_alter_table("api_tokens") as table:
        table.alter_column("secret_at", server_default=None)
        table.alter_column("rotation", server_default=None)
