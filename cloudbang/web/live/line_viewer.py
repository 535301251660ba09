"""One connection's view of an app's lines: from where it begins through the store into the broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import gevent

from cloudbang.core.budget import Lease
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.storage.logs.log_store import Query
from cloudbang.web.live.base import ViewerConnection, message, whole_number
from cloudbang.web.live.lines import PAGE_BYTES, PAGE_LINES, Follower, LogChannel, gap
from cloudbang.web.live.messages import EVERYTHING, Filter

BUILDING = 2 * 1024 * 1024  # bytes that making a page may take: one line may have 1 MiB
MAX_TAIL = 5_000
SOON = 0.002  # seconds
MAX_SEQ = 2**53 - 1  # what a number of JavaScript holds exactly

FORGIVEN = 2_000
"""Lines a viewer may fall behind and still be sent all of them when it reads again. One that is
further behind is told the range it missed and goes on live: overload costs it its own place."""


class LogViewer(Follower):
    """One connection's view of one app's lines."""

    __slots__ = ("_catching", "_closed", "_tail", "channel")

    def __init__(
        self, connection: ViewerConnection, channel: LogChannel, request: dict[str, Any]
    ) -> None:
        """Raises BadRequest when the subscribe message holds what cannot be used."""
        super().__init__(connection)
        self.channel, self.filter = channel, Filter.of(request)
        self.position, self._tail = self._beginning(request)
        self._closed = self._catching = False

    @property
    def sees_all(self) -> bool:
        """Whether every line is wanted."""
        return self.filter == EVERYTHING

    @property
    def busy(self) -> bool:
        """Whether it is reading the store."""
        return self._catching

    def _beginning(self, request: dict[str, Any]) -> tuple[int, int]:
        """The seq of the first line to send, and how many to look for before it."""
        after = whole_number(request, "after", MAX_SEQ)
        tail = whole_number(request, "tail", MAX_TAIL) or 0
        if after is not None and tail:
            raise BadRequest("tail", tail, "left out where after is given")
        store, app = self.channel.store, self.channel.app
        known = store.next_seq(app)
        if after is not None:
            return min(after + 1, known), 0
        if self.sees_all:
            return min(max(store.first_seq(app), known - tail), known), 0
        return known, tail

    def start(self) -> None:
        """Say that it is subscribed and send everything from where it begins."""
        store, app = self.channel.store, self.channel.app
        first, known = store.first_seq(app), store.next_seq(app)
        self.connection.send(message("subscribed", self.channel.name, first=first, next=known))
        self.started()
        self._catch_up_later(None)

    def started(self) -> None:
        """What there is to say before the lines."""

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        if self.live:
            self.channel.leave(self)

    def drained(self) -> None:
        """It reads again: what it missed is either little, or told as a gap."""
        if not self.live and not self._catching and not self._closed:
            self._catch_up_later(FORGIVEN)

    def catch_up(self, forgiven: int | None) -> None:
        """Send what is wanted from where it is, step by step, until it is over or live."""
        try:
            if self._tail:
                with self.connection.turn:
                    self._find_filtered_tail()
            while not self._closed and not self.connection.closed:
                if self._step(forgiven):
                    return
        except CloudBangError as e:
            self.tell_error(e)
        finally:
            self._catching = False

    def _step(self, forgiven: int | None) -> bool:
        """Send the next page, or wait for one; whether it is live now."""
        channel = self.channel
        channel.advance()
        if self.position == channel.position:
            channel.enter(self)  # nothing has yielded since the comparison
            return True
        if self.position > channel.position:
            gevent.sleep(SOON)  # it has seen in the store what the bus still carries
        elif forgiven is not None and channel.position - self.position > forgiven:
            self._skip_to(channel.position, "slow")
        else:
            with self._my_turn() as lease:
                self._send_next(channel.position, lease)
        return False

    @contextmanager
    def _my_turn(self) -> Iterator[Lease]:
        """To make a page in. It comes only when the last one is gone: that is the turn's before it is
        the share's."""
        with self.connection.turn, self.connection.share.lease() as lease:
            lease.take(BUILDING, unhurried=True)
            yield lease

    def tell_error(self, error: CloudBangError) -> None:
        """The store fails: that is the end of it."""
        text = message("error", self.channel.name, code=error.code, message=str(error))
        self.connection.send(text)
        self.close()

    def _catch_up_later(self, forgiven: int | None) -> None:
        self._catching = True
        self.channel.catch_up(self, forgiven)

    def _skip_to(self, end: int, reason: str) -> None:
        start, self.position = self.position, end
        self.connection.send(gap(self.channel.name, start, end, reason))

    def _send_next(self, end: int, lease: Lease) -> None:
        if self._closed or self.connection.closed:
            return  # while it waited for its turn
        if self.sees_all:
            self._send_page(end, lease)
        else:
            self._send_filtered_page(end, lease)

    def _send_page(self, end: int, lease: Lease) -> None:
        store, app = self.channel.store, self.channel.app
        after, account = self.position - 1, self.connection.caller.holder
        first, records = store.raw_after(app, after, PAGE_LINES, PAGE_BYTES, account)
        if not records or first >= end:
            self._skip_to(end, "expired")
            return
        if first > self.position:
            self._skip_to(first, "expired")
        lines = list(enumerate(records[: end - first], first))
        following = first + len(lines)
        del records
        self._send_lines(lines, Query(account=account), lease)
        self.position = following

    def _send_filtered_page(self, end: int, lease: Lease) -> None:
        query = replace(self._query(), after=self.position - 1, before=end, limit=PAGE_LINES)
        page = self.channel.store.read(self.channel.app, query)
        if self.position < page.first:  # also where lines were deleted while it was read
            self._skip_to(min(page.first, end), "expired")
            return
        if page.cursor is not None:
            following = page.cursor + 1
        elif len(page.lines) == PAGE_LINES:
            following = page.lines[-1][0] + 1
        else:
            following = end
        self._send_lines(page.lines, self._query(), lease)
        self.position = following

    def _find_filtered_tail(self) -> None:
        """Go back to the first of the last lines that pass; they are sent in pages like all."""
        query = replace(self._query(), before=self.position, limit=self._tail, size=MAX_SEQ)
        store, app = self.channel.store, self.channel.app
        while query.limit > 0 and not (self._closed or self.connection.closed):
            found = store.find(app, query)
            if found.seqs:
                self.position = found.seqs[0]
            if found.cursor is None:
                break
            limit = query.limit - len(found.seqs)
            query = replace(query, before=found.cursor, limit=limit)
        self._tail = 0

    def _query(self) -> Query:
        account = self.connection.caller.holder
        return Query(size=PAGE_BYTES, account=account, **self.filter._asdict())

    def _send_lines(self, lines: list[tuple[int, bytes]], query: Query, lease: Lease) -> None:
        if lines and not self._closed:
            text = self._text_of(lines, query, lease)
            if not self._closed:
                self.connection.send(text)

    def _text_of(self, lines: list[tuple[int, bytes]], query: Query, lease: Lease) -> bytes:
        """The message with these lines, which are let go: from here on what waits is the socket's."""
        text = self.channel.head + self.channel.described(lines, query).message
        lines.clear()
        lease.close()
        return text
