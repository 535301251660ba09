"""Webhooks: made and changed by who may deploy the app, called by the hosts of code."""

from __future__ import annotations

from urllib.parse import parse_qs

from flask import Blueprint, Response, request
from gevent.lock import BoundedSemaphore

from cloudbang.deploy.webhooks import Received
from cloudbang.domain.deploy.webhooks import Filter
from cloudbang.errors import BadRequest
from cloudbang.storage.database.webhooks import Webhook
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import webhooks as shapes
from cloudbang.web.security.authenticator import caller, needs, open_to_all, require_app
from cloudbang.web.services import services

bp = Blueprint("webhooks", __name__, url_prefix="/api/v1")

# Overload: anybody may know an address, so no more than these are held in memory; who comes then
# is not read until one of them is done.
_READING = BoundedSemaphore(4)


@bp.get("/apps/<app>/webhooks")
@needs("deploy")
@operation(gives=shapes.Webhooks)
def webhooks(app: str) -> Response:
    """The webhooks of an app, and what came of their newest deliveries. Secrets are never shown."""
    name = require_app(app, "deploy").name
    return json({"webhooks": [_shown(one) for one in services().webhooks.of(name)]})


@bp.post("/apps/<app>/webhooks")
@needs("deploy")
@operation(body=shapes.NewWebhook, gives=shapes.WebhookSecret, status=201)
def make(app: str) -> Response:
    """Make a webhook; its secret is in this answer and never again."""
    name = require_app(app, "deploy").name
    asked = read_body(shapes.NewWebhook)
    wanted = Filter(asked.branch, tuple(asked.paths))
    made, secret = services().webhooks.make(name, asked.kind, wanted, caller().name)
    return json({**_shown(made), "secret": secret}, 201)


@bp.patch("/apps/<app>/webhooks/<int:number>")
@needs("deploy")
@operation(body=shapes.WebhookChange, gives=shapes.Webhook)
def change(app: str, number: int) -> Response:
    """Change which pushes concern it, or switch it off and on."""
    found = _found(app, number)
    asked = read_body(shapes.WebhookChange)
    branch = found.filter.branch if asked.branch is None else asked.branch
    paths = found.filter.paths if asked.paths is None else tuple(asked.paths)
    enabled = found.enabled if asked.enabled is None else asked.enabled
    return json(_shown(services().webhooks.change(found, Filter(branch, paths), enabled)))


@bp.post("/apps/<app>/webhooks/<int:number>/secret")
@needs("deploy")
@operation(gives=shapes.WebhookSecret)
def rotate(app: str, number: int) -> Response:
    """Give it another secret, shown in this answer and never again; the one before is good no more."""
    found = _found(app, number)
    return json({**_shown(found), "secret": services().webhooks.rotate(found)})


@bp.delete("/apps/<app>/webhooks/<int:number>")
@needs("deploy")
@operation()
def delete(app: str, number: int) -> Response:
    """Delete a webhook."""
    services().webhooks.delete(_found(app, number))
    return Response(status=204)


@bp.post("/webhooks/<key>")
@open_to_all
@operation(gives=shapes.Delivered, status=202)
def receive(key: str) -> Response:
    """Called by the host of the code, signed with the webhook's secret. Deploys what serves with its
    source fetched anew, behind a deployment that runs, where the delivery concerns it. One that was
    received before is answered as it was then."""
    found = services().webhooks.called(key)
    with _READING:
        body = request.environ["wsgi.input"].read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        # GitHub can send a form, which it signs as it is, with the JSON in its field payload.
        form = request.mimetype == "application/x-www-form-urlencoded"
        done = services().webhooks.receive(found, headers, body, _payload if form else bytes)
    return json(_told(done), 202)


def _payload(body: bytes) -> bytes:
    """Raises BadRequest."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=20)
    except ValueError:
        raise BadRequest("body", "…", "a form with the field payload") from None
    return fields.get("payload", [""])[0].encode()


def _told(done: Received) -> shapes.Delivered:
    made = done.deployment
    return {
        "id": made.id if made else None,
        "app": done.app,
        "number": made.number if made else None,
        "skipped": done.skipped or None,
        "again": done.again,
    }


def _found(app: str, number: int) -> Webhook:
    return services().webhooks.get(require_app(app, "deploy").name, number)


def _shown(one: Webhook) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind,
        "branch": one.filter.branch,
        "paths": list(one.filter.paths),
        "enabled": one.enabled,
        "by": one.by,
        "created": one.created,
        "path": f"/api/v1/webhooks/{one.key}",
        "deliveries": [
            {"received": d.received, "deployment": d.deployment, "outcome": d.outcome}
            for d in services().webhooks.deliveries(one)
        ],
    }
