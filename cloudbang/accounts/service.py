"""Accounts: the first one at set-up, signing in, roles. The way into this part.

Set-up is possible until somebody has done it, and never again: the database says so, whatever is
deleted later.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cloudbang.accounts.credentials import Credentials, end_logins
from cloudbang.accounts.errors import (
    AccountEnded,
    AlreadySetUp,
    LastAdmin,
    NameTaken,
    UnknownAccount,
    UnknownTeam,
    WrongPassword,
    WrongSetupToken,
)
from cloudbang.accounts.guesses import Guesses, forget_new_password, note_new_password
from cloudbang.accounts.lookalikes import looks
from cloudbang.accounts.models import (
    PASSWORD_MAX,
    Account,
    checked_end,
    checked_password,
    checked_role,
    clean_name,
    name_key,
)
from cloudbang.accounts.passwords import Passwords
from cloudbang.accounts.permissions import DEFAULT_TEAM, Role, covers
from cloudbang.accounts.teams import Teams
from cloudbang.accounts.throttle import Throttle
from cloudbang.accounts.tokens import Tokens
from cloudbang.config import Settings
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.core.wall_clock import passed
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import accounts, memberships, settings, teams

log = logging.getLogger(__name__)

_IN_DEFAULT = sa.and_(memberships.c.account_id == accounts.c.id, memberships.c.team == DEFAULT_TEAM)
_ACCOUNT = sa.select(
    accounts.c.id,
    accounts.c.name,
    memberships.c.role,
    accounts.c.created_at,
    accounts.c.signed_in_at,
    accounts.c.ends_at,
).select_from(sa.outerjoin(accounts, memberships, _IN_DEFAULT))


class AccountService:
    """People. ``credentials`` knows who shows a login or a token, ``tokens`` makes those, ``teams``
    is what people belong to."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], float] = time.time,
        passes: Callable[[], float] = passed,
    ) -> None:
        self.credentials = Credentials(database, settings.session, clock, passes)
        self.tokens = Tokens(database, self.credentials, clock)
        self.teams = Teams(database, self.credentials, clock)
        self.passwords = Passwords()
        self.throttle = Throttle()
        self._guesses = Guesses(database, self.passwords, self.throttle, clock)
        self.setup_token: str | None = None
        self.setup_file = settings.storage.path / "setup-token"
        self._admin_password = settings.admin_password
        self._database = database
        self._clock = clock
        self._supervisor = Supervisor("accounts")

    def start(self) -> None:
        """Make the account ``admin`` or the set-up token where nobody has set up yet, and start
        to look after the logins. The database has to be open."""
        self.credentials.refresh()
        if self.is_set_up():
            self._close_setup()
        elif self._admin_password:
            with self.passwords.turn():
                self._set_up("admin", self.passwords.hash(self._admin_password))
            log.info("made the account admin, with the password of CLOUDBANG_ADMIN_PASSWORD")
        else:
            self._open_setup()
        self._supervisor.run("watch", self.credentials.watch)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop looking after the logins; what was used last is written down."""
        self._supervisor.stop(deadline)
        try:
            self.credentials.note()
        except CloudBangError as e:
            log.warning("when logins were used last is not written down: %s", e)
        self.passwords.close()

    def listen(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(login)`` on the hub when a login or token has ended or may do
        less than before, at most about a second later. Its sockets have to be closed then."""
        self.credentials.listen(callback)

    def signing_key(self) -> bytes:
        """A secret of this installation, the same after a restart: pages that are open then can
        go on."""

        def work(c: sa.Connection) -> str:
            fresh = {"key": "signing_key", "value": secrets.token_hex(32)}
            c.execute(sa.insert(settings).prefix_with("OR IGNORE").values(fresh))
            kept = sa.select(settings.c.value).where(settings.c.key == "signing_key")
            return str(c.execute(kept).scalar_one())

        return bytes.fromhex(self._database.write(work))

    # Set-up

    def is_set_up(self) -> bool:
        """Whether somebody has set up this installation, or made an account otherwise."""
        return self._database.read(_is_set_up)

    def set_up(self, token: str, name: str, password: str, address: str = "") -> Account:
        """Make the first account, an admin. One of two that race wins.

        Raises AlreadySetUp, WrongSetupToken, TooManyAttempts, TooBusy, BadRequest.
        """
        # Before the database is asked: the token goes only after somebody else's set-up is in it.
        expected = self.setup_token or ""
        if self.is_set_up():
            self._close_setup()
            raise AlreadySetUp
        # By address only: else anybody could keep the owner out by guessing all the time.
        self.throttle.check(address)
        if not expected or not hmac.compare_digest(expected.encode(), token.encode()):
            self.throttle.failed(address)
            raise WrongSetupToken(str(self.setup_file))
        with self.passwords.turn():
            hashed = self.passwords.hash(checked_password(password))
            account = self._set_up(clean_name(name), hashed)
        self._close_setup()
        return account

    def _set_up(self, name: str, hashed: str) -> Account:
        def work(c: sa.Connection) -> Account:
            if _is_set_up(c):
                raise AlreadySetUp
            return self._insert(c, name, hashed, "admin")

        return self._database.write(work)

    def _open_setup(self) -> None:
        token = secrets.token_urlsafe(24)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            self.setup_file.unlink(missing_ok=True)
            with os.fdopen(os.open(self.setup_file, flags, 0o600), "w") as file:
                file.write(token + "\n")
        except OSError as e:
            raise StorageFailed(str(self.setup_file), e.strerror or str(e)) from e
        self.setup_token = token

    def _close_setup(self) -> None:
        self.setup_token = None
        self.setup_file.unlink(missing_ok=True)

    # Signing in

    def sign_in(
        self, name: str, password: str, address: str, agent: str = "", browser: str = ""
    ) -> str:
        """A new login's secret. ``address`` is the guest's, ``agent`` its browser; ``browser`` what
        is known of one that has signed in to this account before: its guesses count by themselves.

        A name that does not exist costs and says the same as a wrong password. Raises
        WrongPassword, AccountEnded, TooManyAttempts, TooBusy.
        """
        key = name_key(name[:200])
        with self._guesses.turn(address, key, browser):
            found = self._database.read(
                lambda c: c.execute(
                    sa.select(
                        *(accounts.c.id, accounts.c.password, accounts.c.name, accounts.c.ends_at)
                    ).where(accounts.c.key == key)
                ).first()
            )
            fits = self.passwords.fits(found and found.password, password[:PASSWORD_MAX])
            if found is None or not fits:
                self.throttle.failed(address, key, browser)
                # Without the name: now and then it is a password in the wrong field.
                log.info("a sign-in from %s failed", address)
                raise WrongPassword
            if found.ends_at is not None and self._clock() >= found.ends_at:
                raise AccountEnded(found.name, found.ends_at)
            change: dict[str, object] = {}
            if self.passwords.is_dated(found.password):
                change["password"] = self.passwords.hash(password)
        return self.credentials.open_login(found.id, address, agent, found.password, change)

    def change_password(
        self, account_id: int, old: str, new: str, address: str, login: str = ""
    ) -> None:
        """A person's own change; ends their other logins. Raises as :meth:`sign_in` does."""
        checked_password(new, "new_password")
        found = self.get(account_id)
        key = name_key(found.name)
        with self._guesses.turn(address, key):
            kept = self._database.read(
                lambda c: c.execute(
                    sa.select(accounts.c.password).where(accounts.c.id == account_id)
                ).scalar()
            )
            if not self.passwords.fits(kept, old[:PASSWORD_MAX]):
                self.throttle.failed(address, key)
                raise WrongPassword
            hashed = self.passwords.hash(new)

        def work(c: sa.Connection) -> None:
            # What was right when it was looked at may be another by now: that one counts.
            its = (accounts.c.id == account_id) & (accounts.c.password == kept)
            if not c.execute(sa.update(accounts).where(its).values(password=hashed)).rowcount:
                raise WrongPassword
            end_logins(c, account_id, keep=login)

        self._database.write(work)
        self.credentials.refresh()

    # Looking after accounts

    def list(self) -> list[Account]:
        """All accounts, by name."""
        rows = self._database.read(lambda c: c.execute(_ACCOUNT.order_by(accounts.c.key)).all())
        return [Account(*row) for row in rows]

    def get(self, account_id: int) -> Account:
        """One account. Raises UnknownAccount."""
        return self._database.read(lambda c: _get(c, account_id))

    def named(self, name: str) -> Account:
        """The account of this name. Raises UnknownAccount."""
        wanted = _ACCOUNT.where(accounts.c.key == name_key(name))
        row = self._database.read(lambda c: c.execute(wanted).first())
        if row is None:
            raise UnknownAccount("account", name)
        return Account(*row)

    def create(self, name: str, password: str, role: str = "viewer") -> Account:
        """A new account. Raises NameTaken, BadRequest, TooBusy."""
        name, kept_role = clean_name(name), checked_role(role)
        with self.passwords.turn():
            hashed = self.passwords.hash(checked_password(password))
        return self._database.write(lambda c: self._insert(c, name, hashed, kept_role))

    def set_password(self, account_id: int, password: str) -> None:
        """An admin's change; ends all logins of the account. Raises UnknownAccount."""
        with self.passwords.turn():
            hashed = self.passwords.hash(checked_password(password))
        now = int(self._clock())

        def work(c: sa.Connection) -> None:
            _change(c, account_id, {"password": hashed})
            note_new_password(c, account_id, now)
            end_logins(c, account_id)

        self._database.write(work)
        self.credentials.refresh()

    def set_role(self, account_id: int, role: str | None, team: str = DEFAULT_TEAM) -> None:
        """Change what an account is in a team; None: it leaves the team. Its logins end where it
        may do less then.

        Raises UnknownAccount, UnknownTeam, LastAdmin, BadRequest.
        """
        kept_role = None if role is None else checked_role(role)

        def work(c: sa.Connection) -> None:
            found = _get(c, account_id)
            if team == DEFAULT_TEAM:
                if kept_role != "admin":
                    _keep_an_admin(c, found)
            elif c.execute(sa.select(teams).where(teams.c.name == team)).first() is None:
                raise UnknownTeam(team)
            its = (memberships.c.account_id == account_id, memberships.c.team == team)
            before = c.execute(sa.select(memberships.c.role).where(*its)).scalar()
            c.execute(sa.delete(memberships).where(*its))
            if kept_role is not None:
                _join(c, account_id, team, kept_role)
            if not covers({team: kept_role} if kept_role else {}, {team: before} if before else {}):
                end_logins(c, account_id)

        self._database.write(work)
        self.credentials.refresh()

    def set_end(self, account_id: int, ends_at: int | None) -> None:
        """From when on nobody is signed in by this account and none of its tokens is good; None:
        never. Raises UnknownAccount, LastAdmin, BadRequest."""
        self._end(account_id, checked_end(ends_at, int(self._clock())))

    def switch_off(self, account_id: int) -> None:
        """The same from now on, until it is given another end; its logins are over for good. Raises
        UnknownAccount, LastAdmin."""
        self._end(account_id, int(self._clock()), for_good=True)

    def _end(self, account_id: int, ends_at: int | None, *, for_good: bool = False) -> None:
        def work(c: sa.Connection) -> None:
            found = _get(c, account_id)
            if ends_at is not None:
                _keep_an_admin(c, found)
            _change(c, account_id, {"ends_at": ends_at})
            if for_good:
                end_logins(c, account_id)

        self._database.write(work)
        self.credentials.refresh()

    def delete(self, account_id: int) -> None:
        """Delete an account with its logins and tokens. Raises UnknownAccount, LastAdmin."""

        def work(c: sa.Connection) -> None:
            _keep_an_admin(c, _get(c, account_id))
            c.execute(sa.delete(accounts).where(accounts.c.id == account_id))
            forget_new_password(c, account_id)

        self._database.write(work)
        self.credentials.refresh()

    def _insert(self, c: sa.Connection, name: str, hashed: str, role: Role) -> Account:
        now = int(self._clock())
        values = {
            "name": name,
            "key": name_key(name),
            "password": hashed,
            "created_at": now,
        }
        for taken in c.execute(sa.select(accounts.c.name)).scalars():
            if looks(taken) == looks(name):
                raise NameTaken(taken)
        try:
            made = sa.insert(accounts).values(values).returning(accounts.c.id)
            number = c.execute(made).scalar_one()
        except IntegrityError:
            raise NameTaken(name) from None
        _join(c, number, DEFAULT_TEAM, role)
        if role == "admin":
            done = {"key": "set_up_at", "value": str(now)}
            c.execute(sa.insert(settings).prefix_with("OR IGNORE").values(done))
        return Account(int(number), name, role, now)


def _is_set_up(c: sa.Connection) -> bool:
    done = sa.select(settings.c.value).where(settings.c.key == "set_up_at")
    return c.execute(done).first() is not None


def _change(c: sa.Connection, account_id: int, values: dict[str, object]) -> None:
    change = sa.update(accounts).where(accounts.c.id == account_id).values(values)
    if not c.execute(change).rowcount:
        raise UnknownAccount("account", account_id)


def _get(c: sa.Connection, account_id: int) -> Account:
    row = c.execute(_ACCOUNT.where(accounts.c.id == account_id)).first()
    if row is None:
        raise UnknownAccount("account", account_id)
    return Account(*row)


def _join(c: sa.Connection, account_id: int, team: str, role: Role) -> None:
    values = {"account_id": account_id, "team": team, "role": role}
    c.execute(sa.insert(memberships).values(values))


def _keep_an_admin(c: sa.Connection, leaving: Account) -> None:
    """Whoever may be shut out by the calendar alone does not count: one has to be there for good."""
    others = (
        sa.select(sa.func.count())
        .select_from(sa.join(memberships, accounts))
        .where(
            memberships.c.role == "admin",
            memberships.c.team == DEFAULT_TEAM,
            accounts.c.id != leaving.id,
            accounts.c.ends_at.is_(None),
        )
    )
    if leaving.role == "admin" and not c.execute(others).scalar_one():
        raise LastAdmin(leaving.name)
