"""Whose an app is: that of the team that first deployed it, whoever else wants its name meanwhile."""

from __future__ import annotations

from cloudbang.deploy.parts import Apps
from cloudbang.errors import NoSuchApp


def team_of(app: str, wanted: str, apps: Apps) -> str:
    """Whose an app is, or is to be; ``wanted``: "" for whoever has it. Raises NoSuchApp for one that
    another team has: who asks need not know of it."""
    owner = apps.owner(app)
    if wanted and owner not in (None, wanted):
        raise NoSuchApp(app)
    return owner or wanted or apps.team_of(app)


def claim(app: str, wanted: str, apps: Apps) -> str:
    """Make it that team's, before anything else of it is written, and as what is forgotten by
    itself when nothing follows. Gives the team.

    Between the question and the answer nothing comes: of two teams that want one name, one gets it.
    Raises as :func:`team_of`, StorageFailed, StorageFull.
    """
    team = team_of(app, wanted, apps)
    if apps.owner(app) is None:
        apps.create(app, team, "found")
        apps.save()  # who is killed from here on has it in the database
    return team
