"""Apps as pages and the API show them to one caller."""

from __future__ import annotations

from cloudbang.accounts import Caller
from cloudbang.errors import NoSuchApp
from cloudbang.web.security.access import can_view_app
from cloudbang.web.services import Services
from cloudbang.web.status import app_json, every_app, find_app


def all_apps(services: Services, caller: Caller) -> list[dict[str, object]]:
    """Every app that ``caller`` may see, by name."""
    return [
        app_json(app, services.store, services.inventory.rate(app.name))
        for app in every_app(services.inventory, services.store)
        if can_view_app(caller, app)
    ]


def one_app(services: Services, name: str) -> dict[str, object]:
    """One app, to a caller who was let through to it. Raises NoSuchApp."""
    app = find_app(name, services.inventory, services.store)
    if app is None:
        raise NoSuchApp(name)
    return app_json(app, services.store, services.inventory.rate(name))
