"""What was handed out, as the database has it: browsers' logins and API tokens, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from cloudbang.accounts.models import Caller
from cloudbang.accounts.permissions import DEFAULT_TEAM, Role, lesser
from cloudbang.storage.database.tables import accounts, api_tokens, memberships, sessions, teams


@dataclass(slots=True)
class Grant:
    """A login or a token. Moments in seconds since 1970."""

    caller: Caller
    seen_at: int  # 0: never
    noted_at: int  # seen_at as the database has it
    created_at: int


def load(c: sa.Connection) -> tuple[frozenset[str], list[Grant]]:
    """The teams there are, and what was handed out."""
    roles: dict[int, dict[str, Role]] = {}
    for m in c.execute(sa.select(memberships)):
        roles.setdefault(m.account_id, {})[m.team] = m.role
    found = [
        Grant(
            Caller(f"s{r.id}", r.account_id, r.name, roles.get(r.account_id, {}), r.digest),
            r.seen_at,
            r.seen_at,
            r.created_at,
        )
        for r in c.execute(_LOGINS)
    ]
    every_team = frozenset({DEFAULT_TEAM, *c.execute(sa.select(teams.c.name)).scalars()})
    for r in c.execute(_TOKENS):
        if r.account_id is None:  # the machine's own: whoever makes one may read the disk
            held: dict[str, Role] = dict.fromkeys(every_team, r.role)
        else:
            theirs = roles.get(r.account_id, {})
            held = {team: lesser(r.role, role) for team, role in theirs.items()}
        caller = Caller(f"t{r.id}", r.account_id, r.account_name or r.name, held, r.digest)
        found.append(Grant(caller, r.seen_at or 0, r.seen_at or 0, r.created_at))
    return every_team, found


_LOGINS = sa.select(
    sessions.c.id,
    sessions.c.digest,
    sessions.c.account_id,
    sessions.c.created_at,
    sessions.c.seen_at,
    accounts.c.name,
).join(accounts, accounts.c.id == sessions.c.account_id)

_TOKENS = sa.select(
    api_tokens.c.id,
    api_tokens.c.digest,
    api_tokens.c.account_id,
    api_tokens.c.name,
    api_tokens.c.role,
    api_tokens.c.created_at,
    api_tokens.c.seen_at,
    accounts.c.name.label("account_name"),
).outerjoin(accounts, accounts.c.id == api_tokens.c.account_id)
