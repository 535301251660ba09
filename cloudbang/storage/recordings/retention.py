"""What happens to recordings that have ended: packed, and deleted when they are too old or too
much. One that runs is never touched."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.config import TerminalSettings
from cloudbang.core.threads import in_thread
from cloudbang.errors import CloudBangError
from cloudbang.storage.recordings.cast import pack

log = logging.getLogger(__name__)

EVERY = 3600.0  # seconds between two looks at everything
SOONEST = 10.0  # and when all together are too much
DAY_NS = 86_400 * 1_000_000_000


class Kept(NamedTuple):
    """One recording on the disk."""

    session: str
    path: str
    packed: bool
    bytes: int
    changed: int  # nanoseconds since 1970: its end, when it has ended


class RecordingRetention:
    """A greenlet and a thread."""

    def __init__(
        self,
        folder: str,
        settings: TerminalSettings,
        clock: Callable[[], int],
        running: Collection[str],
        stop_biggest: Callable[[int], None],
        on_removed: Callable[[list[str]], None],
    ) -> None:
        self._folder, self._clock = folder, clock
        self._days, self._max = settings.recording_days, settings.recordings_max_bytes
        self._running, self._stop_biggest, self._on_removed = running, stop_biggest, on_removed
        self._thread = ThreadPool(1)
        self._to_pack: dict[str, None] = {}  # paths, in order
        self._wake = Event()
        self._closing = False
        self.used = 0  # bytes on the disk, as counted since the last look

    def loop(self) -> None:
        looked = -EVERY
        while True:
            every = SOONEST if self._max and self.used > self._max else EVERY
            self._wake.wait(max(looked + every - time.monotonic(), 0))
            self._wake.clear()
            self._pack()
            if time.monotonic() >= looked + every:
                self.tidy()
                looked = time.monotonic()

    def close(self) -> None:
        """A packing under way is given up: its plain file is still there."""
        self._closing = True
        self._thread.kill()

    def finished(self, path: str) -> None:
        """The recording at ``path`` is as it will be."""
        self._to_pack[path] = None
        self._wake.set()

    def tidy(self) -> None:
        """Look at everything: pack what was left behind, delete what is too old or too much."""
        try:
            found = in_thread(self._thread, scan, self._folder, self._today(-1))
            left = [k for k in found if not k.packed and k.session not in self._running]
            if left:
                self._to_pack |= dict.fromkeys(k.path for k in left)
                self._pack()
                found = in_thread(self._thread, scan, self._folder, self._today(-1))
            self.used = sum(k.bytes for k in found)
            useful = self._clock() - int(self._days * DAY_NS)
            ended = [k for k in found if k.session not in self._running]
            self._remove(beyond(ended, self.used, useful, self._max))
        except OSError as e:
            log.warning("upkeep of %s is put off: %s", self._folder, e)
        if self._max and self.used > self._max:
            self._stop_biggest(self.used - self._max)

    def _pack(self) -> None:
        while self._to_pack and not self._closing:
            path = next(iter(self._to_pack))
            try:
                before, taken = in_thread(self._thread, _packed, path, lambda: self._closing)
                self.used += taken - before
                if not taken:
                    self._tell([os.path.basename(path).removesuffix(".cast")])
            except FileNotFoundError:  # nothing could be written, or somebody removed it
                if not in_thread(self._thread, os.path.exists, f"{path}.zst"):
                    self._tell([os.path.basename(path).removesuffix(".cast")])
            except OSError as e:
                # Plain it can be read as well; the next look tries again.
                if not self._closing:
                    log.warning("packing %s is put off: %s", path, e)
            self._to_pack.pop(path, None)

    def _remove(self, doomed: list[Kept]) -> None:
        gone = []
        for one in doomed:
            try:
                in_thread(self._thread, os.unlink, one.path)
            except FileNotFoundError:
                pass
            except OSError as e:
                log.warning("%s cannot be removed: %s", one.path, e)
                continue
            self.used -= one.bytes
            gone.append(one.session)
        if gone:
            log.info("%d recordings of terminals removed: too old or too much", len(gone))
            self._tell(gone)

    def _tell(self, sessions: list[str]) -> None:
        try:
            self._on_removed(sessions)
        except CloudBangError as e:
            log.warning("recordings that are gone are still listed: %s", e)

    def _today(self, days: int) -> str:
        moment = datetime.fromtimestamp(self._clock() / 1e9, UTC) + timedelta(days=days)
        return f"{moment:%Y-%m-%d}"


def _packed(path: str, closing: Callable[[], bool]) -> tuple[int, int]:
    """Bytes of a recording before it was packed, and after."""
    before = os.stat(path).st_size
    return before, pack(path, closing)


def scan(folder: str, yesterday: str) -> list[Kept]:
    """What there is. Leftovers of an interrupted step and empty folders of days before
    ``yesterday`` are removed. In the thread that packs."""
    found: list[Kept] = []
    for day in os.listdir(folder):
        here: dict[str, Kept] = {}
        with suppress(NotADirectoryError), os.scandir(f"{folder}/{day}") as entries:
            for entry in entries:
                session, _, kind = entry.name.partition(".")
                with suppress(FileNotFoundError):
                    if kind == "cast.zst.tmp":
                        os.unlink(entry.path)
                    elif kind in ("cast", "cast.zst"):
                        stat = entry.stat()
                        packed = kind == "cast.zst"
                        kept = Kept(session, entry.path, packed, stat.st_size, stat.st_mtime_ns)
                        other = here.get(session)
                        if other:  # stopped before the plain one, the original, was removed
                            os.unlink(kept.path if packed else other.path)
                        if not other or not packed:
                            here[session] = kept
        found += here.values()
        if not here and day < yesterday:
            with suppress(OSError):
                os.rmdir(f"{folder}/{day}")
    return found


def beyond(ended: list[Kept], total: int, useful: int, most: int) -> list[Kept]:
    """Those to be deleted: last changed before ``useful``, or the oldest, until ``total`` bytes
    are ``most`` (0: no limit)."""
    doomed = []
    for one in sorted(ended, key=lambda k: k.changed):
        if one.changed < useful or (most and total > most):
            total -= one.bytes
            doomed.append(one)
    return doomed
