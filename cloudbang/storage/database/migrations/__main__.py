"""Brings the database at the given path to the newest form."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(path: Path) -> Config:
    """Alembic's settings for the database at ``path``."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["path"] = path
    return config


if __name__ == "__main__":
    command.upgrade(configuration(Path(sys.argv[1])), "head")
