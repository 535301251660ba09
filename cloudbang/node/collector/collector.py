"""All readers: started by what the inventory tells, one for each container."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import inf

import gevent
from gevent.lock import BoundedSemaphore

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.apps import Instance
from cloudbang.domain.masking import Secret
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError
from cloudbang.node.collector.context import ReaderContext
from cloudbang.node.collector.follower import SILENT, Follower, Interrupted
from cloudbang.node.collector.read_scheduler import SharedTick
from cloudbang.node.collector.rotation import rotated_at
from cloudbang.node.collector.sink import LogSink
from cloudbang.node.inventory import Inventory

log = logging.getLogger(__name__)

OLD_AT_ONCE = 4  # logs of ended containers that are read at the same time
SET_BACK = 0.5  # seconds by which the clock has to go back to be noticed
CLOCK_TRIES = 10
FLUSH_WITHIN = 1.5  # seconds that a stop waits for lines on their way to the disk


class LogCollector:
    """Reads every readable log of the engine, once."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        sink: LogSink,
        *,
        retention_days: float = 30,
        secret_of: Callable[[Instance], Secret | None] = lambda instance: None,
    ) -> None:
        """``secret_of``: what no line of a container may have, see ``ReaderContext``."""
        self._inventory = inventory
        self.rereads: dict[tuple[str], int] = {}
        text = "Logs read again because lines seemed to be missing."
        export(self, "collector", counters={"rereads": text}, labels=("cause",))
        self._context = ReaderContext(
            engine,
            inventory,
            sink,
            SharedTick(),
            int(retention_days * 86400 * 10**9),
            BoundedSemaphore(OLD_AT_ONCE),
            self.rereads,
            secret_of,
        )
        self._followers: dict[str, _Running] = {}
        self._ended: dict[str, str | None] = {}  # finished_at of those whose log is stored whole
        self._readers = Supervisor("log-readers")

    # --- what others ask ----------------------------------------------------------------------

    def lags(self) -> dict[str, float]:
        """By app the seconds by which its newest line is behind, while there are more to read; of
        those that are read and not behind nothing is told."""
        found: dict[str, float] = {}
        for running in self._followers.values():
            if lag := running.follower.lag:
                app = running.follower.app
                found[app] = max(lag, found.get(app, 0.0))
        return found

    def is_reading(self, app: str) -> bool:
        """Whether a log of the app is being read, or may have lines that are not stored yet."""
        return any(r.follower.app == app for r in self._followers.values())

    @property
    def reading(self) -> int:
        """Containers that are read now."""
        return len(self._followers)

    # --- running ------------------------------------------------------------------------------

    def start(self) -> None:
        self._inventory.listen(self._on_change)
        self._inventory.listen_reconnected(self._on_reconnected)
        for instance in sorted(self._inventory.instances(), key=_file_bytes):
            self._consider(instance)
        self._readers.run("clock", self._watch_clock)
        self._readers.run("look", self._look)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop reading, store what was read."""
        self._readers.stop(deadline)
        with gevent.Timeout(deadline.at_most(FLUSH_WITHIN), False):
            for running in list(self._followers.values()):
                running.follower.drain()
        self._followers.clear()

    def _on_change(
        self, added: list[Instance], changed: list[Instance], removed: list[Instance]
    ) -> None:
        # At a start all come at once: what is soonest lost is read first.
        for instance in sorted(added + changed, key=_file_bytes):
            self._consider(instance)
        for instance in removed:
            # Its reader ends by itself, with the last of what the engine still gives.
            self._ended.pop(instance.id, None)

    def _on_reconnected(self, vanished: bool) -> None:
        for running in list(self._followers.values()):
            if vanished:
                running.follower.interrupt()
            else:
                running.follower.retry()

    def _consider(self, instance: Instance) -> None:
        """Read this container's log if there is anything in it that is not stored."""
        if not instance.inspected or not instance.readable or instance.started_at is None:
            return
        running = self._followers.get(instance.id)
        if running is not None:
            running.changed = True
            if running.follower.app != instance.app:
                running.follower.interrupt()
            return
        if not instance.alive and self._ended.get(instance.id, "") == instance.finished_at:
            return
        name = f"{instance.app}/{instance.short}"
        running = _Running(Follower(self._context, instance.id, instance.app))
        self._followers[instance.id] = running
        self._readers.run(name, self._follow, running)

    def _follow(self, running: _Running) -> None:
        follower = running.follower
        ended = None
        while True:
            running.changed = False
            known = self._inventory.instance(follower.container)
            if known is not None and known.app != follower.app:
                break  # it takes another one's place: from here on its lines belong to that app
            try:
                ended = follower.run()
            except Interrupted:
                continue
            known = self._inventory.instance(follower.container)
            if not (running.changed and ended and known and known.alive):
                break
        if ended is not None:
            self._ended[ended.id] = ended.finished_at
        follower.drain()
        self._followers.pop(follower.container, None)
        known = self._inventory.instance(follower.container)
        if known is not None and known.app != follower.app:
            self._ended.pop(known.id, None)
            self._move(follower.app, known)

    def _move(self, app: str, instance: Instance) -> None:
        """Have what is stored of it under the app that it is of now, and go on there."""
        try:
            self._context.sink.move(app, instance.app, instance.short)
        except CloudBangError as e:
            log.warning("the lines of %s stay with %s: %s", instance.name, app, e)
        if known := self._inventory.instance(instance.id):
            self._consider(known)

    def _look(self) -> None:
        while True:
            gevent.sleep(SILENT)
            for running in list(self._followers.values()):
                running.follower.look()

    def _watch_clock(self) -> None:
        """Read again when the clock is set back: the engine would hold lines back that are older
        than the moment it was asked to begin at."""
        ahead = wall_ahead()
        while True:
            gevent.sleep(1)
            now_ahead = wall_ahead()
            if now_ahead < ahead - SET_BACK:
                log.warning("the clock was set back by %.1f s", ahead - now_ahead)
                for running in list(self._followers.values()):
                    running.follower.interrupt()
            ahead = now_ahead


def wall_ahead(
    wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
) -> float:
    """Seconds by which the wall clock is ahead of the one that is never set. A busy machine may let
    this process wait between reading the two, which would look like a clock that was set: then both
    are read again."""
    for _ in range(CLOCK_TRIES):
        before = steady()
        ahead = wall() - before
        if steady() - before < SET_BACK / 10:
            break
    return ahead


def _file_bytes(instance: Instance) -> float:
    """How little its log has to grow until its engine drops some of it."""
    size = rotated_at(instance.log_driver, dict(instance.log_options))
    if size is None:
        return inf
    files = dict(instance.log_options).get("max-file", "")
    return size * (int(files) if files.isdecimal() else 1)


class _Running:
    """A reader that is at work."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.changed = False  # the container did, while its log was read
