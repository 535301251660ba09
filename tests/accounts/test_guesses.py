"""Guessing at passwords: strangers do not keep a person out, and nobody gets more guesses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from cloudbang.accounts import AccountService, TooManyAttempts, WrongPassword
from cloudbang.accounts.throttle import Throttle
from cloudbang.storage.database.tables import sessions
from tests.accounts.test_accounts import HERE, PASSWORD, clock, make, people

__all__ = ["clock", "make", "people"]  # fixtures

Make = Callable[..., AccountService]


def guess(people: AccountService, times: int, *, browser: str = "", start: int = 10) -> None:
    for n in range(times):
        with pytest.raises(WrongPassword):
            people.sign_in("ada", "guess", f"192.0.2.{n + start}", browser=browser)


def test_a_browser_that_signed_in_before_counts_by_itself(people: AccountService) -> None:
    """From any address, though strangers have used up the name and the address: as behind a proxy
    that is not trusted, where all have one. Its own wrong guesses end as anybody's."""
    guess(people, 10)
    for n in range(10):
        with pytest.raises((WrongPassword, TooManyAttempts)):
            people.sign_in(f"name{n}", "guess", HERE)
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", PASSWORD, HERE)
    assert people.sign_in("ada", PASSWORD, HERE, browser="mine")
    guess(people, 10, browser="mine", start=100)
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", PASSWORD, HERE, browser="mine")
    assert people.sign_in("ada", PASSWORD, HERE, browser="another of mine")


def test_who_is_given_a_new_password_is_let_in_at_once(people: AccountService, make: Make) -> None:
    """Whoever looks after the server sets one, perhaps in another process; it forgives once."""
    guess(people, 10)
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", PASSWORD, HERE)
    other = make()
    new = PASSWORD + "!"
    other.set_password(other.named("ada").id, new)
    assert people.sign_in("ada", new, HERE)
    guess(people, 10, start=100)
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", new, "203.0.113.5")


def test_an_address_is_one_in_both_families() -> None:
    """Where the server listens on IPv6 too, 1.2.3.4 comes as ::ffff:1.2.3.4."""
    throttle = Throttle(((4, 60.0),))
    for address in ("1.2.3.4", "::ffff:1.2.3.4") * 2:
        throttle.failed(address)
    for address in ("1.2.3.4", "::ffff:1.2.3.4", "::FFFF:102:304"):
        with pytest.raises(TooManyAttempts):
            throttle.check(address)
    throttle.check("1.2.3.5")


def test_a_sign_in_does_not_outlive_a_change_of_the_password(
    people: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password was right when it was looked at, and is another one when the login is to be
    written down: there is no login."""
    ada = people.named("ada")
    fits = people.passwords.fits

    def changed_meanwhile(hashed: str | None, password: str) -> bool:
        found = fits(hashed, password)
        people.set_password(ada.id, PASSWORD + "!")
        return found

    monkeypatch.setattr(people.passwords, "fits", changed_meanwhile)
    with pytest.raises(WrongPassword):
        people.sign_in("ada", PASSWORD, HERE)
    count: Any = people._database.read(
        lambda c: c.execute(sa.select(sa.func.count()).select_from(sessions)).scalar()
    )
    assert count == 0


def test_a_token_of_the_command_line_works_at_once(people: AccountService, make: Make) -> None:
    """Without waiting for the next look, which is a second away; nonsense is looked up so often
    only."""
    secret, _ = make().tokens.create("ci")
    found = people.credentials.find(secret)
    assert found is not None
    assert found.name == "ci"
    looks = 0
    version = people._database.version

    def counted() -> int:
        nonlocal looks
        looks += 1
        return version()

    people._database.version = counted  # type: ignore[method-assign]
    for n in range(100):
        assert people.credentials.find(f"cbt_nonsense{n}") is None
    assert looks < 30


def test_who_has_just_set_up_has_signed_in(people: AccountService) -> None:
    """The set-up signs in: its account is not "never signed in"."""
    ada = people.named("ada")
    people.credentials.open_login(ada.id, HERE, "test")
    assert people.named("ada").signed_in_at is not None
