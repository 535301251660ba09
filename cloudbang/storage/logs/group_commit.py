"""Group commit: everybody's lines of one moment are written by one job of one thread.

``put`` blocks the calling greenlet until its records are in the file. The first one starts a job
at once; who comes while it runs shares the next. Waking a thread costs 60 µs and more however
many apps are in a job, so when the machine is busy jobs are spaced by ``PACE`` seconds and grow
instead.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.core.supervise import Supervisor
from cloudbang.core.threads import in_thread
from cloudbang.errors import CloudBangError, StorageFailed, StorageFull
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import IndexCache, Segment, remove, remove_empty
from cloudbang.storage.logs.segment_writer import SegmentWriter, Sync, Write, sync

log = logging.getLogger(__name__)

PACE = 0.010  # seconds between the starts of two jobs
URGENT_BYTES = 16 * 1024  # that wait start one at once, so that a flood is not held up
SYNC_EVERY = 0.15  # seconds between the starts of two rounds of fdatasync; promised is 0.2
STALLED = 10.0  # seconds after which a write that does not come back is trouble to tell of

MAX_PENDING = 8 * 1024 * 1024
"""Bytes that wait to be written. Overload policy: who would add more waits; nothing is dropped."""

TAILS_BYTES = 16 * 1024 * 1024  # newest lines in memory, of all apps together


@dataclass(frozen=True)
class StorageHealth:
    """Why nothing can be stored at the moment. It goes away by itself."""

    kind: str  # "full" or "failed"
    path: str
    since: int  # ns
    message: str


class _Entry:
    __slots__ = ("data", "error", "records", "seq")

    def __init__(self, records: list[bytes], data: bytes) -> None:
        self.records, self.data = records, data
        self.seq = 0
        self.error: CloudBangError | None = None


class _Batch:
    __slots__ = ("done", "entries", "rolls", "size", "taken")

    def __init__(self) -> None:
        self.entries: dict[AppLog, list[_Entry]] = {}
        self.rolls: set[AppLog] = set()  # whose lines begin another segment
        self.size = 0
        self.taken = Event()
        self.done = Event()


class GroupCommit:
    """Writes for all apps, makes it durable, and says when it cannot."""

    def __init__(
        self,
        root: str,
        *,
        keep_free: int,
        segment_bytes: int,
        clock: Callable[[], int],
        cache: IndexCache,
        apps: dict[str, AppLog],
        on_closed: Callable[[], None],
    ) -> None:
        self._root, self._segment_bytes = root, segment_bytes
        self._clock, self._cache, self._apps = clock, cache, apps
        self._on_closed = on_closed
        self._writer = SegmentWriter(root, keep_free)
        self._thread = ThreadPool(1)
        self._sync_thread = ThreadPool(1)
        self._pending = _Batch()
        self._wake, self._urgent, self._to_sync = Event(), Event(), Event()
        self._troubled = Event()
        self._dirty: set[AppLog] = set()
        self._new: set[str] = set()  # paths of files not yet durable in their folder
        self._ended: list[tuple[Segment, list[Block]]] = []  # closed, their index not yet written
        self._closing = False
        self.jobs = 0
        self.trouble: StorageHealth | None = None
        self.on_health: list[Callable[[StorageHealth | None], None]] = []

    def start(self, supervisor: Supervisor) -> None:
        supervisor.run("flush", self._flush_loop)
        supervisor.run("sync", self._sync_loop)
        supervisor.run("recovery", self._recovery_loop)

    def put(self, app: AppLog, records: list[bytes], data: bytes) -> int:
        """``data`` is the joined ``records``. Gives the seq of the first, once they are written.
        Raises StorageFull, StorageFailed."""
        while self._pending.size and self._pending.size + len(data) > MAX_PENDING:
            self._pending.taken.wait(STALLED)
        if self._closing:
            raise StorageFailed(str(app.folder), "the store is closed")
        batch, entry = self._pending, _Entry(records, data)
        batch.entries.setdefault(app, []).append(entry)
        batch.size += len(data)
        if batch.size >= URGENT_BYTES:
            self._urgent.set()
        self._wake.set()
        # The write cannot be called back, so giving up would store the lines twice: keep waiting.
        while not batch.done.wait(STALLED):
            self._set_trouble("failed", str(app.folder), "the disk has not answered for 10 s")
        if entry.error:
            raise entry.error
        return entry.seq

    def roll(self, app: AppLog) -> bool:
        """Close the app's active segment and begin an empty one. False when the disk did not
        answer in time."""
        self._pending.entries.setdefault(app, [])
        self._pending.rolls.add(app)
        done = self._pending.done
        self._wake.set()
        return bool(done.wait(STALLED))

    def end(self, app: AppLog) -> None:
        """Close the app's active segment where nothing is being written to it; the next line
        begins another. Needs no room on the disk."""
        active = app.active
        self._ended_with(app.begin(None))
        if active:
            self.let_go(active)

    def remove(self, folder: Path, active: Segment | None) -> None:
        """Remove the folder of a log without lines; it may begin again at once. Raises OSError."""
        if active:
            self.let_go(active)
        # By the thread that writes: what begins again there does so after this.
        in_thread(self._thread, remove_empty, folder, active)

    def let_go(self, segment: Segment) -> None:
        """Close the file of a segment that is not written to any more."""
        self._thread.spawn(self._writer.forget, segment.path)

    def close(self, timeout: float = 3.0) -> None:
        """Write and sync what is pending; then nothing more is taken."""
        self._closing = True
        if self._pending.entries:
            self._pending.done.wait(timeout)

    def release(self) -> None:
        """After the greenlets have ended: the last sync, and every file closed."""
        in_thread(self._sync_thread, sync, self._sync_work())
        in_thread(self._thread, self._writer.close)
        self._thread.kill()
        self._sync_thread.kill()

    # -- writing

    def _flush_loop(self) -> None:
        started = 0.0
        while True:
            self._wake.wait()
            passed = time.monotonic() - started
            if passed < PACE and self._pending.size < URGENT_BYTES and not self._closing:
                self._urgent.clear()
                self._urgent.wait(PACE - passed)
            started = time.monotonic()
            batch, self._pending = self._pending, _Batch()
            self._wake.clear()
            batch.taken.set()
            try:
                self._flush(batch)
            except BaseException as e:
                for entries in batch.entries.values():
                    for entry in entries:
                        if not entry.seq and not entry.error:
                            entry.error = StorageFailed(self._root, f"{type(e).__name__}: {e}")
                raise
            finally:
                batch.done.set()

    def _flush(self, batch: _Batch) -> None:
        today = self._today()
        work: list[tuple[AppLog, list[_Entry], Write]] = []
        for app, entries in batch.entries.items():
            data = entries[0].data if len(entries) == 1 else b"".join([e.data for e in entries])
            work.append((app, entries, self._plan(app, data, today, roll=app in batch.rolls)))
        self.jobs += 1
        in_thread(self._thread, self._writer.write, [write for _, _, write in work])
        limit = min(256 * 1024, max(32 * 1024, TAILS_BYTES // max(len(self._apps), 1)))
        failure: OSError | None = None
        for app, entries, write in work:
            if write.error:
                failure = write.error
                for entry in entries:
                    entry.error = self._refusal(write)
                continue
            if write.begin:
                self._begin(app, write.segment)
            for entry in entries:
                entry.seq = app.written(entry.records, entry.data, limit)
            self._dirty.add(app)
        if self._dirty:
            self._to_sync.set()
        if failure:
            full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
            self._set_trouble(
                "full" if full else "failed",
                self._root,
                str(StorageFull(self._root) if full else StorageFailed(self._root, str(failure))),
            )
        elif self.trouble and batch.size:
            self._set_trouble(None)

    def _plan(self, app: AppLog, data: bytes, today: str, *, roll: bool) -> Write:
        active = app.active
        if active and not roll:
            # A clock that jumped back does not begin a day again: later days only.
            fits = active.size < self._segment_bytes and active.date >= today
            if fits:
                return Write(active, data, begin=False)
        segment = Segment(str(app.folder), today, app.next)
        return Write(segment, data, begin=True, ended=active.path if active else "")

    def _begin(self, app: AppLog, segment: Segment) -> None:
        if app.active and not app.active.size and app.active.path != segment.path:
            self._thread.spawn(remove, app.active)
        self._new.add(segment.path)
        self._ended_with(app.begin(segment))

    def _ended_with(self, ended: tuple[Segment, list[Block]] | None) -> None:
        if ended:
            self._ended.append(ended)
            self._cache.put(*ended)
            self._on_closed()

    def _refusal(self, write: Write) -> CloudBangError:
        assert write.error is not None
        if write.error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFull(self._root)
        return StorageFailed(write.segment.path, write.error.strerror or str(write.error))

    def _today(self) -> str:
        return f"{datetime.fromtimestamp(self._clock() / 1e9, UTC):%Y-%m-%d}"

    # -- durability

    def _sync_loop(self) -> None:
        while True:
            self._to_sync.wait()
            gevent.sleep(SYNC_EVERY)
            self._to_sync.clear()
            work = self._sync_work()
            owners = {app.active.path: app for app in self._apps.values() if app.active}
            in_thread(self._sync_thread, sync, work)
            for one in work:
                app = owners.get(one.segment.path)
                if one.error:
                    self._set_trouble("failed", one.segment.path, str(one.error))
                if app is None or app.active is not one.segment:
                    continue
                if one.gone:
                    log.error(
                        "%s was removed by someone else: a new file is begun", one.segment.path
                    )
                    self.roll(app)
                else:
                    app.index_size = one.index_size
                    if one.index_size:
                        app.indexed += len(one.entries)

    def _sync_work(self) -> list[Sync]:
        dirty, self._dirty = self._dirty, set()
        ended, self._ended = self._ended, []
        new, self._new = self._new, set()
        work = [
            Sync(segment, [], 0, segment.path in new, blocks, closed=True)
            for segment, blocks in ended
        ]
        for app in dirty:
            if app.active:
                entries = app.blocks[app.indexed :]
                work.append(Sync(app.active, entries, app.index_size, app.active.path in new))
        return work

    # -- trouble

    def _recovery_loop(self) -> None:
        """Trouble ends with the first write that succeeds; when nobody writes, try it."""
        while True:
            self._troubled.wait()
            gevent.sleep(1.0)
            try:
                in_thread(self._thread, self._writer.probe)
            except OSError:
                continue
            self._set_trouble(None)

    def _set_trouble(self, kind: str | None, path: str = "", message: str = "") -> None:
        if (self.trouble.kind if self.trouble else None) == kind:
            return
        if kind:
            self.trouble = StorageHealth(kind, path, self._clock(), message)
            self._troubled.set()
            log.error("%s", message)
        else:
            self.trouble = None
            self._troubled.clear()
            log.warning("storing goes on")
        for callback in self.on_health:
            callback(self.trouble)
