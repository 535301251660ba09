"""A search over several apps: what is found, newest first, and how often over time, as it is found.

The answer is written in lines of JSON while the search goes on; who leaves ends it. It is held back
by who reads slowly, and then holds two megabytes at most.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import gevent
import orjson
from flask import Blueprint, Response, request

from cloudbang.accounts import Caller
from cloudbang.core.budget import Lease
from cloudbang.core.loop import in_turns
from cloudbang.domain.lines import format_time, row
from cloudbang.domain.names import is_log_name
from cloudbang.domain.time_bins import TimeBins, seconds_of
from cloudbang.errors import BadRequest, NoSuchApp
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged import HELD_BYTES
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place, Progress
from cloudbang.storage.logs.reader import Lines
from cloudbang.storage.logs.timeline import range_of
from cloudbang.web.api.downloads import cut_off, while_good
from cloudbang.web.api.leases import another_lease, lease, piece_by_piece
from cloudbang.web.api.log_lines import FILTERS, filters_of_request
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import FLAG, flag, number, whole
from cloudbang.web.api.schemas import search as shapes
from cloudbang.web.security.authenticator import caller
from cloudbang.web.services import Services, services

bp = Blueprint("search", __name__, url_prefix="/api/v1")

HITS, MOST_HITS = 100, 1_000
CONTEXT, MOST_CONTEXT = 2, 10
ENTRY, ENTRY_BYTES = 60, 64 * 1024  # lines of an entry in what is found, and about their text
AT_ONCE = 10  # of what is found, in one piece of the answer
TEXT = 4_096  # characters of a line in what is found; all of it is in the app's log
EVERY = 0.2  # seconds between two words of how far it is
APPS = 200  # that may be named in one call

QUERY = {
    "query": FILTERS["query"],
    "q": FILTERS["q"],
    "regex": FILTERS["regex"],
    "case": FILTERS["case"],
    "level": FILTERS["level"],
    "since": FILTERS["since"],
    "until": FILTERS["until"],
    "stream": FILTERS["stream"],
    "container": FILTERS["container"],
    "app": Parameter(
        {"type": "array", "items": {"type": "string"}, "maxItems": APPS},
        "in the logs of these apps; of all that the caller may view, those that are gone as well",
    ),
    "limit": Parameter(whole(1, MOST_HITS, HITS), "entries that are given, the newest ones"),
    "context": Parameter(
        whole(0, MOST_CONTEXT, CONTEXT), "lines of the same log before and after each"
    ),
    "count": Parameter(FLAG, "0: only the lines, without a count of all that there are"),
    "cursor": Parameter({"type": "string"}, "what the end of a search said: what is older than it"),
}


@bp.get("/search")
@operation(gives=("application/jsonl",), query=QUERY)
def search() -> Response:
    """What several apps logged, newest first, one JSON object a line as it is found: begin, range,
    hits and counts as often as there are some, end."""
    apps, named = apps_of_request()
    query = filters_of_request(number("limit", 1, MOST_HITS) or HITS)
    if query.match is None and query.levels is None:
        raise BadRequest("q", "", "what to look for, or a level")
    context = number("context", 0, MOST_CONTEXT)
    asked = MergedQuery(
        replace(query, size=MOST_HITS * HELD_BYTES),
        before=place_of_text("cursor", request.args.get("cursor", "")),
        count="count" not in request.args or flag("count"),
    )
    room = another_lease().take(HELD_BYTES)
    begins: shapes.SearchBegins = {"op": "begin", "apps": apps if named else []}
    found = Search(services().store, apps, asked, CONTEXT if context is None else context)
    pieces = _pieces(begins, found.run(), room)
    answer = Response(
        while_good(piece_by_piece(pieces, lease()), still(services(), caller().login, apps)),
        content_type="application/jsonl",
    )
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy in front hands on what comes as it comes
    answer.call_on_close(pieces.close)
    answer.call_on_close(room.close)
    return answer


def apps_of_request() -> tuple[list[str], bool]:
    """The apps that this request names, by name, or all that the caller may view; and whether they
    were named. Raises NoSuchApp, BadRequest."""
    parts, who = services(), caller()
    names = list(dict.fromkeys(request.args.getlist("app")))
    if len(names) > APPS:
        raise BadRequest("app", f"{len(names)} names", f"at most {APPS}")
    for name in names:
        if not is_log_name(name) or not _may_view(parts, who, name):
            raise NoSuchApp(name)
    if names:
        return sorted(names), True
    teams = who.teams("view")
    return [n for n in in_turns(parts.store.apps()) if parts.apps.owner(n) in teams], False


def still(parts: Services, login: str, apps: list[str]) -> Callable[[], None]:
    """What raises when this login may no longer view one of these apps."""

    def check() -> None:
        who = parts.accounts.credentials.current(login)
        if who is None:
            raise cut_off("signed out")
        teams = {parts.apps.team_of(app) for app in apps}
        if not teams <= who.teams("view"):
            raise cut_off("not allowed any more")

    return check


def _may_view(parts: Services, who: Caller, name: str) -> bool:
    return parts.apps.get(name) is not None and who.can("view", parts.apps.team_of(name))


FIRST, LAST = "", "~"
"""In place of an app: before, and after, all lines of that time."""

_SEQ = re.compile("[0-9]{1,16}").fullmatch


def place_of_text(name: str, text: str) -> Place | None:
    """The place that a cursor says. Raises BadRequest."""
    if not text:
        return None
    time, _, rest = text.partition("_")
    seq, _, app = rest.partition("_")
    edge = seq == "0" and app in (FIRST, LAST)
    if len(time) != 30 or not time.isascii() or not (edge or (_SEQ(seq) and is_log_name(app))):
        raise BadRequest(name, text, "what an answer gave as its cursor")
    return Place(time.encode(), app, int(seq))


def text_of_place(place: Place) -> str:
    """A place as a cursor."""
    return f"{place.time.decode('ascii', 'replace')}_{place.seq}_{place.app}"


def _pieces(
    begins: shapes.SearchBegins, found: Iterator[bytes], room: Lease
) -> Generator[bytes, None, None]:
    try:
        yield _line(begins)
        yield from found
    finally:
        room.close()


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class Search:
    """One search, from its first line to its last."""

    def __init__(self, store: LogStore, apps: list[str], asked: MergedQuery, context: int) -> None:
        self.store, self.apps, self.asked, self.context = store, apps, asked, context
        self.bins: TimeBins | None = None

    def run(self) -> Iterator[bytes]:
        told = 0.0
        scan: Progress | None = None
        some = False
        for lines, scan in self.store.merged.read(self.apps, self.asked):
            if self.bins is None and scan.begun and self.asked.count:
                self.bins = self._bins(scan)
                yield _line(self._range(self.bins))
            if self.bins:
                self.bins.add([at for at, _ in scan.counted])
            while lines:  # the first at once, the next ten at a time
                part = AT_ONCE if some else 1
                yield self._hits(lines[:part])
                lines, some = lines[part:], True
            if time.monotonic() > told + EVERY:
                told = time.monotonic()
                yield _line(self._counts(scan))
        if scan is not None:
            yield _line(self._counts(scan))
        cursor = scan.cursor if scan else None
        ends: shapes.SearchEnds = {
            "op": "end",
            "found": scan.found if scan else 0,
            "cursor": text_of_place(cursor) if cursor else None,
            "failed": [
                {"app": app, "message": e.strerror or str(e)}
                for app, e in (scan.failed.items() if scan else ())
            ],
        }
        yield _line(ends)

    def _bins(self, scan: Progress) -> TimeBins:
        oldest, newest = seconds_of(scan.oldest), seconds_of(scan.newest)
        return TimeBins(*range_of(oldest, newest, self.asked.query, int(time.time())))

    @staticmethod
    def _range(bins: TimeBins) -> shapes.SearchRange:
        start = format_time(bins.start * 1_000_000_000)
        return {"op": "range", "start": start, "width": bins.width, "bins": len(bins.counts)}

    def _counts(self, scan: Progress) -> shapes.SearchCounts:
        edge = scan.edge.decode("ascii", "replace")
        return {
            "op": "counts",
            "found": scan.found,
            "bins": self.bins.changed() if self.bins else [],
            "looked": min(scan.looked, scan.of),
            "of": scan.of,
            "back_to": edge if len(edge) == 30 and edge[:1] != "\0" else None,
        }

    def _hits(self, lines: list[MergedLine]) -> bytes:
        around = [self._around(line) for line in lines]
        return gevent.get_hub().threadpool.apply(_encoded, (lines, around))

    def _around(self, found: MergedLine) -> tuple[Lines, Lines]:
        """Lines of the same log before the entry and after it."""
        context, entry = self.context, found.entry
        if not context or entry is None:
            return [], []
        app, first, last = found.place.app, entry.first, entry.lines[-1][0]
        query = Query(size=HELD_BYTES // 20, account=self.asked.query.account)
        if first == last:
            query = replace(query, after=first - context - 1, before=first + context + 1)
            lines = self.store.read(app, query).lines
            return [one for one in lines if one[0] < first], [
                one for one in lines if one[0] > first
            ]
        query = replace(query, limit=context)
        before = self.store.read(app, replace(query, before=first)).lines
        return before, self.store.read(app, replace(query, after=last)).lines


def _encoded(lines: list[MergedLine], around: list[tuple[Lines, Lines]]) -> bytes:
    hits = []
    for (place, raw, entry), (before, after) in zip(lines, around, strict=True):
        line = row(place.seq, raw)
        hit: shapes.Hit = {
            "app": place.app,
            "line": _shortened(line),
            "level": entry.level if entry else None,  # type: ignore[typeddict-item]
            "before": [_shortened(row(*one)) for one in before],
            "after": [_shortened(row(*one)) for one in after],
        }
        if len(line[4]) > TEXT:
            hit["cut"] = len(line[4]) - TEXT
        if entry and len(entry.lines) > 1:
            its = _near(entry.lines, place.seq)
            hit["entry"] = [_shortened(row(seq, one)) for seq, one, _ in its]
            hit["lines"] = len(entry.lines)
        hits.append(hit)
    found: shapes.SearchHits = {"op": "hits", "hits": hits}
    return _line(found)


def _near(
    lines: list[tuple[int, bytes, str | None]], seq: int
) -> list[tuple[int, bytes, str | None]]:
    """The first line of an entry and those about the one that was found: not more than a page shows."""
    at = next((n for n, line in enumerate(lines) if line[0] == seq), 0)
    start = max(min(at - ENTRY // 2, len(lines) - ENTRY + 1), 1)
    chosen, size = lines[:1], len(lines[0][1])
    for line in lines[start : start + ENTRY - 1]:
        size += min(len(line[1]), TEXT)
        if size > ENTRY_BYTES and line[0] > seq:
            break
        chosen.append(line)
    return chosen


def _shortened(line: tuple[int, str, str, str, str]) -> Any:
    return line if len(line[4]) <= TEXT else (*line[:4], line[4][:TEXT])
