"""Apps as pages and the API show them to one caller."""

from __future__ import annotations

from cloudbang.accounts import Caller
from cloudbang.errors import NoSuchApp
from cloudbang.web.services import Services


def all_apps(services: Services, caller: Caller) -> list[dict[str, object]]:
    """The apps that ``caller`` may see, by name, but for those that are gone or put away."""
    found = services.apps.apps(caller.teams("view"))
    return [services.apps.as_json(app) for app in found]


def one_app(services: Services, name: str) -> dict[str, object]:
    """One app, to a caller who was let through to it. Raises NoSuchApp."""
    app = services.apps.get(name)
    if app is None:
        raise NoSuchApp(name)
    return services.apps.as_json(app)
