"""Where to go on reading a container's log: from which time, and what of it is stored already.

The engine gives a log again from a time on, that moment included; many lines share one time, and
lines of stdout and stderr may come a little out of order. So a reader goes back half a second
before the last lines stored and drops exactly those that are stored: they are counted, because
the same line may stand there twice.

When retention deletes lines that such a reader would need to recognise, they are kept in the
app's ``marks.json``: else an old, quiet container would be stored a second time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from cloudbang.domain.lines import format_time, record_ns
from cloudbang.domain.resume import ResumePoint, fingerprint
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.marks import Mark, ResumeState
from cloudbang.storage.logs.reader import BlockScan, Query, Snapshot

TAIL = 64
"""Lines of the container to look back at: the earliest of them says how far back to go."""

SLACK = 500_000_000  # nanoseconds by which stdout and stderr may be out of order

PART = 8 * 1024
"""Bytes of a longer line that an engine gives at once, the fewest that one does. Each part has a time of its own, so a
moment between two of them would give the rest of a line as if it were one."""
LONG_LINE = 250_000_000  # nanoseconds that the parts of one line take to be written

NEWEST_BYTES = 4 * 1024 * 1024  # of lines after which those before are not looked at

MARK_BYTES = 64 * 1024  # of lines kept for one container, unless more share one moment
MARKS = 1000  # containers of an app that are remembered; the longest silent go first

WHOLE = b".000000000Z"  # the fraction of a time in whole seconds

_TIME = re.compile(rb"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{9}Z")


def resume_point(
    view: Snapshot,
    cache: IndexCache,
    container: str,
    mark: Mark | None,
    *,
    skip_missing: bool = False,
) -> ResumePoint | None:
    """None when nothing of ``container`` is known. Raises Stale, OSError."""
    container = container[:12]
    tail: list[bytes] = []
    with BlockScan(view, cache, Query(container=container), skip_missing=skip_missing) as walk:
        for spot in walk.spots(backwards=True):
            lines = _engine_lines(raw for _, raw in walk.lines(spot))
            tail[:0] = lines[len(tail) - TAIL :]
            if len(tail) >= TAIL:
                break
    if mark and len(tail) < TAIL:
        tail[:0] = mark.records[len(tail) - TAIL :]
    if not tail:
        return None
    base = _before(min(tail)[:30], whole=all(raw[19:30] == WHOLE for raw in tail))
    early = format_time(max(record_ns(base) - LONG_LINE, 0)).encode()
    if mark:
        base, early = max(base, mark.floor), max(early, mark.floor)
    records = [raw for raw in mark.records if raw[:30] >= early] if mark else []
    query = Query(container=container, since=record_ns(early))
    with BlockScan(view, cache, query, skip_missing=skip_missing) as walk:
        for spot in walk.spots():
            records += _engine_lines(raw for _, raw in walk.lines(spot))
    base = _not_within_a_line(records, base)
    stored = Counter(raw for raw in records if raw[:30] >= base)
    return ResumePoint(record_ns(base), tail[-1] if tail[-1] in stored else None, stored)


def stored_between(
    view: Snapshot, cache: IndexCache, query: Query, *, skip_missing: bool = False
) -> Counter[bytes]:
    """How often each record that the query asks for is stored, by its fingerprint. Raises Stale,
    OSError."""
    found: Counter[bytes] = Counter()
    with BlockScan(view, cache, query, skip_missing=skip_missing) as walk:
        for spot in walk.spots():
            found.update(fingerprint(raw + b"\n") for _, raw in walk.lines(spot))
    return found


def newest_of(
    view: Snapshot,
    cache: IndexCache,
    container: str,
    lines: int,
    back_ns: int,
    *,
    skip_missing: bool = False,
) -> list[bytes]:
    """The newest records of the engine's by their times, oldest first: at most so many, of at most
    so long before the last, and the one before these; some ``NEWEST_BYTES`` in all. Raises Stale,
    OSError."""
    found: list[bytes] = []
    size = 0
    newest = oldest = b""
    with BlockScan(view, cache, Query(container=container), skip_missing=skip_missing) as walk:
        for spot in walk.spots(backwards=True):
            part = _engine_lines(raw for _, raw in walk.lines(spot))
            if not part:
                continue
            found += part
            size += sum(map(len, part))
            newest = max(newest, max(part)[:30])
            oldest = format_time(max(record_ns(newest) - back_ns, 0)).encode()
            if len(found) >= lines or size >= NEWEST_BYTES or max(part)[:30] < oldest:
                break
    found.sort()
    return found[max(0, bisect_left(found, oldest) - 1, len(found) - lines) :]


def _not_within_a_line(records: list[bytes], base: bytes) -> bytes:
    """``base``, or the start of a line of many parts that may still be going on at ``base``."""
    long = [raw for raw in records if len(raw) > PART and raw[:30] < base]
    starts = [
        max((raw[:30] for raw in long if raw[44:50] == stream), default=base)
        for stream in (b"stdout", b"stderr")
    ]
    return min(starts)


def _engine_lines(lines: Iterable[bytes]) -> list[bytes]:
    """With their LF; without what the engine will not give again: markers, and lines of which the
    time was damaged on the disk."""
    return [raw + b"\n" for raw in lines if raw[44:50] != b"marker" and _TIME.match(raw)]


def _before(time: bytes, *, whole: bool) -> bytes:
    """``whole``: the engine writes whole seconds, and goes by the true times when it is asked for
    those from a moment on: only a whole second gives the same lines by both."""
    before = max(record_ns(time) - SLACK, 0)
    return format_time(before - before % 10**9 if whole else before).encode()


def marks_after(
    view: Snapshot, cache: IndexCache, marks: ResumeState, end: int, oldest_useful: int
) -> ResumeState:
    """What has to be remembered when every line before seq ``end`` is deleted.

    ``oldest_useful`` (ns): a container silent for longer is not read again anyway. Raises Stale,
    OSError.
    """
    doomed = view._replace(next=min(end, view.next))
    containers: set[str] = set()
    with BlockScan(doomed, cache, Query(), skip_missing=True) as walk:
        for spot in walk.spots():
            if spot.block.keys is None:
                containers.update(
                    raw[31:43].decode("ascii", "replace") for _, raw in walk.lines(spot)
                )
            else:
                containers.update(k[:12].decode("ascii", "replace") for k in spot.block.keys)
    kept = {n: m for n, m in marks.containers.items() if n not in containers}
    for name in containers:
        mark = _mark(view, doomed, cache, name, marks.containers.get(name))
        if mark:
            kept[name] = mark
    useful = format_time(oldest_useful).encode()
    newest = {n: max((r[:30] for r in m.records), default=m.floor) for n, m in kept.items()}
    names = sorted((n for n in kept if newest[n] >= useful), key=newest.__getitem__)[-MARKS:]
    return ResumeState(end, {name: kept[name] for name in names})


def _mark(
    view: Snapshot, doomed: Snapshot, cache: IndexCache, container: str, old: Mark | None
) -> Mark | None:
    point = resume_point(view, cache, container, old, skip_missing=True)
    if not point:
        return None
    floor = format_time(point.since).encode()
    records = [raw for raw in old.records if raw[:30] >= floor] if old else []
    query = Query(container=container, since=point.since)
    with BlockScan(doomed, cache, query, skip_missing=True) as walk:
        for spot in walk.spots():
            records += _engine_lines(raw for _, raw in walk.lines(spot))
    if not records:
        return None
    if sum(map(len, records)) > MARK_BYTES:
        room, floor = MARK_BYTES, max(records)[:30]
        for raw in sorted(records, reverse=True):
            room -= len(raw)
            if room < 0 and raw[:30] < floor:
                break
            floor = raw[:30]
        records = [raw for raw in records if raw[:30] >= floor]
    return Mark(floor, records)
