"""Accounts and API tokens on the command line, beside a server that runs or does not.

A change made here reaches a running server within about a second. What a running server uses is
never given another form by it: a server from before an update goes on with the form it knows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cloudbang import config
from cloudbang.accounts import AccountService, TokenInfo, UnknownAccount
from cloudbang.accounts.permissions import ROLES
from cloudbang.accounts.tokens import OVERLAP, OVERLAP_MOST
from cloudbang.errors import AlreadyRunning, CloudBangError
from cloudbang.storage import data_folder
from cloudbang.storage.database.database import Database, migrate

_ROLE = click.Choice(ROLES)


class RestartFirst(CloudBangError):
    """The server that runs is from before an update that changed the database's form."""

    code = "restart-first"
    sentence = (
        "restart the server first (process {pid}): it was started before CloudBang was updated, "
        "and the database {path} gets its new form when it starts again"
    )
    variants = {  # noqa: RUF012
        ("pid", None): (
            "restart the server first: it was started before CloudBang was updated, "
            "and the database {path} gets its new form when it starts again"
        )
    }

    def __init__(self, path: str, pid: int | None) -> None:
        self.path, self.pid = path, pid
        super().__init__(path, pid)


def _migrate_unless_served(path: Path) -> None:
    """No server can start while it lasts. Raises RestartFirst, StorageFailed."""
    try:
        with data_folder.taken(path.parent):
            migrate(path)
    except AlreadyRunning as e:
        raise RestartFirst(str(path), e.pid) from None


@contextmanager
def _accounts() -> Iterator[AccountService]:
    settings = config.load()
    database = Database(settings.storage.path)
    database.open(_migrate_unless_served)
    people = AccountService(settings, database)
    try:
        yield people
    finally:
        people.passwords.close()
        database.close()


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """A date or a time as seconds since 1970; a date lasts to its end, by this machine's clock."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        allowed = "a date such as 2026-12-31, or a time such as 2026-12-31T12:00:00Z"
        raise click.BadParameter(f"{text!r} is not {allowed}") from None
    if len(text) <= len("2026-12-31"):
        found += timedelta(days=1)
    return int(found.timestamp())


_DAYS = click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many days.")
_UNTIL = click.option(
    "--until", callback=_moment, metavar="DATE", help="It ends with that day, or at that time."
)


def _end(days: int | None, until: int | None) -> int | None:
    if days is None:
        return until
    if until is not None:
        raise click.UsageError("--days and --until do not go together")
    return int(time.time()) + days * 24 * 3600


@click.group(help="API tokens for programs.")
def token() -> None:
    """The group ``token``."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=_ROLE, default="admin", show_default=True, help="What it may do.")
@_DAYS
@_UNTIL
def create_token(name: str, role: str, days: int | None, until: int | None) -> None:
    """Make a token called NAME and print it, alone. It is not shown again."""
    with _accounts() as people:
        secret, _ = people.tokens.create(name, role, ends_at=_end(days, until))
    click.echo(secret)


@token.command("rotate")
@click.argument("token_id", metavar="ID|NAME")
@_DAYS
@_UNTIL
@click.option("--never", is_flag=True, help="It has no end.")
@click.option(
    "--overlap",
    type=click.IntRange(0, OVERLAP_MOST),
    default=OVERLAP,
    show_default=True,
    help="For how many seconds more the old secret works.",
)
def rotate_token(
    token_id: str, days: int | None, until: int | None, never: bool, overlap: int
) -> None:
    """Give a token another secret and print it, alone. It is good for as long as the last one was
    made for, unless said."""
    ends_at = _end(days, until)
    if never and ends_at is not None:
        raise click.UsageError("--never does not go with an end")
    with _accounts() as people:
        again = ends_at is None and not never
        found = _token(people, token_id)
        secret, _ = people.tokens.rotate(found.id, ends_at, again=again, overlap=overlap)
    click.echo(secret)


@token.command("list")
def list_tokens() -> None:
    """Every token: id, role, whose, since when, last used, from where, until when, name."""
    with _accounts() as people:
        names = {one.id: one.name for one in people.list()}
        for one in people.tokens.of():
            owner = names.get(one.account_id, "?") if one.account_id is not None else "-"
            click.echo(
                f"{one.id}\t{one.role}\t{owner}\t{_time(one.created_at)}\t"
                f"{_time(one.seen_at)}\t{one.address or '-'}\t{_until(one.ends_at)}\t{one.name}"
            )


@token.command("revoke")
@click.argument("token_id", metavar="ID|NAME")
def revoke_token(token_id: str) -> None:
    """End a token, by its id (t12) or by its name when only one has it."""
    with _accounts() as people:
        people.tokens.revoke(_token(people, token_id).id)


def _token(people: AccountService, asked: str) -> TokenInfo:
    """By its id, or by its name when only one has it. Raises UnknownAccount, UsageError."""
    found = [t for t in people.tokens.of() if asked in (t.id, t.name)]
    exact = [t for t in found if t.id == asked] or found
    if len(exact) > 1:
        ids = ", ".join(t.id for t in exact)
        raise click.UsageError(f"{len(exact)} tokens are called {asked}: say which of {ids}")
    if not exact:
        raise UnknownAccount("token", asked)
    return exact[0]


@click.group(help="People's accounts.")
def user() -> None:
    """The group ``user``."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=_ROLE, help="viewer unless said; the first account is an admin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add_user(name: str, role: str | None, password_stdin: bool) -> None:
    """Make an account. Asks for the password. The first one closes the set-up page."""
    with _accounts() as people:
        people.create(name, _password(password_stdin), role or _usual_role(people))


@user.command("list")
def list_users() -> None:
    """Every account: role, since when, last signed in, until when, name."""
    with _accounts() as people:
        for one in people.list():
            click.echo(
                f"{one.role or '-'}\t{_time(one.created_at)}\t{_time(one.signed_in_at)}\t"
                f"{_until(one.ends_at)}\t{one.name}"
            )


@user.command("off")
@click.argument("name")
@click.option(
    "--from", "until", callback=_moment, metavar="DATE", help="Not now, but from then on."
)
def switch_off_user(name: str, until: int | None) -> None:
    """Switch an account off: its sessions end, its tokens are refused, nothing is deleted."""
    with _accounts() as people:
        found = people.named(name)
        if until is None:
            people.switch_off(found.id)
        else:
            people.set_end(found.id, until)


@user.command("on")
@click.argument("name")
def switch_on_user(name: str) -> None:
    """Switch an account on again, without an end."""
    with _accounts() as people:
        people.set_end(people.named(name).id, None)


@user.command("passwd")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def set_password(name: str, password_stdin: bool) -> None:
    """Give an account a new password; its sessions end."""
    with _accounts() as people:
        account = people.named(name)
        people.set_password(account.id, _password(password_stdin))


@user.command("role")
@click.argument("name")
@click.argument("role", type=_ROLE)
def set_role(name: str, role: str) -> None:
    """Change what an account may do; its sessions end where that becomes less."""
    with _accounts() as people:
        people.set_role(people.named(name).id, role)


@user.command("delete")
@click.argument("name")
def delete_user(name: str) -> None:
    """Delete an account with its sessions and tokens."""
    with _accounts() as people:
        people.delete(people.named(name).id)


@click.group(help="Teams: who may do what with which apps.")
def team() -> None:
    """The group ``team``."""


@team.command("add")
@click.argument("name")
def add_team(name: str) -> None:
    """Make a team, with nobody in it."""
    with _accounts() as people:
        people.teams.create(name)


@team.command("list")
def list_teams() -> None:
    """Every team: since when, how many apps, name, and who is in it as what."""
    with _accounts() as people:
        for one in people.teams.all():
            members = ", ".join(f"{m.name} ({m.role})" for m in one.members) or "-"
            click.echo(f"{_time(one.created_at)}\t{one.apps}\t{one.name}\t{members}")


@team.command("role")
@click.argument("name", metavar="TEAM")
@click.argument("account", metavar="ACCOUNT")
@click.argument("role", type=click.Choice([*ROLES, "none"]))
def set_team_role(name: str, account: str, role: str) -> None:
    """Have ACCOUNT in TEAM as that, or no more; its sessions end where that becomes less."""
    with _accounts() as people:
        people.set_role(people.named(account).id, None if role == "none" else role, name)


@team.command("delete")
@click.argument("name")
def delete_team(name: str) -> None:
    """Delete a team that has no apps, with its credentials for registries and Git hosts."""
    with _accounts() as people:
        people.teams.delete(name)


def _usual_role(people: AccountService) -> str:
    return "viewer" if people.is_set_up() else "admin"


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _time(seconds: int | None) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}" if seconds else "-"


def _until(seconds: int | None) -> str:
    """When something ends, or has."""
    if seconds is None:
        return "never"
    return f"{'ended' if time.time() >= seconds else 'until'} {_time(seconds)}"
