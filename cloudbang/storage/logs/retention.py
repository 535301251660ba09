"""What happens to old lines: a day ends, a segment is packed, the oldest are deleted.

Deleted are whole segments, from an app's oldest on, never the one that is written to; so a seq
is never used again.
"""

from __future__ import annotations

import heapq
import logging
import os
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from cloudbang.config import StorageSettings
from cloudbang.core.loop import in_turns, yield_to_loop
from cloudbang.core.threads import in_thread
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.group_commit import GroupCommit, day_of
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.keeping import Keeping
from cloudbang.storage.logs.marks import save_marks
from cloudbang.storage.logs.reader import SnapshotStale
from cloudbang.storage.logs.resume import marks_after
from cloudbang.storage.logs.segment import Segment, compress, remove, remove_form

log = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two looks, unless a segment was closed
PLAIN_KEPT = 4  # closed segments of today that stay plain text, for cat and grep
DAY_NS = 86_400 * 1_000_000_000


def to_pack(closed: list[Segment], today: str) -> list[Segment]:
    """The closed segments that are plain and need not be: of other days, or too many."""
    plain = [s for s in closed if not s.compressed]
    fresh = [s for s in plain if s.date == today][-PLAIN_KEPT:]
    return [s for s in plain if s not in fresh]


def beyond_size(
    logs: Iterable[AppLog],
    most_of: Callable[[AppLog], int],
    total_max: int,
    today: str = "9999",
) -> dict[AppLog, int]:
    """How many of its oldest segments each app has to give up, to have ``most_of`` it and all of them
    ``total_max`` bytes; a limit of 0 is none. One that was begun when the clock was ahead is not
    younger than ``today``."""
    give: dict[AppLog, int] = {}
    total = 0
    oldest: list[tuple[str, str, AppLog]] = []
    for app in logs:
        most, size, drop = most_of(app), app.size, 0
        while most and size > most and drop < len(app.closed):
            size -= app.closed[drop].stored
            drop += 1
        if drop:
            give[app] = drop
        total += size
        if drop < len(app.closed):
            oldest.append((min(app.closed[drop].date, today), app.name, app))
    heapq.heapify(oldest)
    while total_max and total > total_max and oldest:
        _, name, app = heapq.heappop(oldest)
        drop = give.get(app, 0)
        total -= app.closed[drop].stored
        give[app] = drop = drop + 1
        if drop < len(app.closed):
            heapq.heappush(oldest, (min(app.closed[drop].date, today), name, app))
    return give


def beyond_age(closed: list[Segment], cutoff_ns: int, cache: IndexCache, now_ns: int) -> int:
    """How many of the oldest segments hold nothing newer than ``cutoff_ns``. In a thread."""
    cutoff, now = format_time(max(cutoff_ns, 0)).encode(), format_time(now_ns)
    drop = 0
    for at, segment in enumerate(closed, 1):
        try:
            newest = cache.total(segment).newest
        except OSError:
            newest = b""  # it is gone, or cannot be read: judge it by the day of its name
        # A line from the future (its clock was wrong) does not keep a segment for ever.
        day = f"{segment.date}T23:59:59".encode()
        if min(newest or day, day) < cutoff:
            drop = at
        elif segment.date <= now[:10]:
            break
        # Begun when the clock was ahead: it is as old as its file, and as what follows it.
        elif _written_ns(segment, now_ns) < cutoff_ns:
            drop = at
    return drop


def is_young(segment: Segment, cutoff: bytes, today: str) -> bool:
    """Whether it is known, without a look at the disk, that there is something newer in it than
    ``cutoff``: of a hundred thousand apps nearly all are."""
    if segment.total is None or segment.date > today:
        return False
    return min(segment.total.newest, f"{segment.date}T23:59:59".encode()) >= cutoff


def _written_ns(segment: Segment, now_ns: int) -> int:
    """When its file was written last. A time to come is set to now, so that it ages from here."""
    try:
        if (written := os.stat(segment.path).st_mtime_ns) > now_ns:
            os.utime(segment.path, ns=(now_ns, now_ns))
    except OSError:
        return now_ns
    return min(written, now_ns)


class Going(NamedTuple):
    """What of a log would be deleted: bytes on disk, lines, and the time of the last of them."""

    size: int
    lines: int
    newest: bytes


class LogRetention:
    """Does it, one app after another, in a thread; a part of it that fails is tried again later."""

    def __init__(
        self,
        apps: dict[str, AppLog],
        cache: IndexCache,
        commit: GroupCommit,
        settings: StorageSettings,
        clock: Callable[[], int],
        keeping_of: Callable[[str], Keeping],
    ) -> None:
        self._apps, self._cache, self._commit = apps, cache, commit
        self._settings, self._clock = settings, clock
        self._keeping_of = keeping_of
        self._thread = ThreadPool(1)
        self.wake = Event()
        self._busy = BoundedSemaphore()

    def loop(self) -> None:
        while True:
            self.wake.wait(EVERY)
            self.wake.clear()
            self.once()

    def close(self) -> None:
        self._thread.kill()

    def once(self) -> None:
        """One look at everything; two at the same time would pack a segment twice."""
        with self._busy:
            self._once()

    def _once(self) -> None:
        today = day_of(self._clock())
        for app in in_turns([*self._apps.values()]):
            active = app.active
            if (
                active
                and active.size
                and not (self._commit.goes_on(active) and self._commit.has_room(app, active))
            ):
                self._commit.roll(app)
        self.expire()
        for app in in_turns([*self._apps.values()]):
            if app.closed and not app.closed[-1].compressed:
                for segment in to_pack(app.closed, today):
                    self._guard(segment.path, self._pack, app, segment)

    def expire(self) -> None:
        """Delete what is too old or too much."""
        now, total_max = self._clock(), self._settings.total_max_bytes
        useful, today = now - int(self._settings.retention_days * DAY_NS), day_of(now)
        cutoffs: dict[float, tuple[int, bytes]] = {}
        total, too_much = 0, False
        for app in in_turns([*self._apps.values()]):
            keeping = self._keeping_of(app.name)
            if (cutoff := cutoffs.get(keeping.days)) is None:
                oldest = now - int(keeping.days * DAY_NS)
                cutoff = oldest, format_time(max(oldest, 0)).encode()
                cutoffs[keeping.days] = cutoff
            if app.closed and not is_young(app.closed[0], cutoff[1], today):
                drop = in_thread(self._thread, beyond_age, app.closed, cutoff[0], self._cache, now)
                if drop:
                    # What the engine may give again is remembered for as long as others are kept:
                    # of a log that is kept for a shorter time it would be stored once more.
                    self._guard(str(app.folder), self._drop, app, drop, useful)
            size = app.size
            total += size
            too_much = too_much or bool(keeping.bytes and size > keeping.bytes)
        if too_much or (total_max and total > total_max):
            give = beyond_size(
                self._apps.values(), lambda app: self._keeping_of(app.name).bytes, total_max, today
            )
            for app, drop in give.items():
                self._guard(str(app.folder), self._drop, app, drop, useful)

    def would_go(self, app: AppLog, keeping: Keeping) -> Going:
        """What of a log would go at the next look if it was kept so. Raises OSError."""
        now, closed, active = self._clock(), app.closed, app.active
        oldest = now - int(keeping.days * DAY_NS)
        drop = in_thread(self._thread, beyond_age, closed, oldest, self._cache, now)
        if active and active.size and not keeping.holds(active.size, self._commit.segment_bytes):
            closed = [*closed, active]  # it would be closed first
        size = app.size - sum(segment.stored for segment in closed[:drop])
        while keeping.bytes and size > keeping.bytes and drop < len(closed):
            size -= closed[drop].stored
            drop += 1
        if not drop:
            return Going(0, 0, b"")
        last = closed[drop - 1]
        if last is active:
            newest = app.last[1][:30] if app.last else b""
        else:
            newest = in_thread(self._thread, self._cache.total, last).newest
        rest = closed[drop:]
        end = rest[0].first if rest else app.next
        if not rest and active and last is not active:
            end = active.first
        return Going(sum(segment.stored for segment in closed[:drop]), end - app.first, newest)

    def delete(self, app: AppLog, containers: Collection[str]) -> None:
        """Delete every line that ``app`` has now; what comes meanwhile may stay.

        ``containers`` (12 hex digits): what the engine may give again of these is remembered, so
        that it is not stored once more. Raises StorageFailed, StorageFull.
        """
        with self._busy:
            active = app.active if app.active and app.active.size else None
            rolled = active is None or self._commit.roll(app)
            # On a full disk no file can be begun, and yet this is what makes room. What is in another
            # segment by now came meanwhile.
            if rolled and active and app.active is active and not self._commit.is_writing(app):
                self._commit.end(app)
            try:
                if app.closed:
                    self._drop(app, len(app.closed), 0, containers)
            except (OSError, SnapshotStale) as e:
                reason = getattr(e, "strerror", None) or str(e) or type(e).__name__
                raise StorageFailed(str(app.folder), reason) from e
            if app.first == app.next:
                app.forget_lines()

    def forget(self, app: AppLog, leaving: Callable[[], bool]) -> bool:
        """Delete the folder of an app that has no lines. ``leaving()`` is asked once nothing can
        come between; False, from it or here, leaves everything as it is."""
        with self._busy:
            if app.first != app.next or app.writing or not leaving():
                return False
            active, app.active = app.active, None
            app.count()
            self._commit.remove(app.folder, active)
            return True

    def _guard(self, what: str, step: Callable[..., None], *args: object) -> None:
        try:
            step(*args)
        except (OSError, SnapshotStale) as e:
            log.warning("upkeep of %s is put off: %s", what, e or type(e).__name__)
        yield_to_loop()

    def _drop(
        self, app: AppLog, count: int, useful: int, containers: Collection[str] | None = None
    ) -> None:
        doomed, kept = app.closed[:count], app.closed[count:]
        end = kept[0].first if kept else app.active.first if app.active else app.next
        # First remembered, then forgotten here, then deleted: stopped anywhere between, the next
        # start finishes it.
        marks = in_thread(
            self._thread, marks_after, app.view(), self._cache, app.marks, end, useful
        )
        if containers is not None:
            marks.containers = {n: m for n, m in marks.containers.items() if n in containers}
        in_thread(self._thread, save_marks, app.folder, marks)
        app.marks = marks
        app.closed = app.closed[count:]
        for segment in doomed:
            self._cache.forget(segment)
            in_thread(self._thread, remove, segment)

    def _pack(self, app: AppLog, segment: Segment) -> None:
        try:
            packed = in_thread(self._thread, self._packed, segment)
        except FileNotFoundError:
            log.error("%s was removed by someone else", segment.path)
            app.closed = [s for s in app.closed if s is not segment]
            return
        if segment not in app.closed:  # deleted meanwhile
            in_thread(self._thread, remove, packed)
            return
        packed.skip_size = segment.skip_size
        app.closed = [packed if s is segment else s for s in app.closed]
        self._cache.forget(segment)
        # A read that began before sees the file missing and looks again.
        in_thread(self._thread, remove_form, segment)

    def _packed(self, segment: Segment) -> Segment:
        return compress(segment, self._cache.blocks(segment))
