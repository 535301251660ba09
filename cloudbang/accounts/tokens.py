"""API tokens: made, given another secret, revoked; and until when each is good.

A token that has ended stays in its owner's list, so that who wonders why a program is refused
finds the answer there.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import sqlalchemy as sa

from cloudbang.accounts.credentials import TOKEN_PREFIX, Credentials, digest_of, number_of
from cloudbang.accounts.errors import UnknownAccount
from cloudbang.accounts.models import (
    Caller,
    TokenEnd,
    TokenInfo,
    checked_end,
    checked_role,
    clean_name,
)
from cloudbang.accounts.permissions import INSTALLATION
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import api_tokens

HOUR = 3600
OVERLAP = HOUR  # seconds for which the old secret is good beside a new one
OVERLAP_MOST = 7 * 24 * HOUR
SOON = 7 * 24 * HOUR  # seconds before its end from which on a token's owner is told
STILL_ASKED = HOUR  # seconds for which it is said that an ended one was shown
ENDED_KEPT = 50
"""Tokens of one owner that have ended. Policy: with a new token, those that ended first go."""


class Tokens:
    """Those of people, and the machine's own. All methods but ``ending`` raise StorageFailed."""

    def __init__(
        self,
        database: Database,
        credentials: Credentials,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._credentials, self._clock = database, credentials, clock

    def create(
        self,
        name: str,
        role: str = "admin",
        account_id: int | None = None,
        ends_at: int | None = None,
    ) -> tuple[str, TokenInfo]:
        """A new token: its secret, shown this once, and what is known of it. Raises BadRequest."""
        now = int(self._clock())
        secret = _new_secret()
        values = {
            "digest": digest_of(secret),
            "name": clean_name(name, "name"),
            "role": checked_role(role),
            "account_id": account_id,
            "created_at": now,
            "secret_at": now,
            "rotation": 0,
            "ends_at": checked_end(ends_at, now),
        }

        def work(c: sa.Connection) -> TokenInfo:
            _forget_ended(c, account_id, now)
            made = sa.insert(api_tokens).values(values).returning(api_tokens)
            return _info(c.execute(made).one())

        made = self._database.write(work)
        self._credentials.refresh()
        return secret, made

    def rotate(
        self, token_id: str, ends_at: int | None, *, again: bool = False, overlap: int = OVERLAP
    ) -> tuple[str, TokenInfo]:
        """Another secret for the same token, from now until ``ends_at`` (None: for ever), or for as
        long ``again`` as the one that it had was for. That one is good for ``overlap`` seconds more,
        but not beyond its own end; the one before it is not good any more.

        Raises UnknownAccount, BadRequest.
        """
        now = int(self._clock())
        secret = _new_secret()
        its = api_tokens.c.id == number_of(token_id, "t", "token")

        def work(c: sa.Connection) -> TokenInfo:
            held = c.execute(sa.select(api_tokens).where(its)).one_or_none()
            if held is None:
                raise UnknownAccount("token", token_id)
            until = ends_at
            if again and held.ends_at is not None:
                until = now + max(HOUR, held.ends_at - held.secret_at)
            old = now + overlap if held.ends_at is None else min(now + overlap, held.ends_at)
            values = {
                "digest": digest_of(secret),
                "secret_at": now,
                "rotation": held.rotation + 1,
                "ends_at": checked_end(until, now),
                "old_digest": held.digest,
                "old_ends_at": old,
            }
            changed = sa.update(api_tokens).where(its).values(values).returning(api_tokens)
            return _info(c.execute(changed).one())

        changed = self._database.write(work)
        self._credentials.refresh()
        return secret, changed

    def of(self, account_id: int | None = None) -> list[TokenInfo]:
        """The tokens of an account, or all of them, the newest first."""
        wanted = sa.select(api_tokens).order_by(api_tokens.c.id.desc())
        if account_id is not None:
            wanted = wanted.where(api_tokens.c.account_id == account_id)
        used = self._credentials.tokens_used()
        return [
            _info(r, *used.get(r.id, ()))
            for r in self._database.read(lambda c: c.execute(wanted).all())
        ]

    def revoke(self, token_id: str) -> None:
        """End one token. Raises UnknownAccount."""
        its = api_tokens.c.id == number_of(token_id, "t", "token")
        if not self._database.write(lambda c: c.execute(sa.delete(api_tokens).where(its)).rowcount):
            raise UnknownAccount("token", token_id)
        self._credentials.refresh()

    def ending(self, caller: Caller) -> list[TokenEnd]:
        """Those of the caller's own (the machine's for who manages the installation) that end soon,
        and those that have and are still shown; by their ends. No I/O."""
        now = self._clock()
        house = caller.can("manage", INSTALLATION)
        found = []
        for end, account_id, asked_at in self._credentials.token_ends():
            if account_id != caller.account_id if account_id is not None else not house:
                continue
            left = end.ends_at - now
            if 0 < left <= SOON or (left <= 0 and now - asked_at < STILL_ASKED):
                found.append(end)
        return sorted(found, key=lambda end: (end.ends_at, end.id))


def _new_secret() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _forget_ended(c: sa.Connection, account_id: int | None, now: int) -> None:
    theirs = sa.and_(api_tokens.c.account_id.is_not_distinct_from(account_id))
    ended = sa.select(api_tokens.c.id).where(theirs, api_tokens.c.ends_at <= now)
    last = (api_tokens.c.ends_at.desc(), api_tokens.c.id.desc())
    beyond = ended.order_by(*last).offset(ENDED_KEPT).limit(-1)
    c.execute(sa.delete(api_tokens).where(api_tokens.c.id.in_(beyond)))


def _info(row: sa.Row[tuple[object, ...]], seen_at: int = 0, address: str = "") -> TokenInfo:
    """``seen_at`` and ``address`` as they are in memory, where they are newer."""
    newer = seen_at > (row.seen_at or 0)
    return TokenInfo(
        id=f"t{row.id}",
        account_id=row.account_id,
        name=row.name,
        role=row.role,
        created_at=row.created_at,
        seen_at=seen_at if newer else row.seen_at,
        address=(address if newer else row.address) or "",
        ends_at=row.ends_at,
        old_ends_at=row.old_ends_at,
    )
