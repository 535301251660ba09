"""Blocks in the file: some time of one series each, by a number that says of which and when.

In a thread or in the process that rolls up, within a transaction of the caller's.
"""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Iterator

import zstandard

from cloudbang.domain.metrics.packing import (
    Damaged,
    pack_points,
    pack_some,
    unpack_points,
    unpack_some,
)
from cloudbang.domain.metrics.points import Points
from cloudbang.storage.metrics.metrics_file import row, rows, series_of, start_of

log = logging.getLogger(__name__)

LEVEL = 9
MOST_BYTES = 64 * 1024 * 1024  # of one that is unpacked: what says more is damaged
_PLAIN, _ZSTD = 0, 1
# Of the frame the first four bytes, which are always the same, are not kept.
_COMPRESSION = zstandard.ZstdCompressionParameters.from_level(
    LEVEL, format=zstandard.FORMAT_ZSTD1_MAGICLESS
)


class Blocks:
    """The blocks of one connection. ``damaged`` counts those that say nothing: they cost what was
    in them, and no more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._compressor = zstandard.ZstdCompressor(compression_params=_COMPRESSION)
        self._decompressor = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS)
        self.damaged = 0

    def points(self, number: int, scale: float) -> Points | None:
        """What stands there; None where there is nothing, or nothing that can be read."""
        body = self._body(number)
        try:
            return None if body is None else unpack_points(body, scale)
        except Damaged as e:
            self._say(number, e)
            return None

    def put_points(self, number: int, points: Points, scale: float) -> None:
        self._put(number, pack_points(points, scale))

    def histograms(self, number: int) -> list[bytes | None] | None:
        """The same of histograms, packed."""
        body = self._body(number)
        try:
            return None if body is None else unpack_some(body)
        except Damaged as e:
            self._say(number, e)
            return None

    def put_histograms(self, number: int, packed: list[bytes | None]) -> None:
        self._put(number, pack_some(packed))

    def delete(self, number: int) -> None:
        self._connection.execute("DELETE FROM blocks WHERE row = ?", (number,))

    def starts(self, kind: int, since: int = 0, until: int = 1 << 36) -> Iterator[int]:
        """When blocks of a kind begin, each moment once, of those in ``[since, until)``."""
        first, last = rows(kind, since, min(until, ((1 << 28) - 1) * 600))
        while True:
            found = self._connection.execute(
                "SELECT min(row) FROM blocks WHERE row BETWEEN ? AND ?", (first, last)
            ).fetchone()[0]
            if found is None:
                return
            yield start_of(found)
            first = row(kind, start_of(found) + 600, 0)

    def ids(self, kind: int, since: int, until: int) -> set[int]:
        """Whose blocks of a kind begin in ``[since, until)``."""
        found = self._connection.execute(
            "SELECT row FROM blocks WHERE row BETWEEN ? AND ?", rows(kind, since, until)
        )
        return {series_of(number) for (number,) in found}

    def _body(self, number: int) -> bytes | None:
        try:
            found = self._connection.execute(
                "SELECT data FROM blocks WHERE row = ?", (number,)
            ).fetchone()
        except sqlite3.DatabaseError as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            self._say(number, e)  # a page of the file itself
            return None
        if found is None:
            return None
        data: bytes = found[0]
        body = data[5:]
        if data[1:5] != _checksum(number, body):
            self._say(number, Damaged("its sum is wrong"))
            return None
        try:
            return self._decompressor.decompress(body, MOST_BYTES) if data[0] == _ZSTD else body
        except zstandard.ZstdError as e:
            self._say(number, e)
            return None

    def _put(self, number: int, body: bytes) -> None:
        packed = self._compressor.compress(body)
        kind, body = (_ZSTD, packed) if len(packed) < len(body) else (_PLAIN, body)
        self._connection.execute(
            "INSERT OR REPLACE INTO blocks (row, data) VALUES (?, ?)",
            (number, bytes((kind,)) + _checksum(number, body) + body),
        )

    def _say(self, number: int, why: Exception) -> None:
        self.damaged += 1
        log.warning(
            "what was measured of series %d from %d on is damaged: %s",
            series_of(number),
            start_of(number),
            why,
        )


def _checksum(number: int, body: bytes) -> bytes:
    """Of what it says and of where it stands."""
    return zlib.crc32(body, zlib.crc32(number.to_bytes(8, "little", signed=True))).to_bytes(
        4, "little"
    )
