"""Containers and Compose projects that CloudBang did not make: taken over as apps, brought up and
down."""

from __future__ import annotations

from flask import Blueprint, Response

from cloudbang.accounts import DEFAULT_TEAM
from cloudbang.deploy.projects import Project
from cloudbang.web.api.operate import container_of
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import found as shapes
from cloudbang.web.api.schemas.operate import Redeployed
from cloudbang.web.pages.i18n import language
from cloudbang.web.security.authenticator import caller, needs
from cloudbang.web.services import services

bp = Blueprint("found", __name__, url_prefix="/api/v1")

HOUSE = "default"  # a Compose file may ask for anything of the machine


@bp.get("/containers/<container>/take_over")
@needs("deploy")
@operation(gives=shapes.TakeOver)
def proposal(container: str) -> Response:
    """What a container would be as an app, and what of it the app would not have. Nothing is done."""
    made = services().operating.take_overs.propose(container_of(container, "deploy"))
    shown: shapes.TakeOver = {
        "container": made.container,
        "name": made.name,
        "app": made.app,
        "spec": dict(made.spec),
        "left": [
            {"option": one.option, "why": one.why.of(language() == "zh")} for one in made.left
        ],
        "because": list(made.because) if made.runs else [],
    }
    return json(shown)


@bp.post("/containers/<container>/take_over")
@needs("deploy")
@operation(body=shapes.TakeOverRequest, gives=Redeployed, status=202)
def take_over(container: str) -> Response:
    """Begin a deployment of an app that does what a container does; the container is stopped when
    the app serves, and kept until somebody removes it."""
    found, who = container_of(container, "deploy"), caller()
    asked = read_body(shapes.TakeOverRequest)
    begun = services().operating.take_overs.take(
        found, who.name, admin=who.can("manage", DEFAULT_TEAM), spec=asked.spec
    )
    shown: Redeployed = {"id": begun.id, "app": begun.app, "number": begun.number}
    return json(shown, 202)


@bp.get("/stacks")
@needs("manage", HOUSE)
@operation(gives=shapes.StackList)
def stacks() -> Response:
    """The Compose projects on the engine, and those that are down and were seen."""
    found = services().operating.projects.all()
    shown: shapes.StackList = {"stacks": [_stack(one) for one in found]}
    return json(shown)


@bp.post("/stacks/<stack>/up")
@needs("manage", HOUSE)
@operation(gives=shapes.StackPrinted)
def up(stack: str) -> Response:
    """Bring a Compose project up as its file says now, with Docker's own Compose."""
    return json({"said": services().operating.projects.up(stack, caller().name)})


@bp.post("/stacks/<stack>/down")
@needs("manage", HOUSE)
@operation(gives=shapes.StackPrinted)
def down(stack: str) -> Response:
    """Take the containers and networks of a Compose project away. Its volumes stay."""
    return json({"said": services().operating.projects.down(stack, caller().name)})


@bp.delete("/stacks/<stack>")
@needs("manage", HOUSE)
@operation()
def forget(stack: str) -> Response:
    """Show a Compose project that is down no more."""
    services().operating.projects.forget(stack)
    return Response(status=204)


def _stack(project: Project) -> shapes.Stack:
    return {
        "name": project.name,
        "folder": project.folder,
        "files": list(project.files),
        "apps": list(project.apps),
        "containers": project.containers,
        "unreadable": project.unreadable,
    }
