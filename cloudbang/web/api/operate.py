"""Apps and containers operated: started, stopped, restarted, scaled, held, removed; several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response
from gevent import Greenlet
from gevent.pool import Pool

from cloudbang.accounts import DEFAULT_TEAM, Permission
from cloudbang.deploy.containers import VERBS, Verb
from cloudbang.domain.apps import Instance
from cloudbang.domain.names import is_container_id
from cloudbang.errors import BadRequest, CloudBangError, NoSuchApp, NoSuchContainer
from cloudbang.web.api.app_json import one_app
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.problems import NothingHere, sentence_of
from cloudbang.web.api.removal import deletion
from cloudbang.web.api.schemas import operate as shapes
from cloudbang.web.api.schemas.apps import App
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import services

bp = Blueprint("operate", __name__, url_prefix="/api/v1")

AT_ONCE = 4  # of several: each waits for the engine

# What may not be taken back by starting it again asks for more.
NEEDS: dict[str, Permission] = {"remove": "manage", "delete": "manage"}


@bp.post("/apps/<app>/start")
@needs("deploy")
@operation(gives=App)
def start(app: str) -> Response:
    """Start an app that was stopped: as many instances as it is to have."""
    return _operated(app, services().operating.operations.start)


@bp.post("/apps/<app>/stop")
@needs("deploy")
@operation(gives=App)
def stop(app: str) -> Response:
    """Stop all of its instances. Its release, its volumes and its log stay."""
    return _operated(app, services().operating.operations.stop)


@bp.post("/apps/<app>/restart")
@needs("deploy")
@operation(gives=App)
def restart(app: str) -> Response:
    """New containers of the same release, one after the other."""
    return _operated(app, services().operating.operations.restart)


@bp.post("/apps/<app>/scale")
@needs("deploy")
@operation(body=shapes.ScaleRequest, gives=App)
def scale(app: str) -> Response:
    """Have so many instances of it."""
    require_app(app, "deploy")
    replicas = read_body(shapes.ScaleRequest).replicas
    return _operated(
        app, lambda name, by: services().operating.operations.scale(name, replicas, by)
    )


@bp.post("/apps/<app>/redeploy")
@needs("deploy")
@operation(gives=shapes.Redeployed, status=202)
def redeploy(app: str) -> Response:
    """Begin a deployment of what serves, made anew: its image is asked for again, or built again."""
    return json(_redeploy(require_app(app, "deploy").name), 202)


@bp.post("/containers/<container>/<verb>")
@needs("deploy")
@operation()
def operate_container(container: str, verb: str) -> Response:
    """Start, stop, restart, kill, pause or unpause a container that CloudBang did not make."""
    if verb not in VERBS or verb == "remove":
        raise NothingHere(f"/api/v1/containers/{container}/{verb}"[:200])
    _operate_container(container, cast(Verb, verb))
    return Response(status=204)


@bp.delete("/containers/<container>")
@needs("manage")
@operation(body=shapes.ContainerRemoval)
def remove_container(container: str) -> Response:
    """Remove a container that CloudBang did not make. Its volumes stay, but for those without a name
    where that is wanted."""
    found = container_of(container, "manage")
    asked = read_body(shapes.ContainerRemoval)
    services().operating.containers.do(
        "remove", found, caller().name, force=asked.force, volumes=asked.volumes
    )
    return Response(status=204)


@bp.post("/operations")
@needs("deploy")
@operation(body=shapes.Several, gives=shapes.Outcomes)
def several() -> Response:
    """The same for several apps and containers. One that is refused stops none of the others."""
    asked = read_body(shapes.Several)
    if asked.apps and asked.what not in shapes.OF_APPS:
        raise BadRequest("what", asked.what, "for apps " + ", ".join(sorted(shapes.OF_APPS)))
    if asked.containers and asked.what not in shapes.OF_CONTAINERS:
        allowed = "for containers " + ", ".join(sorted(shapes.OF_CONTAINERS))
        raise BadRequest("what", asked.what, allowed)

    jobs: list[tuple[shapes.OperationOutcome, Greenlet | None]] = []
    pool = Pool(AT_ONCE)
    for key, names in (("app", asked.apps), ("container", asked.containers)):
        for name in dict.fromkeys(names):
            shown = cast(shapes.OperationOutcome, {key: name[:128], "done": False})
            try:
                # Who asks is known here alone, and not in the greenlets beside it.
                do = _of_app(asked, name) if key == "app" else _of_container(asked, name)
                jobs.append((shown, pool.spawn(_tried, do)))
            except CloudBangError as e:
                jobs.append((_said(shown, e), None))
    # A greenlet that has ended is false, as one that has not begun.
    outcomes = [shown if job is None else _said(shown, job.get()) for shown, job in jobs]
    return json({"outcomes": outcomes})


def _tried(do: Callable[[], object]) -> object:
    try:
        return do()
    except CloudBangError as e:
        return e


def _said(shown: shapes.OperationOutcome, came: object) -> shapes.OperationOutcome:
    if isinstance(came, CloudBangError):
        return {**shown, "code": came.code, "detail": sentence_of(came)}
    if isinstance(came, list) and came:  # of a deletion: volumes that stay
        return {**shown, "done": True, "volumes_left": came}
    return {**shown, "done": True}


def _of_app(asked: shapes.Several, app: str) -> Callable[[], object]:
    """What is to be done with one app, by who may. Raises NoSuchApp, Unauthorised."""
    name = require_app(app, NEEDS.get(asked.what, "deploy")).name
    operating, who = services().operating, caller()
    operations = operating.operations
    match asked.what:
        case "start":
            return lambda: operations.start(name, who.name)
        case "stop":
            return lambda: operations.stop(name, who.name)
        case "restart":
            return lambda: operations.restart(name, who.name)
        case "redeploy":
            admin = who.can("manage", DEFAULT_TEAM)
            return lambda: operations.redeploy(name, who.name, admin=admin)
    return deletion(name, volumes=asked.volumes, logs=asked.logs)


def _of_container(asked: shapes.Several, container: str) -> Callable[[], object]:
    verb = cast(Verb, asked.what)
    found, by = container_of(container, NEEDS.get(verb, "deploy")), caller().name
    containers = services().operating.containers
    return lambda: containers.do(verb, found, by)


def _redeploy(app: str) -> shapes.Redeployed:
    who = caller()
    begun = services().operating.operations.redeploy(
        app, who.name, admin=who.can("manage", DEFAULT_TEAM)
    )
    return {"id": begun.id, "app": begun.app, "number": begun.number}


def _operated(app: str, do: Callable[[str, str], None]) -> Response:
    name = require_app(app, "deploy").name
    do(name, caller().name)
    return json(one_app(services(), name))


def _operate_container(container: str, verb: Verb) -> None:
    found = container_of(container, NEEDS.get(verb, "deploy"))
    services().operating.containers.do(verb, found, caller().name)


def container_of(container: str, permission: Permission) -> Instance:
    """The container of this id, for whom this request is from. Of another team's it is said that
    there is none. Raises NoSuchContainer, Unauthorised."""
    found = services().inventory.instance(container) if is_container_id(container) else None
    if found is None:
        raise NoSuchContainer(container[:12])
    try:
        caller().require_app(found.app, services().apps.team_of(found.app), permission)
    except NoSuchApp:
        raise NoSuchContainer(container[:12]) from None
    return found
