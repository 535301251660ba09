"""Access to an app, decided in one place for pages, calls and sockets."""

from __future__ import annotations

import re

from cloudbang.accounts import Caller, authorise_app
from cloudbang.domain.apps import App
from cloudbang.errors import NoSuchApp
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.web.status import Apps, find_app

_APP = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,128}")


def reach(caller: Caller, name: str, inventory: Apps, store: LogStore) -> App:
    """The app of this name, when there is one and ``caller`` may see it. Raises NoSuchApp."""
    if not _APP.fullmatch(name):
        raise NoSuchApp(name[:128])
    app = find_app(name, inventory, store)
    authorise_app(caller, name, app.team if app else "default")
    if app is None:
        raise NoSuchApp(name)
    return app


def may_see(caller: Caller, app: App) -> bool:
    """Whether an app belongs in a list that ``caller`` is shown."""
    try:
        authorise_app(caller, app.name, app.team)
    except NoSuchApp:
        return False
    return True
