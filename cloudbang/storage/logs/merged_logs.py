"""The logs of several apps read as one: on the hub, step by step in the store's threads, and what takes
long in a process of its own."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gevent

from cloudbang.core.fair_threads import FairThreads, Rank
from cloudbang.core.loop import in_turns
from cloudbang.errors import StorageFailed
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.described import DescribedLines, described
from cloudbang.storage.logs.entry_pages import Around, around_in
from cloudbang.storage.logs.index import BLOCK_BYTES
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.merged import MergedScan
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place, Progress
from cloudbang.storage.logs.reader import NOTHING, SLICE, Query
from cloudbang.storage.logs.readings import ANY, P, Reading
from cloudbang.storage.logs.search_processes import (
    HandedReading,
    ReadingLost,
    SearchProcesses,
    can_go,
)
from cloudbang.storage.logs.timeline import TimelineProgress, TimelineScan


class MergedLogs:
    """``known(app)`` gives the log of an app that has one, and raises StorageFailed where it could not
    be read yet; ``next_seq(app)`` the seq that its next line gets."""

    def __init__(
        self,
        apps: Mapping[str, AppLog],
        known: Callable[[str], AppLog | None],
        next_seq: Callable[[str], int],
        cache: IndexCache,
        readers: FairThreads,
        processes: SearchProcesses,
    ) -> None:
        self._apps, self._known, self._next_seq = apps, known, next_seq
        self._cache, self._readers, self._processes = cache, readers, processes

    def read(
        self, apps: Collection[str], asked: MergedQuery, rank: Rank | None = None
    ) -> Iterator[tuple[list[MergedLine], Progress]]:
        """Lines in the order of their times, and after each step of 25 ms how far it is. What cannot
        be read of an app is said in its ``failed``. Raises BadRequest."""
        scan = MergedScan(self._cache, asked)
        if rank is None:
            rank = Rank.SEARCH if asked.filtered else Rank.PAGE
        account = asked.query.account
        apart = asked.filtered and can_go(asked.query)
        # Of a download about a block at a time: what is given waits in memory to be sent.
        enough = BLOCK_BYTES if rank is Rank.DOWNLOAD else ANY
        for told in self._steps(scan, apps, account, lambda _: rank, apart, enough):
            yield told.given, told

    def timeline(self, apps: Collection[str], query: Query) -> Iterator[TimelineProgress]:
        """How many lines there are over time: once that is known of all files by their heads, and after each
        step of 25 ms as far as it is known. Raises BadRequest."""
        scan = TimelineScan(self._cache, query, int(time.time()))

        def rank(told: TimelineProgress) -> Rank:
            return Rank.PAGE if told.bins is None else Rank.SEARCH

        for told in self._steps(scan, apps, query.account, rank, True):
            if told.bins is not None:
                yield told

    def _steps(
        self,
        reading: Reading[P],
        apps: Collection[str],
        account: Hashable,
        rank_of: Callable[[P], Rank],
        apart: bool,
        enough: int = ANY,
    ) -> Iterator[P]:
        """How far it is after each step: in a thread, and ``apart`` in a process that is there for it."""
        handed: HandedReading[P] | None = None
        told = reading.progress
        try:
            self._open(reading, apps)
            while not told.done:
                rank = rank_of(told)
                if apart and handed is None and rank is not Rank.PAGE:
                    process = self._processes.of(account)
                    handed = HandedReading(process, reading, account, rank) if process else None
                if handed is None:
                    self._readers.call(account, rank, reading.step, SLICE, enough)
                    told = reading.progress
                else:
                    try:
                        told = handed.step(SLICE, enough)
                    except ReadingLost:
                        # Here it is as it was handed over. Perhaps it was what ended the process.
                        reading.catch_up(told)
                        handed, apart = None, False
                        continue
                if told.stale:
                    gevent.sleep(0.002)
                    known = self._apps.get(told.stale)
                    (handed or reading).renew(told.stale, known.view() if known else NOTHING)
                yield told
        finally:
            if handed:
                handed.abandon()
            reading.abandon()

    def _open(self, reading: Reading[Any], apps: Collection[str]) -> None:
        """Have it read these apps; what cannot be read of one is said in its ``failed``."""
        for app in in_turns(sorted(apps)):
            try:
                found = self._known(app)
            except StorageFailed as e:
                reading.progress.failed[app] = OSError(errno.EIO, str(e))
                continue
            if found:
                reading.add(app, found.view())

    def scan(
        self, apps: Collection[str], query: Query
    ) -> Iterator[tuple[list[MergedLine], Progress]]:
        """All lines or entries that are there now, whatever the query's limit, oldest first. Batches
        may be empty: a search that finds nothing gives its caller a chance to stop."""
        ends = {app: self._next_seq(app) for app in in_turns(apps)}
        asked = MergedQuery(replace(query, limit=1 << 62, size=1 << 62), backwards=False, ends=ends)
        while True:
            cursor: Place | None = None
            for found, scan in self.read(apps, asked, Rank.DOWNLOAD):
                yield found, scan
                cursor = scan.cursor
            if cursor is None:
                return
            asked = replace(asked, after=cursor)

    def describe(self, found: Sequence[MergedLine], query: Query) -> DescribedLines:
        """What was found by :meth:`read` with all lines of each entry, and what they are: for all apps
        in one turn of a thread."""
        apps = {place.app for place, _, entry in found if entry is None}
        views = {app: self._apps[app].view() for app in apps if app in self._apps}
        plain = replace(query, since=None, until=None)

        def around(app: str) -> Around:
            # Without what is missing: it would only tell more of the lines that are here.
            view = views.get(app, NOTHING)
            return around_in(view, self._cache, plain, skip_missing=True)

        result: DescribedLines = self._readers.call(
            query.account, Rank.PAGE, described, found, around
        )
        return result
