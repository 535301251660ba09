"""Apps, their lines and their events, from the inventory and the store."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import gevent
import orjson
from flask import Blueprint, Response, request

from cloudbang.accounts import NotSignedIn
from cloudbang.apps import AppInUse, Place
from cloudbang.domain.apps import App
from cloudbang.domain.levels import LEVELS
from cloudbang.domain.lines import STREAMS, format_time, row
from cloudbang.domain.names import CONTAINER_ID, is_container_id
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.log_store import Deleted, LinesGone, LogStore, Query
from cloudbang.web.api.app_json import all_apps, one_app
from cloudbang.web.api.downloads import send, while_good
from cloudbang.web.api.leases import PIECE, lease, piece_by_piece
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import FLAG, SEQ, TIME, flag, json, moment, number, seq, whole
from cloudbang.web.api.schemas import apps as shapes
from cloudbang.web.api.search import MAX_PATTERN, NO_LEVEL, matcher
from cloudbang.web.security import access
from cloudbang.web.security.authenticator import caller, needs, require_app
from cloudbang.web.services import Services, services

log = logging.getLogger(__name__)

bp = Blueprint("apps", __name__, url_prefix="/api/v1/apps")

LINES, MOST_LINES = 500, 5_000
APPS, MOST_APPS = 100, 1_000  # of those that are gone, in one answer
PLACES: dict[str, Place] = {"gone": "gone", "put_away": "away"}
WHOLE = 1024 * 1024  # bytes of text in an answer that is made at once; more is made in pieces
BUILDING = 3 * WHOLE  # bytes: the lines, their rows, their JSON
ANSWER_BYTES = 15 * 1024 * 1024
"""Of text in one answer, which is whole lines: at most 16 MiB. What is beyond is fetched from its
cursor."""
AT_ONCE = 128 * 1024  # bytes of text that are encoded on the hub; more goes to a thread


LIMIT = Parameter(whole(1, MOST_LINES, LINES), "at most")
FILTERS = {
    "after": Parameter(SEQ, "lines with a greater seq"),
    "before": Parameter(SEQ, "lines with a smaller seq; alone, the last of them"),
    "since": Parameter(TIME, "lines of this time or later"),
    "until": Parameter(TIME, "lines of this time or earlier; alone, the last of them"),
    "container": Parameter(
        {"type": "string", "pattern": f"^{CONTAINER_ID.pattern}$"},
        "lines of this container: 12 or 64 hex digits",
    ),
    "stream": Parameter({"enum": list(STREAMS)}, "lines of this stream"),
    "q": Parameter(
        {"type": "string", "maxLength": MAX_PATTERN},
        "lines whose text holds this, without its colour codes",
    ),
    "regex": Parameter(FLAG, "1: q is a regular expression in RE2's syntax"),
    "case": Parameter(FLAG, "1: q tells capitals from small letters"),
    "level": Parameter(
        {"type": "array", "items": {"enum": [*LEVELS, NO_LEVEL]}},
        "lines of these levels; none: lines that do not say",
    ),
}
APPS_QUERY = {
    "state": Parameter({"enum": list(PLACES)}, "these, and not those that are listed"),
    "q": Parameter(
        {"type": "string", "maxLength": MAX_PATTERN},
        "with state: those whose names hold each of these words; the counts are of them, too",
    ),
    "after": Parameter({"type": "string"}, "with state: go on, what next said"),
    "limit": Parameter(whole(1, MOST_APPS, APPS), "with state: at most"),
}
DOWNLOAD_QUERY = {"format": Parameter({"enum": ["text", "jsonl"]}, "text unless said"), **FILTERS}
EVENTS_QUERY = {"since": FILTERS["since"], "until": FILTERS["until"], "limit": LIMIT}


@bp.get("")
@operation(gives=shapes.Apps, query=APPS_QUERY)
def apps() -> Response:
    """The apps that have containers, were deployed, or belong to the programs that put lines last.
    Of those that are gone or put away how many there are; with state a page of them, by name."""
    registry, teams = services().apps, caller().teams("view")
    state = request.args.get("state") or None
    if state is None:
        found = all_apps(services(), caller())
        return json({"apps": found, "next": None, **registry.counts(teams)})
    if state not in PLACES:
        raise BadRequest("state", state, "one of " + ", ".join(PLACES))
    limit, words = number("limit", 1, MOST_APPS) or APPS, _words("q")
    found_in = {
        where: [name for name in registry.names(teams, place) if _holds(name, words)]
        for where, place in PLACES.items()
        if words or where == state
    }
    names = found_in[state]
    counts = registry.counts(teams) if not words else {w: len(n) for w, n in found_in.items()}
    begin = bisect_right(names, request.args.get("after", ""))
    page = names[begin : begin + limit]
    found = [one_app(services(), name) for name in page]
    following = page[-1] if begin + limit < len(names) else None
    return json({"apps": found, "next": following, **counts})


@bp.get("/<app>")
@operation(gives=shapes.App)
def app_(app: str) -> Response:
    """One app with its instances."""
    return json(one_app(services(), require_app(app).name))


@bp.get("/<app>/removal")
@needs("manage")
@operation(gives=shapes.Removal)
def removal(app: str) -> Response:
    """What deleting an app, or its log, would take away."""
    found = services().apps.removal(require_app(app, "manage").name)
    shown: shapes.Removal = {
        "bytes": found.bytes,
        "lines": found.lines,
        "events": found.events,
        "first_time": found.first_time,
        "last_time": found.last_time,
    }
    return json(shown)


@bp.delete("/<app>")
@needs("manage")
@operation()
def delete(app: str) -> Response:
    """Delete what is kept of an app that is gone: its log, its events and its record. Refused
    while it has containers, which are never touched."""
    found, apps = require_app(app, "manage"), services().apps
    events = apps.removal(found.name).events
    try:
        done = apps.delete(found.name)
    except AppInUse as e:
        if e.deleted:
            _log_deleted(found.name, e.deleted)
        raise
    # Its events are gone with it: this is where it is written down.
    log.warning(
        "%s deleted the app %s of the team %s: %d lines, %d bytes, %d events",
        *(caller().name, found.name, found.team, done.lines, done.bytes, events),
    )
    return Response(status=204)


@bp.delete("/<app>/lines")
@needs("manage")
@operation()
def delete_lines(app: str) -> Response:
    """Delete an app's log. Its containers are not touched, and its seqs go on."""
    name = require_app(app, "manage").name
    _log_deleted(name, services().apps.delete_lines(name))
    return Response(status=204)


@bp.post("/<app>/put_away")
@needs("manage")
@operation(gives=shapes.App)
def put_away(app: str) -> Response:
    """Take an app that is gone out of sight, until it comes back."""
    return json(services().apps.as_json(_put_away(app, True)))


@bp.delete("/<app>/put_away")
@needs("manage")
@operation(gives=shapes.App)
def bring_back(app: str) -> Response:
    """Show an app again that was put away."""
    return json(services().apps.as_json(_put_away(app, False)))


@bp.get("/<app>/lines")
@operation(gives=shapes.Lines, query={**FILTERS, "limit": LIMIT})
def lines(app: str) -> Response:
    """Lines, oldest first. A search that ran out of time, or an answer that grew too large, has a
    cursor: go on with after=cursor, or with before=cursor where only before or until was given."""
    query = query_of_request(number("limit", 1, MOST_LINES) or LINES)
    store, name = services().store, require_app(app).name
    lease().take(BUILDING)
    page = store.read(name, replace(query, size=WHOLE))
    if page.cursor is not None and sum(len(raw) for _, raw in page.lines) >= WHOLE:
        sizes = store.find(name, replace(query, size=ANSWER_BYTES))
        ends = {"first": page.first, "next": page.next}
        if sizes.cursor is not None:
            ends["cursor"] = sizes.cursor
        pieces = piece_by_piece(_page(store, name, query, sizes.seqs, ends), lease())
        allow = partial(_view, services(), caller().login, app)
        return Response(while_good(pieces, allow), content_type="application/json")
    answer: dict[str, object] = {"lines": None, "first": page.first, "next": page.next}
    if page.cursor is not None:
        answer["cursor"] = page.cursor
    size = sum(len(raw) for _, raw in page.lines)
    if size <= AT_ONCE:
        body = _encode(answer, page.lines)
    else:
        body = gevent.get_hub().threadpool.apply(_encode, (answer, page.lines))
    return Response(body, content_type="application/json")


@bp.get("/<app>/download")
@operation(gives=("text/plain", "application/jsonl"), query=DOWNLOAD_QUERY)
def download(app: str) -> Response:
    """Every line that passes the filters, as it is in the files or as JSON lines."""
    kind = request.args.get("format", "text")
    if kind not in ("text", "jsonl"):
        raise BadRequest("format", kind, "text or jsonl")
    query = query_of_request(2**62)
    scan = services().store.scan(require_app(app).name, query)
    lease().take(PIECE)
    pieces = _begun(_pieces(scan, kind == "jsonl"))
    name = f"{app}-{datetime.now(UTC):%Y%m%d-%H%M%S}.{'jsonl' if kind == 'jsonl' else 'log'}"
    content_type = "application/jsonl" if kind == "jsonl" else "text/plain; charset=utf-8"
    return send(pieces, name, content_type, allow=partial(_view, services(), caller().login, app))


def _view(parts: Services, login: str, app: str) -> None:
    """Raises where this login may no longer view the app."""
    who = parts.accounts.credentials.current(login)
    if who is None:
        raise NotSignedIn
    access.require_app(who, app, "view", parts.apps)


@bp.get("/<app>/seq")
@operation(gives=shapes.SeqAt, query={"time": Parameter(TIME, "a time", required=True)})
def seq_at(app: str) -> Response:
    """The seq of the first line at or after a time: where a jump to that time lands."""
    time = moment("time")
    if time is None:
        raise BadRequest("time", "", "a time such as 2026-07-01T12:00:00Z")
    return json({"seq": services().store.seq_at(require_app(app).name, time)})


@bp.get("/<app>/events")
@operation(gives=shapes.Events, query=EVENTS_QUERY)
def events(app: str) -> Response:
    """Events of an app, oldest first: the newest of those asked for."""
    found = services().events.list(
        require_app(app).name, _key("since"), _key("until"), number("limit", 1, MOST_LINES) or LINES
    )
    return json({"events": [event.as_json() for event in found]})


def _words(name: str) -> list[str]:
    text = request.args.get(name, "")
    if len(text) > MAX_PATTERN:
        raise BadRequest(name, text, f"at most {MAX_PATTERN} characters")
    return text.lower().split()


def _holds(name: str, words: list[str]) -> bool:
    lower = name.lower()
    return all(word in lower for word in words)


def _log_deleted(app: str, done: Deleted) -> None:
    if done.lines:
        who, went = caller().name, {"lines": done.lines, "bytes": done.bytes}
        services().recorder.action(app, "", who, "log-delete", **went)
        log.warning("%s deleted %d lines of the app %s", who, done.lines, app)


def _put_away(app: str, away: bool) -> App:
    before = require_app(app, "manage")
    after = services().apps.put_away(before.name, away)
    if after.put_away != before.put_away:
        what = "put-away" if away else "bring-back"
        services().recorder.action(after.name, "", caller().name, what)
    return after


def query_of_request(limit: int) -> Query:
    """The query of this request. Raises BadRequest."""
    container = request.args.get("container") or None
    if container is not None and not is_container_id(container):
        raise BadRequest("container", container, "a container's id: 12 or 64 hex digits")
    stream = request.args.get("stream") or None
    if stream is not None and stream not in STREAMS:
        raise BadRequest("stream", stream, "one of " + ", ".join(STREAMS))
    return Query(
        after=seq("after"),
        before=seq("before"),
        since=moment("since"),
        until=moment("until"),
        container=container[:12] if container else None,
        stream=stream,
        match=matcher(
            request.args.get("q", ""),
            regex=flag("regex"),
            case=flag("case"),
            levels=request.args.getlist("level"),
        ),
        limit=limit,
        account=caller().holder,
    )


def _page(
    store: LogStore, app: str, query: Query, seqs: list[int], ends: dict[str, int]
) -> Iterator[bytes]:
    """The answer with the lines of these seqs, in pieces. Raises LinesGone."""
    at, before = 0, b'{"lines":['
    while found := store.pick(app, seqs[at:], replace(query, size=AT_ONCE)):
        if store.first_seq(app) > seqs[at]:
            raise LinesGone(app)
        at = bisect_right(seqs, found[-1][0])
        rows = gevent.get_hub().threadpool.apply(_encode_rows, (found,))
        del found
        yield before + rows
        before = b","
        del rows
    if before != b"," or (at < len(seqs) and store.first_seq(app) > seqs[at]):
        raise LinesGone(app)
    yield b"]," + orjson.dumps(ends)[1:]


def _encode_rows(found: Sequence[tuple[int, bytes]]) -> bytes:
    return orjson.dumps([row(number, raw) for number, raw in found])[1:-1]


def _encode(answer: dict[str, object], found: Sequence[tuple[int, bytes]]) -> bytes:
    return orjson.dumps({**answer, "lines": [row(number, raw) for number, raw in found]})


def _begun(pieces: Generator[bytes, None, None]) -> Generator[bytes]:
    """The same with its first piece made: what fails at once is said as any failure is."""
    first = next(pieces, b"")

    def all_of_them() -> Generator[bytes, None, None]:
        yield first
        yield from pieces

    return all_of_them()


def _pieces(
    scan: Iterator[Sequence[tuple[int, bytes]]], as_json: bool
) -> Generator[bytes, None, None]:
    for batch in scan:
        if as_json:
            yield gevent.get_hub().threadpool.apply(_jsonl, (batch,))
        else:
            yield b"".join(raw for _, raw in batch)


def _jsonl(batch: Sequence[tuple[int, bytes]]) -> bytes:
    names = ("seq", "time", "container", "stream", "text")
    return b"".join(
        orjson.dumps(
            dict(zip(names, row(number, raw), strict=True)), option=orjson.OPT_APPEND_NEWLINE
        )
        for number, raw in batch
    )


def _key(name: str) -> str | None:
    time = moment(name)
    try:
        return None if time is None else format_time(time)
    except ValueError:
        raise BadRequest(name, request.args[name], "a time after the year 1") from None
