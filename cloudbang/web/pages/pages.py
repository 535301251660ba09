"""The pages: HTML that scripts bring to life. Each is drawn with what it is about, so that its
first paint shows that and not a wait for a socket; the list of all apps, which may be long, comes
over the live socket."""

from __future__ import annotations

import time
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from cloudbang.deploy.errors import NoSuchDeployment
from cloudbang.deploy.log import log_name
from cloudbang.deploy.uploads import MOST_BYTES, MOST_FILES
from cloudbang.domain.apps import App
from cloudbang.domain.deploy import recipes
from cloudbang.domain.lines import rows
from cloudbang.errors import NoSuchApp
from cloudbang.storage.logs.log_store import Query
from cloudbang.web.api.app_json import one_app
from cloudbang.web.pages import assets
from cloudbang.web.pages.event_kinds import event_kinds
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.security.authenticator import (
    caller,
    csrf_token,
    needs,
    open_to_all,
    require_app,
)
from cloudbang.web.services import Services, services

bp = Blueprint("pages", __name__)


@bp.record_once
def _install(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    parts = cast(Services, app.extensions["cloudbang"])
    assets.install(app, parts.settings.server.assets)


FIRST_LINES, FIRST_BYTES = 200, 64 * 1024  # at most, of a log in the page itself
NAMES = (
    300  # events that say what an app's containers were called, in the page; older ones it asks for
)
THEMES = ("light", "dark")
THEME_COOKIE = "theme"


@bp.app_context_processor
def everywhere() -> dict[str, Any]:
    """What every template may use. The theme is "" when it is the system's."""
    theme = request.cookies.get(THEME_COOKIE, "")
    return {"csrf_token": csrf_token, "theme": theme if theme in THEMES else ""}


@bp.get("/")
def apps() -> ResponseReturnValue:
    """Every app."""
    return _page("apps.html", page="apps")


@bp.get("/apps")
def list_of_apps() -> ResponseReturnValue:
    """What is left of an app's address without the app."""
    return redirect(url_for("pages.apps"))


@bp.get("/apps/<app>")
def app(app: str) -> ResponseReturnValue:
    """An app: its first tab."""
    return redirect(url_for("pages.logs", app=require_app(app).name))


@bp.get("/apps/<app>/logs")
def logs(app: str) -> ResponseReturnValue:
    """An app's log."""
    found = require_app(app)
    return _app_page(
        "logs.html",
        found,
        "logs",
        can_terminal=caller().can("terminal", found.team),
        first_lines=_first_lines(found.name),
        instance_names=services().instance_names(found.name, NAMES),
        event_kinds=event_kinds,
        recording=services().settings.terminal.record,
    )


@bp.get("/apps/<app>/metrics")
def metrics(app: str) -> ResponseReturnValue:
    """How an app does, as charts."""
    found = require_app(app)
    return _app_page("metrics.html", found, "metrics", event_kinds=event_kinds, now=_now())


@bp.get("/apps/<app>/traffic")
def traffic(app: str) -> ResponseReturnValue:
    """What people get of an app."""
    found = require_app(app)
    return _app_page("traffic.html", found, "traffic", event_kinds=event_kinds, now=_now())


@bp.get("/apps/<app>/terminal")
def terminal(app: str) -> ResponseReturnValue:
    """Terminals in the instances of an app."""
    recording = services().settings.terminal.record
    found = require_app(app, "terminal")
    return _app_page("terminal.html", found, "terminal", recording=recording)


@bp.get("/apps/<app>/deployments")
def app_deployments(app: str) -> ResponseReturnValue:
    """The deployments of an app."""
    return _app_page("app_deployments.html", require_app(app), "app_deployments", now=_now())


@bp.get("/apps/<app>/configuration")
def configuration(app: str) -> ResponseReturnValue:
    """The configuration of an app, its history, and what differs between releases."""
    return _app_page("configuration.html", require_app(app), "configuration")


@bp.get("/deployments")
def deployments() -> ResponseReturnValue:
    """Deployments over all apps."""
    return _page("deployments.html", page="deployments", now=_now())


@bp.get("/deployments/<int:id>")
def deployment(id: int) -> ResponseReturnValue:
    """One deployment, as it happens and ever after."""
    found = services().deployments.get(id)
    try:
        app = require_app(found.app if found else "")
    except NoSuchApp:
        raise NoSuchDeployment(id) from None  # nor whose it is
    return _app_page(
        "deployment.html",
        app,
        "app_deployments",
        deployment=found,
        first_lines=_first_lines(log_name(id)),
        now=_now(),
    )


@bp.get("/new")
@needs("deploy")
def new_app() -> ResponseReturnValue:
    """A new app, made of an image, a Dockerfile, a Git address or a Compose file."""
    limits = {"bytes": MOST_BYTES, "files": MOST_FILES, "read": recipes.READ}
    return _page("new_app.html", page="new", data={"limits": limits})


@bp.get("/terminals")
def terminals() -> ResponseReturnValue:
    """The terminals that are open, and what was opened."""
    recording = services().settings.terminal.record
    return _page("terminals.html", page="terminals", recording=recording)


@bp.get("/terminals/<session>")
def terminal_session(session: str) -> ResponseReturnValue:
    """One terminal, also for whoever has a link to it. Whether there is one, the page asks."""
    return _page("terminal_session.html", page="terminals", session=session)


@bp.get("/terminals/<session>/replay")
def replay(session: str) -> ResponseReturnValue:
    """A terminal's recording. Whether there is one that the reader may see, the page asks."""
    return _page("replay.html", page="terminals", session=session)


@bp.get("/alerts")
def alerts() -> ResponseReturnValue:
    """What is wrong now, who is told of it, and what came of telling them."""
    return _page("alerts.html", page="alerts")


@bp.get("/logs")
def merged_logs() -> ResponseReturnValue:
    """The logs of several apps as one."""
    return _page("merged_logs.html", page="logs", event_kinds=event_kinds)


@bp.get("/search")
def search() -> ResponseReturnValue:
    """A search through the logs of all apps."""
    return _page("search.html", page="search")


@bp.get("/stacks")
@needs("manage", "default")
def stacks() -> ResponseReturnValue:
    """Compose projects that were seen on the engine."""
    return _page("stacks.html", page="stacks")


@bp.get("/storage")
@needs("manage", "default")
def storage() -> ResponseReturnValue:
    """What takes room on the engine's disk."""
    return _page("storage.html", page="storage")


@bp.get("/settings")
def settings() -> ResponseReturnValue:
    """What a person sets for themselves."""
    return _page("settings.html", page="settings")


@bp.get("/sign-in")
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Signing in; ``next`` is where to go then."""
    if not services().accounts.is_set_up():
        return redirect(url_for("pages.setup"))
    wanted = request.args.get("next", "")
    if _is_signed_in():
        return redirect(_within(wanted))
    return render_template("sign_in.html", next=wanted)


@bp.get("/setup")
@open_to_all
def setup() -> ResponseReturnValue:
    """The first account; the token is in the fragment, which only the page's script sees."""
    if services().accounts.is_set_up():
        return redirect(url_for("pages.apps" if _is_signed_in() else "pages.sign_in"))
    path = services().settings.storage.path / "setup-token"
    return render_template("setup.html", token_file=str(path))


def _page(template: str, **values: Any) -> str:
    """A page behind the sign-in."""
    return render_template(template, account=caller(), **values)


def _app_page(template: str, found: App, tab: str, **values: Any) -> str:
    """A page of an app, one of its tabs."""
    return _page(
        template,
        page="app",
        app=one_app(services(), found.name),
        can_manage=caller().can("manage", found.team),
        can_deploy=caller().can("deploy", found.team),
        tabs=_tabs(found),
        current_tab=tab,
        **values,
    )


def _now() -> int:
    """Milliseconds since 1970: what has begun here is counted by this clock."""
    return time.time_ns() // 1_000_000


def _first_lines(app: str) -> dict[str, Any]:
    """The end of an app's log as the live socket would send it: what comes next has seq ``next``."""
    store = services().store
    first, records = store.newest(app, FIRST_LINES, FIRST_BYTES)
    found = store.describe(app, list(enumerate(records, first)), Query())
    return {
        "lines": rows(first, records),
        "levels": found.levels,
        "entries": found.extents,
        "first": store.first_seq(app),
        "next": first + len(records),
    }


def _tabs(app: App) -> list[dict[str, str]]:
    """The views of an app that there are for who asks."""
    names = [("logs", gettext("Logs")), ("metrics", gettext("Metrics"))]
    # What has a route has traffic.
    if services().gateway.addresses(app.name):
        names.append(("traffic", gettext("Traffic")))
    deployed = bool(services().deployments.find(app=app.name, limit=1))
    if deployed:
        names.append(("app_deployments", gettext("Deployments")))
    if caller().can("terminal", app.team):
        names.append(("terminal", gettext("Terminal")))
    if deployed:
        names.append(("configuration", gettext("Configuration")))
    return [
        {"name": name, "label": label, "href": url_for(f"pages.{name}", app=app.name)}
        for name, label in names
    ]


def _is_signed_in() -> bool:
    return g.get("caller") is not None


def _within(path: str) -> str:
    """``path`` when it leads to a page of this server, else "/": nobody is sent elsewhere."""
    try:
        to = urlsplit(path)
    except ValueError:
        return "/"
    elsewhere = to.scheme or to.netloc or not path.startswith("/") or path[1:2] in ("/", "\\")
    # Control characters are no part of a path, and no header can carry them.
    if elsewhere or not path.isprintable():
        return "/"
    return path
