"""Turns for guesses at passwords: who may still make one, and who is let in all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from cloudbang.accounts.errors import TooManyAttempts
from cloudbang.accounts.passwords import Passwords
from cloudbang.accounts.throttle import Throttle
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import accounts, sessions, settings

FORGIVEN_FOR = 3600.0  # seconds in which a password that was set anew forgives


class Guesses:
    """See the module. ``throttle`` counts, ``passwords`` has so many turns."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        throttle: Throttle,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._passwords, self._throttle = database, passwords, throttle
        self._clock = clock
        self._forgave: dict[str, int] = {}  # by account: what was set anew, and is used up

    @contextmanager
    def turn(self, address: str, key: str, browser: str = "") -> Iterator[None]:
        """A turn for a guess that may still be made. Looked at before too, so that who has
        guessed too often does not stand in the line of those who have not."""
        self._check(address, key, browser)
        with self._passwords.turn():
            self._check(address, key, browser)
            yield

    def _check(self, address: str, key: str, browser: str) -> None:
        """Raises TooManyAttempts. A stranger's guesses at an account do not keep its owner out
        of where they are signed in already, nor for whom a password was set a moment ago."""
        try:
            self._throttle.check(address, key, browser)
        except TooManyAttempts:
            set_at = self._database.read(lambda c: _set_at(c, key))
            if set_at > self._clock() - FORGIVEN_FOR and set_at != self._forgave.get(key):
                self._forgave[key] = set_at
                self._throttle.forgive(address, key)
                return
            if browser or not self._database.read(lambda c: _has_been_at(c, key, address)):
                raise
            self._throttle.check(address)


def note_new_password(c: sa.Connection, account_id: int, now: int) -> None:
    """Somebody who looks after accounts has set this one's password: whoever has it from them is no
    guesser. Another process may have, so the database says it."""
    value = {"key": f"password_set:{account_id}", "value": str(now)}
    c.execute(sa.insert(settings).prefix_with("OR REPLACE").values(value))


def forget_new_password(c: sa.Connection, account_id: int) -> None:
    """The account is gone, and its number may come back."""
    c.execute(sa.delete(settings).where(settings.c.key == f"password_set:{account_id}"))


def _set_at(c: sa.Connection, key: str) -> int:
    """When, in seconds since 1970; 0 when never."""
    number = c.execute(sa.select(accounts.c.id).where(accounts.c.key == key)).scalar()
    noted = sa.select(settings.c.value).where(settings.c.key == f"password_set:{number}")
    return int(c.execute(noted).scalar() or 0)


def _has_been_at(c: sa.Connection, key: str, address: str) -> bool:
    joined = sa.join(sessions, accounts, sessions.c.account_id == accounts.c.id)
    found = sa.select(sessions.c.id).select_from(joined)
    found = found.where(accounts.c.key == key, sessions.c.address == address)
    return c.execute(found.limit(1)).first() is not None
