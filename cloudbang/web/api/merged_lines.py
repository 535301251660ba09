"""Lines of several apps in the order of their times, page by page: what a log of several apps shows.

A cursor is a place in that order: before it and after it nothing is skipped, and no line comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import gevent
import orjson
from flask import Blueprint, Response, request

from cloudbang.core.budget import Lease
from cloudbang.domain.lines import row
from cloudbang.errors import BadRequest, StorageFailed
from cloudbang.storage.logs.described import DescribedLines
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged import HELD_BYTES
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place, Progress
from cloudbang.storage.logs.reader import time_key
from cloudbang.web.api.downloads import send
from cloudbang.web.api.leases import another_lease, lease
from cloudbang.web.api.log_lines import (
    BUILDING,
    FILTERS,
    LINES,
    MOST_LINES,
    WHOLE,
    filters_of_request,
    json_line,
)
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json, moment, number, whole
from cloudbang.web.api.schemas import search as shapes
from cloudbang.web.api.schemas.apps import Events
from cloudbang.web.api.search_all import (
    FIRST,
    LAST,
    apps_of_request,
    place_of_text,
    still,
    text_of_place,
)
from cloudbang.web.api.search_all import QUERY as SEARCHED
from cloudbang.web.security.authenticator import caller
from cloudbang.web.services import services

bp = Blueprint("merged_lines", __name__, url_prefix="/api/v1")

WITHIN = 0.4  # seconds after which a page is given as far as it was found

QUERY = {
    "before": Parameter({"type": "string"}, "lines before this cursor; the last of them"),
    "after": Parameter({"type": "string"}, "lines after this cursor; the first of them"),
    **{name: FILTERS[name] for name in ("since", "until", "container", "stream")},
    **{name: FILTERS[name] for name in ("query", "q", "regex", "case", "level")},
    "app": SEARCHED["app"],
    "limit": Parameter(whole(1, MOST_LINES, LINES), "at most"),
}


DOWNLOAD = {
    "format": Parameter({"enum": ["text", "jsonl"]}, "text unless said"),
    **{name: one for name, one in QUERY.items() if name not in ("before", "after", "limit")},
}


@bp.get("/lines")
@operation(gives=shapes.MergedLines, query=QUERY)
def lines() -> Response:
    """Lines of several apps by their times, oldest first: the last of them, unless after or since
    says from where on."""
    apps, _ = apps_of_request()
    before = place_of_text("before", request.args.get("before", ""))
    after = place_of_text("after", request.args.get("after", ""))
    query = filters_of_request(number("limit", 1, MOST_LINES) or LINES)
    backwards = after is None and (query.since is None or before is not None)
    room = lease()
    room.take(BUILDING + HELD_BYTES)
    asked = MergedQuery(query, backwards, before, after, by_lines=True)
    asked = replace(asked, query=replace(query, size=WHOLE // 2 if asked.filtered else WHOLE))
    body = page_of(services().store, apps, asked)
    room.resize(len(body))
    return Response(body, content_type="application/json")


EVENTS = {"app": SEARCHED["app"], "since": FILTERS["since"], "until": FILTERS["until"]}


@bp.get("/events")
@operation(gives=Events, query={**EVENTS, "limit": QUERY["limit"]})
def events() -> Response:
    """What happened to several apps, oldest first: the newest of those asked for."""
    apps, _ = apps_of_request()
    since, until = time_key("since", moment("since")), time_key("until", moment("until"))
    found = services().events.list(
        apps,
        since.decode() if since else None,
        until.decode() if until else None,
        number("limit", 1, MOST_LINES) or LINES,
    )
    return json({"events": [event.as_json() for event in found]})


@bp.get("/download")
@operation(gives=("text/plain", "application/jsonl"), query=DOWNLOAD)
def download() -> Response:
    """Every line of several apps that passes, by its time, as a file: text with the app in front of
    each line, or JSON lines."""
    kind = request.args.get("format", "text")
    if kind not in FILES:
        raise BadRequest("format", kind, " or ".join(FILES))
    apps, _ = apps_of_request()
    parts = services()
    query = filters_of_request(1)
    ending, content_type, encode = FILES[kind]
    held = another_lease().take(HELD_BYTES)
    pieces = _file(parts.store, apps, query, encode, held)
    name = f"logs-{datetime.now(UTC):%Y%m%d-%H%M%S}.{ending}"
    answer = send(pieces, name, content_type, allow=still(parts, caller().login, apps))
    answer.call_on_close(held.close)
    return answer


def _file(
    store: LogStore,
    apps: Collection[str],
    query: Query,
    encode: Callable[[Sequence[MergedLine]], bytes],
    held: Lease,
) -> Generator[bytes, None, None]:
    """In pieces of a megabyte or two at most. Raises OSError where a log cannot be read to its end: a
    part must not pass for the whole."""
    try:
        for found, scan in store.merged.scan(apps, query):
            for app, reason in scan.failed.items():
                raise StorageFailed(app, reason.strerror or str(reason))
            # Also where nothing was found: whoever has left is noticed.
            yield gevent.get_hub().threadpool.apply(encode, (found,))
    finally:
        held.close()


def _records(found: Sequence[MergedLine]) -> Iterator[tuple[str, int, bytes]]:
    for place, raw, entry in found:
        if entry is None:
            yield place.app, place.seq, raw
        else:
            for seq, one, _ in entry.lines:
                yield place.app, seq, one


def _as_text(found: Sequence[MergedLine]) -> bytes:
    return b"".join(b"%b %b" % (app.encode(), raw) for app, _, raw in _records(found))


def _as_json_lines(found: Sequence[MergedLine]) -> bytes:
    return b"".join(json_line(seq, raw, app=app) for app, seq, raw in _records(found))


FILES: dict[str, tuple[str, str, Callable[[Sequence[MergedLine]], bytes]]] = {
    "text": ("log", "text/plain; charset=utf-8", _as_text),
    "jsonl": ("jsonl", "application/jsonl", _as_json_lines),
}


def page_of(store: LogStore, apps: Collection[str], asked: MergedQuery) -> bytes:
    """The answer, as far as it is found in 0.4 s."""
    found: list[MergedLine] = []
    scan: Progress | None = None
    deadline, begun = time.monotonic() + WITHIN, None
    for given, scan in store.merged.read(apps, asked):
        found += given
        if begun is None and scan.begun:
            begun = scan.edge
        # Never before it has got on: a slow disk would let nobody past this page.
        got_on = scan.edge and begun and (found or begun != scan.edge)
        if time.monotonic() > deadline and got_on:
            break
    described = store.merged.describe(found, asked.query)
    body: bytes = gevent.get_hub().threadpool.apply(_encoded, (found, scan, asked, described))
    return body


def _encoded(
    found: list[MergedLine],
    scan: Progress | None,
    asked: MergedQuery,
    described: DescribedLines,
) -> bytes:
    backwards = asked.backwards
    onward = _onward(scan, backwards) if scan else None
    # The other way it goes on from the line at that end, or from where this page began.
    began = asked.before if backwards else asked.after
    back = found[0].place if found else began
    ends = scan.ends if scan else {}
    numbers = {app: at for at, app in enumerate(ends)}
    page: shapes.MergedLines = {
        "apps": [{"name": app, "first": one[0], "next": one[1]} for app, one in ends.items()],
        "lines": [
            (*row(place.seq, raw), numbers[place.app])  # type: ignore[misc]
            for place, raw, _ in described.lines
        ],
        "levels": [level for _, _, level in described.lines],  # type: ignore[misc]
        "entries": [(numbers[app], *extent) for app, extent in described.extents],  # type: ignore[misc]
        "before": _text(onward if backwards else back),
        "after": _text(back if backwards else onward),
        "failed": [
            {"app": app, "message": e.strerror or str(e)}
            for app, e in (scan.failed.items() if scan else ())
        ],
    }
    return orjson.dumps(page)


def _onward(scan: Progress, backwards: bool) -> Place | None:
    """Where the next page in the same direction begins; None where there is none."""
    if scan.cursor or scan.done:
        return scan.cursor
    return Place(scan.edge, LAST if backwards else FIRST, 0)


def _text(place: Place | None) -> str | None:
    return text_of_place(place) if place else None
