"""Apps that were deployed, as they are now: what serves, and where it answers."""

from __future__ import annotations

from flask import Blueprint, Response

from cloudbang.storage.database.deployments import DeployedApp
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json
from cloudbang.web.api.schemas import deployed as shapes
from cloudbang.web.security.authenticator import require_app
from cloudbang.web.services import services

bp = Blueprint("deployed", __name__, url_prefix="/api/v1/apps")


@bp.get("/<app>/deployed")
@operation(gives=shapes.Deployed)
def deployed(app: str) -> Response:
    """The release of an app that serves, and where it answers; of one that was never deployed, that
    none does."""
    name = require_app(app).name
    its = services().deployments.app(name) or DeployedApp(name)
    addresses: list[shapes.Address] = [
        {"url": one.url, "kind": one.kind, "port": one.port}
        for one in services().gateway.addresses(name)
    ]
    shown: shapes.Deployed = {
        "serving": its.serving,
        "stopped": its.stopped,
        "replicas": its.replicas,
        "addresses": addresses,
        "usual": {str(step): took for step, took in services().deployments.usual(name).items()},
    }
    return json(shown)
