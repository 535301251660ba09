"""Teams: made, and deleted with what is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.accounts import AccountService, TeamInUse, UnknownTeam
from cloudbang.config import Settings, StorageSettings
from cloudbang.deploy.credentials import HostCredentials
from cloudbang.storage.database.apps import AppRow, AppStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.secrets import SecretStore
from tests.accounts.test_accounts import HERE, PASSWORD


def test_a_team_goes_when_nothing_is_its(tmp_path: Path) -> None:
    """With who is in it, whose sessions end there, and what was kept for it: who makes one of that
    name later is somebody else."""
    database = Database(tmp_path)
    database.open()
    people = AccountService(Settings(storage=StorageSettings(path=tmp_path)), database)
    people.create("ada", PASSWORD, "admin")
    people.teams.create("blue")
    bob = people.create("bob", PASSWORD)
    people.set_role(bob.id, "admin", "blue")
    secrets = SecretStore(database, tmp_path)
    hosts = HostCredentials(secrets)
    for team in ("blue", "default"):
        hosts.put(team, "registry", "hub.example.com", "ada", PASSWORD)
    store = AppStore(database)
    store.save([AppRow("web", "blue", "deployed", 1)])
    [_, blue] = people.teams.all()
    assert (blue.name, blue.apps) == ("blue", 1)
    assert [(one.name, one.role) for one in blue.members] == [("bob", "admin")]
    with pytest.raises(TeamInUse, match="blue still has 1 apps"):
        people.teams.delete("blue")
    store.forget("web", 1, 2)
    secret = people.sign_in("bob", PASSWORD, HERE)
    ended: list[str] = []
    people.listen(ended.append)
    people.teams.delete("blue")
    assert len(ended) == 1
    assert people.credentials.find(secret) is None
    caller = people.credentials.find(people.sign_in("bob", PASSWORD, HERE))
    assert caller
    assert caller.teams("view") == {"default"}
    assert hosts.hosts("blue", "registry") == []
    assert hosts.hosts("default", "registry") == ["hub.example.com"]
    for name in ("blue", "red"):
        with pytest.raises(UnknownTeam):
            people.teams.delete(name)
    with pytest.raises(TeamInUse, match="for good"):
        people.teams.delete("default")
    people.teams.create("blue")
    assert people.teams.get("blue").members == ()
    people.passwords.close()
    database.close()
