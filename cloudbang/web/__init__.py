"""The web side: pages, the HTTP API and what guards them. Sockets are in ``sockets.py``."""

from __future__ import annotations

import codecs
import mimetypes
from typing import TYPE_CHECKING

import gevent

from cloudbang.core.descriptors import is_want
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.supervise import backoff

if TYPE_CHECKING:
    from flask import Blueprint

    from cloudbang.web.flask_app import FlaskApp
    from cloudbang.web.services import Services

LOAD_AFTER = 1.0  # seconds
MAX_BODY = 64 * 1024  # bytes of a request's body; nothing here is sent that is larger


def create_app(services: Services) -> FlaskApp:
    """The Flask application over these services. The database has to be open."""
    # Here and not above: who only wants the sockets need not load Flask and all that it brings.
    from cloudbang.web.api import leases, problems
    from cloudbang.web.flask_app import FlaskApp
    from cloudbang.web.pages import i18n, pages
    from cloudbang.web.security import authenticator as auth
    from cloudbang.web.security.headers import add_headers
    from cloudbang.web.security.proxies import Proxies
    from cloudbang.web.server import compression

    # What a machine's own tables say of .js differs, and a browser refuses a module that is not.
    mimetypes.knownfiles.clear()
    mimetypes.add_type("text/javascript", ".js")
    app = FlaskApp()
    app.extensions["cloudbang"] = services
    # Each request asks for it; loaded by the first, it is not there when there are no descriptors.
    codecs.lookup("idna")
    key = services.accounts.signing_key()
    proxies = Proxies(services.settings.server)
    authenticator = auth.Authenticator(services.accounts, proxies, key, services.notices)
    app.extensions["cloudbang-authenticator"] = authenticator
    app.config.update(
        SECRET_KEY=key,
        MAX_CONTENT_LENGTH=MAX_BODY,
    )
    app.session_interface = auth.NoCookieSession()
    app.before_request(authenticator.guard)
    leases.install(app)  # the last to see an answer, as it goes out
    app.after_request(compression.compress)
    app.after_request(add_headers)
    app.jinja_env.globals["csrf_token"] = auth.csrf_token
    problems.install(app)
    i18n.install(app)
    for blueprint in (*api_blueprints(), pages.bp):
        app.register_blueprint(blueprint)
    return app


def api_blueprints() -> list[Blueprint]:
    """All of the HTTP API."""
    from cloudbang.web.api import (
        account,
        alert_receivers,
        alerts,
        app_metrics,
        apps,
        credentials,
        deployed,
        deployments,
        drafts,
        found,
        merged_lines,
        operate,
        patterns,
        personal,
        releases,
        removal,
        retention,
        search_all,
        stacks,
        status,
        storage,
        teams,
        terminal_files,
        terminals,
        timeline,
        traffic,
        webhooks,
    )

    deploying = (deployed, deployments, releases, webhooks, drafts, credentials, stacks)
    people = (account, teams, personal)
    every = (*people, apps, app_metrics, *deploying, status, storage, terminal_files, terminals)
    ours = (operate, removal, retention, found, alerts, alert_receivers, traffic)
    logs = (search_all, merged_lines, timeline, patterns)
    return [api.bp for api in (*every, *ours, *logs)]


def load_templates(app: FlaskApp) -> None:
    """Load every template, so that no visitor waits for it: a while after the start, when the first
    has been answered, and giving way after each. Those that were not compiled take 5 to 30 ms.

    Not in a thread: it would share a lock with a visitor. One that cannot be opened for want of
    descriptors is tried again.
    """
    gevent.sleep(LOAD_AFTER)
    for name in app.template_names():
        waits = backoff(LOAD_AFTER)
        while True:
            try:
                app.jinja_env.get_template(name)
                break
            except OSError as e:
                if not is_want(e):
                    raise
                gevent.sleep(next(waits))
        yield_to_loop()
