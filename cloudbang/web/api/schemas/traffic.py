"""What people get from an app: ``docs/protocols/traffic.md``."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

Moment = float
"""Seconds since 1970."""

By = Literal["seconds", "mean", "count", "errors"]


class Latency(TypedDict):
    """Of ``count`` answers, in seconds; ``quantiles`` by "0.5", "0.95", "0.99", at most ``error``
    off, as a share."""

    count: int
    mean: float | None
    quantiles: dict[str, float | None]
    error: float


class StreamConnections(TypedDict):
    """WebSockets and event streams that ``ended``, open together for ``seconds``; what is ``open``
    now, requests with them, null where it cannot be told."""

    ended: int
    seconds: float
    open: int | None


class DistinctClients(TypedDict):
    """Distinct: ``online`` in the last 5 minutes, ``error`` off at most, as a share; ``day`` since
    midnight UTC."""

    online: int
    day: int
    error: float


class HeatMap(TypedDict):
    """``columns[i][j]`` took from ``bounds[j]`` to ``bounds[j + 1]`` seconds."""

    bounds: list[float]
    columns: list[list[int]]


class AskedAddress(TypedDict):
    """Requests of one kind; times in seconds, null where none was answered."""

    method: str
    path: str
    count: int
    errors: int
    seconds: float
    mean: float | None
    quantiles: dict[str, float | None]
    most: float | None
    example: str


class OtherAddresses(TypedDict):
    """What the list of addresses has no row for."""

    count: int
    seconds: float


class Traffic(TypedDict):
    """``columns``: time, requests, errors and the three quantiles, null where it was not measured;
    ``left``: clients that went before the answer; ``off_by``: a count of ``top`` may be that much
    larger; ``trouble``: why the newest may be missing."""

    since: Moment
    until: Moment
    read: Moment
    width: int
    routed: bool
    requests: int
    errors: int
    left: int
    bytes: int
    statuses: dict[str, int]
    methods: dict[str, int]
    latency: Latency
    connections: StreamConnections
    clients: DistinctClients
    columns: list[list[float | None]]
    heat: HeatMap
    top: list[AskedAddress]
    by_mean: NotRequired[list[AskedAddress]]
    by_count: NotRequired[list[AskedAddress]]
    others: OtherAddresses
    off_by: int
    trouble: str | None
