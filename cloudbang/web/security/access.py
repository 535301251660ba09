"""Access to an app, decided in one place for pages, calls and sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloudbang.accounts import DEFAULT_TEAM, Caller, Permission, UnknownTeam
from cloudbang.domain.apps import App
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.names import is_app_name
from cloudbang.errors import CloudBangError, NoSuchApp


class Apps(Protocol):
    """What is asked of the registry."""

    def get(self, name: str) -> App | None: ...
    def owner(self, name: str) -> str | None: ...


class AnotherTeamsApp(CloudBangError):
    """An app is to be deployed for another team than its own."""

    code = "another-teams-app"
    status = 409
    title = "The app is another team's"
    told = ("team",)
    sentence = (
        "{app} belongs to the team {team}, and stays there: leave the team out, or give the new app "
        "another name"
    )

    def __init__(self, app: str, team: str) -> None:
        self.app, self.team = app, team
        super().__init__(app, team)


class TeamMissing(CloudBangError):
    """A new app could be of several teams, and nobody has said of which."""

    code = "team-missing"
    status = 422
    title = "The team is missing"
    field = "team"
    sentence = "{app} is new, and could belong to several teams: name one of {teams}"

    def __init__(self, app: str, teams: Sequence[str]) -> None:
        self.app, self.teams = app, ", ".join(teams)
        super().__init__(app, teams)


def require_app(caller: Caller, name: str, permission: Permission, apps: Apps) -> App:
    """The app of this name, when there is one and ``caller`` may do that with it.

    Raises NoSuchApp for who may not see it, as for one that is not there; Unauthorised for who
    may see it only.
    """
    if not is_app_name(name):
        raise NoSuchApp(name[:128])
    app = apps.get(name)
    caller.require_app(name, app.team if app else DEFAULT_TEAM, permission)
    if app is None:
        raise NoSuchApp(name)
    return app


def owner_to_deploy(caller: Caller, name: str, apps: Apps) -> str | None:
    """Whose an app is, when ``caller`` may deploy it; None for a new one. Raises NoSuchApp for who
    may not see it, so that they learn no more than that the name is taken; Unauthorised."""
    owner = apps.owner(name)
    if owner is not None:
        caller.require_app(name, owner, "deploy")
    return owner


def team_to_deploy(caller: Caller, names: Sequence[str], wanted: str, apps: Apps) -> str:
    """In which team ``caller`` may deploy apps of these names, of which some may not be there yet:
    all of them are in one. ``wanted``: the one that was named, "" for none.

    Raises NoSuchApp and Unauthorised as :func:`owner_to_deploy`, AnotherTeamsApp, UnknownTeam for
    one that the caller does not see, TeamMissing.
    """
    owners = [(name, its) for name in names if (its := owner_to_deploy(caller, name, apps))]
    for name, owner in owners:
        if wanted not in ("", owner):
            raise AnotherTeamsApp(name, owner)
        wanted = owner
    if wanted:
        if not caller.can("view", wanted):
            raise UnknownTeam(wanted[:64])
        caller.require("deploy", wanted)
        return wanted
    mine = caller.teams("deploy")
    if DEFAULT_TEAM in mine or not mine:
        caller.require("deploy", DEFAULT_TEAM)
        return DEFAULT_TEAM
    if len(mine) > 1:
        raise TeamMissing(names[0], sorted(mine))
    return next(iter(mine))


def can_view_deployment(caller: Caller, deployment: Deployment, apps: Apps) -> bool:
    """Whether ``caller`` may see a deployment: whoever may see its app, also one that is no more."""
    return caller.can("view", team_of(deployment.app, apps))


def team_of(app: str, apps: Apps) -> str:
    """Who owns an app, or would."""
    return apps.owner(app) or DEFAULT_TEAM


def can_view_app(caller: Caller, app: App) -> bool:
    """Whether an app belongs in a list that ``caller`` is shown."""
    return caller.can("view", app.team)
