"""Slabs in the file: 10 s of all series each. In a thread, within a transaction of the caller's."""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import zstandard

from cloudbang.domain.metrics.packing import Damaged
from cloudbang.domain.metrics.points import Kept
from cloudbang.domain.metrics.slab_packing import (
    Slab,
    pack_by_id,
    pack_slab,
    unpack_by_id,
    unpack_slab,
)

log = logging.getLogger(__name__)

LEVEL = 3
MOST_BYTES = 256 * 1024 * 1024  # of one that is unpacked: what says more is damaged


def put(
    connection: sqlite3.Connection,
    time: int,
    points: Iterable[tuple[int, Kept, bool]],
    histograms: Mapping[int, bytes],
) -> None:
    """Write the slab that begins at ``time``, in place of one that is there."""
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    packed = compressor.compress(pack_slab(points))
    others = compressor.compress(pack_by_id(histograms)) if histograms else b""
    connection.execute(
        "INSERT OR REPLACE INTO slabs (time, checksum, points, histograms) VALUES (?, ?, ?, ?)",
        (time, checksum(time, packed, others), packed, others),
    )


def checksum(time: int, points: bytes, histograms: bytes) -> int:
    return zlib.crc32(histograms, zlib.crc32(points, time & 0xFFFFFFFF))


def points(
    connection: sqlite3.Connection, since: int, until: int, on_damaged: Callable[[], None]
) -> Iterator[tuple[int, Slab]]:
    """``(time, slab)`` of those that begin in ``[since, until)``; one that is damaged is left out,
    and said."""
    decompressor = zstandard.ZstdDecompressor()
    for time, packed in connection.execute(
        "SELECT time, points FROM slabs WHERE time >= ? AND time < ? ORDER BY time", (since, until)
    ):
        try:
            yield time, unpack_slab(decompressor.decompress(packed, MOST_BYTES))
        except (zstandard.ZstdError, Damaged) as e:
            log.warning("what was measured in the 10 s from %d on is damaged: %s", time, e)
            on_damaged()


def histograms(
    connection: sqlite3.Connection, since: int, until: int, on_damaged: Callable[[], None]
) -> Iterator[tuple[int, dict[int, bytes]]]:
    """The same of histograms, packed, by id."""
    decompressor = zstandard.ZstdDecompressor()
    for time, packed in connection.execute(
        "SELECT time, histograms FROM slabs WHERE time >= ? AND time < ? AND histograms != x''"
        " ORDER BY time",
        (since, until),
    ):
        try:
            yield time, unpack_by_id(decompressor.decompress(packed, MOST_BYTES))
        except (zstandard.ZstdError, Damaged) as e:
            log.warning("the histograms of the 10 s from %d on are damaged: %s", time, e)
            on_damaged()
