"""Stacks over HTTP: begun as a whole, looked at part by part."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from cloudbang.core.peer_json import read_json
from cloudbang.deploy.stacks import WantedPart
from cloudbang.domain.deploy import stack_run
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.web.api.deployments import SPEC_BYTES, app_to_deploy, is_admin, team_to_deploy
from cloudbang.web.api.multipart import read_form
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body, read_value
from cloudbang.web.api.problems import filled
from cloudbang.web.api.schemas import stacks as shapes
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("stacks", __name__, url_prefix="/api/v1/stacks")


class NoSuchRun(CloudBangError):
    """A stack was not deployed under that number, or not in sight of who asks."""

    code = "no-such-deployment"
    status = 404
    sentence = "the stack {stack} has no deployment {id}"

    def __init__(self, stack: str, id: int) -> None:
        self.stack, self.id = stack, id
        super().__init__(stack, id)


@bp.post("/<stack>/deployments")
@needs("deploy")
@operation(body=shapes.WantedStack, gives=shapes.StackRun, status=202)
def deploy(stack: str) -> Response:
    """Deploy the apps of a stack, each once those that it needs serve. Nothing is begun unless all
    of them can be. A folder that some are built of is sent as multipart/form-data: ``services``
    and ``team`` first, then ``folder``, a tar. Raises SpecInvalid, whose field begins with ``services.<service>``."""
    if request.mimetype != "multipart/form-data":
        return _begin(stack, read_body(shapes.WantedStack, SPEC_BYTES), "")
    kept: list[str] = []
    try:
        fields = read_form(
            request.environ["wsgi.input"],
            request.content_type or "",
            {"folder": lambda part, _: kept.append(services().sources.keep_upload(part).id)},
            most=SPEC_BYTES,
        )
        told = {"services": _json(fields.get("services", "")), "team": fields.get("team", "")}
        wanted = read_value(shapes.WantedStack, told)
        return _begin(stack, wanted, kept[-1] if kept else "")
    finally:
        # Each app that is built of it has its own by now.
        for upload in kept:
            services().sources.drop_upload(upload)


@bp.get("/<stack>/deployments")
@operation(gives=shapes.StackRuns)
def runs(stack: str) -> Response:
    """How a stack was deployed, the newest first."""
    found = [run for run in services().stacks.find(stack) if _is_seen(run)]
    return json({"runs": [_shown(run) for run in found]})


@bp.get("/<stack>/deployments/<int:id>")
@operation(gives=shapes.StackRun)
def run_(stack: str, id: int) -> Response:
    """How far a stack is."""
    run = services().stacks.get(id)
    if run is None or run.stack != stack or not _is_seen(run):
        raise NoSuchRun(stack[:64], id)
    return json(_shown(run))


def _begin(stack: str, wanted: shapes.WantedStack, upload: str) -> Response:
    apps = [app_to_deploy(f"{stack}.{one.name}") for one in wanted.services]
    team = team_to_deploy(wanted.team, *apps)
    sources, parts = services().sources, []
    for one in wanted.services:
        build = one.spec.get("build")
        built = upload and isinstance(build, dict) and not build.get("git")
        own = sources.share_upload(upload) if built else ""
        parts.append(WantedPart(one.name, one.spec, tuple(one.after), own))
    who = caller()
    try:
        run = services().stacks.begin(stack, parts, who.name, admin=is_admin(who), team=team)
    except BaseException:
        for part in parts:
            sources.drop_upload(part.upload)
        raise
    return json(_shown(run), 202)


def _json(text: str) -> object:
    try:
        return read_json(text)
    except orjson.JSONDecodeError as e:
        raise BadRequest("services", e.msg, "a JSON array") from None


def _is_seen(run: stack_run.StackRun) -> bool:
    """Whether all that it tells of is of teams that the caller sees: one of its apps may be another
    team's by now."""
    owners = {services().apps.owner(part.app) or run.team for part in run.parts}
    return all(caller().can("view", team) for team in {run.team, *owners})


def _shown(run: stack_run.StackRun) -> shapes.StackRun:
    return {
        "id": run.id,
        "stack": run.stack,
        "team": run.team,
        "by": run.by,
        "created": run.created,
        "state": run.state,
        "parts": [
            {
                "service": part.service,
                "app": part.app,
                "after": list(part.after),
                "deployment": part.deployment,
                "state": part.state,
                "why": filled(part.why.template, part.why.facts),
            }
            for part in run.parts
        ],
    }
