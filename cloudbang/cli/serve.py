"""``serve``: the server itself, in the foreground."""

from __future__ import annotations

import runpy
from pathlib import Path

import click


@click.command()
def serve() -> None:
    """Serve until SIGTERM or Ctrl+C (what `make run` and supervisord start)."""
    # wsgi.py patches before it imports anything: nothing that has to be patched is imported here.
    entry = Path(__file__).resolve().parents[2] / "wsgi.py"
    runpy.run_path(str(entry), run_name="__main__")
