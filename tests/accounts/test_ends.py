"""Tokens and accounts that end by themselves; a token's second secret beside its first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from cloudbang.accounts import (
    AccountEnded,
    AccountService,
    LastAdmin,
    NotSignedIn,
    UnknownAccount,
    WrongPassword,
)
from cloudbang.accounts.errors import TokenEnded, TokenReplaced
from cloudbang.accounts.tokens import ENDED_KEPT, HOUR, OVERLAP, SOON
from cloudbang.errors import BadRequest
from cloudbang.storage.database.tables import api_tokens
from tests.accounts.test_accounts import HERE, PASSWORD, THERE, Clock, clock, make, people
from tests.support import wait_until

__all__ = ["clock", "make", "people"]  # fixtures

Make = Callable[..., AccountService]
DAY = 24 * HOUR


def test_a_token_ends_by_itself(people: AccountService, clock: Clock) -> None:
    """At its end it is nobody's, its sockets are told, and who shows it learns when that was. It
    stays in the list; another secret makes it good again."""
    until = int(clock()) + 30 * DAY
    secret, token = people.tokens.create("ci", ends_at=until)
    for_ever, _ = people.tokens.create("for ever")
    ended: list[str] = []
    people.listen(ended.append)
    assert people.credentials.find(secret, HERE)
    clock.ahead = 30 * DAY + 1
    assert people.credentials.find(secret, HERE) is None
    wait_until(lambda: ended == [token.id], 3, "its sockets' end")
    why = people.credentials.why_not(secret, THERE)
    assert isinstance(why, TokenEnded)
    assert "ended at 20" in str(why)
    assert "ci" in str(why)
    assert people.credentials.find(for_ever)
    assert [(one.name, one.ends_at, one.address) for one in people.tokens.of()] == [
        ("for ever", None, ""),
        ("ci", until, HERE),
    ]
    anew, _ = people.tokens.rotate(token.id, None, again=True)
    assert people.credentials.find(anew)
    assert isinstance(people.credentials.why_not(secret), TokenReplaced)
    assert type(people.credentials.why_not("cbt_nonsense")) is NotSignedIn


def test_a_clock_that_is_set_back_makes_it_good_again(people: AccountService, clock: Clock) -> None:
    """An end is a date: what a wrong clock ended is not gone for good."""
    secret, _ = people.tokens.create("ci", ends_at=int(clock()) + DAY)
    clock.set_by = 400 * DAY
    people.credentials.refresh()
    assert people.credentials.find(secret) is None
    clock.set_by = 0
    wait_until(lambda: people.credentials.find(secret), 3, "the token to be good again")


def test_a_new_secret_while_the_old_one_works(people: AccountService, clock: Clock) -> None:
    """Both are the same token for an hour; then what the old one opened ends, and that alone."""
    secret, token = people.tokens.create("ci", ends_at=int(clock()) + 30 * DAY)
    clock.ahead = 10 * DAY
    anew, changed = people.tokens.rotate(token.id, None, again=True)
    assert changed.id == token.id
    assert changed.ends_at == pytest.approx(clock() + 30 * DAY, abs=5), "as long again"
    old, new = people.credentials.find(secret, HERE), people.credentials.find(anew, THERE)
    assert old
    assert new
    assert old.login != new.login
    assert old.holder == new.holder == token.id
    ended: list[str] = []
    people.listen(ended.append)
    clock.ahead += OVERLAP + 1
    assert people.credentials.find(secret) is None
    wait_until(lambda: ended == [old.login], 3, "the old secret's end")
    assert people.credentials.current(new.login)
    why = people.credentials.why_not(secret)
    assert isinstance(why, TokenReplaced)
    assert why.code == "token-replaced"
    third, _ = people.tokens.rotate(token.id, None)
    assert people.credentials.find(anew)
    assert people.credentials.find(third)
    people.tokens.revoke(token.id)
    assert people.credentials.find(anew) is people.credentials.find(third) is None
    assert set(ended) == {old.login, new.login, f"{token.id}.2"}


def test_the_old_secret_of_a_leak_ends_at_once(people: AccountService, clock: Clock) -> None:
    """Without an overlap; and none lives longer by being replaced."""
    secret, token = people.tokens.create("ci")
    people.tokens.rotate(token.id, None, overlap=0)
    assert people.credentials.find(secret) is None
    short, token = people.tokens.create("short", ends_at=int(clock()) + 60)
    _, changed = people.tokens.rotate(token.id, None)
    assert changed.old_ends_at == token.ends_at
    clock.ahead = 61
    assert people.credentials.find(short) is None


def test_ends_that_cannot_be(people: AccountService, clock: Clock) -> None:
    """One that has passed, or is beyond every calendar; and a token that is not there."""
    _, token = people.tokens.create("ci")
    for moment in (0, -1, int(clock()), int(clock()) - 5, 10**15):
        with pytest.raises(BadRequest, match="ends_at"):
            people.tokens.create("ci", ends_at=moment)
        with pytest.raises(BadRequest, match="ends_at"):
            people.tokens.rotate(token.id, moment)
        with pytest.raises(BadRequest, match="ends_at"):
            people.set_end(people.named("ada").id, moment)
    for name in ("t999", "s1", "t1.1", "t"):
        with pytest.raises(UnknownAccount):
            people.tokens.rotate(name, None)


def test_an_owner_is_told_a_week_before(people: AccountService, clock: Clock) -> None:
    """Of their own; of the machine's who manages the installation. After its end it is told while
    somebody still asks with it."""
    bob = people.create("bob", PASSWORD)
    ada = people.credentials.find(people.sign_in("ada", PASSWORD, HERE))
    his = people.credentials.find(people.sign_in("bob", PASSWORD, HERE))
    assert ada
    assert his
    until = int(clock()) + SOON + DAY
    secret, _ = people.tokens.create("bob's", "viewer", bob.id, until)
    people.tokens.create("ci", ends_at=until)
    people.tokens.create("for ever", "viewer", bob.id)
    assert people.tokens.ending(his) == []
    clock.ahead = 2 * DAY
    assert [end.name for end in people.tokens.ending(his)] == ["bob's"]
    assert [end.name for end in people.tokens.ending(ada)] == ["ci"]
    clock.ahead = SOON + 2 * DAY
    people.credentials.refresh()
    assert people.tokens.ending(his) == []
    people.credentials.why_not(secret, THERE)
    assert [(end.name, end.refused) for end in people.tokens.ending(his)] == [("bob's", THERE)]
    clock.ahead += 2 * HOUR
    assert people.tokens.ending(his) == []


def test_where_it_was_used_last_is_kept(people: AccountService, make: Make) -> None:
    """By whichever of its secrets, over a restart."""
    secret, token = people.tokens.create("ci")
    anew, _ = people.tokens.rotate(token.id, None)
    people.credentials.find(secret, HERE)
    people.credentials.find(anew, THERE)
    assert people.tokens.of()[0].address in (HERE, THERE)  # of one second either is the last
    people.credentials.note()
    again = make()
    kept = again.tokens.of()[0]
    assert kept.seen_at
    assert kept.address in (HERE, THERE)


def test_ended_ones_do_not_pile_up(people: AccountService, clock: Clock) -> None:
    """A job that makes a token each time leaves the last ones, and nobody else's go."""
    bob = people.create("bob", PASSWORD)
    people.tokens.create("bob's", "viewer", bob.id, int(clock()) + 60)

    def many(c: sa.Connection) -> None:
        row = c.execute(sa.select(api_tokens)).mappings().one()
        rows = [
            {**row, "id": None, "digest": b"%d" % n, "name": f"n{n}", "account_id": None}
            for n in range(ENDED_KEPT + 20)
        ]
        c.execute(sa.insert(api_tokens), rows)

    people._database.write(many)
    people.credentials.refresh()
    clock.ahead = 61
    people.tokens.create("one more")
    names = [one.name for one in people.tokens.of()]
    assert len(names) == ENDED_KEPT + 2
    assert names[0] == "one more"
    assert names[-1] == "bob's"


def test_an_account_is_switched_off_and_on(people: AccountService) -> None:
    """Its logins and tokens are nobody's at once, and the password alone says why; nothing is
    deleted."""
    bob = people.create("bob", PASSWORD)
    login = people.sign_in("bob", PASSWORD, HERE)
    secret, token = people.tokens.create("bob's", "viewer", bob.id)
    ended: list[str] = []
    people.listen(ended.append)
    people.switch_off(bob.id)
    assert set(ended) == {"s1", token.id}
    assert people.credentials.find(login) is people.credentials.find(secret) is None
    assert isinstance(people.credentials.why_not(secret), AccountEnded)
    with pytest.raises(AccountEnded, match="bob is switched off since 20"):
        people.sign_in("bob", PASSWORD, HERE)
    with pytest.raises(WrongPassword):
        people.sign_in("bob", "wrong", HERE)
    people.set_end(bob.id, None)
    assert people.credentials.find(secret)
    assert people.credentials.find(login) is None, "who is switched off is signed out for good"
    assert people.sign_in("bob", PASSWORD, HERE)


def test_an_account_ends_by_itself(people: AccountService, clock: Clock) -> None:
    """As somebody's who is here until then: sockets are told, within a second."""
    bob = people.create("bob", PASSWORD)
    login = people.sign_in("bob", PASSWORD, HERE)
    people.set_end(bob.id, int(clock()) + HOUR)
    assert people.credentials.find(login)
    ended: list[str] = []
    people.listen(ended.append)
    clock.ahead = HOUR + 1
    assert people.credentials.find(login) is None
    wait_until(lambda: ended == ["s1"], 3, "the login's end")
    with pytest.raises(AccountEnded):
        people.sign_in("bob", PASSWORD, HERE)


def test_one_admin_is_there_for_good(people: AccountService, clock: Clock) -> None:
    """Neither by a switch nor by the calendar is an installation left without who manages it."""
    ada = people.named("ada")
    bob = people.create("bob", PASSWORD, "admin")
    people.set_end(bob.id, int(clock()) + DAY)
    for change in (
        lambda: people.switch_off(ada.id),
        lambda: people.set_end(ada.id, int(clock()) + DAY),
        lambda: people.set_role(ada.id, "viewer"),
        lambda: people.delete(ada.id),
    ):
        with pytest.raises(LastAdmin):
            change()
    people.set_end(bob.id, None)
    people.switch_off(ada.id)
