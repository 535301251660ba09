"""Accounts and tokens on the command line, beside a server and without one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command as alembic
from click.testing import CliRunner

from cloudbang.cli.main import main
from cloudbang.errors import CloudBangError
from cloudbang.storage import data_folder
from cloudbang.storage.database import tables
from cloudbang.storage.database.migrations.__main__ import configuration
from tests.support import ROOT, patient

COMMANDS = (
    ("token", "create", "ci"),
    ("token", "list"),
    ("user", "add", "ada", "--password-stdin"),
    ("user", "list"),
    ("team", "add", "blue"),
    ("team", "list"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a database of the first form."""
    alembic.upgrade(configuration(tmp_path / "cloudbang.db"), "0001")
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cloudbang", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CLOUDBANG_CONFIG": str(ROOT / "conf" / "cloudbang.toml"),
            "CLOUDBANG_STORAGE_PATH": str(folder),
        },
        input="correct horse battery\n",
        capture_output=True,
        text=True,
        timeout=patient(60),
    )


def revision(folder: Path) -> str:
    with sqlite3.connect(folder / "cloudbang.db") as c:
        (found,) = c.execute("SELECT version_num FROM alembic_version").fetchone()
    c.close()
    return str(found)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_what_a_server_uses_is_not_migrated(folder: Path, arguments: tuple[str, ...]) -> None:
    """After an update and before the restart: one sentence says what to do, nothing is changed."""
    with data_folder.taken(folder):
        told = run(folder, *arguments)
        assert told.returncode == 1
        assert told.stdout == ""
        assert told.stderr.startswith("cloudbang: restart the server first")
        assert str(os.getpid()) in told.stderr
        assert len(told.stderr.splitlines()) == 1
        assert revision(folder) == "0001"


def test_without_a_server_the_command_line_migrates(folder: Path) -> None:
    """The folder was used before, and the one who served it has gone: its lock says nothing."""
    with data_folder.taken(folder):
        pass
    told = run(folder, "token", "create", "ci")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("cbt_")
    assert revision(folder) == tables.REVISION
    data_folder_is_free(folder)


def data_folder_is_free(folder: Path) -> None:
    assert not data_folder.is_served(folder)
    os.close(data_folder.take(folder))


def test_beside_a_server_of_the_same_form_it_just_works(folder: Path) -> None:
    """What needs no migration asks nobody for the folder."""
    run(folder, "token", "list")
    with data_folder.taken(folder):
        told = run(folder, "token", "create", "ci")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("cbt_")


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., str]:
    """What a command says, in this process: its output, or why it was refused."""

    def run_here(*arguments: str) -> str:
        environ = {"CLOUDBANG_CONFIG": str(ROOT / "conf" / "cloudbang.toml")}
        environ["CLOUDBANG_STORAGE_PATH"] = str(tmp_path)
        done = CliRunner().invoke(main, arguments, "correct horse battery\n", environ)
        if done.exception is None:
            return done.stdout
        if isinstance(done.exception, SystemExit):  # how it was called is wrong
            return done.stderr
        assert isinstance(done.exception, CloudBangError)
        return str(done.exception)

    return run_here


def test_tokens_end(told: Callable[..., str]) -> None:
    """After days or with a day; another secret for one; what cannot be is said."""
    first = told("token", "create", "ci", "--days", "90")
    told("token", "create", "web", "--until", "2999-12-31")
    told("token", "create", "x")
    ends = {row.split("\t")[-1]: row.split("\t")[-2] for row in told("token", "list").splitlines()}
    assert ends["x"] == "never"
    assert ends["web"].startswith(("until 2999-12-31", "until 3000-01-01"))
    second = told("token", "rotate", "ci", "--overlap", "0")
    assert second.startswith("cbt_")
    assert second != first
    assert told("token", "rotate", "web", "--never").startswith("cbt_")
    assert "\tnever\tweb\n" in told("token", "list")
    for wrong in (
        ("create", "y", "--days", "5", "--until", "2999-12-31"),
        ("create", "y", "--until", "tomorrow"),
        ("create", "y", "--until", "2001-01-01"),
        ("rotate", "x", "--never", "--days", "5"),
        ("rotate", "nothing"),
    ):
        assert not told("token", *wrong).startswith("cbt_")
    assert len(told("token", "list").splitlines()) == 3


def test_accounts_end(told: Callable[..., str]) -> None:
    """Switched off, from a day on, and on again; the last admin is not."""
    told("user", "add", "ada", "--password-stdin")
    told("user", "add", "ben", "--password-stdin")
    told("user", "off", "ben")
    assert "\tended 20" in told("user", "list")
    told("user", "off", "ben", "--from", "2999-12-31")
    assert "\tuntil " in told("user", "list")
    told("user", "on", "ben")
    assert told("user", "list").count("\tnever\t") == 2
    assert "ada is the last admin" in told("user", "off", "ada")


def test_teams(told: Callable[..., str]) -> None:
    """Made, with people in them, listed, deleted; what cannot be is one sentence."""
    told("user", "add", "ada", "--password-stdin")
    told("user", "add", "ben", "--password-stdin")
    assert told("team", "add", "blue") == ""
    told("team", "role", "blue", "ben", "admin")
    told("team", "role", "default", "ben", "none")
    rows = [row.split("\t") for row in told("team", "list").splitlines()]
    assert [row[1:] for row in rows] == [
        ["0", "default", "ada (admin)"],
        ["0", "blue", "ben (admin)"],
    ]
    assert told("user", "list").splitlines()[1].startswith("-\t")
    assert "there is a team named blue already" in told("team", "add", "BLUE")
    assert told("team", "delete", "blue") == ""
    assert "there is no team blue" in told("team", "role", "blue", "ben", "viewer")
