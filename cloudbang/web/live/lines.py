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
from collections.abc import Mapping, Sequence
from functools import partial

import orjson

from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import row, rows
from cloudbang.errors import CloudBangError
from cloudbang.storage.logs.entry_pages import Entries
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.web.live.base import Viewer, message
from cloudbang.web.live.broadcast import Parcel, broadcast
from cloudbang.web.live.messages import EVERYTHING, Filter, Lines, join
from cloudbang.web.server.frames import SharedFrame

log = logging.getLogger(__name__)

PAGE_LINES = 500  # of the store at a time
MERGE_LINES = 500  # messages that wait for their turn are sent as one frame of so many lines
PAGE_BYTES = 256 * 1024
PATIENCE = 40  # looks, of 50 ms each, for which what the bus has not brought may be on its way


class Follower(Viewer):
    """A viewer that has its place in the log: ``position`` is the seq of the line it is sent next."""

    __slots__ = ("filter", "position")

    filter: Filter
    position: int

    def catch_up(self, forgiven: int | None) -> None:
        """Send pages of the store until there is nothing between them and the broadcast.

        ``forgiven`` None sends all of them, however slowly they are read.
        """
        raise NotImplementedError

    def look(self) -> None:
        """Called at short intervals, of one that reads the store all the time."""


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
        self._groups: dict[Filter, tuple[Follower, ...]] = {}
        self._readers: tuple[Follower, ...] = ()  # who read the store themselves, all the time
        self._busy = False  # a broadcast is under way; never two at a time
        self._hole = False  # the bus dropped something: seen during the broadcast
        self._failed = False  # the store could not be read when it was tried last
        self._behind: int | None = None  # the position at the last look, if it was behind then
        self._looks = 0  # how often since it was found there
        self.head = b'{"op":"lines","channel":%b,' % orjson.dumps(self.name)

    def begin(self, parts: Sequence[Lines]) -> list[Lines] | None:
        """Of what the bus brought the lines that are next, a frame each. Until :meth:`end` nobody
        else broadcasts here. None: not now, it is being filled from the store, which has them too."""
        if self._busy:
            return None
        found: list[Lines] = []
        run: list[Lines] = []
        size, end = 0, self.position
        for part in parts:
            if part.next <= end:
                continue
            if part.first != end:
                self._hole = True
                break
            if run and (part.next - run[0].first > MERGE_LINES or size > PAGE_BYTES):
                found.append(join(run))
                run, size = [], 0
            run.append(part)
            size, end = size + len(part.body), part.next
        if run:
            found.append(join(run))
        self._busy = True
        return found

    def end(self) -> None:
        """What was begun is broadcast; what the bus dropped is taken from the store."""
        self._busy, hole, self._hole = False, self._hole, False
        if hole:
            self._start_filling()

    def parcels(self, lines: Lines) -> list[Parcel]:
        """The next ``lines`` for all who look: to be broadcast now."""
        # The position moves first: who joins while that yields has read up to the new one.
        self.position = lines.next
        refused = partial(self._too_slow, first=lines.first)
        return [
            Parcel(group, self.frame(kept), refused)
            for chosen, group in self._groups.items()
            if (kept := lines if chosen == EVERYTHING else chosen.keep(lines)) is not None
        ]

    @property
    def live(self) -> int:
        """Viewers that take part in the broadcast."""
        return sum(map(len, self._groups.values()))

    @property
    def behind(self) -> int:
        """Lines that are stored and not yet broadcast."""
        return self.store.next_seq(self.app) - self.position

    def look(self, resting: bool) -> None:
        """Called at short intervals: is anything in the store that the bus did not bring?

        Only what was already missing at the last look counts; the rest is on its way. So is all of
        it while the bus has more than was taken from it, unless it is not ``resting`` for very long:
        a server that has much to do would send to each viewer of each channel what comes anyway,
        and have more to do.
        """
        for reader in self._readers:
            reader.look()
        if self.behind <= 0 or self._behind != self.position:
            self._behind, self._looks = (self.position if self.behind > 0 else None), 0
            return
        self._looks += 1
        if (resting or self._looks > PATIENCE) and not self._busy:
            self._start_filling()

    def tell_deleted(self, first: int, end: int) -> None:
        """Lines that they may have on their pages are gone. It concerns no line that is yet to
        come, so it may overtake a broadcast, and who is slow gets it later."""
        text = gap(self.name, first, end, "expired")
        frame = SharedFrame(text)
        for viewer in [v for group in (*self._groups.values(), self._readers) for v in group]:
            if not viewer.offer(frame):
                self._supervisor.once(f"tell {self.name}", viewer.connection.send, text)

    def frame(self, lines: Lines) -> SharedFrame:
        """The ``lines`` message."""
        return SharedFrame(self.head + lines.message)

    def enter(self, viewer: Follower) -> None:
        """Take ``viewer``, which stands at the channel's position, into the broadcast."""
        viewer.live = True
        group = self._groups.get(viewer.filter, ())
        self._groups[viewer.filter] = (*group, viewer)

    def leave(self, viewer: Follower) -> None:
        """Take it out again."""
        viewer.live = False
        rest = tuple(v for v in self._groups.get(viewer.filter, ()) if v is not viewer)
        if rest:
            self._groups[viewer.filter] = rest
        else:
            self._groups.pop(viewer.filter, None)

    def add_reader(self, reader: Follower) -> None:
        """Tell ``reader``, who needs no broadcast, what has become of lines that it was sent."""
        self._readers = (*self._readers, reader)

    def remove_reader(self, reader: Follower) -> None:
        """Tell it nothing more."""
        self._readers = tuple(one for one in self._readers if one is not reader)

    def catch_up(self, viewer: Follower, forgiven: int | None) -> None:
        """Start reading the store for ``viewer`` until it is at the channel's position."""
        self._supervisor.once(f"catch up {self.name}", viewer.catch_up, forgiven)

    def advance(self) -> None:
        """Go to the end of the store at once where nobody is live who would miss anything."""
        if not self._groups and not self._busy:
            self.position = self.store.next_seq(self.app)

    def _too_slow(self, viewer: Follower, first: int) -> None:
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
                broadcast(self.parcels(self.described(list(enumerate(records, first)), Query())))
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
        return self.lines_of(self.store.describe(self.app, lines, query))

    def lines_of(self, entries: Entries) -> Lines:
        """The same of which it is known."""
        lines = entries.lines
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
        refused = partial(self._too_slow, first=lost)
        broadcast([Parcel(group, frame, refused) for group in self._groups.values()])


def deliver(brought: Mapping[LogChannel, Sequence[Lines]]) -> None:
    """Broadcast what the bus brought for each channel, in the order in which it came. Who follows
    several is sent what is due of all of them together."""
    begun: dict[LogChannel, list[Lines]] = {}
    try:
        for channel, parts in brought.items():
            if (runs := channel.begin(parts)) is not None:
                begun[channel] = runs
        for at in range(max(map(len, begun.values()), default=0)):
            due = [(channel, runs[at]) for channel, runs in begun.items() if at < len(runs)]
            broadcast([one for channel, lines in in_turns(due) for one in channel.parcels(lines)])
    finally:
        for channel in begun:
            channel.end()


def gap(channel: str, start: int, end: int, reason: str) -> bytes:
    """The message for lines from ``start`` up to but without ``end`` that will not be sent."""
    return message("gap", channel, **{"from": start, "to": end - 1, "reason": reason})
