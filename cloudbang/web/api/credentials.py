"""Users and passwords for registries and Git hosts: kept, listed by host, forgotten; never shown."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request

from cloudbang.accounts import DEFAULT_TEAM, Caller
from cloudbang.deploy.credentials import KINDS, Kind, NoSuchCredentials
from cloudbang.errors import BadRequest
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import credentials as shapes
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

log = logging.getLogger(__name__)

bp = Blueprint("credentials", __name__, url_prefix="/api/v1/credentials")

TEAM = {"team": Parameter({"type": "string"}, "whose they are; `default` unless given")}


@bp.get("")
@needs("deploy")
@operation(gives=shapes.Credentials, query=TEAM)
def credentials() -> Response:
    """The hosts for which a team has some."""
    team, kept = _team(caller()), services().sources.credentials
    shown: shapes.Credentials = {
        "credentials": [
            {"kind": kind, "host": host} for kind in KINDS for host in kept.hosts(team, kind)
        ]
    }
    return json(shown)


@bp.put("/<kind>/<host>")
@needs("deploy")
@operation(body=shapes.NewCredentials, query=TEAM)
def keep(kind: str, host: str) -> Response:
    """Keep some for a host (`docker.io` for Docker's own registry), in place of those that were
    there. They are used for that host alone, and shown to nobody again."""
    who, wanted = caller(), read_body(shapes.NewCredentials)
    team = _team(who)
    services().sources.credentials.put(team, _kind(kind), host, wanted.user, wanted.password)
    log.info("%s keeps credentials of the team %s for the %s %s", who.name, team, kind, host)
    return Response(status=204)


@bp.delete("/<kind>/<host>")
@needs("deploy")
@operation(query=TEAM)
def forget(kind: str, host: str) -> Response:
    """Forget those for a host."""
    who = caller()
    team = _team(who)
    if not services().sources.credentials.forget(team, _kind(kind), host):
        raise NoSuchCredentials(host[:200])
    log.info("%s forgets credentials of the team %s for the %s %s", who.name, team, kind, host)
    return Response(status=204)


def _team(who: Caller) -> str:
    """Whose credentials are meant, where the caller may use them."""
    team = request.args.get("team") or DEFAULT_TEAM
    who.require("deploy", team)
    return team


def _kind(kind: str) -> Kind:
    for known in KINDS:
        if kind == known:
            return known
    raise BadRequest("kind", kind, "registry or git")
