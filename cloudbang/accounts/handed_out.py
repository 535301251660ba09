"""What was handed out, as the database has it: browsers' logins and API tokens, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from cloudbang.accounts.models import Caller
from cloudbang.accounts.permissions import DEFAULT_TEAM, Role, lesser
from cloudbang.storage.database.tables import accounts, api_tokens, memberships, sessions, teams


@dataclass(slots=True)
class Grant:
    """A login, or a secret of a token. Moments in seconds since 1970."""

    caller: Caller
    seen_at: int  # 0: never
    noted_at: int  # seen_at as the database has it
    created_at: int
    token: str = ""  # its name
    ends_at: int | None = None  # of a token's secret
    account_ends_at: int | None = None
    old: bool = False  # the token has another secret by now
    address: str = ""  # from where a token was last used
    refused_at: float = 0.0  # when it was shown after its end, and from where
    refused: str = ""


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
            account_ends_at=r.account_ends_at,
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
        secrets = [(r.rotation, r.digest, r.ends_at)]
        if r.old_digest is not None:
            secrets.append((r.rotation - 1, r.old_digest, r.old_ends_at))
        for rotation, digest, ends_at in secrets:
            # By a name of its own: when the old secret ends, what the new one opened stays open.
            login = f"t{r.id}.{rotation}" if rotation else f"t{r.id}"
            found.append(
                Grant(
                    Caller(login, r.account_id, r.account_name or r.name, held, digest),
                    r.seen_at or 0,
                    r.seen_at or 0,
                    r.created_at,
                    token=r.name,
                    ends_at=ends_at,
                    account_ends_at=r.account_ends_at,
                    old=rotation != r.rotation,
                    address=r.address or "",
                )
            )
    return every_team, found


_LOGINS = sa.select(
    sessions.c.id,
    sessions.c.digest,
    sessions.c.account_id,
    sessions.c.created_at,
    sessions.c.seen_at,
    accounts.c.name,
    accounts.c.ends_at.label("account_ends_at"),
).join(accounts, accounts.c.id == sessions.c.account_id)

_TOKENS = sa.select(
    api_tokens,
    accounts.c.name.label("account_name"),
    accounts.c.ends_at.label("account_ends_at"),
).outerjoin(accounts, accounts.c.id == api_tokens.c.account_id)
