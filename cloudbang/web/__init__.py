"""The web side: pages, the HTTP API and what guards them. Sockets are in ``sockets.py``."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment

    from cloudbang.web.parts import WebParts

STATIC = Path(__file__).parent.parent.parent / "static"
MAX_BODY = 64 * 1024  # bytes of a request's body; nothing here is sent that is larger


def create_app(parts: WebParts) -> Flask:
    """The Flask application over these parts. The database has to be open."""
    # Here and not above: who only wants the sockets need not load Flask and all that it brings.
    from flask import Flask

    from cloudbang.web import (
        api_account,
        api_apps,
        api_status,
        api_terminal_files,
        api_terminals,
        auth,
        i18n,
        pages,
        problems,
        security,
    )

    # What a machine's own tables say of .js differs, and a browser refuses a module that is not.
    mimetypes.add_type("text/javascript", ".js")
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    app.request_class = security.Asked
    app.extensions["cloudbang"] = parts
    key = parts.accounts.signing_key()
    proxies = security.Proxies(parts.settings.server)
    gate = auth.Gate(parts.accounts, proxies, key)
    app.extensions["cloudbang-gate"] = gate
    app.config.update(
        SECRET_KEY=key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        WTF_CSRF_TIME_LIMIT=None,  # it ends with its session; a page may stay open for days
    )
    app.session_interface = auth.NoCookieSession()
    app.before_request(gate.guard)
    app.after_request(security.add_headers)
    app.jinja_env.globals["csrf_token"] = auth.csrf_token
    problems.install(app)
    i18n.install(app)
    apis = (api_account, api_apps, api_status, api_terminals, api_terminal_files)
    for room in (*apis, pages):
        app.register_blueprint(room.bp)
    # Now, before anybody waits, and in a thread: on its first request it kept the hub for 100 ms.
    gevent.get_hub().threadpool.apply(_compile, (app.jinja_env,))
    return app


def _compile(templates: Environment) -> None:
    for name in templates.list_templates(["html"]):
        templates.get_template(name)
