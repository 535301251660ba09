"""Lines of one log, an app's or a deployment's, as calls give them: read, searched, downloaded.

Who may is asked before; ``allow`` raises as soon as they may no longer, while an answer is written
in pieces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from unicodedata import normalize

import gevent
import orjson
from flask import Response, request
from werkzeug.datastructures import MultiDict

from cloudbang.domain.levels import LEVELS
from cloudbang.domain.line_shape import shape_of
from cloudbang.domain.lines import CONTAINER, STREAMS, format_time, row
from cloudbang.domain.names import CONTAINER_ID, is_container_id
from cloudbang.domain.query import Term
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import Match
from cloudbang.storage.logs.entry_pages import NO_LEVEL, Extent
from cloudbang.storage.logs.log_store import LinesGone, LogStore, Query
from cloudbang.storage.logs.reader import Lines
from cloudbang.web.api.downloads import send, while_good
from cloudbang.web.api.leases import PIECE, emptied, lease, piece_by_piece
from cloudbang.web.api.markdown_file import Fact, as_markdown
from cloudbang.web.api.operation import Parameter
from cloudbang.web.api.parsing import FLAG, SEQ, TIME, flag, json, moment, number, seq, whole
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.api.search import MAX_PATTERN, matcher, wanted_levels
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.security.authenticator import caller
from cloudbang.web.services import services

LINES, MOST_LINES = 500, 5_000
WHOLE = 1024 * 1024  # bytes of text in an answer that is made at once; more is made in pieces
BUILDING = 3 * WHOLE  # bytes: the lines, their rows, their JSON
ANSWER_BYTES = 15 * 1024 * 1024
"""Of text in one answer, which is whole lines: at most 16 MiB. What is beyond is fetched from its
cursor."""
AT_ONCE = 128 * 1024  # bytes of text that are encoded on the hub; more goes to a thread

KINDS = {
    "text": ("log", "text/plain; charset=utf-8"),
    "jsonl": ("jsonl", "application/jsonl"),
    "markdown": ("md", "text/markdown; charset=utf-8"),
}
"""What files there are of a log: what their names end with, and their media types."""

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
    "query": Parameter(
        {"type": "string", "maxLength": MAX_PATTERN},
        "entries in which each of these terms holds, such as level:error status:>=500 -path:/healthz",
    ),
    "q": Parameter(
        {"type": "string", "maxLength": MAX_PATTERN},
        "entries of which a line holds this, without its colour codes",
    ),
    "regex": Parameter(FLAG, "1: q is a regular expression in RE2's syntax"),
    "case": Parameter(FLAG, "1: q tells capitals from small letters"),
    "level": Parameter(
        {"type": "array", "items": {"enum": [*LEVELS, NO_LEVEL]}},
        "entries of these levels; none: those that do not say",
    ),
}
DOWNLOAD_QUERY = {
    "format": Parameter({"enum": list(KINDS)}, "text unless said"),
    "names": Parameter(FLAG, "1: containers by the names they have or had, not by their ids"),
    **FILTERS,
}
LINES_QUERY = {**FILTERS, "limit": LIMIT}
SEQ_QUERY = {"time": Parameter(TIME, "a time", required=True)}


def lines_answer(log: str, allow: Callable[[], object]) -> Response:
    """Lines, oldest first, by this request's filters. Raises BadRequest."""
    query = query_of_request(number("limit", 1, MOST_LINES) or LINES)
    store = services().store
    lease().take(BUILDING)
    filtered = query.match is not None or query.levels is not None
    page = store.read_entries(log, replace(query, size=WHOLE // 2 if filtered else WHOLE))
    entries = page.entries
    size = sum(len(raw) for _, raw in entries.lines)
    if not filtered and entries.cursor is not None and size >= WHOLE:
        sizes = store.find(log, replace(query, size=ANSWER_BYTES))
        ends = {"first": page.first, "next": page.next}
        if sizes.cursor is not None:
            ends["cursor"] = sizes.cursor
        pieces = piece_by_piece(_page(store, log, query, sizes.seqs, ends), lease())
        return Response(while_good(pieces, allow), content_type="application/json")
    answer: dict[str, object] = {
        "lines": None,
        "levels": entries.levels,
        "entries": entries.extents,
    }
    answer |= {"first": page.first, "next": page.next}
    if entries.cursor is not None:
        answer["cursor"] = entries.cursor
    if size <= AT_ONCE:
        body = _encode(answer, entries.lines)
    else:
        body = gevent.get_hub().threadpool.apply(_encode, (answer, entries.lines))
    return Response(body, content_type="application/json")


def download_answer(
    log: str,
    named: str,
    allow: Callable[[], object],
    instances: Callable[[], Mapping[str, str]] = dict,
) -> Response:
    """Every line that passes this request's filters, as a file that is called ``named`` and the
    time. ``instances()``: names of containers by their short ids. Raises BadRequest."""
    kind = request.args.get("format", "text")
    if kind not in KINDS:
        raise BadRequest("format", kind, "one of " + ", ".join(KINDS))
    query, store = query_of_request(2**62), services().store
    filtered = query.match is not None or query.levels is not None
    scan = store.scan_entries(log, query) if filtered else store.scan(log, query)
    lease().take(PIECE)
    names = instances() if flag("names") or kind == "markdown" else {}
    if kind == "markdown":
        pieces = begun(as_markdown(scan, _facts(log, named, query, names), names))
    else:
        pieces = begun(_pieces(scan, kind == "jsonl", names))
    ending, content_type = KINDS[kind]
    name = f"{named}-{datetime.now(UTC):%Y%m%d-%H%M%S}.{ending}"
    return send(pieces, name, content_type, allow=allow)


def _facts(log: str, named: str, query: Query, names: Mapping[str, str]) -> list[Fact]:
    """What the lines of a file are of: the app, the time, the filter."""
    store, said = services().store, request.args
    times: list[str] = []
    for said_of, bare in (
        (query.since, Query(after=query.after or 0, limit=1)),
        (query.until, Query(before=query.before or store.next_seq(log), limit=1)),
    ):
        if said_of is not None:
            times.append(format_time(said_of))
        else:
            found = store.read(log, bare).lines
            times += [raw[:30].decode("ascii", "replace") for _, raw in found]
    text = said.get("q", "")
    words = [gettext("a regular expression")] if text and flag("regex") else []
    container = query.container or ""
    where = [names.get(container, container), query.stream or ""]
    wanted = [said.get("query", ""), text, *words, *said.getlist("level"), *where]
    return [
        (gettext("Log"), [named]),
        (gettext("From"), times[:1]),
        (gettext("Until"), times[1:]),
        (gettext("Filter"), [one for one in wanted if one]),
    ]


def seq_answer(log: str) -> Response:
    """The seq of the first line at or after this request's time. Raises BadRequest."""
    time = moment("time")
    if time is None:
        raise BadRequest("time", "", "a time such as 2026-07-01T12:00:00Z")
    return json({"seq": services().store.seq_at(log, time)})


def query_of_request(limit: int) -> Query:
    """The query of this request. Raises BadRequest."""
    return replace(filters_of_request(limit), after=seq("after"), before=seq("before"))


def filters_of_request(limit: int) -> Query:
    """The same without seqs, which are those of one log. Raises BadRequest."""
    query = filters_of(request.args, limit)
    return replace(query, since=moment("since"), until=moment("until"))


def filters_of(args: MultiDict[str, str], limit: int) -> Query:
    """The filters that a query says, without its times. Raises BadRequest."""
    container = args.get("container") or None
    if container is not None and not is_container_id(container):
        raise BadRequest("container", container, "a container's id: 12 or 64 hex digits")
    stream = args.get("stream") or None
    if stream is not None and stream not in STREAMS:
        raise BadRequest("stream", stream, "one of " + ", ".join(STREAMS))
    match, levels = _text_and_levels(args)
    return Query(
        container=container[:12] if container else None,
        stream=stream,
        match=match,
        levels=levels,
        limit=limit,
        account=caller().holder,
    )


def _text_and_levels(
    args: MultiDict[str, str],
) -> tuple[Match | None, frozenset[str] | None]:
    """What is looked for: ``query``, and ``q`` and ``level`` besides. Raises BadRequest."""
    levels = wanted_levels(args.getlist("level"))
    if terms := terms_in(args):
        return entry_filter(terms, levels)
    return matcher(args.get("q", ""), regex=flag("regex", args), case=flag("case", args)), levels


def terms_in(args: MultiDict[str, str]) -> list[Term]:
    """The terms of ``query``, and what ``q`` says as one of them; none where there is no ``query``.
    Raises BadRequest."""
    terms = terms_of(args.get("query", ""))
    if terms and (q := args.get("q", "")):
        kind: Literal["regex", "text"] = "regex" if flag("regex", args) else "text"
        terms.append(Term(kind, normalize("NFC", q), case=flag("case", args)))
    return terms


def _page(
    store: LogStore, log: str, query: Query, seqs: list[int], ends: dict[str, int]
) -> Iterator[bytes]:
    """The answer with the lines of these seqs, in pieces. Raises LinesGone."""
    at, before = 0, b'{"lines":['
    levels: list[str | None] = []
    extents: dict[int, Extent] = {}
    while found := store.pick(log, seqs[at:], replace(query, size=AT_ONCE)):
        if store.first_seq(log) > seqs[at]:
            raise LinesGone(log)
        at = bisect_right(seqs, found[-1][0])
        entries = store.describe(log, found, query)
        levels += entries.levels
        extents |= {extent[0]: extent for extent in entries.extents}
        del entries
        # Nothing of a piece stays here while the next one waits for room.
        yield before + emptied(_encode_rows, found)
        before = b","
    if before != b"," or (at < len(seqs) and store.first_seq(log) > seqs[at]):
        raise LinesGone(log)
    told = {"levels": levels, "entries": sorted(extents.values()), **ends}
    yield b"]," + orjson.dumps(told)[1:]


def _encode_rows(found: Sequence[tuple[int, bytes]]) -> bytes:
    return orjson.dumps([row(number, raw) for number, raw in found])[1:-1]


def _encode(answer: dict[str, object], found: Sequence[tuple[int, bytes]]) -> bytes:
    return orjson.dumps({**answer, "lines": [row(number, raw) for number, raw in found]})


def begun(pieces: Generator[bytes, None, None]) -> Generator[bytes]:
    """The same with its first piece made: what fails at once is said as any failure is."""
    begin = [next(pieces, b"")]

    def all_of_them() -> Generator[bytes, None, None]:
        yield begin.pop()
        yield from pieces

    return all_of_them()


def _pieces(
    scan: Iterator[Lines], as_json: bool, names: Mapping[str, str]
) -> Generator[bytes, None, None]:
    for batch in scan:
        if as_json:
            yield emptied(_jsonl, batch, names)
        elif names:
            yield emptied(_named, batch, names)
        else:
            yield emptied(_joined, batch)


def _joined(batch: Sequence[tuple[int, bytes]]) -> bytes:
    return b"".join(raw for _, raw in batch)


def _jsonl(batch: Sequence[tuple[int, bytes]], names: Mapping[str, str]) -> bytes:
    by_id = {id.encode(): name for id, name in names.items()}
    return b"".join(json_line(n, raw, instance=by_id.get(raw[CONTAINER], "")) for n, raw in batch)


def json_line(seq: int, raw: bytes, **besides: str) -> bytes:
    """A line of a file of JSON lines; ``besides`` stand in it where they say something."""
    keys = ("seq", "time", "container", "stream", "text")
    one: dict[str, object] = dict(zip(keys, row(seq, raw), strict=True))
    if level := own_level(raw):
        one["level"] = level
    one |= {name: value for name, value in besides.items() if value}
    return orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE)


def own_level(raw: bytes) -> str | None:
    """What a record says of itself, as ``levels`` has it beside lines."""
    return None if raw[44:50] == b"marker" else shape_of(raw).level


def _named(batch: Sequence[tuple[int, bytes]], names: Mapping[str, str]) -> bytes:
    """Records with names where the ids of their containers stand."""
    by_id = {id.encode(): name.encode() for id, name in names.items()}
    return b"".join(
        raw[: CONTAINER.start] + by_id.get(raw[CONTAINER], raw[CONTAINER]) + raw[CONTAINER.stop :]
        for _, raw in batch
    )
