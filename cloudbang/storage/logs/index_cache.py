"""The indexes that are in memory, and what is known of the blocks in which searches find nothing.

An index that is missing or cannot be believed is made again from its segment.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from gevent.monkey import get_original

from cloudbang.storage.logs import index
from cloudbang.storage.logs.block_search import BlockSearch, EmptyBlocks
from cloudbang.storage.logs.index import Block, CorruptIndex, OutdatedIndex, Summary
from cloudbang.storage.logs.segment import Segment, index_written, rebuild
from cloudbang.storage.logs.skip_index import SkipAnswers

log = logging.getLogger(__name__)


TOTALS = 20_000  # of segments that others than the store look at: some 200 bytes each


class IndexCache:
    """The indexes last used, of at most ``limit`` blocks together: about 350 bytes each.

    Used from several threads at once, so its lock is a native one, held for dictionary steps only.
    Pickled it stands for that of the process that reads it (:func:`own_cache`).
    """

    def __init__(self, limit: int = 12_000) -> None:
        self._limit = limit
        self._held = 0
        self._blocks: OrderedDict[str, list[Block]] = OrderedDict()
        self.empty = EmptyBlocks()  # for who searches
        self.skips = SkipAnswers()
        self._totals: OrderedDict[str, Summary] = OrderedDict()
        self._lock = get_original("_thread", "allocate_lock")()

    def __reduce__(self) -> tuple[Callable[[], IndexCache], tuple[()]]:
        return own_cache, ()

    def put(self, segment: Segment, blocks: list[Block]) -> None:
        with self._lock:
            self._held += len(blocks) - len(self._blocks.pop(segment.path, ()))
            self._blocks[segment.path] = blocks
            while self._held > self._limit and len(self._blocks) > 1:
                self._held -= len(self._blocks.popitem(last=False)[1])

    def forget(self, segment: Segment) -> None:
        with self._lock:
            self._held -= len(self._blocks.pop(segment.path, ()))

    def without(self, segment: Segment, blocks: list[Block], match: object) -> frozenset[int]:
        """The numbers of blocks in which a search finds nothing, as far as that is known."""
        if not isinstance(match, BlockSearch):
            return frozenset()
        empty = self.empty.of(segment.path, match)
        if not match.needs or not segment.skip_size:
            return empty
        return empty | self.skips.of(
            segment.skip_path, segment.skip_size, blocks, match.key, match.needs
        )

    def blocks(self, segment: Segment, container: bytes | None = None) -> list[Block]:
        """The blocks of a closed segment; none when ``container`` wrote nothing in it.

        Raises FileNotFoundError when the segment is gone, OSError when it cannot be read.
        """
        with self._lock:
            known = self._blocks.get(segment.path)
            if known is not None:
                self._blocks.move_to_end(segment.path)
                return known
        try:
            raw = Path(segment.index_path).read_bytes()
            segment.total = index.read_header(raw, segment.compressed, True, segment.size)
            index.check_listed(raw)
            if container and container not in raw and index.ANY_KEY not in raw:
                return []
            blocks = index.entries(raw, segment.compressed, True, segment.size)
        except (CorruptIndex, FileNotFoundError) as e:
            blocks = self._again(segment, e)
        self.put(segment, blocks)
        return blocks

    def total(self, segment: Segment) -> Summary:
        """What a closed segment holds. Raises as :meth:`blocks`."""
        if segment.total is None:
            segment.total = self._total(segment)
        return segment.total

    def _total(self, segment: Segment) -> Summary:
        # Of a segment that was handed over what is noted at it is not there the next time.
        with self._lock:
            known = self._totals.get(segment.path)
        if known is not None:
            return known
        try:
            with open(segment.index_path, "rb") as file:
                raw = file.read(index.HEADER_BYTES)
            found = index.read_header(raw, segment.compressed, True, segment.size)
        except (CorruptIndex, FileNotFoundError):
            found = index.summary(self.blocks(segment))
        with self._lock:
            self._totals[segment.path] = found
            if len(self._totals) > TOTALS:
                self._totals.popitem(last=False)
        return found

    def _again(self, segment: Segment, reason: Exception) -> list[Block]:
        if isinstance(reason, CorruptIndex) and not isinstance(reason, OutdatedIndex):
            log.warning("the index of %s is damaged (%s): rebuilt", segment.path, reason)
        blocks = rebuild(segment)
        segment.total = index.summary(blocks)
        with suppress(OSError):  # without it, it is rebuilt again the next time
            index.save(segment.index_path, segment.compressed, True, segment.size, blocks)
            index_written(segment)
        return blocks


@cache
def own_cache() -> IndexCache:
    """That of a process that only reads what another one hands it."""
    return IndexCache()
