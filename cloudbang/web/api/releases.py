"""Releases of apps: what each is, and how any two differ; the names of secrets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from cloudbang.deploy.errors import NoSuchRelease
from cloudbang.domain.deploy.plan import changes_between
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import Spec
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, number, whole
from cloudbang.web.api.schemas import deployments as shapes
from cloudbang.web.security.authenticator import require_app
from cloudbang.web.services import services

bp = Blueprint("releases", __name__, url_prefix="/api/v1/apps/<app>")

AGAINST = {
    "against": Parameter(
        {"type": "integer", "minimum": 0}, "another release; the one before unless said, 0: nothing"
    )
}


SHOWN, MOST = 50, 200  # releases of one answer
LIST_QUERY = {
    "before": Parameter({"type": "integer", "minimum": 1}, "with a smaller number: what next said"),
    "limit": Parameter(whole(1, MOST, SHOWN), "at most"),
}


@bp.get("/releases")
@operation(gives=shapes.Releases, query=LIST_QUERY)
def releases(app: str) -> Response:
    """The releases of an app, the newest first, and what each changed against the one before."""
    name = require_app(app).name
    limit, older = number("limit", 1, MOST) or SHOWN, _number_of("before")
    found = services().deployments.releases(name, older, limit + 1)
    deployed = services().deployments.app(name)
    serving = deployed.serving if deployed else None
    back = services().deployments.ways_back(name)
    told: list[dict[str, Any]] = []
    for n, (created, release) in enumerate(found[:limit]):
        before = found[n + 1][1] if n + 1 < len(found) else None
        told.append(
            {
                "number": release.number,
                "created": created,
                "spec": release.spec.as_json(),
                "image": release.image_id or None,
                "digest": release.digest or None,
                "commit": release.commit or None,
                "serving": release.number == serving,
                "can_return": back.get(release.number, "gone") != "gone",
                "image_is": back.get(release.number),
                "changes": _changes(before, release),
            }
        )
    following = told[-1]["number"] if len(found) > limit else None
    return json({"releases": told, "serving": serving, "next": following})


@bp.get("/releases/<int:number>/changes")
@operation(gives=shapes.Changes, query=AGAINST)
def changes(app: str, number: int) -> Response:
    """What a release changed against another."""
    name = require_app(app).name
    deployments, against = services().deployments, _number_of("against")
    if against is None:
        before = next((its for _, its in deployments.releases(name, number, 1)), None)
    else:
        before = _release(name, against) if against else None
    return json({"changes": _changes(before, _release(name, number))})


@bp.get("/secrets")
@operation(gives=shapes.Secrets)
def secrets(app: str) -> Response:
    """The names of the secrets that are kept for an app. Values are never shown."""
    kept = services().deployments.secrets(require_app(app).name)
    return json({"secrets": [{"name": name, "version": kept[name]} for name in sorted(kept)]})


def _release(app: str, number: int) -> Release:
    found = services().deployments.release(app, number) if number < 2**53 else None
    if found is None:
        raise NoSuchRelease(app, number)
    return found


def _changes(before: Release | None, after: Release) -> list[dict[str, object]]:
    found = [
        one.as_json() for one in changes_between(before.spec if before else Spec(), after.spec)
    ]
    known = {one["field"] for one in found}
    was = before.secrets if before else {}
    for name, version in sorted(after.secrets.items()):
        field = f"secrets.{name}"
        if field not in known and was.get(name, version) != version:
            found.append({"field": field, "before": "•••", "after": "•••"})
    return found


def _number_of(name: str) -> int | None:
    return number(name, 0, 2**53 - 1)
