"""``python -m cloudbang``: serve, and the commands an operator needs beside it."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import click

from cloudbang import __version__
from cloudbang.errors import CloudBangError


class LazyCommands(click.Group):
    """Commands whose modules are imported only when one of them is asked for."""

    homes = {  # noqa: RUF012
        "token": "cloudbang.cli.accounts",
        "user": "cloudbang.cli.accounts",
        "doctor": "cloudbang.cli.doctor",
        "share": "cloudbang.cli.share.command",
    }
    plain = frozenset({"share"})  # waits in select and forks: nothing of gevent's

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.homes])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.homes:
            return super().get_command(ctx, name)
        if name not in self.plain:
            from gevent import monkey

            monkey.patch_all()  # the parts they use are written for it
        module = __import__(self.homes[name], fromlist=[name])
        command: click.Command = getattr(module, name)
        return command


@click.group(
    cls=LazyCommands, help="CloudBang: every container of this machine, its logs and how it does."
)
@click.version_option(__version__, prog_name="cloudbang")
def main() -> None:
    """The command line."""


@main.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl+C (what `make run` and supervisord start)."""
    # wsgi.py patches before it imports anything, so nothing of ours may be imported before it.
    entry = Path(__file__).resolve().parent.parent / "wsgi.py"
    runpy.run_path(str(entry), run_name="__main__")


def run() -> None:
    """Run the command line; what goes wrong on purpose is one sentence, not a traceback."""
    try:
        main(prog_name="cloudbang")
    except CloudBangError as e:
        click.echo(f"cloudbang: {e}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
