"""Apps and containers operated."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.deploy.containers import Verb
from cloudbang.domain.deploy.spec import MAX_REPLICAS
from cloudbang.web.api.schemas.apps import Removal
from cloudbang.web.api.schemas.shapes import Body
from cloudbang.web.api.schemas.storage import StorageUse


class ScaleRequest(Body):
    """How many instances there are to be; 0 stops the app."""

    replicas: Annotated[int, Field(ge=0, le=MAX_REPLICAS)]


class Deletion(Body):
    """What goes with the app beside its services and releases: nothing unless said."""

    volumes: bool = False
    logs: bool = False


class Deleted(TypedDict):
    """``volumes_left``: those that were to go and stay, because somebody uses them."""

    volumes_left: list[str]


class OwnVolume(TypedDict):
    """``used_by``: others who have it, so that it stays in any case; ``there``: whether it is on
    the engine."""

    name: str
    there: bool
    used_by: list[StorageUse]


class Belongings(Removal):
    """What deleting an app would take away. ``stay``: containers that CloudBang did not make;
    ``deployed``: false for one of which only its log, its events and its record are left."""

    deployed: bool
    services: list[str]
    containers: list[str]
    stay: list[str]
    volumes: list[OwnVolume]
    images: list[str]
    secrets: list[str]
    route: str
    releases: int
    deployments: int


class Redeployed(TypedDict):
    """The deployment that began."""

    id: int
    app: str
    number: int


class ContainerRemoval(Body):
    """``force``: also one that runs; ``volumes``: those of its volumes that have no name, too."""

    force: bool = False
    volumes: bool = False


class Several(Body):
    """The same for several: apps by name, containers by id."""

    what: Literal[
        "start", "stop", "restart", "redeploy", "delete", "kill", "pause", "unpause", "remove"
    ]
    apps: Annotated[list[str], Field(max_length=200)] = []  # noqa: RUF012 - pydantic copies it
    containers: Annotated[list[str], Field(max_length=200)] = []  # noqa: RUF012
    volumes: bool = False
    logs: bool = False


class OperationOutcome(TypedDict):
    """What became of one; ``code`` and ``detail`` say why it was not done, ``volumes_left`` which of
    its volumes stay, since somebody uses them."""

    app: NotRequired[str]
    container: NotRequired[str]
    done: bool
    code: NotRequired[str]
    detail: NotRequired[str]
    volumes_left: NotRequired[list[str]]


class Outcomes(TypedDict):
    outcomes: list[OperationOutcome]


OF_APPS = frozenset({"start", "stop", "restart", "redeploy", "delete"})
OF_CONTAINERS: frozenset[Verb] = frozenset(
    {"start", "stop", "restart", "kill", "pause", "unpause", "remove"}
)
