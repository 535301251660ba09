"""What apps and the node are measured by, and what programs measure of themselves."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from cloudbang.accounts import DEFAULT_TEAM
from cloudbang.domain.metrics.catalogue import NODE
from cloudbang.domain.metrics.own_samples import NotTaken
from cloudbang.monitoring.advice import busy_now, sizes
from cloudbang.monitoring.query import MOST_POINTS, POINTS, Asked
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import FLAG, flag, json, moment, number, read_body, whole
from cloudbang.web.api.schemas import metrics as shapes
from cloudbang.web.large_bodies import SAMPLES_BYTES
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.security.access import can_view_app
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import services

bp = Blueprint("metrics", __name__, url_prefix="/api/v1")

WHEN = {"type": "string", "description": "RFC 3339, or seconds since 1970"}
METRICS_QUERY = {
    "names": Parameter(
        {"type": "string"},
        "these, separated by commas; one that ends in .* is all that begin so",
    ),
    "since": Parameter(WHEN, "from then on, else the last 5 minutes"),
    "until": Parameter(WHEN, "until before then, else until now"),
    "points": Parameter(whole(1, MOST_POINTS, POINTS), "at most, of each series"),
    "instances": Parameter(FLAG, "those of single instances as well"),
}


@bp.get("/apps/<app>/metrics")
@operation(gives=shapes.Metrics, query=METRICS_QUERY)
def app_metrics(app: str) -> Response:
    """What an app was measured by: least, mean and most of each stretch, null where nothing was."""
    return json(_answer(require_app(app).name))


@bp.get("/node/metrics")
@operation(gives=shapes.Metrics, query=METRICS_QUERY)
def node_metrics() -> Response:
    """The same of the machine; for who may view any team's apps. It names no app."""
    if not caller().teams("view"):
        caller().require("view", DEFAULT_TEAM)
    return json(_answer(NODE))


@bp.get("/apps/<app>/advice")
@operation(
    gives=shapes.Advice,
    query={"now": Parameter(FLAG, "1: only what is so now, nothing of limits")},
)
def advice(app: str) -> Response:
    """Who holds an app up now, and whether its limits fit what it uses."""
    found, parts = require_app(app), services()
    running = {one.app for one in parts.inventory.instances() if one.alive and not one.hidden}
    waits = [
        shapes.BusyWith(
            resource=one.resource,
            cause=one.cause,
            waits=one.waits,
            share=one.share,
            by=_seen(one.by),
        )
        for one in busy_now(found.name, running, parts.metrics)
    ]
    limits = [
        shapes.SizedLimit(
            name=one.name,
            fit=one.fit,
            limit=one.limit,
            usual=one.usual,
            most=one.most,
            wanted=one.wanted,
            days=one.days,
        )
        for one in ([] if flag("now") else sizes(found.name, parts.metrics_query))
    ]
    return json(shapes.Advice(busy=waits, limits=limits))


@bp.post("/apps/<app>/samples")
@needs("deploy")
@operation(gives=shapes.TakenSamples, body=shapes.Samples, status=202)
def samples(app: str) -> Response:
    """What a program measured of itself: gets a chart without further ado."""
    name = require_app(app, "deploy").name
    body = read_body(shapes.Samples, SAMPLES_BYTES)
    taken, refused = services().metrics.own(name, body.samples)
    told = [(index, _why(why)) for index, why in refused]
    return json(shapes.TakenSamples(taken=taken, refused=told), 202)


def _answer(app: str) -> shapes.Metrics:
    names = [n for part in request.args.getlist("names") for n in part.split(",") if n]
    asked = Asked(
        app,
        names,
        _seconds("since"),
        _seconds("until"),
        number("points", 1, MOST_POINTS) or POINTS,
        flag("instances"),
    )
    series = services().metrics
    found, live = services().metrics_query.answer(asked), series.of(app)
    refused = shapes.RefusedMetrics(count=0, names=[], last=None)
    if live is not None:
        refused["count"] = live.refused
        refused["names"] = list(live.own.refused) if live.own is not None else []
        if live.last_refused is not None:
            at, why = live.last_refused
            refused["last"] = shapes.LastRefused(time=at, why=_why(why))
    trouble = series.trouble_of()
    return shapes.Metrics(
        since=found["since"],
        until=found["until"],
        kept=found["kept"],
        series=found["series"],
        not_measured=[
            shapes.NotMeasured(name=n["name"], container=n["container"], why=n["why"])
            for n in (live.not_measured(gettext) if live is not None else [])
        ],
        refused=refused,
        trouble=gettext(trouble) if trouble else None,
    )


def _seen(app: str | None) -> str | None:
    """Its name, where the caller may see it."""
    found = services().apps.get(app) if app is not None else None
    return app if found is not None and can_view_app(caller(), found) else None


def _why(refused: NotTaken) -> str:
    return gettext(refused.sentence).format(**refused.facts)


def _seconds(name: str) -> int | None:
    text = request.args.get(name, "")
    if re.fullmatch(r"[0-9]{1,11}", text):
        return int(text)
    found = moment(name)
    return None if found is None else found // 1_000_000_000
