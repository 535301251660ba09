"""Releases, deployments, and the secrets of apps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("app", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("app", "number", name="pk_releases"),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("app", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("release", sa.Integer, nullable=False),
        sa.Column("previous", sa.Integer),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("created", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("stop_first", sa.Boolean, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("steps", sa.String, nullable=False),
        sa.Column("failure", sa.String),
        sa.Column("last_lines", sa.String),
        sa.Column("cancelled_by", sa.String, nullable=False),
        sa.Column("finished", sa.String),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.UniqueConstraint("app", "number", name="uq_deployments_app"),
        sqlite_autoincrement=True,
    )
    for column in ("app", "state", "settled"):
        op.create_index(f"ix_deployments_{column}", "deployments", [column])
    op.create_table(
        "deployed_apps",
        sa.Column("app", sa.String, nullable=False),
        sa.Column("serving", sa.Integer),
        sa.Column("stopped", sa.Boolean, nullable=False),
        sa.Column("replicas", sa.Integer),
        sa.PrimaryKeyConstraint("app", name="pk_deployed_apps"),
    )
    op.create_table(
        "secret_values",
        sa.Column("app", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("app", "name", "version", name="pk_secret_values"),
    )
