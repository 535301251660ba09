"""Has the process that counts patterns, while somebody asks."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Hashable
from contextlib import suppress
from typing import Any, NamedTuple

import gevent
import orjson
from gevent.lock import BoundedSemaphore

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.domain.lines import format_time
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.logs.reader import BlockScan, Query, Snapshot
from cloudbang.storage.logs.segment import IndexCache, Segment

log = logging.getLogger(__name__)

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
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = BoundedSemaphore()
        self._last = 0.0
        self._idle: gevent.Greenlet | None = None
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
        if self._idle is not None:
            self._idle.kill(block=False)
        self._end()

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
            self._last = time.monotonic()

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
        pool = gevent.get_hub().threadpool
        line = pool.apply(orjson.dumps, (asked,), {"option": orjson.OPT_APPEND_NEWLINE})
        answer = b""
        for _ in range(2):
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                with gevent.Timeout(LIMIT, False):
                    process.stdin.write(line)
                    process.stdin.flush()
                    answer = process.stdout.readline()
            except OSError as e:
                log.debug("the process that counts patterns: %s", e)
            except BaseException:
                self._end()  # what it answers to who is gone would be taken for the next answer
                raise
            if answer.endswith(b"\n"):
                told: dict[str, Any] = pool.apply(orjson.loads, (answer,))
                return told
            # It was killed, for want of memory for instance, or hangs: another one may do.
            self._end()
        self.failed += 1
        raise StorageFailed(str(self._store.root), "the process that counts patterns ended")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cloudbang.storage.patterns.counting_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self._idle = gevent.spawn(self._end_when_idle, self._process)
            self._idle.name = "pattern-counts"
        return self._process

    def _end_when_idle(self, process: subprocess.Popen[bytes]) -> None:
        while self._process is process:
            gevent.sleep(IDLE / 10)
            if not self._turn.locked() and time.monotonic() - self._last > IDLE:
                self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.send_signal(signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()


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
