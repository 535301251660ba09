"""The log store: every app's lines on disk, each with a seq, appended once and read back fast.

The one door to it. Everything here runs on the hub and blocks only the greenlet that calls; what
touches the disk runs in threads (see ``commit`` for writing, ``reader`` for reading, ``retention``
for what happens to old lines, ``segment`` and ``index`` for the files).
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import gevent

from cloudbang.config import StorageSettings
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.fair_threads import FairThreads, Rank
from cloudbang.core.notices import Notices
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.names import is_log_name, is_team_name
from cloudbang.domain.resume import ResumePoint
from cloudbang.errors import BadRequest, CloudBangError, StorageFailed, StorageFull
from cloudbang.storage import data_folder
from cloudbang.storage.asked_process import ProcessEnded
from cloudbang.storage.logs.app_log import AppLog, Totals, recover
from cloudbang.storage.logs.append_queue import Append, Stored
from cloudbang.storage.logs.entry_pages import (
    Entries,
    EntryPage,
    around_in,
    collect_entries,
    describe,
)
from cloudbang.storage.logs.group_commit import GroupCommit
from cloudbang.storage.logs.health import StorageHealth
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.keeping import AS_USUAL, Keeping, OwnKeeping, OwnKeepings, usual_of
from cloudbang.storage.logs.merged_logs import MergedLogs
from cloudbang.storage.logs.reader import (
    SLICE,
    Lines,
    Page,
    Query,
    Sizes,
    Snapshot,
    SnapshotStale,
    collect,
    measure,
)
from cloudbang.storage.logs.resume import newest_of, resume_point, stored_between
from cloudbang.storage.logs.retention import Going, LogRetention
from cloudbang.storage.logs.search_processes import SearchProcesses, can_go
from cloudbang.storage.logs.skip_indexing import SkipIndexing
from cloudbang.storage.logs.unread import UnreadLogs

__all__ = ["AppStats", "Append", "LogStore", "Page", "Query", "StorageHealth", "Stored"]

log = logging.getLogger(__name__)
T = TypeVar("T")
P = TypeVar("P", Entries, Sizes)

SEARCH = 0.4  # seconds after which a page is given as far as it was found
FLUSH_WITHIN = 3.0  # seconds that a stop waits for lines on their way to the disk
READERS = 3  # threads that read; a reader beyond them waits for its turn
STEP_BYTES = 1024 * 1024  # of lines that are in memory of what is only counted or picked from


class AppStats(NamedTuple):
    bytes: int  # on disk, with what lets searches skip blocks, without the other indexes
    lines: int
    first: int
    next: int


class Deleted(NamedTuple):
    """What went: bytes on disk, lines, and their seqs from ``first`` up to but without ``end``."""

    bytes: int
    lines: int
    first: int
    end: int


class LinesGone(CloudBangError):
    """Lines were deleted while they were being read."""

    code = "lines-gone"
    status = 409
    sentence = "lines of {app} were deleted while they were read"

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class LogStore:
    """See the module. ``open`` before anything else, ``close`` at the end."""

    def __init__(
        self,
        root: Path,
        *,
        team: str = "default",
        settings: StorageSettings | None = None,
        clock: Callable[[], int] = time.time_ns,
        notices: Notices | None = None,
    ) -> None:
        self._notices = notices or Notices(clock)
        self.root, self.team = Path(root), team
        self._settings = settings or StorageSettings(path=self.root)
        self._clock = clock
        self._folder = self.root / team
        self._apps: dict[str, AppLog] = {}
        self._totals: dict[str, Totals] = {}
        self._written: dict[str, int] = {}
        # Who registers apps says whose a new log is and at which seq it begins; both from memory.
        self.team_of: Callable[[str], str] = lambda app: team
        self.begin_at: Callable[[str], int] = lambda app: 1
        # And who is asked how long one is kept; from memory, too.
        self.own_keeping: OwnKeepings = lambda app: AS_USUAL
        self.usual_keeping = usual_of(self._settings)
        self._cache = IndexCache()
        self._unread = UnreadLogs(self._recover)
        self._supervisor = Supervisor("store")
        self._lock = -1
        self.on_stored: list[Callable[[Sequence[Stored]], None]] = []
        """Called in the order of seq with what is in the files now. Must be quick and not wait."""

    # -- life

    def open(self) -> None:
        """Take the data folder, find every app's log again. Raises AlreadyRunning, StorageFailed."""
        try:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = data_folder.take(self.root)
        except OSError as e:
            raise StorageFailed(str(self.root), e.strerror or str(e)) from None
        try:
            self._readers = FairThreads(READERS)
            self._processes = SearchProcesses()
            for folder in sorted(self.root.iterdir()):
                if is_team_name(folder.name) and folder.is_dir():
                    self._recover_team(folder)
            settings = self._settings
            self._commit = GroupCommit(
                str(self.root),
                keep_free=settings.keep_free_bytes,
                segment_bytes=settings.segment_bytes,
                clock=self._clock,
                cache=self._cache,
                apps=self._apps,
                on_stored=self.on_stored,
                on_closed=self._closed,
                notices=self._notices,
                keeping_of=self.keeping_of,
            )
            self._retention = LogRetention(
                *(self._apps, self._cache, self._commit, settings, self._clock),
                keeping_of=self.keeping_of,
            )
            self._skips = SkipIndexing(
                self._apps,
                self._cache,
                keep_free=settings.keep_free_bytes,
                troubled=lambda: self.health is not None,
            )
            self.merged = MergedLogs(
                *(self._apps, self._known, self.next_seq),
                *(self._cache, self._readers, self._processes),
            )
            """Several logs as one."""
        except BaseException as e:
            self._release_lock()
            if isinstance(e, OSError):
                raise StorageFailed(str(self.root), e.strerror or str(e)) from e
            raise
        # Packing and deleting make room.
        self._commit.health.on_change.append(lambda _: self._retention.wake.set())
        self._commit.start(self._supervisor)
        if self._unread:
            self._supervisor.run("unread", self._unread.loop, self._commit.health.failed)
        self._supervisor.run("upkeep", self._retention.loop)
        self._supervisor.run("skip index", self._skips.loop)
        self._closed()

    def close(self, deadline: Deadline = UNHURRIED) -> None:
        """Write and sync everything that was taken; then the folder is free for another."""
        if self._lock < 0:
            return
        self._commit.close(deadline.at_most(FLUSH_WITHIN))
        self._supervisor.stop(deadline)
        self._commit.release()
        self._skips.close()
        self._processes.stop()
        self._retention.close()
        self._readers.close()
        self._release_lock()

    def _closed(self) -> None:
        """A segment is not written to any more."""
        self._retention.wake.set()
        self._skips.wake.set()

    def _recover_team(self, team: Path) -> None:
        self._totals.setdefault(team.name, Totals())
        for name in sorted(os.listdir(team)):
            folder = team / name
            if not is_log_name(name) or not folder.is_dir():
                continue
            if name in self._apps or name in self._unread:
                log.error("%s is left alone: another team has an app of this name", folder)
                continue
            try:
                self._recover(name, folder)
            except OSError as e:
                self._unread.add(name, folder, e)  # it alone is missing

    def _recover(self, name: str, folder: Path) -> None:
        """Take up an app's log as it is on the disk. Raises OSError."""
        totals = self._totals[folder.parent.name]
        args = (name, folder, self._cache, totals, self._written)
        try:
            found: AppLog = self._readers.call("", Rank.PAGE, recover, *args).log
        except FileNotFoundError as e:
            if name not in self._unread or str(e.filename) != str(folder):
                raise
            self._commit.health.took(name)  # somebody moved it away: it may begin again
            return
        if found.next == 1 and not found.active:
            with suppress(OSError):  # left of one that was being forgotten; or no log at all
                folder.rmdir()
            return
        self._apps[name] = found
        if name in self._unread:
            self._written.setdefault(name, 0)  # whoever looks at these learns that it is there
            self._commit.health.took(name)

    def _release_lock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # -- writing

    def append(self, app: str, records: list[bytes]) -> int:
        """Store whole records (each with its LF). Gives the seq of the first, once they are in the
        file; blocks the calling greenlet until then.

        Raises StorageFull or StorageFailed with none of them stored, BadRequest for a name that
        cannot be one, ValueError for what is not whole records.
        """
        if not records:
            return self.next_seq(app)
        return self._commit.put(*self._checked(app, records))

    def enqueue(self, app: str, records: list[bytes]) -> Append:
        """The same without waiting for the disk, only for room in its queue; the receipt tells.

        What the disk does not take waits, in order, and is tried again. Raises StorageFailed when
        the store is closed, BadRequest and ValueError as :meth:`append`.
        """
        return self._commit.append(*self._checked(app, records), keep=True)

    def offer(self, app: str, records: list[bytes], patience: float) -> Append | None:
        """The same for who cannot wait: None, and nothing is taken, when there is no room within
        ``patience`` seconds, or the disk takes nothing and enough of the app waits for it."""
        if app in self._unread:
            return None
        is_new = app not in self._apps
        found, records, data = self._checked(app, records)
        receipt = self._commit.offer(found, records, data, patience)
        if receipt is None and is_new and not found.writing and self._apps.get(app) is found:
            del self._apps[app]  # nothing has become of it
        return receipt

    def _checked(self, app: str, records: list[bytes]) -> tuple[AppLog, list[bytes], bytes]:
        self._unread.check(app)
        found = self._apps.get(app) or self._new(app)
        data = b"".join(records)
        if data.count(b"\n") != len(records) or data[-1] != 10:
            raise ValueError("a record ends with its only LF")
        return self._apps.setdefault(app, found), records, data

    def _new(self, app: str) -> AppLog:
        if not is_log_name(app):
            raise BadRequest(
                "app", app, "1 to 128 letters, digits, '_', '.' or '-'; neither '.' nor '-' first"
            )
        team = self.team_of(app)
        return AppLog(
            app,
            self.root / team / app,
            next=self.begin_at(app),
            totals=self._totals.setdefault(team, Totals()),
            written=self._written,
        )

    def tidy(self) -> None:
        """Pack and delete now what is due: what the retention does by itself now and then."""
        self._retention.once()

    def tidy_soon(self) -> None:
        """The same, without waiting for it."""
        self._retention.wake.set()

    def keeping_of(self, app: str) -> Keeping:
        """How long an app's log is kept, and how much of it."""
        return self.own_keeping(app).over(self.usual_keeping)

    def would_go(self, app: str, own: OwnKeeping) -> Going:
        """What of an app's log would be deleted at once if that was said of it. Raises
        StorageFailed."""
        found = self._known(app)
        if not found:
            return Going(0, 0, b"")
        try:
            return self._retention.would_go(found, own.over(self.usual_keeping))
        except OSError as e:
            raise StorageFailed(str(found.folder), e.strerror or str(e)) from None

    # -- deleting

    def delete_lines(self, app: str, containers: Collection[str] = ()) -> Deleted:
        """Delete every line of an app. Who reads it meanwhile finds the lines gone; seqs go on.

        ``containers`` (12 hex digits) are those that the engine still has: the last lines of each
        are remembered beside the log, so that none is stored again. Raises StorageFailed with a
        part of them deleted: what is left is the newer part.
        """
        found = self._known(app)
        if not found:
            begins = self.begin_at(app)
            return Deleted(0, 0, begins, begins)
        size, first = found.size, found.first
        self._retention.delete(found, containers)
        if found.first == first < found.next:
            raise (
                StorageFull(str(found.folder))
                if self.health and self.health.kind == "full"
                else StorageFailed(str(found.folder), "its newest file could not be closed")
            )
        return Deleted(max(size - found.size, 0), found.first - first, first, found.first)

    def forget(self, app: str, leaving: Callable[[], bool]) -> bool:
        """Forget a log without lines, with its folder. ``leaving()`` is asked at the moment at
        which it goes; False, from it or because lines have come, leaves everything as it is."""
        if app in self._unread:
            return False
        found = self._apps.get(app)
        if not found:
            return leaving()

        def leave() -> bool:
            if self._apps.get(app) is not found or not leaving():
                return False
            del self._apps[app]
            self._written.pop(app, None)
            self._commit.health.forget(app)
            return True

        try:
            return self._retention.forget(found, leave)
        except OSError as e:
            # It is forgotten; an empty folder that stays is looked at again at the next start.
            log.warning("%s cannot be removed: %s", found.folder, e)
            return True

    @property
    def health(self) -> StorageHealth | None:
        """Why nothing can be stored at the moment, for anybody; None when all is well, but for
        apps whose own path refuses."""
        return self._commit.health.now

    @property
    def on_health(self) -> list[Callable[[StorageHealth | None], None]]:
        """Called on the hub whenever :attr:`health` begins, changes or ends."""
        return self._commit.health.on_change

    def refuses(self, app: str) -> bool:
        """Whether the app's own path takes nothing at the moment."""
        return self._commit.health.refuses(app)

    @property
    def refusing(self) -> int:
        """Apps whose own path takes nothing at the moment."""
        return self._commit.health.refusing

    # -- what is known without reading

    def apps(self) -> list[str]:
        """Every app that has lines here."""
        return sorted(name for name, found in self._apps.items() if found.first < found.next)

    def names(self) -> list[tuple[str, str]]:
        """Every app that has a folder, and its team."""
        read = [(name, found.folder.parent.name) for name, found in self._apps.items()]
        return read + [(name, folder.parent.name) for name, folder in self._unread.names()]

    def __len__(self) -> int:
        """Apps that have a log, or had one and have a folder."""
        return len(self._apps) + len(self._unread)

    def __contains__(self, app: str) -> bool:
        return app in self._apps or app in self._unread

    def has_lines(self, app: str) -> bool:
        """True, too, of one whose log cannot be read."""
        found = self._apps.get(app)
        return found.first < found.next if found else app in self._unread

    @property
    def written(self) -> dict[str, int]:
        """The apps that were given lines since :meth:`take_written`, and how many."""
        return self._written

    def take_written(self) -> dict[str, int]:
        """The same, and begin to count again."""
        found = dict(self._written)
        self._written.clear()
        return found

    @property
    def teams(self) -> frozenset[str]:
        """The teams of which logs are kept."""
        return frozenset(self._totals)

    def totals(self, teams: Collection[str] | None = None) -> tuple[int, int]:
        """Bytes and lines on disk, of some teams or of all."""
        chosen = [t for team, t in self._totals.items() if teams is None or team in teams]
        return sum(t.bytes for t in chosen), sum(t.lines for t in chosen)

    @property
    def ever_stored(self) -> int:
        """Lines that were ever stored, of all teams."""
        return sum(t.ever for t in self._totals.values())

    def size(self, app: str) -> int:
        """Bytes on disk, as ``AppStats`` has them."""
        found = self._apps.get(app)
        return found.size if found else 0

    def next_seq(self, app: str) -> int:
        found = self._apps.get(app)
        return found.next if found else self.begin_at(app)

    def first_seq(self, app: str) -> int:
        found = self._apps.get(app)
        return found.first if found else self.begin_at(app)

    def last(self, app: str) -> tuple[int, bytes] | None:
        """Seq and record of the newest line; a record over 4 KiB is cut to that."""
        found = self._apps.get(app)
        return found.last if found else None

    def stats(self) -> dict[str, AppStats]:
        return {
            name: AppStats(found.size, found.next - found.first, found.first, found.next)
            for name, found in self._apps.items()
        }

    # -- reading

    def _known(self, app: str) -> AppLog | None:
        """Its log, if it has one. Raises StorageFailed when that could not be read yet."""
        self._unread.check(app)
        return self._apps.get(app)

    def read(self, app: str, query: Query) -> Page:
        """A page of lines; see :class:`Query` for which. Empty for an app that is not known.

        A search that takes longer than 0.4 s, or finds as many bytes as the query allows, gives
        what it found and a cursor to go on from.
        Raises BadRequest, StorageFailed.
        """
        found = self._known(app)
        if not found:
            begins = self.begin_at(app)
            return Page([], begins, begins)
        deadline = time.monotonic() + SEARCH
        lines: Lines = []
        while True:
            part, cursor = self._collect(found, query, SLICE)
            lines = part + lines if query.backwards else lines + part
            if cursor is None:
                return Page(lines, found.first, found.next)
            query = _onward(query, cursor, len(part), sum(len(raw) for _, raw in part))
            if query.size <= 0 or time.monotonic() > deadline:
                return Page(lines, found.first, found.next, cursor)

    def read_entries(self, app: str, query: Query, rank: Rank | None = None) -> EntryPage:
        """A page of lines with what each is and belongs to.

        With ``match`` or ``levels`` these are whole entries: the page ends with the one that makes
        it full, and ``cursor`` is there whenever there may be more. Raises as :meth:`read`.
        """
        found = self._known(app)
        if not found:
            begins = self.begin_at(app)
            return EntryPage(Entries(), begins, begins)
        if query.match is None and query.levels is None:
            page = self.read(app, query)
            return EntryPage(
                self.describe(app, page.lines, query, page.cursor), page.first, page.next
            )
        whole = Entries()
        for part in self._parts(found, query, collect_entries, rank or Rank.SEARCH):
            whole = part.and_then(whole) if query.backwards else whole.and_then(part)
            whole.cursor = part.cursor
        return EntryPage(whole, found.first, found.next)

    def describe(self, app: str, lines: Lines, query: Query, cursor: int | None = None) -> Entries:
        """What lines are that were read for a query without a filter for text or levels: in a
        thread, and from a few lines before them where they begin within an entry."""
        found = self._known(app)
        if not found or not lines:
            return Entries(cursor=cursor)

        def step(view: Snapshot, skip_missing: bool) -> Entries:
            around = around_in(view, self._cache, query, skip_missing=skip_missing)
            return describe(lines, around)

        try:
            entries = self._retry(found, step, query.account)
        except StorageFailed:
            # The lines are here: what was before them and cannot be read only tells more of them.
            entries = describe(lines, lambda _seq, _back: [])
        entries.cursor = cursor
        return entries

    def scan_entries(self, app: str, query: Query) -> Iterator[Lines]:
        """The same as :meth:`scan`, of whole entries that a filter finds."""
        found = self._known(app)
        if not found:
            return
        end = found.next if query.before is None else min(query.before, found.next)
        at = 0 if query.after is None else query.after
        cursor: int | None = max(at, found.first - 1)
        while cursor is not None:
            low = cursor + 1
            part = replace(query, after=cursor, before=end, limit=1 << 62, size=STEP_BYTES)
            page = self.read_entries(app, part, Rank.DOWNLOAD)
            if found.first > low and low < end:
                raise LinesGone(app)
            cursor = page.entries.cursor
            yield page.entries.lines

    @property
    def index_cache(self) -> IndexCache:
        """For who is handed a view by :meth:`look`."""
        return self._cache

    def look(
        self, app: str, step: Callable[[Snapshot, bool], T], account: Hashable = ""
    ) -> T | None:
        """What ``step`` makes, in a thread, of a view of the log, and whether it is to do without what
        is missing (else it raises SnapshotStale); None for an app that is not known. It should be done
        within 25 ms. Raises StorageFailed."""
        found = self._known(app)
        return self._retry(found, step, account, Rank.SEARCH) if found else None

    def in_memory_before(self, app: str, seq: int, lines: int) -> list[bytes]:
        """Up to so many records before this seq, in order, as far as they are in memory."""
        found = self._apps.get(app)
        if not found or not found.first < seq <= found.next:
            return []
        records, _ = found.tail.newest(found.next - seq + lines, 1 << 62)
        return records[found.next - seq :][::-1]

    def find(self, app: str, query: Query, seconds: float = SEARCH) -> Sizes:
        """What :meth:`read` would find, without holding the lines: which they are, and about how
        large they are together. Raises as :meth:`read`."""
        found = self._known(app)
        if not found:
            return Sizes([], 0)
        whole = Sizes([], 0)
        rank = Rank.PAGE if query.match is None else Rank.SEARCH
        for part in self._parts(found, query, measure, rank, seconds):
            seqs = part.seqs + whole.seqs if query.backwards else whole.seqs + part.seqs
            whole = Sizes(seqs, whole.size + part.size, part.cursor)
        return whole

    def pick(self, app: str, seqs: Sequence[int], query: Query) -> Lines:
        """The first of these lines, as many as the query's size holds and at least one that is
        still there; none when none is. The query's account, and how it ranks, count as ever."""
        found = self._known(app)
        if not found or not seqs:
            return []
        wanted = set(seqs)
        lines: Lines = []
        step = replace(
            query,
            after=seqs[0] - 1,
            before=seqs[-1] + 1,
            since=None,
            until=None,
            match=None,
            limit=len(wanted) if len(wanted) == seqs[-1] - seqs[0] + 1 else 1 << 62,
            size=min(query.size, STEP_BYTES),
        )
        while True:
            part, cursor = self._collect(found, step, SLICE)
            lines += [line for line in part if line[0] in wanted]
            if cursor is None or sum(len(raw) for _, raw in lines) >= query.size:
                return lines
            step = replace(step, after=cursor)

    def scan(self, app: str, query: Query) -> Iterator[Lines]:
        """All lines of ``query`` that are there now, whatever its limit, oldest first in batches
        of about 256 KiB. Batches may be empty: a search that finds nothing gives its caller a
        chance to stop. Raises as :meth:`read`, and LinesGone when some that are still to come are
        deleted meanwhile."""
        found = self._known(app)
        if not found:
            return
        end = found.next if query.before is None else min(query.before, found.next)
        at = 0 if query.after is None else query.after
        cursor: int | None = max(at, found.first - 1)
        while cursor is not None:
            low = cursor + 1
            part = replace(query, after=cursor, before=end, limit=1 << 62)
            lines, cursor = self._collect(found, part, SLICE, blocks=1, rank=Rank.DOWNLOAD)
            if found.first > low and low < end:
                raise LinesGone(app)
            yield lines

    def raw_after(
        self,
        app: str,
        seq: int,
        limit_lines: int = 500,
        limit_bytes: int = 256 * 1024,
        account: Hashable = "",
    ) -> tuple[int, list[bytes]]:
        """Consecutive records with a seq above ``seq``, and the seq of the first of them.

        That is ``seq + 1`` unless lines are gone (deleted, or damaged); ``(next, [])`` when there
        is none. At least one record, whatever ``limit_bytes``. From memory for the newest lines.
        """
        found = self._known(app)
        if not found:
            return self.begin_at(app), []
        if seq + 1 >= found.next:
            return found.next, []
        recent = found.tail.after(max(seq, found.first - 1), limit_lines, limit_bytes)
        if recent is not None:
            return max(seq + 1, found.first), recent
        query = Query(after=seq, limit=limit_lines, size=limit_bytes, account=account)
        lines = self.read(app, query).lines
        if not lines:
            return found.next, []
        first = lines[0][0]
        records: list[bytes] = []
        for at, raw in lines:
            limit_bytes -= len(raw)
            if at != first + len(records) or (records and limit_bytes < 0):
                break
            records.append(raw)
        return first, records

    def newest(self, app: str, lines: int, size: int) -> tuple[int, list[bytes]]:
        """The last records, at most ``lines`` and ``size`` bytes of them, and the seq of the first:
        they reach up to the seq that the next line will get. ``(next, [])`` when there is none, or
        the last one is larger. From memory, but for some time after a start.
        """
        found = self._known(app)
        if not found:
            return 1, []
        end = found.next
        records, more = found.tail.newest(min(lines, end - found.first), size)
        if more:
            size -= sum(map(len, records))
            limit = lines - len(records)
            query = Query(before=end - len(records), limit=limit, size=max(size, 1))
            for seq, raw in reversed(self.read(app, query).lines):
                size -= len(raw)
                if size < 0 or seq != end - len(records) - 1:
                    break
                records.append(raw)
        records.reverse()
        return end - len(records), records

    def seq_at(self, app: str, time_ns: int) -> int:
        """Seq of the first line whose time is ``time_ns`` or later; the next seq if none is."""
        found = self._known(app)
        if not found:
            return self.begin_at(app)
        query = Query(since=time_ns, limit=1)
        while True:
            lines, cursor = self._collect(found, query, SLICE)
            if lines or cursor is None:
                return lines[0][0] if lines else found.next
            query = _onward(query, cursor, 0, 0)

    def resume_point(self, app: str, container: str) -> ResumePoint | None:
        """From when to read ``container`` (12 hex digits or more) again, and what of that is
        stored; None when nothing of it is known. Raises StorageFailed."""
        found = self._known(app)
        if not found:
            return None

        def step(view: Snapshot, skip_missing: bool) -> ResumePoint | None:
            mark = view.marks.containers.get(container[:12])
            return resume_point(view, self._cache, container, mark, skip_missing=skip_missing)

        return self._retry(found, step)

    def stored_between(self, app: str, container: str, since: int, until: int) -> Counter[bytes]:
        """How often each record (with its LF) of ``container``, by its fingerprint, is stored of
        these times (ns, inclusive). Raises StorageFailed."""
        found = self._known(app)
        if not found:
            return Counter()
        query = Query(container=container[:12], since=since, until=until)

        def step(view: Snapshot, skip_missing: bool) -> Counter[bytes]:
            return stored_between(view, self._cache, query, skip_missing=skip_missing)

        return self._retry(found, step)

    def newest_of(self, app: str, container: str, lines: int, seconds: float) -> list[bytes]:
        """The newest records (each with its LF) of ``container`` by their times, oldest first: at
        most so many, of at most so long before the last. Raises StorageFailed."""
        found = self._known(app)
        if not found:
            return []

        def step(view: Snapshot, skip_missing: bool) -> list[bytes]:
            args = (container[:12], lines, int(seconds * 1e9))
            return newest_of(view, self._cache, *args, skip_missing=skip_missing)

        return self._retry(found, step)

    def _collect(
        self,
        found: AppLog,
        query: Query,
        seconds: float,
        blocks: int = 1_000_000,
        rank: Rank | None = None,
    ) -> tuple[Lines, int | None]:
        if rank is None:
            rank = Rank.PAGE if query.match is None else Rank.SEARCH
        part: tuple[Lines, int | None] = self._part(
            found, collect, query, rank, seconds=seconds, blocks=blocks
        )
        return part

    def _parts(
        self,
        found: AppLog,
        query: Query,
        look: Callable[..., P],
        rank: Rank,
        seconds: float = SEARCH,
    ) -> Iterator[P]:
        """What ``look`` finds, a turn of a thread after the other, until it has been everywhere, there
        is enough, or so many seconds have gone."""
        deadline = time.monotonic() + seconds
        while True:
            part: P = self._part(found, look, query, rank, seconds=SLICE)
            yield part
            if part.cursor is None:
                return
            query = _onward(query, part.cursor, part.found, part.size)
            if query.size <= 0 or query.limit <= 0 or time.monotonic() > deadline:
                return

    def _part(
        self, found: AppLog, look: Callable[..., Any], query: Query, rank: Rank, **named: Any
    ) -> Any:
        """What ``look``, of a module, finds: of what takes long in a process of its own, if it is there."""
        filtered = query.match is not None or query.levels is not None
        apart = filtered and rank is not Rank.PAGE and can_go(query)

        def call(view: Snapshot, skip_missing: bool) -> Any:
            args = (view.bare(), self._cache, query)
            if apart and (process := self._processes.of(query.account)):
                with suppress(ProcessEnded):
                    asked = partial(look, *args, skip_missing=skip_missing, **named)
                    return process.call(query.account, rank, asked)
            step = partial(look, view, self._cache, query, skip_missing=skip_missing, **named)
            return self._readers.call(query.account, rank, step)

        return self._again(found, call)

    def _retry(
        self,
        found: AppLog,
        step: Callable[[Snapshot, bool], T],
        account: Hashable = "",
        rank: Rank = Rank.PAGE,
    ) -> T:
        """Run ``step`` in a thread; again with a fresh view when a file went away under it."""

        def call(view: Snapshot, skip_missing: bool) -> T:
            result: Any = self._readers.call(account, rank, step, view, skip_missing)
            return result

        return self._again(found, call)

    @staticmethod
    def _again(found: AppLog, call: Callable[[Snapshot, bool], T]) -> T:
        for attempt in range(4):
            try:
                # The last time without what is missing: somebody else deleted it.
                result = call(found.view(), attempt == 3)
            except SnapshotStale:
                gevent.sleep(0.002)
                continue
            except OSError as e:
                raise StorageFailed(str(found.folder), e.strerror or str(e)) from None
            return result
        raise AssertionError("the last attempt does not look for what is missing")


def _onward(query: Query, cursor: int, lines: int, size: int) -> Query:
    """What is left of a query of which so many lines were found, of so many bytes."""
    limit, size = query.limit - lines, query.size - size
    if query.backwards:
        return replace(query, limit=limit, size=size, before=cursor)
    return replace(query, limit=limit, size=size, after=cursor)
