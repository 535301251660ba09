"""Users and passwords for registries and Git hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.deploy.credentials import HostCredentials, host_name
from cloudbang.engine.images import RegistryLogin
from cloudbang.errors import BadRequest
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.secrets import KEY, SecretStore, SecretUnreadable

CANARY = "canary-5f1d"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[HostCredentials]:
    database = Database(tmp_path)
    database.open()
    yield HostCredentials(SecretStore(database, tmp_path))
    database.close()


def test_they_are_kept_replaced_and_forgotten(kept: HostCredentials, tmp_path: Path) -> None:
    kept.put("a", "registry", "r.example.com", "ada", "first")
    kept.put("a", "registry", "https://R.example.com/v2/", "ada", CANARY)
    kept.put("a", "git", "r.example.com", "token", "other")
    kept.put("a", "registry", "localhost:5000", "bob", "x")
    assert kept.get("a", "registry", "r.example.com") == ("ada", CANARY)
    assert kept.get("a", "git", "r.example.com") == ("token", "other")
    assert kept.hosts("a", "registry") == ["localhost:5000", "r.example.com"]
    assert kept.get("a", "registry", "other.example.com") is None
    assert kept.forget("a", "registry", "r.example.com")
    assert not kept.forget("a", "registry", "r.example.com")
    assert kept.hosts("a", "registry") == ["localhost:5000"]
    assert kept.get("a", "git", "r.example.com") == ("token", "other")


def test_each_team_has_its_own(kept: HostCredentials) -> None:
    kept.put("a", "registry", "r.example.com", "ada", "x")
    assert kept.get("b", "registry", "r.example.com") is None
    assert kept.hosts("b", "registry") == []
    assert not kept.forget("b", "registry", "r.example.com")
    kept.put("b", "registry", "r.example.com", "bob", "y")
    assert kept.forget("b", "registry", "r.example.com")
    assert kept.get("a", "registry", "r.example.com") == ("ada", "x")


def test_of_an_old_password_nothing_is_left_in_its_place(
    kept: HostCredentials, tmp_path: Path
) -> None:
    """And of none anything that can be read."""
    for password in ("first", CANARY):
        kept.put("a", "registry", "r.example.com", "ada", password)
    versions = kept._secrets.newest("@registry")
    assert versions == {"a/r.example.com": 2}
    with pytest.raises(SecretUnreadable):
        kept._secrets.get("@registry", {"a/r.example.com": 1})
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes(), file


def test_without_the_key_they_are_closed(tmp_path: Path) -> None:
    database = Database(tmp_path)
    database.open()
    HostCredentials(SecretStore(database, tmp_path)).put(
        "a", "registry", "r.example.com", "ada", "x"
    )
    (tmp_path / KEY).write_bytes(bytes(32))
    with pytest.raises(SecretUnreadable, match="kept for the registry"):
        HostCredentials(SecretStore(database, tmp_path)).get("a", "registry", "r.example.com")
    database.close()


@pytest.mark.parametrize("host", ["", "docker.io", "registry-1.docker.io", "https://docker.io/"])
def test_the_engines_own_registry_has_one_name(host: str) -> None:
    assert host_name("registry", host) == "docker.io"


@pytest.mark.parametrize("host", ["a b", "a\nb", "user@host", "-a", "a:b", "x" * 300, "ü.example"])
def test_what_is_no_host_is_refused(kept: HostCredentials, host: str) -> None:
    with pytest.raises(BadRequest):
        kept.put("a", "registry", host, "ada", "x")
    assert kept.get("a", "registry", host) is None


@pytest.mark.parametrize(("user", "password"), [("", CANARY), ("a" * 300, CANARY), ("ada", "")])
def test_what_cannot_be_used_is_refused_without_being_shown(
    kept: HostCredentials, user: str, password: str
) -> None:
    with pytest.raises(BadRequest) as found:
        kept.put("a", "registry", "r.example.com", user, password)
    assert CANARY not in str(found.value)
    with pytest.raises(BadRequest) as found:
        kept.put("a", "registry", "r.example.com", "ada", CANARY * 5000)
    assert CANARY not in str(found.value)


def test_a_password_is_in_no_text_of_it() -> None:
    login = RegistryLogin("r.example.com", "ada", CANARY)
    assert CANARY not in repr(login)
    assert "\n" not in login.header


def test_who_keeps_some_at_the_same_moment_loses_none(kept: HostCredentials) -> None:
    """What one of them takes away is of that host alone."""
    hosts = [f"r{n}.example.com" for n in range(20)]
    for password in ("first", "second"):
        at_once = [
            gevent.spawn(kept.put, f"team{n % 3}", "registry", host, "ada", password)
            for n, host in enumerate(hosts)
        ]
        gevent.joinall(at_once, raise_error=True)
    for n, host in enumerate(hosts):
        assert kept.get(f"team{n % 3}", "registry", host) == ("ada", "second")
    versions = kept._secrets.newest("@registry")
    assert set(versions.values()) == {2}
    gone = [
        gevent.spawn(kept.forget, f"team{n % 3}", "registry", host)
        for n, host in enumerate(hosts[:10])
    ]
    for host in hosts[:10]:
        kept.put("late", "registry", host, "bob", "third")
    gevent.joinall(gone, raise_error=True)
    assert all(one.value for one in gone)
    assert kept.hosts("late", "registry") == sorted(hosts[:10])
