"""Apps, their lines and their events."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from cloudbang.domain.apps import Condition
from cloudbang.web.api.schemas.shapes import Seq, Stream, Time

Line = TypeAliasType(
    "Line",
    Annotated[
        tuple[Seq, Time, str, Stream, str], Field(description="seq, time, container, stream, text")
    ],
)


class Instance(TypedDict):
    """One container; ``id`` has 12 hex digits. ``state`` is the engine's word for this instant,
    ``condition`` how it does; ``error`` why the engine could not start it. ``restarts`` counts, of a
    service's instance, those before it that ended by themselves, ``last_exit`` is the last one's
    code; ``replaced``: another one is in its place. ``of_service``: it is Swarm's, and operated
    with its service only."""

    id: str
    name: str
    image: str
    image_id: str
    state: str
    condition: Condition
    since: Time | None
    error: str | None
    health: str | None
    health_failures: int
    health_output: str | None
    ports: list[str]
    created: Time
    started_at: Time | None
    finished_at: Time | None
    restarts: int
    exit_code: int | None
    oom_killed: bool
    tty: bool
    log_driver: str
    readable: bool
    unreadable_reason: str | None
    one_off: bool
    of_service: bool
    last_exit: int | None
    replaced: bool


class App(TypedDict):
    """``state`` is gone where only lines are left; ``condition`` is how it does, ``trouble`` whether
    somebody should look at it, ``running`` how many instances run, ``up`` whether any has a process,
    ``since`` when that began or ended; ``rate`` in lines per second; ``samples`` what was measured
    of it last, by metric, in the units that its metrics have. The live feed leaves that out."""

    name: str
    team: str
    kind: Literal["deployed", "found", "put"]
    put_away: bool
    state: str
    condition: Condition
    trouble: bool
    running: int
    since: Time | None
    up: bool
    stack: str | None
    instances: list[Instance]
    last_line: Line | None
    first: Seq
    next: Seq
    rate: float
    samples: NotRequired[dict[str, float]]


class Apps(TypedDict):
    """``gone`` and ``put_away``: how many there are; ``next``: the name to go on after."""

    apps: list[App]
    next: str | None
    gone: int
    put_away: int


class Removal(TypedDict):
    """What deleting an app, or its log, would take away; the times of the oldest and the newest
    line."""

    bytes: int
    lines: int
    events: int
    first_time: Time | None
    last_time: Time | None


Level = Literal["trace", "debug", "info", "warning", "error"]
Extent = TypeAliasType(
    "Extent",
    Annotated[
        tuple[Seq, Seq, Level | None, str, Stream],
        Field(description="first and last seq, level, container, stream"),
    ],
)


class Lines(TypedDict):
    """``levels``: what each line says of itself. ``entries``: those of several lines that these are
    in; all lines of the container and stream from the first to the last belong to it. ``cursor``
    where there is more: go on with after=cursor, or with before=cursor where only before or until
    was given."""

    lines: list[Line]
    levels: list[Level | None]
    entries: list[Extent]
    first: Seq
    next: Seq
    cursor: NotRequired[Seq]


class SeqAt(TypedDict):
    seq: Seq


class Event(TypedDict):
    """``data`` depends on the kind; ``container`` is empty where it concerns none."""

    id: int
    app: str
    time: Time
    kind: str
    container: str
    data: dict[str, Any]


class Events(TypedDict):
    events: list[Event]
