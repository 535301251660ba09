"""The command line as a whole."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from cloudbang.cli.main import COMMANDS, main
from tests.support import patient


def test_help_names_every_command() -> None:
    """With what it does."""
    said = CliRunner().invoke(main, ["--help"])
    assert said.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in said.output


def test_an_unknown_command_is_a_sentence() -> None:
    """As click says it, and status 2."""
    said = CliRunner().invoke(main, ["dance"])
    assert said.exit_code == 2
    assert "No such command 'dance'" in said.output


@pytest.mark.parametrize(
    ("command", "apart"),
    [
        # wsgi.py patches before anything that has to be patched is imported.
        ("serve", ["gevent", "socket", "cloudbang.app", "cloudbang.config", "flask", "zmq"]),
        ("share", ["gevent", "flask", "zmq", "docker", "sqlalchemy"]),
    ],
)
def test_a_command_imports_what_it_needs_and_no_more(command: str, apart: list[str]) -> None:
    """What every start would pay for stays out."""
    code = (
        "import json, sys; from cloudbang.cli.main import main\n"
        f"main.get_command(None, {command!r})\n"
        "print(json.dumps(list(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        timeout=patient(60),
    )
    assert not set(apart) & set(json.loads(ran.stdout))
