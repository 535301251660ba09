"""The apps that are known, and the seqs at which forgotten ones would go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import apps, events, log_keeping
from cloudbang.storage.logs.keeping import AS_USUAL, OwnKeeping

KEEP_FORGOTTEN = 100_000
"""Forgotten apps of which the next seq is kept, 16 bytes of memory each; the longest forgotten go
first. Of their lines nothing has been left for as long as lines are kept, and longer."""


@dataclass(frozen=True, slots=True)
class AppRow:
    """An app. Moments in seconds since 1970; ``begins``: the seq of its first line."""

    name: str
    team: str
    kind: str  # deployed | found | put
    created: int
    put_away: int | None = None
    begins: int = 1


class AppStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> tuple[list[AppRow], list[tuple[str, int]]]:
        """The apps that are known, and of those forgotten the name and the next seq."""
        live = sa.select(
            apps.c.name,
            apps.c.team,
            apps.c.kind,
            apps.c.created_at,
            apps.c.put_away_at,
            apps.c.next_seq,
        ).where(apps.c.forgotten_at.is_(None))
        gone = sa.select(apps.c.name, apps.c.next_seq).where(apps.c.forgotten_at.is_not(None))
        return self._database.read(
            lambda c: (
                [AppRow(*row) for row in c.execute(live)],
                [(name, begins) for name, begins in c.execute(gone)],
            )
        )

    def save(self, rows: Iterable[AppRow]) -> None:
        """Keep these as they are now; one that was forgotten is known again."""
        values = [
            {
                "name": row.name,
                "team": row.team,
                "kind": row.kind,
                "created_at": row.created,
                "put_away_at": row.put_away,
                "forgotten_at": None,
                "next_seq": row.begins,
            }
            for row in rows
        ]
        statement = insert(apps)
        new = {c.name: statement.excluded[c.name] for c in apps.c if c.name != "name"}
        statement = statement.on_conflict_do_update(index_elements=["name"], set_=new)
        if values:
            self._database.write(lambda c: c.execute(statement, values).rowcount)

    def forget(self, name: str, next_seq: int, now: int) -> None:
        """Forget an app with its events. What is kept is the seq that its next line would get,
        where it ever had one."""
        its = apps.c.name == name

        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(events).where(events.c.app == name))
            c.execute(sa.delete(log_keeping).where(log_keeping.c.app == name))
            if next_seq == 1:
                c.execute(sa.delete(apps).where(its))
                return
            row = {
                "name": name,
                "team": "",
                "kind": "",
                "created_at": 0,
                "forgotten_at": now,
                "next_seq": next_seq,
            }
            c.execute(sa.delete(apps).where(its))
            c.execute(sa.insert(apps).values(row))

        self._database.write(work)

    def trim(self, keep: int = KEEP_FORGOTTEN) -> int:
        """Let go of the longest forgotten beyond ``keep``; gives how many."""
        forgotten = sa.select(apps.c.name).where(apps.c.forgotten_at.is_not(None))
        oldest = forgotten.order_by(apps.c.forgotten_at.desc(), apps.c.name).offset(keep)
        statement = sa.delete(apps).where(apps.c.name.in_(oldest.limit(10_000)))
        return int(self._database.write(lambda c: c.execute(statement).rowcount))

    def keepings(self) -> dict[str, OwnKeeping]:
        """The apps of whose logs it was said how they are kept."""
        rows = self._database.read(lambda c: c.execute(sa.select(log_keeping)).all())
        return {name: OwnKeeping(days, most) for name, days, most in rows}

    def keep(self, name: str, own: OwnKeeping) -> None:
        """Write down what was said of one."""

        def work(c: sa.Connection) -> None:
            c.execute(sa.delete(log_keeping).where(log_keeping.c.app == name))
            if own != AS_USUAL:
                values = {"app": name, "days": own.days, "bytes": own.bytes}
                c.execute(sa.insert(log_keeping).values(values))

        self._database.write(work)

    def events(self, name: str) -> int:
        """How many events of an app are kept."""
        count = sa.select(sa.func.count()).select_from(events).where(events.c.app == name)
        return int(self._database.read(lambda c: c.execute(count).scalar_one()))
