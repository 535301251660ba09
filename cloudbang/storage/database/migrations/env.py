"""What alembic runs for each command: one connection, one transaction around all migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from cloudbang.storage.database.tables import metadata


def _by_hand(connection, _record):  # type: ignore[no-untyped-def]
    connection.isolation_level = None  # else sqlite3 commits before each change of a table


engine = sa.create_engine(f"sqlite:///{context.config.attributes['path']}")
sa.event.listen(engine, "connect", _by_hand)
sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
