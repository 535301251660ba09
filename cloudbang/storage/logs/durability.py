"""What is written becomes durable: the rounds of fdatasync, in a thread of their own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.core.threads import in_thread
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.health import Health
from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.segment import Segment
from cloudbang.storage.logs.segment_writer import Sync, sync

log = logging.getLogger(__name__)

SYNC_EVERY = 0.15  # seconds between the starts of two rounds of fdatasync; promised is 0.2


class Durability:
    """Takes note of what was written, and makes it durable a little later."""

    def __init__(self, health: Health, on_gone: Callable[[AppLog], object]) -> None:
        """``on_gone(app)``: its file was removed by someone else."""
        self._health, self._on_gone = health, on_gone
        self._thread = ThreadPool(1)
        self._wake = Event()
        self._dirty: set[AppLog] = set()
        self._new: set[str] = set()  # paths of files not yet durable in their folder
        self._ended: list[tuple[Segment, list[Block]]] = []  # closed, their index not yet written

    def begun(self, segment: Segment) -> None:
        """A file was made."""
        self._new.add(segment.path)

    def ended(self, segment: Segment, blocks: list[Block]) -> None:
        """A file is not written to any more; ``blocks`` are its whole index."""
        self._ended.append((segment, blocks))

    def written(self, app: AppLog) -> None:
        """There is something new at the end of the app's active segment."""
        self._dirty.add(app)
        self._wake.set()

    def later(self, function: Callable[..., object], *args: Any) -> None:
        """Have something done between two rounds that nobody waits for."""
        self._thread.spawn(function, *args)

    def loop(self) -> None:
        while True:
            self._wake.wait()
            gevent.sleep(SYNC_EVERY)
            self._wake.clear()
            owners = {app.active.path: app for app in self._dirty if app.active}
            work = self._work()
            in_thread(self._thread, sync, work)
            for one in work:
                app = owners.get(one.segment.path)
                if one.error:
                    name = app.name if app else os.path.basename(one.segment.folder)
                    self._health.failed(name, one.segment.path, one.error, "sync")
                elif app is not None:
                    self._health.took(app.name, "sync")
                if app is None or app.active is not one.segment:
                    continue
                if one.gone:
                    log.error(
                        "%s was removed by someone else: a new file is begun", one.segment.path
                    )
                    self._on_gone(app)
                else:
                    app.index_size = one.index_size
                    if one.index_size:
                        app.indexed += len(one.entries)

    def close(self, last: Callable[[], object]) -> None:
        """After the loop has ended: the last round, then ``last()``."""
        in_thread(self._thread, sync, self._work())
        in_thread(self._thread, last)
        self._thread.kill()

    def _work(self) -> list[Sync]:
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
