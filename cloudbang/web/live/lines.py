"""The channels ``log/<app>``: every line once, in order, from the store into the live stream.

A channel has a position: the seq of the next line to be broadcast. A message of the bus that
starts there is broadcast as it is; one that starts later means that the bus dropped something,
and the store, which has every line before the bus does, fills the hole.

A viewer that joins, or that was too slow, first reads the store up to the channel's position in a
greenlet of its own and then steps into the broadcast exactly there. Between the comparison and
the step nothing yields, so no line is missed and none comes twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gevent
import orjson

from cloudbang.core.budget import Lease
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import row, rows
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.web.live.base import Viewer, ViewerConnection, broadcast, message, whole_number
from cloudbang.web.live.messages import EVERYTHING, Filter, Lines, join
from cloudbang.web.server.frames import SharedFrame

log = logging.getLogger(__name__)

PAGE_LINES = 500  # of the store at a time
MERGE_LINES = 500  # messages that wait for their turn are sent as one frame of so many lines
PAGE_BYTES = 256 * 1024
BUILDING = 2 * 1024 * 1024  # bytes that making a page may take: one line may have 1 MiB
MAX_TAIL = 5_000
SOON = 0.002  # seconds
MAX_SEQ = 2**53 - 1  # what a number of JavaScript holds exactly

FORGIVEN = 2_000
"""Lines a viewer may fall behind and still be sent all of them when it reads again. One that is
further behind is told the range it missed and goes on live: overload costs it its own place."""


class LogChannel:
    """One log's lines, to all who look at them now. ``app``: what the store has them under."""

    def __init__(
        self, app: str, store: LogStore, supervisor: Supervisor, *, channel: str = ""
    ) -> None:
        self.app, self.store = app, store
        self.name = channel or f"log/{app}"
        self.topic = f"log/{app}/"
        self.position = store.next_seq(app)
        self.viewers = 0  # live ones and those on their way
        self.slow = 0  # how often a viewer was too slow
        self.filled = 0  # lines that the bus dropped and the store filled in
        self._supervisor = supervisor
        self._groups: dict[Filter, tuple[LogViewer, ...]] = {}
        self._busy = False  # a broadcast is under way; never two at a time
        self._failed = False  # the store could not be read when it was tried last
        self._behind: int | None = None  # the position at the last look, if it was behind then
        self.head = b'{"op":"lines","channel":%b,' % orjson.dumps(self.name)

    def deliver(self, parts: Sequence[Lines]) -> None:
        """Broadcast what the bus brought, in the order in which it came."""
        if self._busy:
            return  # being filled from the store, which has these lines too
        run: list[Lines] = []
        size, end, hole = 0, self.position, False
        self._busy = True
        try:
            for part in parts:
                if part.next <= end:
                    continue
                hole = part.first != end
                if hole:
                    break
                if run and (part.next - run[0].first > MERGE_LINES or size > PAGE_BYTES):
                    self._send(join(run))
                    run, size = [], 0
                run.append(part)
                size, end = size + len(part.body), part.next
            if run:
                self._send(join(run))
        finally:
            self._busy = False
        if hole:
            self._start_filling()

    @property
    def live(self) -> int:
        """Viewers that take part in the broadcast."""
        return sum(map(len, self._groups.values()))

    @property
    def behind(self) -> int:
        """Lines that are stored and not yet broadcast."""
        return self.store.next_seq(self.app) - self.position

    def look(self) -> None:
        """Called at short intervals: is anything in the store that the bus did not bring?

        Only what was already missing at the last look counts; the rest is on its way.
        """
        missing = self.behind > 0
        if missing and self._behind == self.position and not self._busy:
            self._start_filling()
        self._behind = self.position if missing else None

    def tell_deleted(self, first: int, end: int) -> None:
        """Lines that they may have on their pages are gone. It concerns no line that is yet to
        come, so it may overtake a broadcast, and who is slow gets it later."""
        text = gap(self.name, first, end, "expired")
        frame = SharedFrame(text)
        for viewer in [v for group in self._groups.values() for v in group]:
            if not viewer.offer(frame):
                self._supervisor.once(f"tell {self.name}", viewer.connection.send, text)

    def frame(self, lines: Lines) -> SharedFrame:
        """The ``lines`` message."""
        return SharedFrame(self.head + lines.message)

    def enter(self, viewer: LogViewer) -> None:
        """Take ``viewer``, which stands at the channel's position, into the broadcast."""
        viewer.live = True
        group = self._groups.get(viewer.filter, ())
        self._groups[viewer.filter] = (*group, viewer)

    def leave(self, viewer: LogViewer) -> None:
        """Take it out again."""
        viewer.live = False
        rest = tuple(v for v in self._groups.get(viewer.filter, ()) if v is not viewer)
        if rest:
            self._groups[viewer.filter] = rest
        else:
            self._groups.pop(viewer.filter, None)

    def catch_up(self, viewer: LogViewer, forgiven: int | None) -> None:
        """Start reading the store for ``viewer`` until it is at the channel's position."""
        self._supervisor.once(f"catch up {self.name}", viewer.catch_up, forgiven)

    def advance(self) -> None:
        """Go to the end of the store at once where nobody is live who would miss anything."""
        if not self._groups and not self._busy:
            self.position = self.store.next_seq(self.app)

    def _send(self, lines: Lines) -> None:
        # The position moves first: who joins while this yields has read up to the new one.
        self.position = lines.next
        groups, frames = [], []
        for chosen, group in self._groups.items():
            kept = lines if chosen == EVERYTHING else chosen.keep(lines)
            if kept is None:
                continue
            groups.append(group)
            frames.append(self.frame(kept))
        broadcast(groups, frames, lambda viewer: self._too_slow(viewer, lines.first))

    def _too_slow(self, viewer: LogViewer, first: int) -> None:
        self.slow += 1
        self.leave(viewer)
        viewer.position = first

    def _start_filling(self) -> None:
        self._busy = True
        self._supervisor.once(f"fill {self.name}", self._fill)

    def _fill(self) -> None:
        try:
            while self._groups and self.position < self.store.next_seq(self.app):
                after = self.position - 1
                first, records = self.store.raw_after(self.app, after, PAGE_LINES, PAGE_BYTES)
                if not records:
                    return
                if first > self.position:
                    self._tell_expired(first)
                self.filled += len(records)
                self._send(self.described(list(enumerate(records, first)), Query()))
            self._failed = False
        except CloudBangError as e:
            # The next look tries again; who is told of the store's trouble is not told by this.
            log.log(logging.DEBUG if self._failed else logging.WARNING, "%s: %s", self.name, e)
            self._failed = True
            return
        finally:
            self._busy = False
        self.advance()

    def described(self, lines: list[tuple[int, bytes]], query: Query) -> Lines:
        """Lines that were read from the store, with what they are; waits for a thread."""
        entries = self.store.describe(self.app, lines, query)
        first, following = lines[0][0], lines[-1][0] + 1
        if following - first == len(lines):
            found = rows(first, [raw for _, raw in lines])
        else:
            found = [row(seq, raw) for seq, raw in lines]
        body = orjson.dumps(found)
        return Lines(first, following, body, found, entries.levels, entries.extents)

    def _tell_expired(self, first: int) -> None:
        lost, self.position = self.position, first
        frame = SharedFrame(gap(self.name, lost, first, "expired"))
        groups = list(self._groups.values())
        broadcast(groups, [frame] * len(groups), lambda viewer: self._too_slow(viewer, lost))


def gap(channel: str, start: int, end: int, reason: str) -> bytes:
    """The message for lines from ``start`` up to but without ``end`` that will not be sent."""
    return message("gap", channel, **{"from": start, "to": end - 1, "reason": reason})


class LogViewer(Viewer):
    """One connection's view of one app's lines."""

    __slots__ = ("_catching", "_closed", "_tail", "channel", "filter", "position")

    def __init__(
        self, connection: ViewerConnection, channel: LogChannel, request: dict[str, Any]
    ) -> None:
        """Raises BadRequest when the subscribe message holds what cannot be used."""
        super().__init__(connection)
        self.channel, self.filter = channel, Filter.of(request)
        self.position, self._tail = self._beginning(request)
        self._closed = self._catching = False

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
        if self.filter == EVERYTHING:
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
        """Send pages of the store until there is nothing between them and the broadcast.

        ``forgiven`` None sends all of them, however slowly they are read.
        """
        channel = self.channel
        try:
            if self._tail:
                with self.connection.turn:
                    self._find_filtered_tail()
            while not self._closed and not self.connection.closed:
                channel.advance()
                if self.position == channel.position:
                    channel.enter(self)  # nothing has yielded since the comparison
                    return
                if self.position > channel.position:
                    gevent.sleep(SOON)  # it has seen in the store what the bus still carries
                elif forgiven is not None and channel.position - self.position > forgiven:
                    self._skip_to(channel.position, "slow")
                else:
                    # Only when the last page is gone: it is the turn's before it is the share's.
                    with self.connection.turn, self.connection.share.lease() as lease:
                        lease.take(BUILDING, unhurried=True)
                        self._send_next(channel.position, lease)
        except CloudBangError as e:
            self.connection.send(message("error", channel.name, code=e.code, message=str(e)))
            self.close()
        finally:
            self._catching = False

    def _catch_up_later(self, forgiven: int | None) -> None:
        self._catching = True
        self.channel.catch_up(self, forgiven)

    def _skip_to(self, end: int, reason: str) -> None:
        start, self.position = self.position, end
        self.connection.send(gap(self.channel.name, start, end, reason))

    def _send_next(self, end: int, lease: Lease) -> None:
        if self._closed or self.connection.closed:
            return  # while it waited for its turn
        if self.filter == EVERYTHING:
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
        oldest = self.channel.store.first_seq(self.channel.app)
        if self.position < oldest:
            self._skip_to(min(oldest, end), "expired")
            return
        query = replace(self._query(), after=self.position - 1, before=end, limit=PAGE_LINES)
        page = self.channel.store.read(self.channel.app, query)
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
