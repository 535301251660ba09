"""Group commit: everybody's lines of one moment are written by one job of one thread.

An append joins the queue of its app and is acknowledged when it is in the file. The first one
starts a job at once; who comes while it runs shares the next. Waking a thread costs 60 µs and more
however many apps are in a job, so when the machine is busy jobs are spaced by ``PACE`` seconds and
grow instead. What was stored is told to ``on_stored`` in the order of seq, while the thread is
already at the next job.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.core.counters import export
from cloudbang.core.notices import Notices
from cloudbang.core.parking import Parking
from cloudbang.core.supervise import Supervisor
from cloudbang.core.threads import ReadyThread, in_thread
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.append_queue import Append, AppendQueue, Job, Stored
from cloudbang.storage.logs.durability import Durability
from cloudbang.storage.logs.health import Health, is_everybodys
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.keeping import LEAST_SEGMENT, Keeping
from cloudbang.storage.logs.segment import Segment, remove, remove_empty
from cloudbang.storage.logs.segment_writer import SegmentWriter, Write

log = logging.getLogger(__name__)

PACE = 0.005  # seconds between the starts of two jobs
URGENT_BYTES = 64 * 1024  # that wait start one at once, so that a flood is not held up
JOB_BYTES = 1024 * 1024  # of one app in one job: what follows one is done in the hub
STALLED = 10.0  # seconds after which a write that does not come back is trouble to tell of
RETRY = 1.0  # seconds between two tries with lines that wait for the disk to take them

# Overload policy, all three: who would add more waits; nothing is dropped, the engine holds the
# rest. Who cannot wait (`offer`) is refused, and gets half of it, so that readers have the other.
ROOM = 2 * 1024 * 1024  # bytes of one app that are not acknowledged yet
MAX_PENDING = 8 * 1024 * 1024  # bytes of all apps that wait for the thread
MAX_HELD = 16 * 1024 * 1024  # bytes of all apps that the disk did not take

DAY = 86_400  # seconds

SILENT = "the disk has not answered for 10 s"

TAILS_BYTES = 16 * 1024 * 1024  # newest lines in memory, of all apps together
LEAST_TAIL, MOST_TAIL = 32 * 1024, 256 * 1024  # of one app


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
        on_stored: list[Callable[[Sequence[Stored]], None]],
        on_closed: Callable[[], None],
        notices: Notices,
        keeping_of: Callable[[str], Keeping],
    ) -> None:
        self._root, self.segment_bytes = root, segment_bytes
        self._keeping_of = keeping_of
        self._clock, self._cache, self._apps = clock, cache, apps
        self._on_stored, self._on_closed = on_stored, on_closed
        self._writer = SegmentWriter(root, keep_free)
        self._thread = ReadyThread()
        self._probing = ThreadPool(1)
        self.health = Health(root, clock, notices)
        self._durability = Durability(self.health, self.roll)
        self._queues: dict[AppLog, AppendQueue] = {}
        self.waiting_bytes = 0  # bytes that wait and are not held
        self.refused_bytes = 0  # bytes of the queues that were refused when they were last tried
        self._wake, self._urgent = Parking(), Event()
        self._room, self._idle = Event(), Event()
        # It repeats so that `again` begins anew: `start` goes on with what a stopped one had left.
        self._stalled = gevent.get_hub().loop.timer(STALLED, STALLED)
        self._today = self._tomorrow = ""  # in UTC
        self._tomorrow_begins = 0.0
        self._idle.set()
        self._closing = False
        self._began = 0.0  # the last job
        self._running: list[Job] = []
        self.jobs = 0
        export(
            self,
            "log_store",
            counters={"jobs": "Writes of lines: one holds those of all apps."},
            gauges={
                "waiting_bytes": "Bytes of lines on their way to the disk.",
                "refused_bytes": "Bytes of lines that the disk did not take, and wait.",
            },
        )

    def start(self, supervisor: Supervisor) -> None:
        supervisor.run("commit", self._commit_loop)
        supervisor.run("sync", self._durability.loop)
        supervisor.run("recovery", self._recovery_loop)

    def append(self, app: AppLog, records: list[bytes], data: bytes, *, keep: bool) -> Append:
        """``data`` is the joined ``records``. Waits while there is no room, not for the disk.
        Raises StorageFailed when the store is closed."""
        append = Append(app, records, data, keep)
        try:
            while not self._closing and not self._has_room(app, len(data), keep):
                self._room.clear()
                self._room.wait(STALLED)
            if self._closing:
                raise StorageFailed(str(app.folder), "the store is closed")
        except BaseException:
            append.end(0, None)
            raise
        return self._enqueue(app, append)

    def offer(
        self, app: AppLog, records: list[bytes], data: bytes, patience: float
    ) -> Append | None:
        """The same for who cannot wait: None when there was no room within ``patience`` seconds,
        or is none now and the disk takes nothing, of this app or of anybody."""
        append = Append(app, records, data, True)
        ends = time.monotonic() + patience
        while not self._has_room(app, len(data), True, share=2):
            left = ends - time.monotonic()
            if self._closing or left <= 0 or self.health.now or self.health.refuses(app.name):
                append.end(0, StorageFailed(str(app.folder), "too much waits to be stored"))
                return None
            self._room.clear()
            self._room.wait(left)
        return self._enqueue(app, append)

    def put(self, app: AppLog, records: list[bytes], data: bytes) -> int:
        """Gives the seq of the first, once they are written. Raises StorageFull, StorageFailed."""
        append = self.append(app, records, data, keep=False)
        append.wait()
        if append.error:
            raise append.error
        return append.seq

    def roll(self, app: AppLog) -> bool:
        """Close the app's active segment and begin an empty one. False when the disk did not
        answer in time."""
        queue = self._queue(app)
        done = queue.roll = queue.roll or Event()
        self._retry(queue)
        self._idle.clear()
        self._wake.call()
        return bool(done.wait(STALLED))

    def goes_on(self, segment: Segment) -> bool:
        """Whether today's lines still go to this segment. A clock that jumped back over midnight
        does not begin a day again; one that had been further ahead was wrong."""
        return self._date() <= segment.date <= self._tomorrow

    def has_room(self, app: AppLog, segment: Segment) -> bool:
        """Whether it is smaller than a file of this app's log may be."""
        size = segment.size
        return size < LEAST_SEGMENT or self._keeping_of(app.name).holds(size, self.segment_bytes)

    def is_writing(self, app: AppLog) -> bool:
        """Whether lines of the app are on their way to the disk, which takes them."""
        queue = self._queues.get(app)
        return queue is not None and not queue.held

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
        self._thread.run(remove_empty, folder, active)

    def let_go(self, segment: Segment) -> None:
        """Close the file of a segment that is not written to any more."""
        self._thread.run(self._writer.forget, segment.path)

    def close(self, timeout: float = 3.0) -> None:
        """Write and sync what is pending; then nothing more is taken."""
        self._closing = True
        self._urgent.set()
        self._idle.wait(timeout)

    def release(self) -> None:
        """After the greenlets have ended: the last sync, and every file closed."""
        closed = StorageFailed(self._root, "the store is closed")
        self._give_up(self._running, closed)
        for append in [append for queue in self._queues.values() for append in queue.appends]:
            append.end(0, closed)
        self._queues.clear()
        self._thread.close()
        self._stalled.close()
        self._durability.close(self._writer.close)
        self._probing.kill()

    def _queue(self, app: AppLog) -> AppendQueue:
        queue = self._queues.get(app)
        if queue is None:
            queue = self._queues[app] = AppendQueue()
        return queue

    def _has_room(self, app: AppLog, size: int, keep: bool, share: int = 1) -> bool:
        """Whether so much may be added, of an n-th ``share`` of all room; one is, however large."""
        if self.waiting_bytes and self.waiting_bytes + size > MAX_PENDING // share:
            return False
        queue = self._queues.get(app)
        if not keep or queue is None:
            return True
        if queue.refused and self.refused_bytes + size > MAX_HELD // share:
            return False
        return queue.size + size <= ROOM // share or not queue.size

    def _enqueue(self, app: AppLog, append: Append) -> Append:
        queue, size = self._queue(app), len(append.data)
        if not append.keep:
            self._retry(queue)  # it wants to know now
        queue.appends.append(append)
        queue.size += size
        if queue.refused:
            self.refused_bytes += size
        if not queue.held:
            self.waiting_bytes += size
            if self.waiting_bytes >= URGENT_BYTES:
                self._urgent.set()
            self._idle.clear()
            self._wake.call()
        return append

    # -- writing

    def _commit_loop(self) -> None:
        if any(queue.waits for queue in self._queues.values()):
            self._wake.call()  # left by one that failed
        while True:
            self._wake.wait()
            passed = time.monotonic() - self._began
            if passed < PACE and self.waiting_bytes < URGENT_BYTES and not self._closing:
                self._urgent.clear()
                self._urgent.wait(PACE - passed)
            self._began = time.monotonic()
            jobs = self._take()
            if jobs:
                self.jobs += 1
                try:
                    self._write(jobs)
                    stored = self._note(jobs)
                except Exception as e:
                    self._give_up(jobs, StorageFailed(self._root, f"{type(e).__name__}: {e}"))
                    raise
                self._tell(stored)
            if not self._queues or not any(queue.waits for queue in self._queues.values()):
                self._idle.set()

    def _tell(self, stored: list[Stored]) -> None:
        for callback in self._on_stored:
            try:
                callback(stored)
            except Exception:
                log.exception("somebody who is told of stored lines failed")

    def _give_up(self, jobs: list[Job], error: CloudBangError) -> None:
        """Nobody knows what became of these: whoever reads begins anew from what is stored."""
        for append in [append for job in jobs for append in job.appends]:
            if not append.decided:
                append.end(0, error)
        for job in jobs:
            job.queue.size = sum(len(append.data) for append in job.queue.appends)
            if job.roll is not None:
                job.roll.set()
            if not job.queue.appends and not job.queue.roll:
                self._queues.pop(job.app, None)

    def _take(self) -> list[Job]:
        """What the next job writes: of each app its share, in order."""
        today = self._date()
        waiting = [(app, queue) for app, queue in self._queues.items() if queue.waits]
        share = JOB_BYTES // max(len(waiting), 1)
        jobs = []
        for app, queue in waiting:
            appends = queue.take(share)
            parts = [append.data for append in appends]
            data = parts[0] if len(parts) == 1 else b"".join(parts)
            self.waiting_bytes -= len(data)
            roll, queue.roll = queue.roll, None
            write = self._plan(app, data, today, roll=roll is not None)
            jobs.append(Job(app, queue, appends, write, roll))
            if queue.appends:
                self._wake.call()
        self._room.set()
        return jobs

    def _write(self, jobs: list[Job]) -> None:
        """Have the thread write it all; every ``write.error`` is true afterwards."""
        writes = [job.write for job in jobs]

        def write() -> None:
            try:
                self._writer.write(writes)
            except Exception as e:
                log.exception("writing failed")
                for one in writes:
                    one.error = one.error or OSError(errno.EIO, f"{type(e).__name__}: {e}")

        # The write cannot be called back, so giving up would store the lines twice: it is only told.
        self._stalled.again(self.health.nothing_goes, "failed", SILENT)
        try:
            self._running = jobs
            self._thread.run(write)
            self._running = []
        finally:
            self._stalled.stop()

    def _note(self, jobs: list[Job]) -> list[Stored]:
        """Take note of what is in the files now, and acknowledge it."""
        limit = min(MOST_TAIL, max(LEAST_TAIL, TAILS_BYTES // (len(self._apps) or 1)))
        stored: list[Stored] = []
        for app, queue, appends, write, roll in jobs:
            if write.error:
                self._refuse(app, queue, appends, write)
            else:
                self.health.took(app.name)
                queue.refused = ""
                if write.begin:
                    self._begin(app, write.segment)
                if appends:
                    stored.append(self._acknowledge(app, appends, write.data, limit))
                    queue.size -= len(write.data)
                    self._durability.written(app)
            if roll is not None:
                roll.set()
            if not queue.appends and not queue.roll:
                del self._queues[app]
        self._room.set()
        if self.refused_bytes or self.health.troubled.is_set():
            self.refused_bytes = sum(queue.size for queue in self._queues.values() if queue.refused)
        if self.health.now and stored and not self._refused_for_all():
            self.health.all_goes()
        return stored

    def _acknowledge(self, app: AppLog, appends: list[Append], data: bytes, limit: int) -> Stored:
        records = appends[0].records
        if len(appends) > 1:
            records = [raw for append in appends for raw in append.records]
        seq = first = app.written(records, data, limit)
        for append in appends:
            count = len(append.records)
            append.end(seq, None)
            seq += count
        return Stored(app.name, first, records)

    def _refuse(self, app: AppLog, queue: AppendQueue, appends: list[Append], write: Write) -> None:
        """Nothing of these is in the file: they are put back, or told."""
        assert write.error is not None
        kept = [append for append in appends if append.keep]
        refusal = self.health.failed(app.name, write.segment.path, write.error)
        for append in appends:
            if not append.keep:
                queue.size -= len(append.data)
                append.end(0, refusal)
        if kept:
            self.waiting_bytes -= sum(len(append.data) for append in queue.appends)
            queue.appends[:0] = kept
            queue.held, queue.refused = True, "all" if is_everybodys(write.error) else "own"

    def _retry(self, queue: AppendQueue) -> None:
        if queue.held:
            queue.held = False
            self.waiting_bytes += sum(len(append.data) for append in queue.appends)
            self._idle.clear()
            self._wake.call()

    def _refused_for_all(self) -> bool:
        return any(queue.refused == "all" for queue in self._queues.values())

    def _plan(self, app: AppLog, data: bytes, today: str, *, roll: bool) -> Write:
        active = app.active
        if active and not roll and self.has_room(app, active) and self.goes_on(active):
            return Write(active, data, begin=False)
        segment = Segment(str(app.folder), today, app.next)
        return Write(segment, data, begin=True, ended=active.path if active else "")

    def _begin(self, app: AppLog, segment: Segment) -> None:
        if app.active and not app.active.size and app.active.path != segment.path:
            self._durability.later(remove, app.active)
        self._durability.begun(segment)
        self._ended_with(app.begin(segment))

    def _ended_with(self, ended: tuple[Segment, list[Block]] | None) -> None:
        if ended:
            self._durability.ended(*ended)
            self._cache.put(*ended)
            self._on_closed()

    def _date(self) -> str:
        now = self._clock() / 1e9
        if not self._tomorrow_begins - DAY <= now < self._tomorrow_begins:
            self._today = day_of(int(now * 1e9))
            self._tomorrow_begins = (now // DAY + 1) * DAY
            self._tomorrow = day_of(int(self._tomorrow_begins * 1e9))
        return self._today

    # -- trouble

    def _recovery_loop(self) -> None:
        """Trouble ends with the first write that succeeds; what nobody writes to is tried."""
        health = self.health
        while True:
            health.troubled.wait()
            gevent.sleep(RETRY)
            held = [queue for queue in self._queues.values() if queue.held]
            if (health.now and not self._refused_for_all()) or health.unproven:
                health.unproven = False
                try:
                    in_thread(self._probing, self._writer.probe)
                    health.all_goes()
                except OSError as e:
                    health.everybody(e)
            for queue in held:
                self._retry(queue)
            if not held and not health.now and not health.unproven:
                health.troubled.clear()


def day_of(ns: int) -> str:
    """The day in UTC of a moment, as the names of segments begin with it."""
    return f"{datetime.fromtimestamp(ns / 1e9, UTC):%Y-%m-%d}"
