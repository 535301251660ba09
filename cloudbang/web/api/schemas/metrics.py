"""What is measured of apps and of the node."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from cloudbang.web.api.schemas.shapes import Body

MOST_SAMPLES = 5_000

MetricPoint = TypeAliasType(
    "MetricPoint",
    Annotated[
        tuple[int, float | None, float | None, float | None],
        Field(description="time, least, mean, most; null where nothing was measured"),
    ],
)


class MetricSeries(TypedDict):
    """``step``: seconds between two measurements; ``width``: seconds of a point."""

    name: str
    unit: str
    labels: dict[str, str]
    step: int
    width: int
    points: list[MetricPoint]


class NotMeasured(TypedDict):
    """``name``: empty for what it exposes itself. ``container``: its short id; empty: of the whole."""

    name: str
    container: str
    why: str


class LastRefused(TypedDict):
    """``time`` in seconds since 1970."""

    time: int
    why: str


class RefusedMetrics(TypedDict):
    """Samples of the app's own that were not taken; ``names`` of those for which there is no place."""

    count: int
    names: list[str]
    last: LastRefused | None


class Metrics(TypedDict):
    """Times in seconds since 1970. ``kept``: seconds of the finest that is kept of ``since``."""

    since: int
    until: int
    kept: int
    series: list[MetricSeries]
    not_measured: list[NotMeasured]
    refused: RefusedMetrics
    trouble: str | None


class Samples(Body):
    """What a program measured of itself. Each sample is looked at by itself: one that cannot be
    taken is named in the answer."""

    samples: list[Any] = Field(max_length=MOST_SAMPLES)


class TakenSamples(TypedDict):
    """``refused``: the index of each that was not taken, and why."""

    taken: int
    refused: list[tuple[int, str]]


class BusyWith(TypedDict):
    """``waits``: seconds a second that the app waited for ``resource`` (``cpu``, ``memory``, ``io``).
    ``cause``: ``limit``, its own; ``neighbour``, another app, ``by``, null where the caller may not see
    it; ``itself``; ``hypervisor``, who runs the machine; ``outside``, what is no app; ``several``.
    ``share``: of the time held back, of the processors, of what all use."""

    resource: str
    cause: str
    waits: float
    share: float
    by: str | None


class SizedLimit(TypedDict):
    """A limit of ``memory`` (bytes) or ``cpu`` (cores), of all instances together, against 14 days:
    ``fit`` is ``large``, ``small`` or ``fits``; ``usual`` is the 95th percentile, ``wanted`` one that
    would fit. Not there before 3 days are known."""

    name: str
    fit: str
    limit: float
    usual: float
    most: float
    wanted: float
    days: float


class Advice(TypedDict):
    busy: list[BusyWith]
    limits: list[SizedLimit]
