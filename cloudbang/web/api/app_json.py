"""Apps as pages and the API show them to one caller."""

from __future__ import annotations

from cloudbang.accounts import Caller
from cloudbang.domain.apps import App
from cloudbang.errors import NoSuchApp
from cloudbang.web.services import Services


def all_apps(services: Services, caller: Caller) -> list[dict[str, object]]:
    """The apps that ``caller`` may see, by name, but for those that are gone or put away."""
    found = services.apps.apps(caller.teams("view"))
    return [_with_samples(services, app) for app in found]


def one_app(services: Services, name: str) -> dict[str, object]:
    """One app, to a caller who was let through to it. Raises NoSuchApp."""
    app = services.apps.get(name)
    if app is None:
        raise NoSuchApp(name)
    return _with_samples(services, app)


def _with_samples(services: Services, app: App) -> dict[str, object]:
    return {**services.apps.as_json(app), "samples": services.metrics.newest_of(app.name)}
