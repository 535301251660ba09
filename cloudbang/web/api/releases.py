"""Releases of apps: what each is, and how any two differ; the names of secrets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from cloudbang.deploy.errors import NoSuchRelease
from cloudbang.domain.deploy.plan import changes_between
from cloudbang.domain.deploy.release import KEPT, Release
from cloudbang.domain.deploy.spec import Spec
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, number
from cloudbang.web.api.schemas import deployments as shapes
from cloudbang.web.security.authenticator import require_app
from cloudbang.web.services import services

bp = Blueprint("releases", __name__, url_prefix="/api/v1/apps/<app>")

AGAINST = {
    "against": Parameter(
        {"type": "integer", "minimum": 0}, "another release; the one before unless said, 0: nothing"
    )
}


@bp.get("/releases")
@operation(gives=shapes.Releases)
def releases(app: str) -> Response:
    """Every release of an app, the newest first, and what each changed against the one before."""
    name = require_app(app).name
    found = services().deployments.releases(name)
    deployed = services().deployments.app(name)
    serving = deployed.serving if deployed else None
    returnable = {release.number for _, release in found if release.image_id}
    returnable = set(sorted(returnable)[-KEPT:])
    told: list[dict[str, Any]] = []
    for n, (created, release) in enumerate(found):
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
                "can_return": release.number in returnable,
                "changes": _changes(before, release),
            }
        )
    return json({"releases": told})


@bp.get("/releases/<int:number>/changes")
@operation(gives=shapes.Changes, query=AGAINST)
def changes(app: str, number: int) -> Response:
    """What a release changed against another."""
    name = require_app(app).name
    by_number = {release.number: release for _, release in services().deployments.releases(name)}
    against = _number_of("against")
    if against is None:
        against = max((n for n in by_number if n < number), default=0)
    for wanted in (number, against):
        if wanted and wanted not in by_number:
            raise NoSuchRelease(name, wanted)
    return json({"changes": _changes(by_number.get(against), by_number[number])})


@bp.get("/secrets")
@operation(gives=shapes.Secrets)
def secrets(app: str) -> Response:
    """The names of the secrets that are kept for an app. Values are never shown."""
    kept = services().deployments.secrets(require_app(app).name)
    return json({"secrets": [{"name": name, "version": kept[name]} for name in sorted(kept)]})


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
