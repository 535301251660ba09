"""Alerts are told again while they are on: how often, a rule says."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("alert_rules") as table:
        table.add_column(sa.Column("remind", sa.Float, nullable=False, server_default="0"))
    # As a new installation has it; of a deployment that failed, the release before it serves on.
    op.execute(
        "UPDATE alert_rules SET remind = 14400 WHERE severity = 'critical' "
        "AND condition NOT LIKE '%deployment-failed%'"
    )
    with op.batch_alter_table("alert_rules") as table:
        table.alter_column("remind", server_default=None)
    op.add_column("alert_incidents", sa.Column("reminded", sa.String))
