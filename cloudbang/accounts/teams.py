"""Teams: made, with who is in them, deleted once nothing is theirs."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from cloudbang.accounts.credentials import Credentials, end_logins
from cloudbang.accounts.errors import TeamInUse, TeamNameTaken, UnknownTeam
from cloudbang.accounts.models import Member, Team, checked_team
from cloudbang.accounts.permissions import DEFAULT_TEAM
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import accounts, apps, memberships, secret_values, teams


class Teams:
    """Who is in which as what, ``AccountService.set_role`` changes. All methods raise StorageFailed."""

    def __init__(
        self,
        database: Database,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._credentials, self._clock = database, credentials, clock

    def all(self) -> list[Team]:
        """By name; the one that every installation has first."""
        return self._database.read(_load)

    def get(self, name: str) -> Team:
        """Raises UnknownTeam."""
        for found in self.all():
            if found.name == name:
                return found
        raise UnknownTeam(name)

    def create(self, name: str) -> None:
        """A new team, with nobody in it and nothing of its own. Raises TeamNameTaken, BadRequest."""
        values = {"name": checked_team(name), "created_at": int(self._clock())}

        def work(c: sa.Connection) -> None:
            # It is a folder's name, and some disks look at no capitals.
            for taken in (DEFAULT_TEAM, *c.execute(sa.select(teams.c.name)).scalars()):
                if taken.lower() == name.lower():
                    raise TeamNameTaken(taken)
            c.execute(sa.insert(teams).values(values))

        self._database.write(work)
        self._credentials.refresh()

    def delete(self, name: str) -> None:
        """Delete a team that has no apps, with its credentials for hosts: who makes one of that name
        later is somebody else. Nobody is in it any more, and the logins of who was end. Raises
        UnknownTeam, TeamInUse."""

        def work(c: sa.Connection) -> None:
            if name == DEFAULT_TEAM:
                raise TeamInUse(name, None)
            theirs = sa.select(sa.func.count()).where(_IS_APP, apps.c.team == name)
            if count := c.execute(theirs).scalar_one():
                raise TeamInUse(name, count)
            if not c.execute(sa.delete(teams).where(teams.c.name == name)).rowcount:
                raise UnknownTeam(name)
            its = memberships.c.team == name
            members = c.execute(sa.select(memberships.c.account_id).where(its)).scalars().all()
            c.execute(sa.delete(memberships).where(its))
            start = f"{name}/"
            of_hosts = sa.func.substr(secret_values.c.name, 1, len(start)) == start
            of_no_app = sa.func.substr(secret_values.c.app, 1, 1) == "@"
            c.execute(sa.delete(secret_values).where(of_no_app, of_hosts))
            for account in members:
                end_logins(c, account)

        self._database.write(work)
        self._credentials.refresh()


_IS_APP = apps.c.forgotten_at.is_(None)
_MEMBERS = (
    sa.select(memberships.c.team, memberships.c.role, accounts.c.id, accounts.c.name)
    .join(accounts, accounts.c.id == memberships.c.account_id)
    .order_by(accounts.c.key)
)


def _load(c: sa.Connection) -> list[Team]:
    members: dict[str, list[Member]] = {}
    for m in c.execute(_MEMBERS):
        members.setdefault(m.team, []).append(Member(m.id, m.name, m.role))
    counted = sa.select(apps.c.team, sa.func.count()).where(_IS_APP).group_by(apps.c.team)
    counts = {str(row[0]): int(row[1]) for row in c.execute(counted)}
    made = c.execute(sa.select(teams.c.name, teams.c.created_at).order_by(teams.c.name)).all()
    return [
        Team(name, created, tuple(members.get(name, ())), counts.get(name, 0))
        for name, created in ((DEFAULT_TEAM, None), *made)
    ]
