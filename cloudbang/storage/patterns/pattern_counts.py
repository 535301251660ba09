"""Has the process that counts patterns, while somebody asks."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import gevent
from gevent.lock import BoundedSemaphore

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.domain.lines import format_time
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.asked_process import AskedProcess, ProcessEnded
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.logs.reader import BlockScan, Query, Snapshot
from cloudbang.storage.logs.segment import Segment

PROCESS = "cloudbang.storage.patterns.counting_process"
SECONDS = 1.0  # of counting for one question; what is known already is counted besides
PATIENCE = 10.0  # seconds that a question waits for others
LIMIT = 30.0  # seconds after which a process that does not answer has none
IDLE = 300.0  # seconds without a question after which it ends
TRIES = 4  # times that a file may be gone, because it was packed or deleted


class CountingBusy(CloudBangError):
    """Others are asking."""

    code = "too-busy"
    status = 503
    title = "Too much at once"
    sentence = "patterns are counted for others at the moment: ask again in a few seconds"
    retry_after = 3  # seconds


class Span(NamedTuple):
    """A stretch of time, in nanoseconds since 1970: from ``since`` on, before ``until``."""

    since: int
    until: int


class PatternCounts:
    """``ask`` is answered by the process, which is started when it is needed. One question at a time:
    it has one processor at most, and gives way to everybody else."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._counting = AskedProcess(PROCESS, limit=LIMIT, idle=IDLE)
        self._turn = BoundedSemaphore()
        self.asked = self.failed = 0
        export(
            self,
            "patterns",
            counters={
                "asked": "Times that the patterns of an app were counted.",
                "failed": "Times that they could not be, because the process that counts ended.",
            },
        )

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._counting.stop()

    def ask(
        self,
        app: str,
        now: Span,
        before: Span,
        *,
        limit: int,
        account: Hashable = "",
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """What ``storage.patterns.counter`` says of these two stretches. Raises StorageFailed,
        CountingBusy."""
        if not self._turn.acquire(timeout=PATIENCE):
            raise CountingBusy
        try:
            self.asked += 1
            return self._ask(app, (now, before), limit, account, seconds)
        finally:
            self._turn.release()

    def _ask(
        self, app: str, spans: tuple[Span, Span], limit: int, account: Hashable, seconds: float
    ) -> dict[str, Any]:
        times = [[_text(span.since), _text(span.until)] for span in spans]
        for attempt in range(TRIES):

            def blocks(
                view: Snapshot, skip_missing: bool, last: bool = attempt == TRIES - 1
            ) -> list[Any]:
                cache = self._store.index_cache
                return [_blocks(view, cache, span, skip_missing=skip_missing) for span in spans]

            found = self._store.look(app, blocks, account) or [[], []]
            asked = {
                "app": f"{self._store.team_of(app)}/{app}",
                "times": times,
                "blocks": found,
                "seconds": seconds,
                "limit": limit,
            }
            told = self._told(asked)
            if "error" in told:
                raise StorageFailed(str(self._store.root), told["error"])
            if "gone" not in told:
                return told
            gevent.sleep(0.01 * (attempt + 1))
        raise StorageFailed(str(self._store.root), "its files change all the time")

    def _told(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._counting.ask(asked)
        except ProcessEnded:
            self.failed += 1
            reason = "the process that counts patterns ended"
            raise StorageFailed(str(self._store.root), reason) from None


def _text(ns: int) -> str:
    return format_time(max(ns, 0))


def _blocks(view: Snapshot, cache: IndexCache, span: Span, *, skip_missing: bool) -> list[Any]:
    """The blocks in which there may be lines of this time, by segment."""
    query = Query(since=span.since, until=span.until)
    found: list[Any] = []
    with BlockScan(view, cache, query, skip_missing=skip_missing) as scan:
        for part in scan.parts():
            segment = part.segment
            blocks = [_row(ref.block) for ref in scan.spots_of(part)]
            if not blocks:
                continue
            grows = segment is view.active
            if grows:
                # Only the last block of all may grow, which need not be among these.
                grows = blocks[-1][0] == view.active_blocks[-1].number
            found.append((*_told_of(segment), part.end, grows, blocks))
    return found


def _told_of(segment: Segment) -> tuple[object, ...]:
    return (segment.folder, segment.date, segment.first, segment.compressed, segment.size)


def _row(block: Any) -> tuple[object, ...]:
    number, lines, at, stored, plain, oldest, newest, _ = block
    return (number, lines, at, stored, plain, oldest.decode(), newest.decode())
