"""What takes room on the engine's disk, and cleaning up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.domain.deploy.disk import USUAL, Kind
from cloudbang.web.api.schemas.shapes import Body, Time


class StorageUse(TypedDict):
    """Who uses something. ``name`` and ``app`` are empty where they are another team's."""

    by: Literal["container", "service", "release"]
    name: str
    app: str
    running: bool


class StorageThing(TypedDict):
    """``size``: bytes that go with it, null where nobody knows; ``shared``: those that others have
    as well. ``ours``: whether CloudBang made it; ``kept``: whether a clean-up leaves it in any case."""

    kind: Kind
    id: str
    name: str
    names: list[str]
    note: str
    size: int | None
    shared: int
    created: Time | None
    used_by: list[StorageUse]
    ours: bool
    kept: bool


class StorageDisk(TypedDict):
    """Bytes of the file system that the engine keeps its things on."""

    total: int
    free: int


class StorageBytes(TypedDict):
    """How many each kind takes."""

    image: int
    volume: int
    cache: int


class Storage(TypedDict):
    """``cache_budget``: bytes that the build cache is kept within."""

    things: list[StorageThing]
    bytes: StorageBytes
    disk: StorageDisk | None
    cache_budget: int


class CleanUpRequest(Body):
    """``others``: also what CloudBang did not make."""

    kinds: Annotated[list[Kind], Field(min_length=1, default_factory=lambda: list(USUAL))]
    others: bool = False


class CleanUpItem(TypedDict):
    """One thing that would go. ``names``: the tags that would be taken from an image."""

    kind: Kind
    id: str
    name: str
    names: list[str]
    size: int | None
    ours: bool


class CleanUpPlan(TypedDict):
    """Carried out as it stands here, and once."""

    id: str
    items: list[CleanUpItem]
    bytes: int


class CleanUpChosen(Body):
    """One thing of a plan."""

    kind: Kind
    id: str


class CleanUpChoice(Body):
    """``only``: of the plan these; all of it where it is not given."""

    only: list[CleanUpChosen] | None = None


class CleanUpOutcome(TypedDict):
    """``why``, of what stayed: used, kept, named, gone, or the engine's own words."""

    kind: Kind
    id: str
    name: str
    size: int | None
    done: bool
    why: str


class CleanedUp(TypedDict):
    """``bytes``: given back, at least: what several shared, and none has any more, is not counted."""

    outcomes: list[CleanUpOutcome]
    bytes: int
