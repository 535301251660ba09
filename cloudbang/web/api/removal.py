"""Deleting an app: what there is of it, and taking that away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Blueprint, Response, request

from cloudbang.apps import AppInUse
from cloudbang.deploy.removal import Belongings
from cloudbang.web.api.apps import log_deleted
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import operate as shapes
from cloudbang.web.api.storage import use_json
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import services

log = logging.getLogger(__name__)

bp = Blueprint("removal", __name__, url_prefix="/api/v1/apps")


@bp.get("/<app>/removal")
@needs("manage")
@operation(gives=shapes.Belongings)
def removal(app: str) -> Response:
    """What deleting an app, or its log, would take away."""
    name = require_app(app, "manage").name
    operating = services().operating
    deployed = operating.operations.is_deployed(name)
    its = operating.removals.belongings(name) if deployed else Belongings()
    kept = services().apps.removal(name)
    shown: shapes.Belongings = {
        "bytes": kept.bytes,
        "lines": kept.lines,
        "events": kept.events,
        "first_time": kept.first_time,
        "last_time": kept.last_time,
        "deployed": deployed,
        "services": list(its.services),
        "containers": list(its.containers),
        "stay": list(its.stay),
        "volumes": [
            {"name": one.name, "there": one.there, "used_by": [use_json(u) for u in one.used_by]}
            for one in its.volumes
        ],
        "images": list(its.images),
        "secrets": list(its.secrets),
        "route": its.route,
        "releases": its.releases,
        "deployments": its.deployments,
    }
    return json(shown)


@bp.delete("/<app>")
@needs("manage")
@operation(body=shapes.Deletion, gives=shapes.Deleted)
def delete(app: str) -> Response:
    """Delete an app that CloudBang deployed: its services, its releases and what they need; its
    volumes and its log stay unless they are named. Of any other what is kept of one that is gone:
    its log, its events and its record; refused while it has containers, which are never touched."""
    require_app(app, "manage")
    asked = read_body(shapes.Deletion) if request.content_length else shapes.Deletion()
    left = deletion(app, volumes=asked.volumes, logs=asked.logs)()
    if left is None:
        return Response(status=204)
    shown: shapes.Deleted = {"volumes_left": left}
    return json(shown)


def deletion(app: str, *, volumes: bool, logs: bool) -> Callable[[], list[str] | None]:
    """What deletes an app that whoever asks may manage, also where nobody knows any more who that
    is: it gives the volumes that stay, None for one that was not deployed. Raises NoSuchApp,
    Unauthorised; the deletion itself AppInUse, and what Removals.delete does."""
    found, who, parts = require_app(app, "manage"), caller().name, services()

    def deployed() -> list[str]:
        parts.webhooks.forget(found.name)  # before all else: a push would bring it back
        left = parts.operating.removals.delete(found.name, who, volumes=volumes, logs=logs)
        parts.live.deployments_forgotten(found.name, found.team)
        parts.traffic.forget(found.name)
        return left

    def kept() -> None:
        events = parts.apps.removal(found.name).events
        try:
            done = parts.apps.delete(found.name)
        except AppInUse as e:
            if e.deleted:
                log_deleted(parts, found.name, e.deleted, who)
            raise
        parts.webhooks.forget(found.name)
        parts.traffic.forget(found.name)
        # Its events are gone with it: this is where it is written down.
        log.warning(
            "%s deleted the app %s of the team %s: %d lines, %d bytes, %d events",
            *(who, found.name, found.team, done.lines, done.bytes, events),
        )

    return deployed if parts.operating.operations.is_deployed(found.name) else kept
