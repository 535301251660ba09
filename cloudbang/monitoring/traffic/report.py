"""What is said of an app's traffic in some time, made of tallies. For a thread: it may be long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from cloudbang.domain.metrics.histogram import RELATIVE_ERROR, SCALE, Histogram, bounds_of
from cloudbang.domain.metrics.tally import Address, Entry, Tally
from cloudbang.storage.traffic.store import COARSE, FINE, KEPT, MIDDLE

QUANTILES = (0.5, 0.95, 0.99)
LIVE = 300  # seconds

_HOUR = 3600
_WIDTHS = (
    *(10, 20, 30, 60, 120, 300, 600, 1200, 1800),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 12, 24)),
)
_FINE_SPAN, _MIDDLE_SPAN = 2 * _HOUR, 3 * 24 * _HOUR  # seconds of which a tier's rows are read
_ROW = 1 << SCALE - 1  # buckets of one row of the heat map: half a doubling
_ROWS = (-14 * 2, 12 * 2)  # of them, from 60 us to 68 min; what is beyond is in the last one


class Window(NamedTuple):
    """``since`` and ``until`` are multiples of ``width``; ``tier``: the rows that are read."""

    since: int
    until: int
    width: int
    tier: int


def window(since: float, until: float, points: int, now: float) -> Window:
    """What of that time can be said in at most so many columns."""
    span = max(until - since, 1)
    if since >= now - KEPT[FINE] and span <= _FINE_SPAN:
        tier = FINE
    elif since >= now - KEPT[MIDDLE] and span <= _MIDDLE_SPAN:
        tier = MIDDLE
    else:
        tier = COARSE
    for width in _WIDTHS:
        first, last = int(since // width) * width, ceil(until / width) * width
        if width >= tier and (last - first <= points * width or width == _WIDTHS[-1]):
            break
    last = max(last, first + width)
    return Window(max(first, last - points * width), last, width, tier)


@dataclass(slots=True)
class Asked:
    """``began``: since when it is counted; ``read``: up to when the log was."""

    window: Window
    top: int
    by: Sequence[str]
    began: float
    read: float
    name: Callable[[str], str]


def report(rows: list[tuple[int, Tally]], asked: Asked) -> dict[str, Any]:
    """All but what is of now alone: ``docs/protocols/traffic.md``."""
    its = asked.window
    whole, columns = Tally(), _columns(rows, its)
    for time, tally in rows:
        if its.since <= time < its.until:
            whole.merge(tally, asked.name)
    first, *others = asked.by
    listed = whole.top(first, asked.top)
    shown = {address for address, _ in listed}
    rest = [entry for address, entry in whole.entries if address not in shown]
    rest.append(whole.entries.rest)
    said = {
        "since": its.since,
        "until": its.until,
        "width": its.width,
        "read": round(min(asked.read, its.until), 3),
        "requests": whole.requests,
        "errors": whole.errors,
        "left": whole.left,
        "bytes": whole.sent,
        "statuses": {_status(code): n for code, n in sorted(whole.statuses.items())},
        "methods": dict(sorted(whole.methods.items())),
        "latency": {
            "count": whole.latency.count,
            "mean": _mean(whole.latency),
            "quantiles": quantiles(whole.latency),
            "error": round(RELATIVE_ERROR, 4),
        },
        "connections": {"ended": whole.streams, "seconds": round(whole.stream_seconds, 3)},
        "columns": [_column(time, tally, asked) for time, tally in columns],
        "heat": _heat([tally for _, tally in columns]),
        "top": [_entry(*one) for one in listed],
        "others": {
            "count": sum(entry.count for entry in rest),
            "seconds": round(sum(entry.seconds for entry in rest), 6),
        },
        "off_by": whole.entries.missed,
    }
    for by in others:
        said[f"by_{by}"] = [_entry(*one) for one in whole.top(by, asked.top)]
    return said


def quantiles(histogram: Histogram) -> dict[str, float | None]:
    return {str(q): _short(histogram.quantile(q)) for q in QUANTILES}


def _columns(rows: list[tuple[int, Tally]], its: Window) -> list[tuple[int, Tally]]:
    found = {time: Tally() for time in range(its.since, its.until, its.width)}
    for time, tally in rows:
        column = found.get(time - time % its.width)
        if column is not None:
            column.requests += tally.requests
            column.errors += tally.errors
            column.latency.merge(tally.latency)
    return list(found.items())


def _column(time: int, tally: Tally, asked: Asked) -> list[float | None]:
    if not tally.requests and (time + asked.window.width <= asked.began or time >= asked.read):
        return [time, None, None, None, None, None]
    return [time, tally.requests, tally.errors, *quantiles(tally.latency).values()]


def _heat(columns: list[Tally]) -> dict[str, Any]:
    counts = []
    for tally in columns:
        rows: dict[int, int] = {}
        for index, n in tally.latency.indexes():
            row = min(max(index // _ROW, _ROWS[0]), _ROWS[1])
            rows[row] = rows.get(row, 0) + n
        counts.append(rows)
    used = [row for rows in counts for row in rows]
    if not used:
        return {"bounds": [], "columns": [[] for _ in columns]}
    first, last = min(used), max(used)
    return {
        "bounds": [_short(bounds_of(row * _ROW)[0]) for row in range(first, last + 2)],
        "columns": [[rows.get(row, 0) for row in range(first, last + 1)] for rows in counts],
    }


def _entry(address: Address, entry: Entry) -> dict[str, Any]:
    return {
        "method": address[0],
        "path": address[1],
        "count": entry.count,
        "errors": entry.errors,
        "seconds": round(entry.seconds, 6),
        "mean": _mean(entry.latency),
        "quantiles": quantiles(entry.latency),
        "most": _short(entry.most) if entry.latency.count else None,
        "example": entry.example,
    }


def _mean(histogram: Histogram) -> float | None:
    return _short(histogram.total / histogram.count) if histogram.count else None


def _short(value: float | None) -> float | None:
    """Six digits: more of them say nothing."""
    return value if value is None else float(f"{value:.6g}")


def _status(code: int) -> str:
    return str(code) if code else "(other)"
