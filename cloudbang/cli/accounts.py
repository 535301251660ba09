"""Accounts and API tokens on the command line, beside a server that runs or does not.

A change made here reaches a running server within about a second. What a running server uses is
never given another form by it: a server from before an update goes on with the form it knows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from cloudbang import config
from cloudbang.accounts import AccountService, UnknownAccount
from cloudbang.accounts.permissions import ROLES
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


@click.group(help="API tokens for programs.")
def token() -> None:
    """The group ``token``."""


@token.command("create")
@click.argument("name")
@click.option("--role", type=_ROLE, default="admin", show_default=True, help="What it may do.")
def create_token(name: str, role: str) -> None:
    """Make a token called NAME and print it, alone. It is not shown again."""
    with _accounts() as people:
        secret, _ = people.credentials.create_token(name, role)
    click.echo(secret)


@token.command("list")
def list_tokens() -> None:
    """Every token: id, role, whose, since when, last used, name."""
    with _accounts() as people:
        names = {one.id: one.name for one in people.list()}
        for one in people.credentials.tokens():
            owner = names.get(one.account_id, "?") if one.account_id is not None else "-"
            click.echo(
                f"{one.id}\t{one.role}\t{owner}\t{_time(one.created_at)}\t"
                f"{_time(one.seen_at)}\t{one.name}"
            )


@token.command("revoke")
@click.argument("token_id", metavar="ID|NAME")
def revoke_token(token_id: str) -> None:
    """End a token, by its id (t12) or by its name when only one has it."""
    with _accounts() as people:
        found = [t for t in people.credentials.tokens() if token_id in (t.id, t.name)]
        exact = [t for t in found if t.id == token_id] or found
        if len(exact) > 1:
            ids = ", ".join(t.id for t in exact)
            raise click.UsageError(f"{len(exact)} tokens are called {token_id}: say which of {ids}")
        if not exact:
            raise UnknownAccount("token", token_id)
        people.credentials.revoke_token(exact[0].id)


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
    """Every account: role, since when, last signed in, name."""
    with _accounts() as people:
        for one in people.list():
            click.echo(
                f"{one.role or '-'}\t{_time(one.created_at)}\t{_time(one.signed_in_at)}\t{one.name}"
            )


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
