"""People of several teams, made beside a server that runs, as the command line would; and their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cloudbang.accounts import AccountService, NameTaken
from cloudbang.config import Settings, StorageSettings
from cloudbang.storage.database.database import Database

if TYPE_CHECKING:
    import pytest

PASSWORD = "correct horse battery"


def person_in(storage: Path, name: str, roles: Mapping[str, str]) -> str:
    """A new account with a role in each of these teams, which are made, and an API token for it. The
    server knows it within about a second."""
    database = Database(storage)
    database.open(lambda path: None)
    people = AccountService(Settings(storage=StorageSettings(path=storage)), database)
    try:
        account = people.create(name, PASSWORD, "viewer")
        people.set_role(account.id, roles.get("default"))
        for team, role in roles.items():
            with suppress(NameTaken):
                people.teams.create(team)
            people.set_role(account.id, role, team)
        return people.tokens.create(name, "admin", account.id)[0]
    finally:
        people.passwords.close()
        database.close()


def cheap_hashes(patch: pytest.MonkeyPatch) -> None:
    """Passwords cost 50 ms of a processor each: for tests of what is not they. Those that are made already
    say what they cost, and still fit."""
    patch.setattr("cloudbang.accounts.passwords._TIME", 1)
    patch.setattr("cloudbang.accounts.passwords._MEMORY", 64)
