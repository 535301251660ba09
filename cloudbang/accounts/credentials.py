"""What was handed out: a browser's login or an API token, and its end.

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

from cloudbang.accounts.errors import UnknownAccount, WrongPassword
from cloudbang.accounts.handed_out import Grant, load
from cloudbang.accounts.models import Caller, LoginInfo, TokenInfo, checked_role, clean_name
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
        self.teams = frozenset({DEFAULT_TEAM})  # those there are
        self._listeners: list[Callable[[str], None]] = []
        self._refreshing = RLock()
        # Policy: whoever shows nonsense makes us look so often and not more.
        self._looks = TokenBucket(at_once=10, per_second=5)
        self._version = -1

    def listen(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(login)`` on the hub whenever a grant has ended or may do less."""
        self._listeners.append(callback)

    def find(self, secret: str) -> Caller | None:
        """Who shows this secret; None when it is not, or no longer, good. No I/O, but for a token
        that nobody knows: the command line may have made it a moment ago."""
        if not secret or len(secret) > 200:
            return None
        # The secret has 256 bits: the time a look-up of its digest takes tells nothing of use.
        digest = _digest(secret)
        grant = self._good.get(digest)
        if grant is None and secret.startswith(TOKEN_PREFIX) and self._looks.try_take():
            with suppress(CloudBangError):  # the next look is a second away
                self._look()
            grant = self._good.get(digest)
        now = self._clock()
        if grant is None or self._has_ended(grant, now):
            return None
        grant.seen_at = int(now)
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
            "digest": _digest(secret),
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
        where = [sessions.c.id == _number(login, "s", "session")]
        if account_id is not None:
            where.append(sessions.c.account_id == account_id)
        self._delete(sessions, where, "session", login)

    def end_logins(self, account_id: int, keep: str = "") -> None:
        """End all logins of an account but ``keep``."""
        where = [sessions.c.account_id == account_id]
        if keep.startswith("s"):
            where.append(sessions.c.id != _number(keep, "s", "session"))
        self._database.write(lambda c: c.execute(sa.delete(sessions).where(*where)).rowcount)
        self.refresh()

    def create_token(
        self, name: str, role: str = "admin", account_id: int | None = None
    ) -> tuple[str, TokenInfo]:
        """A new API token: its secret, shown this once, and what is known of it."""
        name, kept_role = clean_name(name, "name"), checked_role(role)
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(32), int(self._clock())
        values = {
            "digest": _digest(secret),
            "name": name,
            "role": kept_role,
            "account_id": account_id,
            "created_at": now,
        }
        number = self._database.write(
            lambda c: c.execute(
                sa.insert(api_tokens).values(values).returning(api_tokens.c.id)
            ).scalar_one()
        )
        self.refresh()
        return secret, TokenInfo(f"t{number}", account_id, name, kept_role, now, None)

    def tokens(self, account_id: int | None = None) -> list[TokenInfo]:
        """The tokens of an account, or all of them, the newest first."""
        wanted = sa.select(api_tokens).order_by(api_tokens.c.id.desc())
        if account_id is not None:
            wanted = wanted.where(api_tokens.c.account_id == account_id)
        seen = {g.caller.login: g.seen_at for g in self._good.values() if g.seen_at}
        return [
            TokenInfo(
                id=f"t{r.id}",
                account_id=r.account_id,
                name=r.name,
                role=r.role,
                created_at=r.created_at,
                seen_at=seen.get(f"t{r.id}", r.seen_at),
            )
            for r in self._database.read(lambda c: c.execute(wanted).all())
        ]

    def revoke_token(self, token_id: str) -> None:
        """End one token. Raises UnknownAccount."""
        where = [api_tokens.c.id == _number(token_id, "t", "token")]
        self._delete(api_tokens, where, "token", token_id)

    def refresh(self) -> None:
        """Take over what the database says, and tell the listeners what has ended."""
        with self._refreshing:
            good, expired = {}, []
            now = self._clock()
            self._write_moved()
            before = self._good
            self.teams, grants = self._database.read(load)
            for grant in grants:
                known = before.get(grant.caller.digest)
                if known is not None:
                    grant.seen_at = max(grant.seen_at, known.seen_at)
                if self._has_ended(grant, now):
                    expired.append(int(grant.caller.login[1:]))
                else:
                    good[grant.caller.digest] = grant
            self._good = good
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
                if any(self._has_ended(g, now) for g in self._good.values()):
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
        used = [g for g in self._good.values() if g.seen_at > g.noted_at]
        if not used:
            return
        kinds: tuple[tuple[str, sa.Table], ...] = (("s", sessions), ("t", api_tokens))
        rows = {
            kind: [
                {"b_id": int(g.caller.login[1:]), "b_seen": g.seen_at}
                for g in used
                if g.caller.login.startswith(kind)
            ]
            for kind, _ in kinds
        }

        def work(c: sa.Connection) -> None:
            for kind, table in kinds:
                if rows[kind]:
                    change = sa.update(table).where(table.c.id == sa.bindparam("b_id"))
                    c.execute(change.values(seen_at=sa.bindparam("b_seen")), rows[kind])

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
                number = int(grant.caller.login[1:])
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
        if not grant.caller.by_cookie:
            return False
        return now >= min(grant.seen_at + self._idle, grant.created_at + self._lifetime)

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


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _number(login: str, kind: str, what: str) -> int:
    """The row of a grant's id. Raises UnknownAccount."""
    if not (login[:1] == kind and login[1:].isdecimal() and len(login) < 19):
        raise UnknownAccount(what, login[:40])
    return int(login[1:])
