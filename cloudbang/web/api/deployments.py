"""Deployments: begun, looked at, cancelled; their logs; what one would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import orjson
from flask import Blueprint, Response, request

from cloudbang.accounts import Caller, NotSignedIn, Permission
from cloudbang.accounts.permissions import INSTALLATION
from cloudbang.core.peer_json import read_json
from cloudbang.deploy.errors import NoSuchDeployment
from cloudbang.deploy.log import log_name
from cloudbang.deploy.service import Wanted
from cloudbang.domain.deploy.deployment import Deployment, State
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.names import is_app_name
from cloudbang.errors import BadRequest
from cloudbang.monitoring.cards import Comparison, comparison
from cloudbang.web.api.log_lines import (
    DOWNLOAD_QUERY,
    LINES_QUERY,
    SEQ_QUERY,
    download_answer,
    lines_answer,
    seq_answer,
)
from cloudbang.web.api.multipart import FilePart, hearing, read_form
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, number, read_body, whole
from cloudbang.web.api.problems import problem_json
from cloudbang.web.api.schemas import apps as app_shapes
from cloudbang.web.api.schemas import deployments as shapes
from cloudbang.web.deployment_json import deployment_json
from cloudbang.web.pages.i18n import gettext, language
from cloudbang.web.security import access
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import Services, services

bp = Blueprint("deployments", __name__, url_prefix="/api/v1")

SHOWN, MOST = 50, 200  # deployments of one answer
INSIDE = ("asked", "upload")  # of a source: what only we look at
KEY = 200  # characters of an idempotency key
SPEC_BYTES = 1024 * 1024  # of a specification as JSON
STATES: tuple[State, ...] = ("queued", "running", "serving", "failed", "cancelled")
APP_ALLOWED = "a name of letters, digits, _ . and -, at most 128"

LIST_QUERY = {
    "app": Parameter({"type": "string"}, "of this app"),
    "state": Parameter(
        {"type": "array", "items": {"enum": list(STATES)}}, "in one of these states"
    ),
    "before": Parameter({"type": "integer", "minimum": 1}, "with a smaller id: what next said"),
    "limit": Parameter(whole(1, MOST, SHOWN), "at most"),
}


@bp.post("/apps/<app>/deployments")
@needs("deploy")
@operation(body=shapes.NewDeployment, form=True, gives=shapes.Begun, status=202)
@hearing
def begin(app: str) -> Response:
    """Begin a deployment; makes the app if there is none. A source that is built may be sent as a
    form: spec, and its folder as tar, packed or not."""
    who, name = caller(), app_to_deploy(app)
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > KEY:
        raise BadRequest("Idempotency-Key", key, f"at most {KEY} characters")
    if not key:
        return _begun(_begin(name, who))
    made: list[Deployment] = []

    def act(asked: str) -> tuple[int, str]:
        made.append(_begin(name, who, asked))
        return made[0].id, "begun"

    done, _ = services().webhooks.once.do(name, f"{who.holder}:{name}", key, act)
    return _begun(made[0] if made else _found(done.deployment or 0, "deploy"))


@bp.post("/apps/<app>/plan")
@needs("deploy")
@operation(body=shapes.NewDeployment, form=True, gives=shapes.Plan)
@hearing
def plan(app: str) -> Response:
    """What a deployment would change against what serves, whether instances restart, whether and why
    there is a moment without service. Changes nothing; a folder is not looked at."""
    who, name = caller(), app_to_deploy(app)
    wanted, _ = _wanted(name, keep_folder=False)
    if _is_sent(wanted.spec):
        wanted = replace(wanted, upload="-")  # it comes with the deployment
    made = services().deployments.plan(name, wanted, admin=is_admin(who))
    refusal = services().deployments.refusal(name)
    return json(
        {
            **made.plan.as_json(),
            "image_is": made.image,
            "not_honoured": [
                {"field": field, "reason": why.of(language() == "zh")} for field, why in made.left
            ],
            "refused": None if refusal is None else problem_json(refusal),
        }
    )


@bp.get("/deployments")
@operation(gives=shapes.Deployments, query=LIST_QUERY)
def deployments() -> Response:
    """Deployments of the apps that the caller may see, the newest first."""
    app = request.args.get("app") or None
    states = request.args.getlist("state")
    if unknown := [state for state in states if state not in STATES]:
        raise BadRequest("state", unknown[0], "one of " + ", ".join(STATES))
    limit, before = number("limit", 1, MOST) or SHOWN, number("before", 1, 2**53 - 1)
    if app is not None and not is_app_name(app):
        raise BadRequest("app", app, APP_ALLOWED)
    found: list[Deployment] = []
    while True:
        page = services().deployments.find(app, states, before, limit + 1)
        found += [one for one in page if _can_view(caller(), one)]
        if len(page) <= limit or len(found) > limit:
            break
        before = page[-1].id
    shown = found[:limit]
    following = shown[-1].id if len(found) > limit else None
    told = [deployment_json(one, gettext) for one in shown]
    return json({"deployments": told, "next": following})


@bp.get("/deployments/<int:deployment_id>")
@operation(gives=shapes.DeploymentDetail)
def deployment(deployment_id: int) -> Response:
    """One deployment, from what it was made, how long its steps take as a rule, and the last lines of
    its log."""
    return json(_detail(_found(deployment_id)))


@bp.delete("/deployments/<int:deployment_id>")
@needs("deploy")
@operation(gives=shapes.Deployment, status=202)
def cancel(deployment_id: int) -> Response:
    """Cancel a deployment. It has ended when its state says so; what it began is undone then."""
    found = _found(deployment_id, "deploy")
    done = services().deployments.cancel(found.id, caller().name)
    return json(deployment_json(done, gettext), 202)


@bp.get("/deployments/<int:deployment_id>/lines")
@operation(gives=app_shapes.Lines, query=LINES_QUERY)
def lines(deployment_id: int) -> Response:
    """Lines of a deployment's log, as those of an app."""
    found = _found(deployment_id)
    return lines_answer(log_name(found.id), _while_seen(found))


@bp.get("/deployments/<int:deployment_id>/download")
@operation(gives=("text/plain", "application/jsonl", "text/markdown"), query=DOWNLOAD_QUERY)
def download(deployment_id: int) -> Response:
    """Every line of a deployment's log that passes the filters."""
    found = _found(deployment_id)
    named = f"{found.app}-deployment-{found.number}"
    return download_answer(log_name(found.id), named, _while_seen(found))


@bp.get("/deployments/<int:deployment_id>/seq")
@operation(gives=app_shapes.SeqAt, query=SEQ_QUERY)
def seq_at(deployment_id: int) -> Response:
    """The seq of the first line of a deployment's log at or after a time."""
    return seq_answer(log_name(_found(deployment_id).id))


@bp.get("/deployments/<int:deployment_id>/comparison")
@operation(gives=shapes.DeploymentComparison)
def compared(deployment_id: int) -> Response:
    """What changed with a deployment: 15 minutes before it against 15 minutes after it, or as many as
    have passed."""
    parts = services()
    made = comparison(_found(deployment_id), parts.deployments, parts.metrics_query)
    return json({"comparison": None if made is None else _compared(made)})


@bp.post("/swarm")
@needs("manage", INSTALLATION)
@operation(body=shapes.Nothing)
def swarm_on() -> Response:
    """Switch Docker's Swarm mode on, listening on loopback: for an admin who said yes."""
    read_body(shapes.Nothing)
    services().deployments.swarm_on(caller().name)
    return Response(status=204)


def _begin(app: str, who: Caller, asked: str = "") -> Deployment:
    wanted, wait = _wanted(app, keep_folder=True)
    wanted = replace(wanted, asked=asked)
    try:
        return services().deployments.begin(app, wanted, who.name, admin=is_admin(who), wait=wait)
    except BaseException:
        if wanted.upload:
            services().sources.drop_upload(wanted.upload)
        raise


def _begun(made: Deployment) -> Response:
    begun: shapes.Begun = {"id": made.id, "app": made.app, "number": made.number}
    answer = json(begun, 202)
    answer.headers["Location"] = f"/api/v1/deployments/{made.id}"
    return answer


def app_to_deploy(app: str) -> str:
    """The name of an app, when the caller may deploy it; there need not be one yet. Raises
    SpecInvalid, NoSuchApp, Unauthorised."""
    if not is_app_name(app):
        raise SpecInvalid("app", APP_ALLOWED, app)
    access.owner_to_deploy(caller(), app, services().apps)
    return app


def team_to_deploy(wanted: str, *apps: str) -> str:
    """See :func:`access.team_to_deploy`."""
    return access.team_to_deploy(caller(), apps, wanted, services().apps)


def is_admin(who: Caller) -> bool:
    """Whether they may ask for what reaches the machine."""
    return who.can("manage", INSTALLATION)


def _wanted(app: str, *, keep_folder: bool) -> tuple[Wanted, bool]:
    """What this request wants deployed, and whether it is to wait for its turn. Raises as
    :func:`team_to_deploy`."""
    if request.mimetype != "multipart/form-data":
        asked = read_body(shapes.NewDeployment, SPEC_BYTES)
        team = team_to_deploy(asked.team, app)
        return Wanted(spec=asked.spec, release=asked.release, team=team), asked.wait
    kept: list[str] = []

    def take(part: FilePart, before: Mapping[str, str]) -> None:
        if kept:
            raise BadRequest("folder", "…", "there once")
        team_to_deploy(before.get("team", ""), app)
        kept.append(services().sources.keep_upload(part).id)

    try:
        source = request.environ["wsgi.input"]
        files = {"folder": take} if keep_folder else {}
        fields = read_form(source, request.content_type or "", files, most=SPEC_BYTES)
        if unknown := set(fields) - {"spec", "team", "wait"}:
            raise BadRequest(min(unknown)[:100], "…", "left out")
        if fields.get("wait", "") not in ("", "0", "1", "true", "false"):
            raise BadRequest("wait", fields["wait"], "1 or 0")
        wanted = Wanted(
            spec=_json(fields.get("spec", "")),
            upload=kept[0] if kept else "",
            team=team_to_deploy(fields.get("team", ""), app),
        )
    except BaseException:
        for upload in kept:
            services().sources.drop_upload(upload)
        raise
    return wanted, fields.get("wait") in ("1", "true")


def _is_sent(spec: object) -> bool:
    """Whether a specification is built from a folder that is sent with it."""
    build = spec.get("build") if isinstance(spec, Mapping) else None
    return isinstance(build, Mapping) and not build.get("git")


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except orjson.JSONDecodeError as e:
        raise BadRequest("spec", e.msg, "a JSON object") from None


def _found(id: int, permission: Permission = "view") -> Deployment:
    """A deployment, when the caller may do that with its app. Raises NoSuchDeployment,
    Unauthorised."""
    found = services().deployments.get(id) if id < 2**53 else None
    if found is None or not _can_view(caller(), found):
        raise NoSuchDeployment(id)
    caller().require(permission, access.team_of(found.app, services().apps))
    return found


def _can_view(who: Caller, one: Deployment) -> bool:
    return access.can_view_deployment(who, one, services().apps)


def _while_seen(found: Deployment) -> Any:
    return partial(_view, services(), caller().login, found)


def _view(parts: Services, login: str, found: Deployment) -> None:
    """Raises where this login may no longer see the deployment."""
    who = parts.accounts.credentials.current(login)
    if who is None:
        raise NotSignedIn
    if not access.can_view_deployment(who, found, parts.apps):
        raise NoSuchDeployment(found.id)


def _detail(found: Deployment) -> dict[str, Any]:
    source, last_lines = services().deployments.more(found.id) or ({}, [])
    return {
        **deployment_json(found, gettext),
        "source": {name: value for name, value in source.items() if name not in INSIDE},
        "last_lines": last_lines,
        "usual": services().deployments.usual(found.app, before=found.id),
    }


def _compared(made: Comparison) -> dict[str, Any]:
    sides = [
        {
            "since": side.since,
            "until": side.until,
            "requests": side.requests if side.seconds("http.requests") else None,
        }
        for side in (made.before, made.after)
    ]
    return {
        "before": sides[0],
        "after": sides[1],
        "growing": not made.stretches.ended,
        "cut": made.stretches.cut,
        "rows": [asdict(row) for row in made.rows],
        "verdict": made.verdict,
    }
