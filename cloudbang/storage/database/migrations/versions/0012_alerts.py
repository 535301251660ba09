"""Alerts: rules, incidents, receivers, messages and what came of sending them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    text, whole, real, yes = sa.String, sa.Integer, sa.Float, sa.Boolean
    _table(
        "alert_rules",
        {"team": text, "app": text, "name": text, "kind": text, "condition": text}
        | {"severity": text, "wait": real, "clear": real, "receivers": text, "enabled": yes}
        | {"by": text, "created": text},
    )
    _table(
        "alert_incidents",
        {"rule": whole, "rule_name": text, "what": text, "app": text, "team": text}
        | {"subject": text, "severity": text, "state": text, "began": text, "ended?": text}
        | {"facts": text, "receivers": text, "acknowledged_by": text, "acknowledged?": text}
        | {"change": text},
    )
    _index("alert_incidents", "state")
    _index("alert_incidents", "change")
    _index("alert_incidents", "team", "began")
    _table(
        "alert_receivers",
        {"team": text, "name": text, "kind": text, "options": text, "enabled": yes, "by": text}
        | {"created": text, "failures": whole, "why": text, "until": real},
    )
    _index("alert_receivers", "team")
    _table(
        "alert_messages",
        {"uid": text, "receiver": whole, "team": text, "kind": text, "state": text, "why": text}
        | {"created": real, "due": real, "tries": whole, "failures": whole, "finished?": real}
        | {"second": yes, "instead_of?": whole, "items": text},
    )
    _index("alert_messages", "state", "due")
    _index("alert_messages", "receiver", "state")
    _index("alert_messages", "team", "created")
    op.create_table(
        "alert_told",
        sa.Column("incident", sa.Integer, nullable=False),
        sa.Column("change", sa.String, nullable=False),
        sa.Column("message", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("incident", "change", "message", name="pk_alert_told"),
    )
    _index("alert_told", "message")
    _table(
        "alert_attempts",
        {"message": whole, "time": real, "accepted": yes, "code": text, "text": text},
    )
    _index("alert_attempts", "message")


def _table(name: str, columns: dict[str, type]) -> None:
    """``?`` behind the name of a column: it may be missing."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer, nullable=False),
        *(
            sa.Column(column.rstrip("?"), kind, nullable=column.endswith("?"))
            for column, kind in columns.items()
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_autoincrement=True,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
