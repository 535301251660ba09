"""What people get from an app that serves them."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from cloudbang.errors import BadRequest
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import TIME, json, moment, number, whole
from cloudbang.web.api.schemas import traffic as shapes
from cloudbang.web.pages.i18n import language, say_in
from cloudbang.web.security.authenticator import require_app
from cloudbang.web.services import services
from cloudbang.web.traffic_text import in_words

bp = Blueprint("traffic", __name__, url_prefix="/api/v1/apps")

POINTS, TOP = 60, 20
ORDERS = ("seconds", "mean", "count", "errors")
AGO = 366 * 86_400  # seconds: what is asked for before that is kept by nobody
_MOMENT = {"anyOf": [TIME, {"type": "number"}]}


@bp.get("/<app>/traffic")
@operation(
    gives=shapes.Traffic,
    query={
        "since": Parameter(_MOMENT, "from when on; 5 minutes before `until` where it is left out"),
        "until": Parameter(_MOMENT, "up to when; now where it is left out"),
        "points": Parameter(whole(1, 300, POINTS), "at most so many columns"),
        "top": Parameter(whole(1, 100, TOP), "how many addresses"),
        "by": Parameter({"enum": list(ORDERS), "default": "seconds"}, "what their list goes by"),
    },
)
def traffic(app: str) -> Response:
    """Requests, errors, response time, clients and the addresses that were asked for, of some time:
    the last 5 minutes unless it is given."""
    name = require_app(app).name
    by = request.args.get("by") or "seconds"
    if by not in ORDERS:
        raise BadRequest("by", by, "one of " + ", ".join(ORDERS))
    now = time.time()
    until = min(_moment("until") or now, now)
    since = _moment("since")
    since = until - 300 if since is None else max(since, now - AGO)
    if since >= until:
        raise BadRequest(
            "since", request.args.get("since", ""), "a time before until, and not ahead"
        )
    counted = services().traffic
    found = counted.report(
        name,
        since,
        until,
        points=number("points", 1, 300) or POINTS,
        top=number("top", 1, 100) or TOP,
        by=(by,),
    )
    return json({**found, "trouble": in_words(counted.trouble, say_in(language()))})


def _moment(name: str) -> float | None:
    """A time of the query as seconds since 1970, in which it may be written."""
    text = request.args.get(name)
    try:
        seconds = float(text or "")
    except ValueError:
        found = moment(name)
        return None if found is None else found / 1e9
    if not 0 <= seconds < 1e11:
        raise BadRequest(name, str(text), "a time")
    return seconds
