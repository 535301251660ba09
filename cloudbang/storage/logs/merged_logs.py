"""The logs of several apps read as one: on the hub, step by step in the store's threads."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import gevent

from cloudbang.core.fair_threads import FairThreads, Rank
from cloudbang.core.loop import in_turns
from cloudbang.errors import StorageFailed
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.described import DescribedLines, described
from cloudbang.storage.logs.entry_pages import Around, around_in
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.merged import MergedLine, MergedQuery, MergedScan, Place
from cloudbang.storage.logs.reader import NOTHING, SLICE, Query
from cloudbang.storage.logs.timeline import TimelineScan


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
    ) -> None:
        self._apps, self._known, self._next_seq = apps, known, next_seq
        self._cache, self._readers = cache, readers

    def read(
        self, apps: Collection[str], asked: MergedQuery, rank: Rank | None = None
    ) -> Iterator[tuple[list[MergedLine], MergedScan]]:
        """Lines in the order of their times, and after each step of 25 ms how far it is. What cannot
        be read of an app is said in the scan's ``failed``. Raises BadRequest."""
        scan = MergedScan(self._cache, asked)
        if rank is None:
            rank = Rank.SEARCH if asked.filtered else Rank.PAGE
        try:
            self._open(scan, apps)
            while not scan.done:
                # Of a download a block at a time: what is given waits in memory to be sent.
                seconds = 0.0 if rank is Rank.DOWNLOAD else SLICE
                lines = self._readers.call(asked.query.account, rank, scan.step, seconds)
                self._renew(scan)
                yield lines, scan
        finally:
            scan.abandon()

    def timeline(self, apps: Collection[str], query: Query) -> Iterator[TimelineScan]:
        """How many lines there are over the times of ``query``, whatever else it asks for: after each
        step of 25 ms as far as it is known. Raises BadRequest."""
        scan = TimelineScan(self._cache, query, int(time.time()))
        try:
            self._open(scan, apps)
            while not scan.done:
                rank = Rank.PAGE if scan.bins is None else Rank.SEARCH
                self._readers.call(query.account, rank, scan.step, SLICE)
                self._renew(scan)
                if scan.bins is not None:
                    yield scan
        finally:
            scan.abandon()

    def _open(self, scan: MergedScan | TimelineScan, apps: Collection[str]) -> None:
        """Have it read these apps; what cannot be read of one is said in its ``failed``."""
        for app in in_turns(sorted(apps)):
            try:
                found = self._known(app)
            except StorageFailed as e:
                scan.failed[app] = OSError(errno.EIO, str(e))
                continue
            if found:
                scan.add(app, found.view())

    def _renew(self, scan: MergedScan | TimelineScan) -> None:
        """A fresh view for an app of which a file is gone meanwhile."""
        if scan.stale:
            gevent.sleep(0.002)
            known = self._apps.get(scan.stale)
            scan.renew(scan.stale, known.view() if known else NOTHING)

    def scan(
        self, apps: Collection[str], query: Query
    ) -> Iterator[tuple[list[MergedLine], MergedScan]]:
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
