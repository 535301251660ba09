"""The command line: its commands, each of which is imported only when it is asked for."""

from __future__ import annotations

import importlib
import sys

import click

from cloudbang import __version__
from cloudbang.errors import CloudBangError

COMMANDS = {
    "deploy": "cloudbang.cli.deploy",
    "doctor": "cloudbang.cli.doctor",
    "serve": "cloudbang.cli.serve",
    "share": "cloudbang.cli.share.command",
    "team": "cloudbang.cli.accounts",
    "token": "cloudbang.cli.accounts",
    "user": "cloudbang.cli.accounts",
}
# Not patched: wsgi.py does it itself, before anything; a share waits in select and forks; who deploys
# asks a server and does nothing beside it.
PLAIN = frozenset({"deploy", "serve", "share"})


class LazyCommands(click.Group):
    """The commands of ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if name not in PLAIN:
            from gevent import monkey

            from cloudbang.core import punctual

            punctual.install()
            monkey.patch_all()  # the areas they use are written for it
        command: click.Command = getattr(importlib.import_module(COMMANDS[name]), name)
        return command


@click.group(
    cls=LazyCommands, help="CloudBang: every container of this machine, its logs and how it does."
)
@click.version_option(__version__, prog_name="cloudbang")
def main() -> None:
    """The command line."""


def run() -> None:
    """Run the command line; what goes wrong on purpose is one sentence, not a traceback."""
    try:
        main(prog_name="cloudbang")
    except CloudBangError as e:
        click.echo(f"cloudbang: {e}", err=True)
        sys.exit(1)
