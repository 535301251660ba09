"""The audit list of terminals, and who visited them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "terminals",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("team", sa.String, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("container", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("image", sa.String, nullable=False),
        sa.Column("command", sa.String, nullable=False),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("folder", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("login", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("columns", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("started", sa.String, nullable=False),
        sa.Column("exec_id", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("ended", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("exit_code", sa.Integer),
        sa.Column("recorded", sa.Boolean, nullable=False),
        sa.Column("recording_bytes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_terminals"),
        sa.UniqueConstraint("session", name="uq_terminals_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_terminals_app", "terminals", ["app"])
    op.create_index("ix_terminals_account_id", "terminals", ["account_id"])
    op.create_table(
        "terminal_visits",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("session", sa.String, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.Column("joined", sa.String, nullable=False),
        sa.Column("left", sa.String),
        sa.PrimaryKeyConstraint("id", name="pk_terminal_visits"),
        sa.ForeignKeyConstraint(
            ["session"],
            ["terminals.session"],
            name="fk_terminal_visits_session",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("mode IN ('own', 'type', 'watch')", name="ck_terminal_visits_mode"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_terminal_visits_session", "terminal_visits", ["session"])
