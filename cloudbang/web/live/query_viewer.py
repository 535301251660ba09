"""The lines of one app that a query finds, as they come: what pages of lines with it would give.

Nobody shares what such a viewer is sent, so it takes no part in the broadcast: it reads the store as
a page with this query does, by the same code, in the threads that accounts have in turns. However
many there are, and however dear their queries, the hub and the other viewers do not wait for it.

Entries come whole, in the order in which they are found. What goes on with an entry, or makes one
of lines that were not wanted by themselves, may come in the next reading: so each begins a few lines
before the new ones, and what was sent is not sent again.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import gevent
from gevent.event import Event

from cloudbang.core.budget import Lease
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.entry_pages import Entries
from cloudbang.storage.logs.log_store import Query
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.live.base import ViewerConnection
from cloudbang.web.live.line_viewer import LogViewer
from cloudbang.web.live.lines import PAGE_LINES, LogChannel

EVERY = 0.2  # seconds between two readings; longer where a reading takes long
CONTEXT = 200  # lines that are read again: new ones may belong to them
KEPT = 2_000  # seqs back, of which it is known whether they were sent


class QueryViewer(LogViewer):
    """One connection's view of what a query finds. Overload: who reads slowly is sent the next page
    when they took the last, and loses nothing that the store keeps."""

    __slots__ = ("_begin", "_least", "_news", "_sent", "_wanted")

    def __init__(
        self, connection: ViewerConnection, channel: LogChannel, request: dict[str, Any]
    ) -> None:
        """Raises BadRequest when the subscribe message holds what cannot be used."""
        text = request["query"]
        if not isinstance(text, str):
            raise BadRequest("query", text, "a text, such as level:error path:/pay*")
        match, levels = entry_filter(terms_of(text))
        self._wanted = Query(match=match, levels=levels, limit=PAGE_LINES)
        super().__init__(connection, channel, request)
        self._least = self.position  # nothing before it is sent
        self._begin = max(1, self.position - CONTEXT)
        self._sent: set[int] = set()
        self._news = Event()

    @property
    def sees_all(self) -> bool:
        return False

    def started(self) -> None:
        self.channel.add_reader(self)

    def look(self) -> None:
        """Of a log that is quiet nothing is read, and nobody wakes."""
        if self.position < self.channel.store.next_seq(self.channel.app):
            self._news.set()

    def close(self) -> None:
        self.channel.remove_reader(self)
        super().close()
        self._news.set()

    def _step(self, forgiven: int | None) -> bool:
        """Send what is found of what has come; it never goes live, and misses nothing that is kept."""
        began, end = time.monotonic(), self.channel.store.next_seq(self.channel.app)
        if self.position < end:
            with self._my_turn() as lease:
                self._send_next(end, lease)
        if self.position >= end:
            self._news.clear()
            gevent.sleep(max(EVERY, 4 * (time.monotonic() - began)))
            self._news.wait()
        return False

    def _query(self) -> Query:
        wanted = self._wanted
        return replace(super()._query(), match=wanted.match, levels=wanted.levels, limit=PAGE_LINES)

    def _find_filtered_tail(self) -> None:
        query = replace(self._query(), before=self.position, limit=self._tail)
        found = self.channel.store.read_entries(self.channel.app, query).entries
        if found.lines:
            self.position = self._least = self._begin = found.lines[0][0]
        self._tail = 0

    def _send_filtered_page(self, end: int, lease: Lease) -> None:
        store, app = self.channel.store, self.channel.app
        query = replace(self._query(), after=self._begin - 1, before=end)
        found, oldest, _ = store.read_entries(app, query)
        if self.position < oldest:
            self._skip_to(min(oldest, end), "expired")
            return
        cursor = found.cursor
        fresh = self._fresh(found, end)
        self.position = end if cursor is None else max(self.position, cursor + 1)
        self._begin = max(1, end - CONTEXT) if cursor is None else cursor + 1
        if fresh.lines and not self._closed:
            text = self.channel.head + self.channel.lines_of(fresh).message
            del found, fresh
            lease.close()
            if not self._closed:
                self.connection.send(text)

    def _fresh(self, found: Entries, end: int) -> Entries:
        """What of a page was not sent. Lines from ``end`` on come with the next reading, or an
        earlier line could come after them."""
        least, sent = max(self._least, self.position - KEPT), self._sent
        pairs = [
            (line, level)
            for line, level in zip(found.lines, found.levels, strict=True)
            if least <= line[0] < end and line[0] not in sent
        ]
        self._sent = {seq for seq in sent if seq >= least} | {line[0] for line, _ in pairs}
        fresh = [line for line, _ in pairs]
        begins = fresh[0][0] if fresh else end
        extents = [extent for extent in found.extents if extent[1] >= begins]
        return Entries(fresh, [level for _, level in pairs], extents)
