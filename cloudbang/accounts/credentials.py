"""What was handed out: a browser's login or an API token (:mod:`.tokens`), and its end.

The database is the truth; what is good now is also held in memory, so that a request costs a
look-up and no I/O. Memory changes in one way only, :meth:`Credentials.refresh`, after a change made
here and, within a second, after one made by another process (the command line). Whatever is gone
or may do less since then is told to the listeners, who close its sockets.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import gevent
import sqlalchemy as sa
from gevent.lock import RLock

from cloudbang.accounts.errors import (
    AccountEnded,
    NotSignedIn,
    TokenEnded,
    TokenReplaced,
    UnknownAccount,
    WrongPassword,
)
from cloudbang.accounts.handed_out import Grant, load
from cloudbang.accounts.models import Caller, LoginInfo, TokenEnd, token_of
from cloudbang.accounts.permissions import DEFAULT_TEAM, covers
from cloudbang.config import LoginSettings
from cloudbang.core.rate import TokenBucket
from cloudbang.core.wall_clock import WallClock, passed
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import accounts, api_tokens, sessions

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks for changes of other processes
NOTE_EVERY = 60.0  # seconds between two notes of when each grant was last used
KEEP_AFTER_START = 600.0  # seconds in which a login that has ended is not deleted
LOGINS_PER_ACCOUNT = 50  # policy: one more ends the one used longest ago
TOKEN_PREFIX = "cbt_"  # so that a secret scanner knows what it has found  # noqa: S105


class Credentials:
    """Logins and tokens."""

    def __init__(
        self,
        database: Database,
        settings: LoginSettings,
        clock: Callable[[], float] = time.time,
        passes: Callable[[], float] = passed,
    ) -> None:
        self._database = database
        self._idle = settings.idle_hours * 3600
        self._lifetime = settings.lifetime_hours * 3600
        self._clock = WallClock(clock, passes, self._clock_was_set)
        self._passes, self._began = passes, passes()
        self._moved: dict[int, int] = {}  # logins whose times are not yet moved in the database
        self._good: dict[bytes, Grant] = {}
        self._ended: dict[bytes, Grant] = {}  # secrets of tokens that were good until then
        self.teams = frozenset({DEFAULT_TEAM})  # those there are
        self._listeners: list[Callable[[str], None]] = []
        self._refreshing = RLock()
        # Policy: whoever shows nonsense makes us look so often and not more.
        self._looks = TokenBucket(at_once=10, per_second=5)
        self._version = -1

    def listen(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(login)`` on the hub whenever a grant has ended or may do less."""
        self._listeners.append(callback)

    def find(self, secret: str, address: str = "") -> Caller | None:
        """Who shows this secret, and from where; None when it is not, or no longer, good
        (:meth:`why_not`). No I/O, but for a token that nobody knows: the command line may have made
        it a moment ago."""
        if not secret or len(secret) > 200:
            return None
        # The secret has 256 bits: the time a look-up of its digest takes tells nothing of use.
        digest = digest_of(secret)
        grant = self._good.get(digest)
        if (
            grant is None
            and digest not in self._ended
            and secret.startswith(TOKEN_PREFIX)
            and self._looks.try_take()
        ):
            with suppress(CloudBangError):  # the next look is a second away
                self._look()
            grant = self._good.get(digest)
        now = self._clock()
        if grant is None or self._has_ended(grant, now):
            return None
        grant.seen_at = int(now)
        if address:
            grant.address = address[:64]
        return grant.caller

    def current(self, login: str) -> Caller | None:
        """Who holds this grant, with what they may do now; None when it has ended. For work that
        outlives its request."""
        found = (g.caller for g in self._good.values() if g.caller.login == login)
        return next(found, None)

    def is_good(self, login: str) -> bool:
        """Whether this grant has not ended."""
        return self.current(login) is not None

    def open_login(
        self,
        account_id: int,
        address: str,
        agent: str,
        hashed: str | None = None,
        change: Mapping[str, object] | None = None,
    ) -> str:
        """A new login's secret, for the cookie. ``hashed``: the password that it was shown, which has
        to be the account's to this moment; ``change``: what becomes of the account besides.

        Raises WrongPassword.
        """
        secret, now = secrets.token_urlsafe(32), int(self._clock())
        values = {
            "digest": digest_of(secret),
            "account_id": account_id,
            "created_at": now,
            "seen_at": now,
            "address": address[:64],
            "agent": agent[:200],
        }

        def work(c: sa.Connection) -> None:
            # In one transaction with the login: a password that is changed meanwhile ends those
            # that are there, and this one would come after.
            shown = sa.update(accounts).where(accounts.c.id == account_id)
            if hashed is not None:
                shown = shown.where(accounts.c.password == hashed)
            # One that is switched off meanwhile is in by nothing that was not ended with it.
            shown = shown.where(accounts.c.ends_at.is_(None) | (accounts.c.ends_at > now))
            if not c.execute(shown.values({"signed_in_at": now, **(change or {})})).rowcount:
                raise WrongPassword
            mine = sa.select(sessions.c.id).where(sessions.c.account_id == account_id)
            latest = (sessions.c.seen_at.desc(), sessions.c.id.desc())
            keep = mine.order_by(*latest).limit(LOGINS_PER_ACCOUNT - 1)
            c.execute(
                sa.delete(sessions).where(
                    sessions.c.account_id == account_id, sessions.c.id.not_in(keep)
                )
            )
            c.execute(sa.insert(sessions).values(values))

        self._database.write(work)
        self.refresh()
        return secret

    def logins_of(self, account_id: int) -> list[LoginInfo]:
        """The logins of an account, the latest used first."""
        wanted = sa.select(sessions).where(sessions.c.account_id == account_id)
        rows = self._database.read(lambda c: c.execute(wanted).all())
        seen = {g.caller.login: g.seen_at for g in self._good.values()}
        found = [
            LoginInfo(
                id=f"s{r.id}",
                account_id=r.account_id,
                created_at=r.created_at,
                seen_at=max(r.seen_at, seen.get(f"s{r.id}", 0)),
                address=r.address,
                agent=r.agent,
            )
            for r in rows
            if f"s{r.id}" in seen
        ]
        return sorted(found, key=lambda s: s.seen_at, reverse=True)

    def end_login(self, login: str, account_id: int | None = None) -> None:
        """End one login, of this account when it is given. Raises UnknownAccount."""
        where = [sessions.c.id == number_of(login, "s", "session")]
        if account_id is not None:
            where.append(sessions.c.account_id == account_id)
        self._delete(sessions, where, "session", login)

    def tokens_used(self) -> dict[int, tuple[int, str]]:
        """When each token was last used and from where, by its number, as memory has it: by
        whichever of its secrets."""
        found: dict[int, tuple[int, str]] = {}
        for grant in (*self._good.values(), *self._ended.values()):
            if grant.seen_at and not grant.caller.by_cookie:
                number = _row(grant.caller.login)
                if grant.seen_at >= found.get(number, (0, ""))[0]:
                    found[number] = (grant.seen_at, grant.address)
        return found

    def token_ends(self) -> list[tuple[TokenEnd, int | None, float]]:
        """The end of each token that has one, whose the token is, and when it was last shown after
        that (seconds since 1970, 0 for never)."""
        return [
            (
                TokenEnd(token_of(g.caller.login), g.token, g.ends_at, g.refused),
                g.caller.account_id,
                g.refused_at,
            )
            for grants in (self._good, self._ended)
            for g in grants.values()
            if g.ends_at is not None and not g.old
        ]

    def why_not(self, secret: str, address: str = "") -> CloudBangError:
        """Why :meth:`find` finds nobody by this secret: it has ended, or is none."""
        grant = self._ended.get(digest_of(secret[:200]))
        if grant is None:
            return NotSignedIn()
        now = self._clock()
        if grant.ends_at is not None and now >= grant.ends_at:
            grant.refused_at, grant.refused = now, address[:64]
            return (TokenReplaced if grant.old else TokenEnded)(grant.token, grant.ends_at)
        if grant.account_ends_at is not None and now >= grant.account_ends_at:
            return AccountEnded(grant.caller.name, grant.account_ends_at)
        return NotSignedIn()

    def refresh(self) -> None:
        """Take over what the database says, and tell the listeners what has ended."""
        with self._refreshing:
            good, ended, expired = {}, {}, []
            now = self._clock()
            self._write_moved()
            before = self._good
            self.teams, grants = self._database.read(load)
            for grant in grants:
                digest = grant.caller.digest
                known = before.get(digest) or self._ended.get(digest)
                if known is not None:
                    if known.seen_at >= grant.seen_at:
                        grant.seen_at, grant.address = known.seen_at, known.address
                    grant.refused_at, grant.refused = known.refused_at, known.refused
                if not self._has_ended(grant, now):
                    good[digest] = grant
                elif not grant.caller.by_cookie:
                    ended[digest] = grant
                elif self._is_old(grant, now):
                    expired.append(_row(grant.caller.login))
            self._good, self._ended = good, ended
        for digest, grant in before.items():
            kept = good.get(digest)
            if kept is None or not covers(kept.caller.roles, grant.caller.roles):
                self._tell(grant.caller.login)
        # A clock that was wrong when the machine started ends nobody's login for good: soon after
        # that it is set right.
        if expired and self._passes() - self._began > KEEP_AFTER_START:
            self._database.write(
                lambda c: c.execute(sa.delete(sessions).where(sessions.c.id.in_(expired))).rowcount
            )

    def watch(self) -> None:
        """Look for changes of other processes and note what was used, forever."""
        noted = self._clock()
        while True:
            gevent.sleep(LOOK_EVERY)
            try:
                now = self._clock()
                # A clock that is set back makes good again what had ended.
                if any(self._has_ended(g, now) for g in self._good.values()) or not all(
                    self._has_ended(g, now) for g in self._ended.values()
                ):
                    self.refresh()
                self._look()
                if abs(now - noted) >= NOTE_EVERY:
                    noted = now
                    self.note()
            except CloudBangError as e:
                # A full disk ends nobody's login; the next look is a second away.
                log.warning("logins could not be looked after: %s", e)
                gevent.sleep(5.0)

    def _look(self) -> None:
        """Take over what another process has changed."""
        version = self._database.version()
        if version != self._version:
            self._version = version
            self.refresh()

    def note(self) -> None:
        """Write down when each grant was last used: together, since each write costs a sync."""
        self._write_moved()
        held = (*self._good.values(), *self._ended.values())
        used = [g for g in held if g.seen_at > g.noted_at]
        if not used:
            return
        logins = [
            {"b_id": _row(g.caller.login), "b_seen": g.seen_at} for g in used if g.caller.by_cookie
        ]
        latest = self.tokens_used()
        tokens = [
            {"b_id": number, "b_seen": latest[number][0], "b_from": latest[number][1]}
            for number in {_row(g.caller.login) for g in used if not g.caller.by_cookie}
        ]

        def work(c: sa.Connection) -> None:
            seen: dict[str, object] = {"seen_at": sa.bindparam("b_seen")}
            if logins:
                its = sessions.c.id == sa.bindparam("b_id")
                c.execute(sa.update(sessions).where(its).values(seen), logins)
            if tokens:
                its = api_tokens.c.id == sa.bindparam("b_id")
                where: dict[str, object] = {"address": sa.bindparam("b_from")}
                c.execute(sa.update(api_tokens).where(its).values({**seen, **where}), tokens)

        self._database.write(work)
        for grant in used:
            grant.noted_at = grant.seen_at

    def _clock_was_set(self, by: float) -> None:
        """Logins end by the time that passed: what is noted of them moves along with the clock."""
        log.warning("the clock was set by %+.0f s: logins are judged by the time that passed", by)
        for grant in self._good.values():
            grant.seen_at += int(by) if grant.seen_at else 0
            grant.noted_at += int(by) if grant.noted_at else 0
            grant.created_at += int(by)
            if grant.caller.by_cookie:
                number = _row(grant.caller.login)
                self._moved[number] = self._moved.get(number, 0) + int(by)

    def _write_moved(self) -> None:
        if not self._moved:
            return
        rows = [{"b_id": number, "b_by": by} for number, by in self._moved.items()]
        change = sa.update(sessions).where(sessions.c.id == sa.bindparam("b_id"))
        moved = {
            "created_at": sessions.c.created_at + sa.bindparam("b_by"),
            "seen_at": sessions.c.seen_at + sa.bindparam("b_by"),
        }
        waiting, self._moved = self._moved, {}
        try:
            self._database.write(lambda c: c.execute(change.values(moved), rows).rowcount)
        except CloudBangError:
            for number, by in waiting.items():
                self._moved[number] = self._moved.get(number, 0) + by
            raise

    def _has_ended(self, grant: Grant, now: float) -> bool:
        ends = (grant.ends_at, grant.account_ends_at)
        if any(end is not None and now >= end for end in ends):
            return True
        return grant.caller.by_cookie and self._is_old(grant, now)

    def _is_old(self, login: Grant, now: float) -> bool:
        return now >= min(login.seen_at + self._idle, login.created_at + self._lifetime)

    def _delete(self, table: sa.Table, where: list[Any], what: str, name: str) -> None:
        if not self._database.write(lambda c: c.execute(sa.delete(table).where(*where)).rowcount):
            raise UnknownAccount(what, name)
        self.refresh()

    def _tell(self, login: str) -> None:
        for callback in self._listeners:
            try:
                callback(login)
            except Exception:
                log.exception("a listener failed on the end of login %s", login)


def end_logins(c: sa.Connection, account_id: int, keep: str = "") -> None:
    """End all logins of an account but ``keep``. In the transaction of what they end by: who is cut off
    in between has done both, or neither. ``Credentials.refresh`` follows it."""
    where = [sessions.c.account_id == account_id]
    if keep.startswith("s"):
        where.append(sessions.c.id != number_of(keep, "s", "session"))
    c.execute(sa.delete(sessions).where(*where))


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _row(login: str) -> int:
    """The row of a grant's login, which is good."""
    return int(token_of(login)[1:])


def number_of(login: str, kind: str, what: str) -> int:
    """The row of a grant's id. Raises UnknownAccount."""
    if not (login[:1] == kind and login[1:].isdecimal() and len(login) < 19):
        raise UnknownAccount(what, login[:40])
    return int(login[1:])
