"""A change of who may what that is broken off, by a kill or a full disk, is done or is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudbang.accounts import AccountEnded, AccountService, WrongPassword
from cloudbang.errors import StorageFull
from cloudbang.storage.database.database import Database
from tests.accounts.test_accounts import HERE, PASSWORD, clock, make, people

__all__ = ["clock", "make", "people"]  # fixtures

Make = Callable[..., AccountService]
ANEW = PASSWORD + "!"
HOUR = 3600


class Ground:
    """bob, with a login and a token, in a team; what is done to him."""

    def __init__(self, people: AccountService) -> None:
        self.people = people
        people.teams.create("shop")
        self.bob = people.create("bob", PASSWORD, "admin").id
        people.set_role(self.bob, "admin", "shop")
        self.secret, token = people.tokens.create("ci", "admin", self.bob)
        self.token = token.id
        self.login = people.sign_in("bob", PASSWORD, HERE)
        other = people.sign_in("bob", PASSWORD, HERE)
        found = people.credentials.find(other)
        assert found
        self.other, self.other_id = other, found.login
        self.anew = ""

    def rotate(self) -> None:
        self.anew, _ = self.people.tokens.rotate(self.token, None)

    def seen(self, by: AccountService) -> tuple[Any, ...]:
        """What somebody finds who begins anew."""
        shown = (self.login, self.other, self.secret, self.anew)
        good = [by.credentials.find(secret) for secret in shown]
        account = by.get(self.bob)
        hashed = [by.passwords.fits(_hash(by, self.bob), word) for word in (PASSWORD, ANEW)]
        names = [team.name for team in by.teams.all()]
        roles = [one and tuple(sorted(one.roles.items())) for one in good]
        return (roles, account.ends_at is None, account.role, hashed, names)


def _hash(people: AccountService, id: int) -> str:
    found = people._database.read(
        lambda c: c.exec_driver_sql(f"SELECT password FROM accounts WHERE id = {id}").scalar()
    )
    return str(found)


CHANGES: dict[str, Callable[[Ground], Any]] = {
    "their password": lambda g: g.people.change_password(g.bob, PASSWORD, ANEW, HERE, g.other_id),
    "a password": lambda g: g.people.set_password(g.bob, ANEW),
    "off": lambda g: g.people.switch_off(g.bob),
    "an end": lambda g: g.people.set_end(g.bob, int(g.people._clock()) + HOUR),
    "less in a team": lambda g: g.people.set_role(g.bob, "viewer", "shop"),
    "less": lambda g: g.people.set_role(g.bob, "viewer"),
    "the team": lambda g: g.people.teams.delete("shop"),
    "a secret": lambda g: g.rotate(),
    "a token": lambda g: g.people.tokens.revoke(g.token),
}


@pytest.mark.parametrize("writes", [0, 1])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_whole_or_is_none(
    people: AccountService,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Ground], Any],
    writes: int,
) -> None:
    """After so many transactions nothing is written any more: who is told that it failed finds
    everything as it was, and what was written is all of it."""
    ground = Ground(people)
    before = ground.seen(make())
    write, left = Database.write, [writes]

    def full(self: Database, work: Callable[[Any], Any]) -> Any:
        if not left[0]:
            raise StorageFull(str(self.path))
        left[0] -= 1
        return write(self, work)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", full)
        try:
            change(ground)
            failed = False
        except StorageFull:
            failed = True
    after = ground.seen(make())
    assert failed == (writes == 0)
    assert (after == before) == failed
    assert ground.seen(people) == after  # as the one that runs has it


def test_a_password_that_is_set_meanwhile_is_not_changed_by_the_one_before(
    people: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has the old one, and it is set anew while they change it."""
    ground = Ground(people)
    fits = people.passwords.fits

    def set_meanwhile(hashed: str | None, password: str) -> bool:
        found = fits(hashed, password)
        people.set_password(ground.bob, ANEW)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(people.passwords, "fits", set_meanwhile)
        with pytest.raises(WrongPassword):
            people.change_password(ground.bob, PASSWORD, PASSWORD + "?", HERE, ground.other_id)
    assert people.sign_in("bob", ANEW, HERE)


def test_who_signs_in_while_the_account_is_switched_off_is_out_for_good(
    people: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is on again."""
    ground = Ground(people)
    fits = people.passwords.fits

    def off_meanwhile(hashed: str | None, password: str) -> bool:
        found = fits(hashed, password)
        people.switch_off(ground.bob)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(people.passwords, "fits", off_meanwhile)
        with pytest.raises((WrongPassword, AccountEnded)):
            people.sign_in("bob", PASSWORD, HERE)
    people.set_end(ground.bob, None)
    assert people.credentials.logins_of(ground.bob) == []
    assert people.sign_in("bob", PASSWORD, HERE)
