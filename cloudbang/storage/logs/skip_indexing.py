"""Sees to it that what is stored has skip indexes: by a process of its own, when nobody wants the processor.

Segments that are closed are indexed whole, those that are written to as often as a part of them is
complete and safely on the disk. What fails is tried again later: without it a search is slower, and no less right.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from cloudbang.core.counters import export
from cloudbang.core.loop import in_turns, yield_to_loop
from cloudbang.core.threads import in_thread
from cloudbang.storage.asked_process import AskedProcess, ProcessEnded
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.index import BLOCK_BYTES, Block
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.segment import Segment
from cloudbang.storage.logs.skip_index import LEAST_BLOCKS, PART_BLOCKS, about

log = logging.getLogger(__name__)

PROCESS = ("cloudbang.storage.logs.skip_process", "idle")
EVERY = 20.0  # seconds between two looks, unless a segment was closed
SOON = 1.0  # after that: one of many apps seldom comes alone
SECONDS = 2.0  # that the process works before it says how far it is
LIMIT = 600.0  # seconds: it may wait for the processor for long
IDLE = 60.0
WORTH = LEAST_BLOCKS * BLOCK_BYTES
PACKED = 100  # times as much text as it has bytes, at most, is in a packed segment


class _Due(NamedTuple):
    """A segment of which more can be known. ``blocks``: those of one that is written to, safe ones."""

    segment: Segment
    blocks: list[Block] | None


@dataclass
class _Known:
    """Of an app: by the stem of a segment, of how many blocks its file tells (WHOLE: of all that there
    will be), and the closed segments of which nothing more is to be known."""

    told: dict[str, int] = field(default_factory=dict)
    whole: list[Segment] | None = None


WHOLE = 1 << 62


def _is_large(segment: Segment) -> bool:
    if segment.total is not None:
        return segment.total.plain >= WORTH
    return segment.size >= (WORTH // PACKED if segment.compressed else WORTH)


class SkipIndexing:
    """``keep_free`` bytes of the disk are not used; while ``troubled()`` nothing is written."""

    def __init__(
        self,
        apps: dict[str, AppLog],
        cache: IndexCache,
        *,
        keep_free: int,
        troubled: Callable[[], bool],
    ) -> None:
        self._apps, self._cache = apps, cache
        self._keep_free, self._troubled = keep_free, troubled
        self._process = AskedProcess(*PROCESS, limit=LIMIT, idle=IDLE)
        self._thread = ThreadPool(1)
        self._known: dict[str, _Known] = {}
        self._failing = False
        self.wake = Event()
        self._busy = BoundedSemaphore()
        self.indexed_blocks = self.failed = 0
        export(
            self,
            "skip_index",
            counters={
                "indexed_blocks": "Blocks of logs of which it was written down what is not in them.",
                "failed": "Times that this could not be written, and is tried again.",
            },
        )

    def loop(self) -> None:
        while True:
            self.wake.wait(EVERY)
            self.wake.clear()
            gevent.sleep(SOON)
            self.once()

    def close(self) -> None:
        self._process.stop()
        self._thread.kill()

    def once(self) -> None:
        """One look at everything."""
        with self._busy:
            self._once()

    def _once(self) -> None:
        for app in in_turns([*self._apps.values()]):
            for due in self._due(app):
                if self._troubled() or not self._index(app, due):
                    return
        for name in [name for name in self._known if name not in self._apps]:
            del self._known[name]

    def _due(self, app: AppLog) -> Iterable[_Due]:
        active, closed = app.active, app.closed
        safe = app.indexed // PART_BLOCKS * PART_BLOCKS if active else 0
        known = self._known.get(app.name)
        if known is None:
            if not safe and not any(map(_is_large, closed)):
                return []  # as most are
            known = self._known[app.name] = _Known()
        found: list[_Due] = []
        if known.whole is not closed:
            stems = {segment.stem for segment in closed}
            known.told = {
                s: n for s, n in known.told.items() if s in stems or (active and s == active.stem)
            }
            large = [segment for segment in closed if _is_large(segment)]
            found += [_Due(one, None) for one in large if known.told.get(one.stem) != WHOLE]
            if not found:
                known.whole = closed
        if active and known.told.get(active.stem, 0) < safe:
            found.append(_Due(active, app.blocks[:safe]))
        return reversed(found)  # what is new is looked for most

    def _index(self, app: AppLog, due: _Due) -> bool:
        """Whether to go on with others."""
        segment, blocks = due
        closed, told = blocks is None, self._known[app.name].told
        try:
            if blocks is None:
                blocks = in_thread(self._thread, self._cache.blocks, segment)
            # In the thread: there may be many thousands, where files are large.
            request = in_thread(self._thread, self._request, segment, blocks, closed)
            covered = -1
            while len(blocks) - covered >= LEAST_BLOCKS:
                answer = self._process.ask(request)
                if "error" in answer:
                    return self._failed(segment, answer["error"])
                if "gone" in answer:
                    return True  # packed or deleted: the next look sees what has become of it
                self._failing = False
                self.indexed_blocks += answer["added"]
                if not self._note(app, segment, answer["size"]):
                    return True
                if answer["covered"] <= covered:
                    break
                told[segment.stem] = covered = answer["covered"]
                yield_to_loop()
            told[segment.stem] = WHOLE if closed else max(covered, 0)
        except FileNotFoundError:
            return True
        except (OSError, ProcessEnded) as e:
            return self._failed(segment, str(e) or "the process ended")
        return True

    def _request(self, segment: Segment, blocks: list[Block], closed: bool) -> dict[str, Any]:
        return {
            "segment": segment.path,
            "compressed": segment.compressed,
            "skip": segment.skip_path,
            "closed": closed,
            "keep_free": self._keep_free,
            "seconds": SECONDS,
            "blocks": [[b.number, b.lines, b.at, b.stored, b.plain, about(b)[-1]] for b in blocks],
        }

    def _note(self, app: AppLog, segment: Segment, size: int) -> bool:
        """Take note of its file's size; of a segment that was deleted meanwhile, take it away."""
        now = [*app.closed, app.active] if app.active else app.closed
        for one in now:
            if one.first == segment.first and one.stem == segment.stem:
                app.skip_index_grew(one, size)
                return self._apps.get(app.name) is app
        with suppress(OSError):
            in_thread(self._thread, os.unlink, segment.skip_path)
        return False

    def _failed(self, segment: Segment, reason: str) -> bool:
        self.failed += 1
        if not self._failing:
            log.warning("%s cannot be written: %s", segment.skip_path, reason)
        self._failing = True
        return False
