"""What the lines of an app, or of several, have in common, and how often each came, compared with before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request

from cloudbang.domain.lines import format_time, parse_time
from cloudbang.errors import BadRequest, StorageFailed
from cloudbang.storage.patterns.pattern_counts import CountingBusy, Span
from cloudbang.storage.patterns.several import together
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import TIME, json, moment, number, whole
from cloudbang.web.api.schemas import patterns as shapes
from cloudbang.web.api.schemas.search import UnreadLog
from cloudbang.web.api.search_all import QUERY as SEARCHED
from cloudbang.web.api.search_all import apps_of_request
from cloudbang.web.security.authenticator import caller, require_app
from cloudbang.web.services import services

bp = Blueprint("patterns", __name__, url_prefix="/api/v1")

DAY = 86_400_000_000_000  # ns
PATTERNS, MOST_PATTERNS = 300, 1_000
SEVERAL = 40
"""Apps that are counted for one answer: fewer than the process knows at once."""
SEVERAL_SECONDS = 3.0
"""Of counting for all of them; the next answer goes on."""
DEPLOYMENT = "deployment"

QUERY = {
    "since": Parameter(
        {"anyOf": [TIME, {"enum": [DEPLOYMENT]}]},
        "from when on; 24 hours before until where it is left out; deployment: since it was deployed last",
    ),
    "until": Parameter(TIME, "before when; now where it is left out"),
    "against": Parameter(
        TIME, "from when on what came before is counted; 24 hours before since where it is left out"
    ),
    "against_until": Parameter(TIME, "before when; 24 hours before until, and at most since"),
    "limit": Parameter(whole(1, MOST_PATTERNS, PATTERNS), "at most so many patterns"),
}


@bp.get("/apps/<app>/patterns")
@operation(gives=shapes.Patterns, query=QUERY)
def patterns(app: str) -> Response:
    """The patterns of an app's entries: how often each came in a stretch of time, and in one before it."""
    name = require_app(app).name
    deployed = last_deployed(name)
    now, before = _spans(deployed)
    told = services().patterns.ask(
        name,
        now,
        before,
        limit=number("limit", 1, MOST_PATTERNS) or PATTERNS,
        account=caller().holder,
    )
    spans = _told_spans((now, before), told)
    shown: shapes.Patterns = {
        "now": spans[0],
        "before": spans[1],
        "sampled": told["looked"] != told["of"],
        "deployed": deployed,
        "patterns": told["patterns"],
        "more": told["more"],
        "others": told["others"],
    }
    return json(shown)


SEVERAL_QUERY = {
    "app": SEARCHED["app"],
    **QUERY,
    "since": Parameter(
        QUERY["since"].schema,
        "from when on; 24 hours before until where it is left out; deployment: of each app since it "
        "was deployed last, and of none of which nobody knows",
    ),
}


@bp.get("/patterns")
@operation(gives=shapes.MergedPatterns, query=SEVERAL_QUERY)
def patterns_of_several() -> Response:
    """The patterns of several apps, as if they were one log. What one call does not come to is counted
    by the next."""
    apps, _ = apps_of_request()
    deployed = {app: it for app in apps[:SEVERAL] if (it := last_deployed(app)) is not None}
    each = request.args.get("since") == DEPLOYMENT
    unknown: list[str] = []
    if each:
        unknown = [app for app in apps[:SEVERAL] if app not in deployed]
        apps = [app for app in apps if app not in unknown]
        if not deployed:
            _spans(None)  # which says so
    spans_of = {app: _spans(deployed[app] if each else None) for app in apps[:SEVERAL]}
    limit = number("limit", 1, MOST_PATTERNS) or PATTERNS
    told: dict[str, dict[str, Any]] = {}
    failed: list[UnreadLog] = []
    deadline = time.monotonic() + SEVERAL_SECONDS
    for at, app in enumerate(apps[:SEVERAL]):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        # What one does not need is the others'.
        seconds = left / (min(len(apps), SEVERAL) - at)
        try:
            told[app] = services().patterns.ask(
                app, *spans_of[app], limit=limit, account=caller().holder, seconds=seconds
            )
        except StorageFailed as e:
            failed.append({"app": app, "message": str(e)})
        except CountingBusy:
            if not told:
                raise
            break
    found = together(told, limit, each=each)
    left_out = len(apps) - len(told) - len(failed)
    spans = _told_spans(_around(list(spans_of.values()) or [_spans(None)]), found)
    shown: shapes.MergedPatterns = {
        "now": spans[0],
        "before": spans[1],
        "sampled": found["looked"] != found["of"] or (left_out > 0 and len(apps) <= SEVERAL),
        "deployed": _first_and_last(deployed),
        "patterns": found["patterns"],
        "more": found["more"],
        "others": found["others"],
        "counted": len(told),
        "left": left_out,
        "undeployed": len(unknown),
        "failed": failed,
    }
    return json(shown)


def _around(spans: Sequence[tuple[Span, Span]]) -> tuple[Span, Span]:
    """From when the first begins until when the last ends."""
    now, before = zip(*spans, strict=True)
    return (
        Span(min(one.since for one in now), max(one.until for one in now)),
        Span(min(one.since for one in before), max(one.until for one in before)),
    )


def _first_and_last(
    deployed: Mapping[str, shapes.LastDeployed],
) -> shapes.LastDeployments | None:
    times = [one["time"] for one in deployed.values()]
    if not times:
        return None
    return {"apps": len(times), "first": min(times), "last": max(times)}


def _told_spans(spans: tuple[Span, Span], told: dict[str, Any]) -> list[shapes.PatternSpan]:
    return [
        {
            "since": format_time(span.since),
            "until": format_time(span.until),
            "looked": told["looked"][at],
            "of": told["of"][at],
        }
        for at, span in enumerate(spans)
    ]


def last_deployed(app: str) -> shapes.LastDeployed | None:
    """When what an app runs now was started; None where nobody knows."""
    parts = services()
    serving = next(iter(parts.deployments.find(app, states=("serving",), limit=1)), None)
    if serving is not None:
        step = serving.step("start")
        begun = step.started if step is not None else None
        return {
            "time": begun or serving.created,
            "deployment": serving.id,
            "number": serving.number,
        }
    created = [one.created for one in parts.inventory.instances_of(app) if not one.one_off]
    return {"time": max(created), "deployment": None, "number": None} if created else None


def _spans(deployed: shapes.LastDeployed | None) -> tuple[Span, Span]:
    """Which times this request asks about. Raises BadRequest."""
    until = moment("until")
    until = time.time_ns() if until is None else until
    if request.args.get("since") == DEPLOYMENT:
        if deployed is None:
            raise BadRequest("since", DEPLOYMENT, "a time: nobody knows when it was deployed last")
        since = parse_time(deployed["time"])
        before_until: int | None = since
    else:
        asked = moment("since")
        since = until - DAY if asked is None else asked
        before_until = None
    if not 0 <= since < until:
        raise BadRequest("since", request.args.get("since", ""), "a time before until")
    against = moment("against")
    against = max(since - DAY, 0) if against is None else against
    ends = moment("against_until")
    if ends is None:
        ends = before_until or min(since, max(until - DAY, against))
    if not 0 <= against <= ends <= since:
        raise BadRequest(
            "against",
            request.args.get("against", ""),
            "a time before against_until, and that before since",
        )
    return Span(since, until), Span(against, ends)
