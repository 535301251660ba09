"""How CloudBang itself does: for people, for supervisors, for Prometheus. And the pages' texts."""

from __future__ import annotations

import time

from flask import Blueprint, Response, abort, g, request

from cloudbang import __version__
from cloudbang.web.api.openapi import document
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json
from cloudbang.web.api.schemas import status as shapes
from cloudbang.web.pages.assets import KEEP
from cloudbang.web.pages.i18n import LANGUAGES, texts, texts_version
from cloudbang.web.security.authenticator import caller, open_to_all
from cloudbang.web.services import services

bp = Blueprint("status", __name__)

_STARTED = time.monotonic()


@bp.get("/healthz")
@open_to_all
def healthz() -> Response:
    """Whether this process answers. What else is wrong is for those with an account."""
    return json({"status": "ok"})


@bp.get("/metrics")
@open_to_all
def show_metrics() -> Response:
    """Prometheus metrics; with the names of apps only for who may see them."""
    # Here: where nothing asks for them, the library for them is never loaded.
    from cloudbang.web.api import metrics

    return Response(
        metrics.exposition(services(), g.get("caller")),
        content_type=metrics.CONTENT_TYPE,
    )


@bp.get("/i18n/<lang>.json")
@open_to_all
def i18n(lang: str) -> Response:
    """The texts of the pages' scripts. The sign-in page needs them too."""
    if lang not in LANGUAGES:
        abort(404)
    answer = json(texts(lang))
    if request.args.get("v") == texts_version(lang):
        answer.headers["Cache-Control"] = f"public, max-age={KEEP}, immutable"
        return answer
    answer.headers["Cache-Control"] = "no-cache"  # asked about anew, sent only when it changed
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@bp.get("/api/v1/status")
@operation(gives=shapes.Status)
def status() -> Response:
    """What everybody with an account may know about this CloudBang."""
    store, inventory = services().store, services().inventory
    teams = caller().teams("view")
    size, lines = store.totals(teams)
    return json(
        {
            "version": __version__,
            "uptime": round(time.monotonic() - _STARTED, 3),
            "engine": {"state": inventory.engine_state, "error": inventory.engine_error},
            "storage": {
                "path": str(store.root),
                "bytes": size,
                "lines": lines,
            },
            "notices": services().status.notices(caller()),
        }
    )


@bp.get("/api/v1/openapi.json")
@operation(gives=("application/json",))
def openapi() -> Response:
    """What this API offers."""
    return json(document())
