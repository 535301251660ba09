"""How long an app's log is kept: as the settings say, or as who manages the app says."""

from __future__ import annotations

import logging

from flask import Blueprint, Response

from cloudbang.storage.logs.keeping import OwnKeeping
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import retention as shapes
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import services

log = logging.getLogger(__name__)

bp = Blueprint("retention", __name__, url_prefix="/api/v1/apps")


@bp.get("/<app>/retention")
@operation(gives=shapes.Retention)
def retention(app: str) -> Response:
    """How much of an app's log there is, and how long it is kept."""
    return json(_retention(require_app(app).name))


@bp.put("/<app>/retention")
@needs("manage")
@operation(body=shapes.OwnRetention, gives=shapes.Retention)
def keep(app: str) -> Response:
    """Keep an app's log for a time, or up to a size, of its own. What is beyond that goes at once; all
    logs together stay within their size in any case."""
    name, own = require_app(app, "manage").name, _own(read_body(shapes.OwnRetention))
    parts = services()
    before = parts.apps.log_keeping.own(name)
    parts.apps.log_keeping.set(name, own)
    if own != before:
        parts.recorder.action(name, "", caller().name, "log-keep")
        limits = parts.store.keeping_of(name)
        log.info("%s keeps the log of the app %s: %s", caller().name, name, limits)
    return json(_retention(name))


@bp.post("/<app>/retention/preview")
@needs("manage")
@operation(body=shapes.OwnRetention, gives=shapes.WouldGo)
def preview(app: str) -> Response:
    """What of an app's log would be deleted at once if it was kept so."""
    name = require_app(app, "manage").name
    going = services().store.would_go(name, _own(read_body(shapes.OwnRetention)))
    shown: shapes.WouldGo = {
        "bytes": going.size,
        "lines": going.lines,
        "until": going.newest.decode("ascii", "replace") or None,
    }
    return json(shown)


def _own(said: shapes.OwnRetention) -> OwnKeeping:
    return OwnKeeping(said.days, said.bytes)


def _retention(name: str) -> shapes.Retention:
    parts = services()
    kept, own = parts.apps.removal(name), parts.apps.log_keeping.own(name)
    usual = parts.store.usual_keeping
    return {
        "own": {"days": own.days, "bytes": own.bytes},
        "usual": {"days": usual.days, "bytes": usual.bytes},
        "bytes": kept.bytes,
        "lines": kept.lines,
        "first_time": kept.first_time,
        "last_time": kept.last_time,
        "may_change": caller().can("manage", parts.apps.team_of(name)),
    }
