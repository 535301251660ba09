"""Accounts: set-up once, sessions, tokens, roles, guesses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.monkey import get_original

from cloudbang.accounts import (
    Account,
    AccountService,
    AlreadySetUp,
    LastAdmin,
    NameTaken,
    TooBusy,
    TooManyAttempts,
    UnknownAccount,
    UnknownTeam,
    WrongPassword,
    WrongSetupToken,
)
from cloudbang.accounts.passwords import AT_A_TIME, MAX_WAITING, NOBODYS, Passwords
from cloudbang.accounts.throttle import MAX_KEYS, MINUTE, Throttle
from cloudbang.config import Settings
from cloudbang.errors import BadRequest
from cloudbang.storage.database.database import Database
from tests.support import ROOT, patient, wait_until

PASSWORD = "correct horse battery"
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """Seconds since 1970: a test lets time pass (``ahead``), or sets it wrong (``set_by``)."""

    def __init__(self) -> None:
        self.ahead = self.set_by = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead + self.set_by

    def passes(self) -> float:
        return time.monotonic() + self.ahead


Make = Callable[..., AccountService]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """Starts the accounts of ``tmp_path``, as each start of the server does."""
    made: list[tuple[AccountService, Database]] = []

    def start(**changes: Any) -> AccountService:
        settings = Settings.model_validate({"storage": {"path": tmp_path}, **changes})
        database = Database(tmp_path)
        database.open()
        accounts = AccountService(settings, database, clock, clock.passes)
        accounts.start()
        made.append((accounts, database))
        return accounts

    yield start
    for accounts, database in made:
        accounts.stop()
        database.close()


@pytest.fixture
def people(make: Make) -> AccountService:
    """Accounts that are set up: ada is an admin."""
    accounts = make()
    accounts.set_up(accounts.setup_token or "", "ada", PASSWORD)
    return accounts


def outcome(work: Callable[..., Any], *args: Any) -> Any:
    """What a call gives or raises, as a value."""
    try:
        return work(*args)
    except Exception as e:
        return e


# Set-up


def test_setup_token_is_in_a_file_that_only_its_owner_reads(make: Make) -> None:
    """The printed token is also in a file of mode 0600, and both are gone after set-up."""
    accounts = make()
    assert accounts.setup_file.read_text().strip() == accounts.setup_token
    assert stat.S_IMODE(accounts.setup_file.stat().st_mode) == 0o600
    made = accounts.set_up(accounts.setup_token or "", "ada", PASSWORD)
    assert made.role == "admin"
    assert accounts.setup_token is None
    assert not accounts.setup_file.exists()


def test_two_set_ups_racing_one_wins(make: Make) -> None:
    """Of two people who set up at the same moment one gets in and the other is told."""
    accounts = make()
    token = accounts.setup_token
    racing = [gevent.spawn(outcome, accounts.set_up, token, name, PASSWORD) for name in "ab"]
    gevent.joinall(racing)
    results = [one.value for one in racing]
    assert sorted(type(result).__name__ for result in results) == ["Account", "AlreadySetUp"]
    assert len(accounts.list()) == 1


def test_setup_needs_the_token(make: Make) -> None:
    """A wrong token makes no account and may not be guessed for long."""
    accounts = make()
    for _ in range(10):
        with pytest.raises(WrongSetupToken):
            accounts.set_up("wrong", "eve", PASSWORD, HERE)
    with pytest.raises(TooManyAttempts):
        accounts.set_up(accounts.setup_token or "", "eve", PASSWORD, HERE)
    assert accounts.list() == []
    assert accounts.set_up(accounts.setup_token or "", "ada", PASSWORD, THERE)


def test_a_restart_does_not_open_set_up_again(people: AccountService, make: Make) -> None:
    """After set-up there is no token at any later start."""
    again = make()
    assert again.setup_token is None
    assert not again.setup_file.exists()
    with pytest.raises(AlreadySetUp):
        again.set_up("anything", "eve", PASSWORD)


def test_a_restart_before_set_up_makes_a_new_token(make: Make) -> None:
    """A token belongs to one start."""
    first, second = make(), make()
    assert first.setup_token != second.setup_token
    assert second.setup_file.read_text().strip() == second.setup_token


def test_admin_password_of_the_environment_skips_set_up(make: Make) -> None:
    """The account admin is made at the first start, and left alone at later ones."""
    first = make(admin_password="from the environment")
    assert first.setup_token is None
    assert first.sign_in("admin", "from the environment", HERE)
    admin = first.named("admin")
    first.set_password(admin.id, "another password")
    second = make(admin_password="from the environment")
    assert second.sign_in("admin", "another password", HERE)


# Signing in


def test_sign_in_and_out(people: AccountService) -> None:
    """A session is good from signing in until signing out, under any case of the name."""
    secret = people.sign_in("ADA", PASSWORD, HERE, "a browser")
    caller = people.credentials.find(secret)
    assert caller
    assert (caller.name, caller.role, caller.by_cookie) == ("ada", "admin", True)
    assert [s.agent for s in people.credentials.logins_of(caller.account_id or 0)] == ["a browser"]
    people.credentials.end_login(caller.login)
    assert people.credentials.find(secret) is None


@pytest.mark.parametrize("secret", ["", "nonsense", "x" * 10_000, "\x00", "\ud800"])
def test_nonsense_is_nobody(people: AccountService, secret: str) -> None:
    """What is no secret of ours is nobody, whatever it looks like."""
    assert people.credentials.find(secret) is None


def test_unknown_names_and_wrong_passwords_look_the_same(
    people: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same error, same sentence and the same work for both: a hash is checked either way."""
    unknown = outcome(people.sign_in, "nobody", "wrong", HERE)
    wrong = outcome(people.sign_in, "ada", "wrong", HERE)
    assert type(unknown) is type(wrong) is WrongPassword
    assert str(unknown) == str(wrong)
    monkeypatch.undo()  # hashes that cost what they do for people
    passwords = Passwords()
    assert not passwords.is_dated(NOBODYS), "the stand-in costs what a real hash costs"
    assert not passwords.fits(None, "anything")
    passwords.close()


def test_guesses_at_one_account_end_from_any_address(people: AccountService) -> None:
    """Ten failures at one name close it for everybody; other names stay open."""
    people.create("bob", PASSWORD)
    for n in range(10):
        with pytest.raises(WrongPassword):
            people.sign_in("ada", "guess", f"192.0.2.{n + 10}")
    with pytest.raises(TooManyAttempts) as refused:
        people.sign_in("ada", PASSWORD, HERE)
    assert 1 <= refused.value.retry_after <= 60
    assert people.sign_in("bob", PASSWORD, HERE)


def test_guesses_of_strangers_do_not_keep_the_owner_out(people: AccountService) -> None:
    """Where a person is signed in already they may sign in again, while others are refused."""
    people.sign_in("ada", PASSWORD, HERE)
    for n in range(10):
        with pytest.raises(WrongPassword):
            people.sign_in("ada", "guess", f"192.0.2.{n + 10}")
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", PASSWORD, THERE)
    assert people.sign_in("ada", PASSWORD, HERE)


def test_guesses_from_one_address_end_at_any_account(people: AccountService) -> None:
    """Ten failures from one address, an IPv6 /64 included, close it; other addresses stay open."""
    for n in range(10):
        with pytest.raises(WrongPassword):
            people.sign_in(f"name{n}", "guess", f"2001:db8::{n}")
    with pytest.raises(TooManyAttempts):
        people.sign_in("ada", PASSWORD, "2001:db8::ffff")
    assert people.sign_in("ada", PASSWORD, "2001:db8:0:1::1")


def test_success_never_counts(people: AccountService) -> None:
    """Signing in often is not guessing."""
    for _ in range(15):
        assert people.sign_in("ada", PASSWORD, HERE)


def test_the_throttle_keeps_a_bounded_number_of_keys() -> None:
    """A flood of addresses shares one count rather than filling the memory."""
    throttle = Throttle(((3, MINUTE),))
    for n in range(MAX_KEYS):
        throttle.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", f"name{n}")
    assert len(throttle) <= MAX_KEYS + 4 * 1024
    with pytest.raises(TooManyAttempts):
        throttle.check("203.0.113.9", "somebody new")


def test_two_passwords_at_a_time_and_a_bounded_line(
    people: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only two hashes are made at once, and who would wait too long is refused at once."""
    going, all_came = [], get_original("threading", "Event")()  # for the threads that hash
    verify = Passwords._verify

    def wait_and_verify(self: Passwords, kept: str, password: bytes) -> bool:
        going.append(kept)
        assert all_came.wait(patient(60))
        return verify(self, kept, password)

    monkeypatch.setattr(Passwords, "_verify", wait_and_verify)
    busy = [
        gevent.spawn(outcome, people.sign_in, "ada", PASSWORD, HERE)
        for _ in range(MAX_WAITING + 12)
    ]
    many = 12 - AT_A_TIME
    try:
        wait_until(lambda: sum(one.ready() for one in busy) >= many, 30, "the refusals")
        wait_until(lambda: len(going) >= AT_A_TIME, 30, "the threads to begin")
        assert len(going) == AT_A_TIME
    finally:
        all_came.set()
    gevent.joinall(busy)
    refused = [one for one in busy if isinstance(one.value, TooBusy)]
    assert len(refused) == many
    assert all(isinstance(one.value, str) for one in busy if one not in refused)


def test_sessions_end_when_unused_and_when_old(make: Make, clock: Clock) -> None:
    """A session ends after its idle time or its lifetime, and its sockets are told."""
    accounts = make(session={"idle_hours": 1, "lifetime_hours": 3})
    accounts.set_up(accounts.setup_token or "", "ada", PASSWORD)
    ended: list[str] = []
    accounts.listen(ended.append)
    idle = accounts.sign_in("ada", PASSWORD, HERE)
    used = accounts.sign_in("ada", PASSWORD, HERE)
    for hours in (0.8, 1.6, 2.4):
        clock.ahead = hours * 3600
        assert accounts.credentials.find(used)
    assert accounts.credentials.find(idle) is None
    wait_until(lambda: ended == ["s1"], 3, "the idle session's end")
    clock.ahead = 3.1 * 3600
    assert accounts.credentials.find(used) is None
    wait_until(lambda: ended == ["s1", "s2"], 3, "the old session's end")


def test_use_is_remembered_over_a_restart(people: AccountService, make: Make, clock: Clock) -> None:
    """A session that was used lives on after a restart of the server."""
    secret = people.sign_in("ada", PASSWORD, HERE)
    clock.ahead = 6 * 24 * 3600
    assert people.credentials.find(secret)
    people.credentials.note()
    clock.ahead = 8 * 24 * 3600
    assert make().credentials.find(secret)


def test_an_account_has_a_bounded_number_of_sessions(people: AccountService) -> None:
    """One session too many ends the one used longest ago."""
    first = people.sign_in("ada", PASSWORD, HERE)
    account = people.named("ada").id
    for _ in range(50):
        people.credentials.open_login(account, HERE, "")
    assert people.credentials.find(first) is None
    assert len(people.credentials.logins_of(account)) == 50


# Changes end what was handed out


def test_a_new_password_ends_the_other_sessions(people: AccountService) -> None:
    """Who changes their password stays in; whoever else was in with the old one is out."""
    mine, other = (people.sign_in("ada", PASSWORD, HERE) for _ in range(2))
    me = people.credentials.find(mine)
    assert me
    with pytest.raises(WrongPassword):
        people.change_password(me.account_id or 0, "wrong", "a new password", HERE)
    people.change_password(me.account_id or 0, PASSWORD, "a new password", HERE, me.login)
    assert people.credentials.find(mine)
    assert people.credentials.find(other) is None
    with pytest.raises(WrongPassword):
        people.sign_in("ada", PASSWORD, HERE)
    assert people.sign_in("ada", "a new password", HERE)


def test_demotion_ends_sessions_and_lessens_tokens(people: AccountService) -> None:
    """A demoted person's sockets are closed, by session and by token; the token may less."""
    bob = people.create("bob", PASSWORD, "admin")
    session = people.credentials.find(people.sign_in("bob", PASSWORD, HERE))
    secret, token = people.tokens.create("bob's", "admin", bob.id)
    ended: list[str] = []
    people.listen(ended.append)
    people.set_role(bob.id, "viewer")
    assert session
    assert sorted(ended) == sorted([session.login, token.id])
    lessened = people.credentials.find(secret)
    assert lessened
    assert lessened.role == "viewer"


def test_promotion_ends_nothing(people: AccountService) -> None:
    """Who may do more goes on as they are."""
    bob = people.create("bob", PASSWORD)
    secret = people.sign_in("bob", PASSWORD, HERE)
    people.set_role(bob.id, "admin")
    caller = people.credentials.find(secret)
    assert caller
    assert caller.can("manage", "default")


def test_a_role_is_held_in_a_team(people: AccountService) -> None:
    """What somebody may do in one team says nothing of another; a token may at most what its
    maker may, team by team; one of the command line is everybody's."""
    people.teams.create("blue")
    bob = people.create("bob", PASSWORD)
    machine, _ = people.tokens.create("ci", "viewer")
    secret, token = people.tokens.create("bob's", "admin", bob.id)
    people.set_role(bob.id, "admin", "blue")
    session = people.credentials.find(people.sign_in("bob", PASSWORD, HERE))
    for caller in (session, people.credentials.find(secret)):
        assert caller
        assert caller.teams("view") == {"default", "blue"}
        assert caller.teams("terminal") == caller.teams("manage") == {"blue"}
        assert not caller.can("deploy", "default")
        assert not caller.can("view", "red")
    everywhere = people.credentials.find(machine)
    assert everywhere
    assert (everywhere.teams("view"), everywhere.teams("manage")) == ({"default", "blue"}, set())
    ended: list[str] = []
    people.listen(ended.append)
    people.set_role(bob.id, None, "blue")
    assert session
    assert sorted(ended) == sorted([session.login, token.id])
    people.set_role(bob.id, None)
    assert people.get(bob.id).role is None
    nowhere = people.credentials.find(secret)
    assert nowhere
    assert nowhere.teams("view") == frozenset()


def test_teams_that_cannot_be(people: AccountService) -> None:
    """A name that is taken, or no folder's; a team that nobody made; the last who manages."""
    people.teams.create("blue")
    for name in ("blue", "default", "Blue", "DEFAULT"):
        with pytest.raises(NameTaken, match="there is a team named"):
            people.teams.create(name)
    for name in ("", ".", "../x", "a b", "x" * 65):
        with pytest.raises(BadRequest):
            people.teams.create(name)
    bob = people.create("bob", PASSWORD, "admin")
    with pytest.raises(UnknownTeam):
        people.set_role(bob.id, "viewer", "red")
    admin = next(one for one in people.list() if one.id != bob.id)
    people.set_role(admin.id, None)
    with pytest.raises(LastAdmin):
        people.set_role(bob.id, None)


def test_deletion_takes_sessions_and_tokens_along(people: AccountService) -> None:
    """Nothing of a deleted account is good any more."""
    bob = people.create("bob", PASSWORD)
    session = people.sign_in("bob", PASSWORD, HERE)
    token, _ = people.tokens.create("bob's", "viewer", bob.id)
    people.delete(bob.id)
    assert people.credentials.find(session) is None
    assert people.credentials.find(token) is None
    with pytest.raises(UnknownAccount):
        people.get(bob.id)


def test_the_last_admin_stays(people: AccountService) -> None:
    """The last admin can be neither deleted nor demoted."""
    ada = people.named("ada")
    people.create("bob", PASSWORD, "viewer")
    for change in (lambda: people.delete(ada.id), lambda: people.set_role(ada.id, "viewer")):
        with pytest.raises(LastAdmin):
            change()
    assert people.get(ada.id).role == "admin"


def test_two_admins_leaving_at_once_one_stays(people: AccountService) -> None:
    """Two admins who delete each other at the same moment: one of them remains."""
    bob = people.create("bob", PASSWORD, "admin")
    ada = people.named("ada")
    gone = [gevent.spawn(outcome, people.delete, one.id) for one in (ada, bob)]
    gevent.joinall(gone)
    assert sorted(type(one.value).__name__ for one in gone) == ["LastAdmin", "NoneType"]


def test_names_are_unique_whatever_their_case(people: AccountService) -> None:
    """ADA, Ａｄａ and ada are one person."""
    for name in ("ADA", " ada ", "Ａｄａ"):
        with pytest.raises(NameTaken):
            people.create(name, PASSWORD)


@pytest.mark.parametrize("name", ["аdа", "ａda", "αda", "ADA", "ɑda"])
def test_a_name_that_looks_like_anothers_is_taken(people: AccountService, name: str) -> None:
    """A reader of a list of people, or of who opened a terminal, would take one for the other."""
    with pytest.raises(NameTaken) as refused:
        people.create(name, PASSWORD)
    assert refused.value.name == "ada"
    assert people.create("ida", PASSWORD)
    assert people.create("адам", PASSWORD)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "a\x1b[31m", "a\u202eb"])
def test_names_that_cannot_be(people: AccountService, name: str) -> None:
    """A name is 1 to 64 characters that can be seen."""
    with pytest.raises(BadRequest):
        people.create(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_passwords_that_cannot_be(people: AccountService, password: str) -> None:
    """A password is 8 to 1024 characters, and is not said back."""
    with pytest.raises(BadRequest) as refused:
        people.create("bob", password)
    assert not password or password not in str(refused.value)


def test_passwords_of_any_script(people: AccountService) -> None:
    """Any characters make a password; it is kept as an argon2id hash only."""
    people.create("小明", "密码密码密码密码🔑")
    assert people.sign_in("小明", "密码密码密码密码🔑", HERE)
    kept = people._database.read(lambda c: c.exec_driver_sql("SELECT password FROM accounts").all())
    assert all(hashed.startswith("$argon2id$") for (hashed,) in kept)


# The command line, while the server runs


def command(folder: Path, *arguments: str, typed: str = "") -> str:
    """Standard output of one command on the data of ``folder``."""
    done = subprocess.run(
        [sys.executable, "-m", "cloudbang", *arguments],
        env={**os.environ, "CLOUDBANG_STORAGE_PATH": str(folder)},
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=patient(60),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tokens_on_the_command_line(people: AccountService, tmp_path: Path) -> None:
    """`token create` prints the token alone; the running server knows it, and its end, in 2 s."""
    ended: list[str] = []
    people.listen(ended.append)
    secret = command(tmp_path, "token", "create", "ci").strip()
    assert "\n" not in secret
    caller = wait_until(lambda: people.credentials.find(secret), 2, "the new token")
    assert caller
    assert (caller.name, caller.role, caller.account_id) == ("ci", "admin", None)
    assert "\tci" in command(tmp_path, "token", "list")
    command(tmp_path, "token", "revoke", "ci")
    wait_until(lambda: ended == [caller.login], 2, "the end of the token")
    assert people.credentials.find(secret) is None


def test_users_on_the_command_line(people: AccountService, tmp_path: Path) -> None:
    """Accounts made, changed and deleted by a command reach the running server within 2 s."""
    command(tmp_path, "user", "add", "bob", "--password-stdin", typed=PASSWORD + "\n")
    session = people.sign_in("bob", PASSWORD, HERE)
    command(tmp_path, "user", "role", "bob", "admin")
    wait_until(
        lambda: getattr(people.credentials.find(session), "role", "") == "admin", 2, "the role"
    )
    assert "admin\t" in command(tmp_path, "user", "list")
    command(tmp_path, "user", "passwd", "bob", "--password-stdin", typed="another password\n")
    wait_until(lambda: people.credentials.find(session) is None, 2, "the end of the session")
    session = people.sign_in("bob", "another password", HERE)
    command(tmp_path, "user", "delete", "bob")
    wait_until(lambda: people.credentials.find(session) is None, 2, "the end of the session")


def test_the_first_account_of_the_command_line_closes_set_up(make: Make, tmp_path: Path) -> None:
    """An admin made by a command while the set-up page is open closes it."""
    accounts = make()
    command(tmp_path, "user", "add", "ada", "--password-stdin", typed=PASSWORD + "\n")
    with pytest.raises(AlreadySetUp):
        accounts.set_up(accounts.setup_token or "", "eve", PASSWORD)
    assert [(one.name, one.role) for one in accounts.list()] == [("ada", "admin")]
    assert isinstance(accounts.list()[0], Account)
