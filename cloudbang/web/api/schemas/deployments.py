"""Deployments, releases, and what one would change."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from cloudbang.domain.deploy.deployment import State, StepName, StepState
from cloudbang.domain.deploy.failure import FailureClass
from cloudbang.domain.deploy.plan import Interruption
from cloudbang.domain.deploy.release import ImageIs
from cloudbang.web.api.schemas.shapes import Body, Team, Time
from cloudbang.web.api.schemas.spec import Spec

SpecAsked = Annotated[
    Any,
    WithJsonSchema({"anyOf": [{"$ref": "#/components/schemas/Spec"}, {"type": "null"}]}),
]


class NewDeployment(Body):
    """One of ``spec`` and ``release``, the number of a release to go back to. ``wait``: behind the
    deployment that runs; of several that wait only the newest is kept. ``team``: whose a new app is
    to be, where the caller may deploy; `default`, or their only one, unless given. An app that is there
    stays its team's."""

    spec: SpecAsked = None
    release: Annotated[int, Field(ge=1)] | None = None
    wait: bool = False
    team: Team = ""


class Nothing(Body):
    """No field."""


class Step(TypedDict):
    """``progress`` depends on the step; ``started`` and ``finished`` are null while it has not come
    to that."""

    name: StepName
    state: StepState
    started: Time | None
    finished: Time | None
    progress: NotRequired[dict[str, Any]]


class Deployment(TypedDict):
    """``state`` is for ever once it is serving, failed or cancelled. ``class``, ``sentence`` and
    ``exit_code`` say why it failed; ``sentence`` who cancelled it, too. ``previous``: the release that
    served before, null where none did. ``settled``: nothing is left to be tidied up. ``stop_first``:
    two releases cannot run at once."""

    id: int
    app: str
    number: int
    release: int
    previous: int | None
    state: State
    class_: Annotated[FailureClass | None, Field(alias="class")]
    sentence: str | None
    exit_code: int | None
    by: str
    created: Time
    finished: Time | None
    cancelled_by: str | None
    can_cancel: bool
    stop_first: bool
    settled: bool
    steps: list[Step]


class DeploymentDetail(Deployment):
    """``source``: from what it was made; ``last_lines``: what its log said last, kept for longer than
    the log; ``usual``: seconds that a step takes as a rule."""

    source: dict[str, Any]
    last_lines: list[str]
    usual: dict[str, float]


class Deployments(TypedDict):
    """``next``: what to ask for with before=, null at the end."""

    deployments: list[Deployment]
    next: int | None


class Begun(TypedDict):
    id: int
    app: str
    number: int


class Change(TypedDict):
    """One field as it is written, null where it is not given. Of secrets only that they change."""

    field: str
    before: Any
    after: Any


class NotHonoured(TypedDict):
    field: str
    reason: str


class PlanRefused(TypedDict):
    """As the problem document of a deployment that is asked for now."""

    code: str
    detail: str
    id: NotRequired[int]
    by: NotRequired[str]
    since: NotRequired[Time]


class Plan(TypedDict):
    """``first``: nothing serves yet. ``interruption``: "" when the new release runs beside the old
    one, "held" when requests wait meanwhile, "moment" when nobody answers for a moment; ``because``:
    what only one of them can have. ``published``: ports that will be open on all addresses.
    ``image_is``, of a release to go back to: on the machine, to be pulled by its digest, or gone.
    ``refused``: why none of the app can begin at this moment, whatever it is of."""

    first: bool
    changes: list[Change]
    replaces_instances: bool
    interruption: Interruption
    because: list[str]
    published: list[str]
    image_is: ImageIs | None
    not_honoured: list[NotHonoured]
    refused: PlanRefused | None


class Release(TypedDict):
    """``image``: what runs, by id; null until it was pulled or built. ``serving``: it is the one
    that serves. ``changes``: against the release before. ``can_return``: one can go back to it;
    ``image_is``, of the last ten: on the machine, removed from it and pulled by its digest then, or
    nowhere; null where it is not kept or the engine does not tell."""

    number: int
    created: Time
    spec: Spec
    image: str | None
    digest: str | None
    commit: str | None
    serving: bool
    can_return: bool
    image_is: ImageIs | None
    changes: list[Change]


class Releases(TypedDict):
    """The newest first. ``serving``: the number of the one that does; ``next``: what to ask for with
    before=, null at the end."""

    releases: list[Release]
    serving: int | None
    next: int | None


class Changes(TypedDict):
    changes: list[Change]


class Secret(TypedDict):
    """``version`` grows with each value. Values are never shown."""

    name: str
    version: int


class Secrets(TypedDict):
    secrets: list[Secret]


class ComparedSide(TypedDict):
    """Of which time: seconds since 1970, as fine as that time is kept."""

    since: int
    until: int
    requests: float | None


class ComparedRow(TypedDict):
    """``name`` and ``unit``: ``http.latency`` (the 95th percentile, s), ``http.errors`` (a share of
    all requests), ``log.errors`` (1/s), ``cpu`` (cores), ``memory`` (bytes); null where it was not
    measured. ``why`` nothing can be said of what changed, else empty."""

    name: str
    unit: str
    before: float | None
    after: float | None
    change: Literal["more", "less", "same", "unknown"]
    why: str


class Compared(TypedDict):
    """``growing``: more comes, until 15 minutes after. ``cut``: another deployment of the app was
    within the 15 minutes, so that there are fewer."""

    before: ComparedSide
    after: ComparedSide
    growing: bool
    cut: bool
    rows: list[ComparedRow]
    verdict: Literal["worse", "better", "mixed", "dearer", "cheaper", "same", "unknown"]


class DeploymentComparison(TypedDict):
    """``comparison`` is null of a deployment that has not come to serving, or that replaced
    nothing."""

    comparison: Compared | None
