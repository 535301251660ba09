"""A clock that is set, or was wrong when the machine started: logins end by the time that passed."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from cloudbang.accounts import AccountService
from cloudbang.storage.database.tables import sessions
from tests.accounts.test_accounts import HERE, PASSWORD, Clock, clock, make, people

__all__ = ["clock", "make", "people"]  # fixtures

Make = Callable[..., AccountService]
DAY = 24 * 3600.0
YEAR = 365 * DAY


def kept(people: AccountService) -> int:
    wanted = sa.select(sa.func.count()).select_from(sessions)
    return int(people._database.read(lambda c: c.execute(wanted).scalar_one()))


def test_a_clock_that_jumps_signs_nobody_out(people: AccountService, clock: Clock) -> None:
    """A year ahead, and back again; whoever signs in meanwhile stays signed in as well."""
    first = people.sign_in("ada", PASSWORD, HERE)
    clock.set_by = YEAR
    assert people.credentials.find(first)
    people.credentials.refresh()
    second = people.sign_in("ada", PASSWORD, HERE)
    clock.set_by = 0.0
    for secret in (first, second):
        assert people.credentials.find(secret)
    people.credentials.refresh()
    people.credentials.note()
    assert all(people.credentials.find(secret) for secret in (first, second))


def test_a_clock_that_is_set_makes_no_login_longer(people: AccountService, clock: Clock) -> None:
    """Nor shorter: a week without a request ends it, whatever the clock says meanwhile."""
    secret = people.sign_in("ada", PASSWORD, HERE)
    clock.set_by = -YEAR
    people.credentials.refresh()
    clock.ahead = 6.9 * DAY
    assert people.credentials._good
    clock.set_by = -2 * YEAR
    people.credentials.refresh()
    clock.ahead = 7.1 * DAY
    assert people.credentials.find(secret) is None


def test_what_was_moved_with_the_clock_is_so_after_a_restart(
    people: AccountService, make: Make, clock: Clock
) -> None:
    """It is written down: the server that starts next judges it by the new clock."""
    secret = people.sign_in("ada", PASSWORD, HERE)
    clock.set_by = YEAR
    assert people.credentials.find(secret)
    people.credentials.note()
    assert make().credentials.find(secret)


def test_a_clock_that_was_wrong_at_the_start_ends_no_login_for_good(
    people: AccountService, make: Make, clock: Clock
) -> None:
    """A machine without a battery: set right some minutes later, everybody is signed in again."""
    secret = people.sign_in("ada", PASSWORD, HERE)
    clock.set_by = YEAR
    other = make()
    assert other.credentials.find(secret) is None
    assert kept(other) == 1
    clock.set_by = 0.0
    other.credentials.refresh()
    assert other.credentials.find(secret)
    clock.ahead = 30 * DAY
    other.credentials.refresh()
    assert kept(other) == 0
