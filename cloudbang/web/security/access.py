"""Access to an app, decided in one place for pages, calls and sockets."""

from __future__ import annotations

from typing import Protocol

from cloudbang.accounts import DEFAULT_TEAM, Caller, Permission
from cloudbang.domain.apps import App
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.names import is_app_name
from cloudbang.errors import NoSuchApp


class Apps(Protocol):
    """What is asked of the registry."""

    def get(self, name: str) -> App | None: ...


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


def can_view_deployment(caller: Caller, deployment: Deployment, apps: Apps) -> bool:
    """Whether ``caller`` may see a deployment: whoever may see its app, also one that is no more."""
    return caller.can("view", team_of(deployment.app, apps))


def team_of(app: str, apps: Apps) -> str:
    """Who owns an app, or would."""
    found = apps.get(app)
    return found.team if found else DEFAULT_TEAM


def can_view_app(caller: Caller, app: App) -> bool:
    """Whether an app belongs in a list that ``caller`` is shown."""
    return caller.can("view", app.team)
