"""How often over time: what a log of one app or of several shows above its lines.

Without a filter lines are counted by what the store knows of its files, and errors by what was
measured when they were logged: the first picture comes at once, a finer one after it. With a filter,
and of a log that is small, entries are read and counted by their levels, the newest first.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import gevent
import orjson
from flask import Blueprint, Response

from cloudbang.domain.levels import LEVELS
from cloudbang.domain.lines import format_time
from cloudbang.domain.time_bins import TimeBins, seconds_of
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.query import Asked
from cloudbang.monitoring.query import Query as MetricsQuery
from cloudbang.monitoring.series import ERRORS
from cloudbang.storage.logs.entry_pages import NO_LEVEL
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery, Progress
from cloudbang.storage.logs.timeline import TimelineProgress, range_of
from cloudbang.web.api.downloads import while_good
from cloudbang.web.api.leases import lease, piece_by_piece
from cloudbang.web.api.log_lines import FILTERS, filters_of_request
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import number, whole
from cloudbang.web.api.schemas import timeline as shapes
from cloudbang.web.api.search_all import QUERY as SEARCHED
from cloudbang.web.api.search_all import apps_of_request, still
from cloudbang.web.security.authenticator import caller
from cloudbang.web.services import services

bp = Blueprint("timeline", __name__, url_prefix="/api/v1")

EVERY = 0.2  # seconds between two pictures
SMALL = 4 * 1024 * 1024  # bytes of text that are read although nothing is looked for: 0.3 s
WITHIN, MOST_WITHIN = 10, 600  # seconds of looking
MEASURED = 40  # apps of which errors are asked for as they were measured
POINTS = 300
EVERY_LEVEL = frozenset((*LEVELS, NO_LEVEL))

QUERY = {
    "app": SEARCHED["app"],
    **{name: FILTERS[name] for name in ("since", "until", "container", "stream")},
    **{name: FILTERS[name] for name in ("query", "q", "regex", "case", "level")},
    "within": Parameter(
        whole(1, MOST_WITHIN, WITHIN), "seconds after which what is older is not counted any more"
    ),
}


@bp.get("/timeline")
@operation(gives=("application/jsonl",), query=QUERY)
def timeline() -> Response:
    """How much several apps logged over time, one JSON object a line: range, then counts as they
    become finer or more, end."""
    apps, _ = apps_of_request()
    query = replace(filters_of_request(1), limit=0)
    within = number("within", 1, MOST_WITHIN) or WITHIN
    parts = services()
    pieces = Timeline(parts.store, parts.metrics_query, apps, query, within).run()
    good = while_good(piece_by_piece(pieces, lease()), still(parts, caller().login, apps))
    answer = Response(good, content_type="application/jsonl")
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy in front hands on what comes as it comes
    answer.call_on_close(pieces.close)
    return answer


class Timeline:
    """One answer, from its first line to its last."""

    def __init__(
        self, store: LogStore, metrics: MetricsQuery, apps: list[str], query: Query, within: float
    ) -> None:
        self.store, self.metrics, self.apps, self.query = store, metrics, apps, query
        self.within = within

    def run(self) -> Generator[bytes, None, None]:
        query = self.query
        if query.match is None and query.levels is None:
            if query.container is None and query.stream is None:
                yield from self._by_files()
                return
            query = replace(query, levels=EVERY_LEVEL)
        yield from self._by_entries(query)

    # -- by what is known of files

    def _by_files(self) -> Generator[bytes, None, None]:
        told, last, scan = 0.0, _Told(), None
        errors: list[int | None] | None = None
        for scan in self.store.merged.timeline(self.apps, self.query):
            assert scan.bins is not None
            if not told:
                if scan.size <= SMALL:
                    break
                yield _range(scan.bins, "lines", scan.ends)
            elif errors is None:
                # After the first picture, which nobody should wait longer for.
                errors = self._errors(scan.bins)
            elif time.monotonic() < told + EVERY and not scan.done:
                continue
            told = time.monotonic()
            yield _by_lines(last, scan, errors)
        else:
            if scan is not None and scan.bins is not None:
                errors = self._errors(scan.bins) if errors is None else errors
                yield _by_lines(last, scan, errors)
                yield _end(sum(scan.counts), scan.exact, None, scan.failed)
                return
        yield from self._by_entries(replace(self.query, levels=EVERY_LEVEL))

    def _errors(self, bins: TimeBins) -> list[int | None] | None:
        """Of each bin the errors that were measured, as they were logged; None where nobody did."""
        if len(self.apps) > MEASURED:
            return None
        sums: list[float | None] = [None] * len(bins.counts)
        end = bins.start + len(sums) * bins.width
        for app in self.apps:
            gevent.sleep(0)
            try:
                asked = Asked(app, (ERRORS,), bins.start, end, POINTS)
                series = self.metrics.answer(asked)["series"]
            except StorageFailed:
                continue
            for one in series:
                _add(sums, bins, one["width"], one["points"])
        return [None if one is None else round(one) for one in sums]

    # -- by entries

    def _by_entries(self, query: Query) -> Generator[bytes, None, None]:
        asked = MergedQuery(query, count=True)
        deadline = time.monotonic() + self.within
        bins: TimeBins | None = None
        last, told, levels = _Told(), 0.0, _Levels()
        scan: Progress | None = None
        back_to: str | None = None
        for _, scan in self.store.merged.read(self.apps, asked):
            if not scan.begun:
                continue
            if bins is None:
                now = int(time.time())
                oldest, newest = (
                    seconds_of(at) if at else now for at in (scan.oldest, scan.newest)
                )
                bins = TimeBins(*range_of(oldest, newest, query, now))
                levels.begin(bins)
                ends = {app: next for app, (_, next) in scan.ends.items()}
                yield _range(bins, "entries", ends)
            levels.add(scan.counted)
            if time.monotonic() > told + EVERY:
                told = time.monotonic()
                yield _counts(last.changed(levels.bins()), scan.found, scan=scan)
            if time.monotonic() > deadline and not scan.done:
                back_to = _edge(scan)
                break
        if bins is not None and scan is not None:
            yield _counts(last.changed(levels.bins()), scan.found, scan=scan)
        found = scan.found if scan else 0
        failed = scan.failed if scan else {}
        yield _end(found, back_to is None and not failed, back_to, failed)


class _Levels:
    """Counts of entries by bin, and of errors and warnings among them."""

    def begin(self, bins: TimeBins) -> None:
        self.all = bins
        self.errors, self.warnings = bins.like(), bins.like()

    def add(self, counted: Sequence[tuple[bytes, str | None]]) -> None:
        self.all.add([at for at, _ in counted])
        self.errors.add([at for at, level in counted if level == "error"])
        self.warnings.add([at for at, level in counted if level == "warning"])

    def bins(self) -> list[tuple[int, int | None, int | None]]:
        return list(zip(self.all.counts, self.errors.counts, self.warnings.counts, strict=True))


class _Told:
    """What was told last of each bin."""

    def __init__(self) -> None:
        self._last: list[tuple[int, int | None, int | None]] = []

    def changed(self, bins: list[tuple[int, int | None, int | None]]) -> list[shapes.TimeBin]:
        last = self._last or [(0, None, None)] * len(bins)
        self._last = bins
        return [
            (at, *one)
            for at, (one, before) in enumerate(zip(bins, last, strict=True))
            if one != before
        ]


def _with_errors(
    counts: list[int], errors: list[int | None] | None
) -> list[tuple[int, int | None, int | None]]:
    if errors is None:
        return [(count, None, None) for count in counts]
    # Measured while it came, and counted by files: never more of the one than of the other.
    return [
        (count, None if bad is None else min(bad, count), None)
        for count, bad in zip(counts, errors, strict=True)
    ]


def _add(
    sums: list[float | None],
    bins: TimeBins,
    width: int,
    points: Sequence[tuple[int, Any, Any, Any]],
) -> None:
    """Spread rates of so many seconds each over bins."""
    for begin, _, mean, _ in points:
        if mean is None:
            continue
        end = begin + width
        first = max((begin - bins.start) // bins.width, 0)
        final = min((end - 1 - bins.start) // bins.width, len(sums) - 1)
        for at in range(first, final + 1):
            low = max(begin, bins.start + at * bins.width)
            high = min(end, bins.start + (at + 1) * bins.width)
            sums[at] = (sums[at] or 0.0) + mean * max(high - low, 0)


def _range(bins: TimeBins, counts: str, ends: dict[str, int]) -> bytes:
    start = format_time(bins.start * 1_000_000_000)
    told: shapes.TimelineRange = {
        "op": "range",
        "start": start,
        "width": bins.width,
        "bins": len(bins.counts),
        "counts": counts,  # type: ignore[typeddict-item]
        "ends": [{"name": app, "next": next} for app, next in ends.items()],
    }
    return _line(told)


def _by_lines(last: _Told, scan: TimelineProgress, errors: list[int | None] | None) -> bytes:
    counts = scan.counts
    bins = last.changed(_with_errors(counts, errors))
    return _counts(bins, sum(counts), exact=scan.exact)


def _counts(
    bins: list[shapes.TimeBin], found: int, *, exact: bool = True, scan: Progress | None = None
) -> bytes:
    told: shapes.TimelineCounts = {
        "op": "counts",
        "found": found,
        "bins": bins,
        "exact": exact,
        "looked": min(scan.looked, scan.of) if scan else 0,
        "of": scan.of if scan else 0,
        "back_to": _edge(scan) if scan else None,
    }
    return _line(told)


def _end(found: int, exact: bool, back_to: str | None, failed: dict[str, OSError]) -> bytes:
    told: shapes.TimelineEnds = {
        "op": "end",
        "found": found,
        "exact": exact,
        "back_to": back_to,
        "failed": [{"app": app, "message": e.strerror or str(e)} for app, e in failed.items()],
    }
    return _line(told)


def _edge(scan: Progress) -> str | None:
    edge = scan.edge.decode("ascii", "replace")
    return edge if len(edge) == 30 and edge[:1] != "\0" else None


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
