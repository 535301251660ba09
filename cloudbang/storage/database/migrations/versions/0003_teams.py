"""Teams: a role is held in one, and was held in "default"."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "teams",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_teams"),
    )
    op.create_table(
        "memberships",
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("team", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "team", name="pk_memberships"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_memberships_account_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("role IN ('admin', 'viewer')", name="ck_memberships_role"),
    )
    op.execute("INSERT INTO memberships SELECT id, 'default', role FROM accounts")
    # By hand, since the ids that were given once have to stay given: alembic forgets them.
    op.create_table(
        "new_accounts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("signed_in_at", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("key", name="uq_accounts_key"),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO new_accounts (id, name, key, password, created_at, signed_in_at) "
        "SELECT id, name, key, password, created_at, signed_in_at FROM accounts"
    )
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'new_accounts'")
    op.execute(
        "INSERT INTO sqlite_sequence SELECT 'new_accounts', seq FROM sqlite_sequence "
        "WHERE name = 'accounts'"
    )
    op.drop_table("accounts")
    op.rename_table("new_accounts", "accounts")
