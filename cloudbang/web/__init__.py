"""The web side: pages, the HTTP API and what guards them. Sockets are in ``sockets.py``."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from flask import Blueprint, Flask
    from jinja2 import Environment

    from cloudbang.web.services import Services

STATIC = Path(__file__).parent.parent.parent / "static"
MAX_BODY = 64 * 1024  # bytes of a request's body; nothing here is sent that is larger


def create_app(services: Services) -> Flask:
    """The Flask application over these services. The database has to be open."""
    # Here and not above: who only wants the sockets need not load Flask and all that it brings.
    from flask import Flask

    from cloudbang.web.api import problems
    from cloudbang.web.pages import i18n, pages
    from cloudbang.web.security import authenticator as auth
    from cloudbang.web.security.cookies import CloudBangRequest
    from cloudbang.web.security.headers import add_headers
    from cloudbang.web.security.proxies import Proxies
    from cloudbang.web.server import compression

    # What a machine's own tables say of .js differs, and a browser refuses a module that is not.
    mimetypes.add_type("text/javascript", ".js")
    app = Flask(
        __name__,
        static_folder=str(STATIC),
        static_url_path="/static",
        template_folder="pages/templates",
    )
    app.request_class = CloudBangRequest
    app.extensions["cloudbang"] = services
    key = services.accounts.signing_key()
    proxies = Proxies(services.settings.server)
    authenticator = auth.Authenticator(services.accounts, proxies, key)
    app.extensions["cloudbang-authenticator"] = authenticator
    app.config.update(
        SECRET_KEY=key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        WTF_CSRF_TIME_LIMIT=None,  # it ends with its session; a page may stay open for days
    )
    app.session_interface = auth.NoCookieSession()
    app.before_request(authenticator.guard)
    app.after_request(compression.compress)  # the last to see an answer
    app.after_request(add_headers)
    app.jinja_env.globals["csrf_token"] = auth.csrf_token
    problems.install(app)
    i18n.install(app)
    for blueprint in (*api_blueprints(), pages.bp):
        app.register_blueprint(blueprint)
    # Now, before anybody waits, and in a thread: on its first request it kept the hub for 100 ms.
    gevent.get_hub().threadpool.apply(_compile, (app.jinja_env,))
    return app


def api_blueprints() -> list[Blueprint]:
    """All of the HTTP API."""
    from cloudbang.web.api import account, apps, status, terminal_files, terminals

    return [api.bp for api in (account, apps, status, terminals, terminal_files)]


def _compile(templates: Environment) -> None:
    for name in templates.list_templates(["html"]):
        templates.get_template(name)
