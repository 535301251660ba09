"""Deleting an app: what there is of it, and taking that away."""

from __future__ import annotations

import logging

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
    found, who = require_app(app, "manage"), caller().name
    asked = read_body(shapes.Deletion) if request.content_length else shapes.Deletion()
    operating = services().operating
    if operating.operations.is_deployed(found.name):
        services().webhooks.forget(found.name)  # before all else: a push would bring it back
        left = operating.removals.delete(found.name, who, volumes=asked.volumes, logs=asked.logs)
        services().live.deployments_forgotten(found.name)
        shown: shapes.Deleted = {"volumes_left": left}
        return json(shown)
    apps = services().apps
    events = apps.removal(found.name).events
    try:
        done = apps.delete(found.name)
    except AppInUse as e:
        if e.deleted:
            log_deleted(found.name, e.deleted)
        raise
    services().webhooks.forget(found.name)
    # Its events are gone with it: this is where it is written down.
    log.warning(
        "%s deleted the app %s of the team %s: %d lines, %d bytes, %d events",
        *(who, found.name, found.team, done.lines, done.bytes, events),
    )
    return Response(status=204)
