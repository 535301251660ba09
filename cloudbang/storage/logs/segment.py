"""One file of an app's log: its name, its blocks, its compressed form.

``YYYY-MM-DD.FIRSTSEQ.log`` is plain text, one record a line; ``….log.zst`` is the same text in
independent zstd frames, one for each block, so that ``zstdcat`` gives the whole and a page of
lines unpacks one or two of them. All functions here block on the disk: call them in a thread.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import struct
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import zstandard
from gevent.monkey import get_original

from cloudbang.storage.logs import index
from cloudbang.storage.logs.block_search import EmptyBlocks
from cloudbang.storage.logs.index import Block, CorruptIndex, OutdatedIndex, Summary

log = logging.getLogger(__name__)

NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.(\d{12,18})\.log(\.zst)?")

LEVEL = 9
"""zstd level of closed segments: see docs/performance.md for what it gives on real logs."""

LATE_INDEXES = 20  # times a folder that goes is looked at again, as one was still being written

_SKIPPABLE = 0x184D2A5C  # one of the sixteen magic numbers of frames that decoders skip
_FRAME = struct.Struct("<II")
_TAG = b"CBBLOCK1"
_MAX_BLOCK = 64 * 1024 * 1024  # more than any block: a size above it is damage


@dataclass(slots=True)
class Segment:
    """One file. The hub alone changes it; threads are handed it to read from."""

    folder: str
    date: str  # UTC day on which it was begun
    first: int  # seq of its first record
    compressed: bool = False
    size: int = 0  # bytes of the file
    total: Summary | None = field(default=None, compare=False)  # known once closed and looked at
    damaged: bool = field(default=False, compare=False)  # so that a damage is logged once

    @property
    def stem(self) -> str:
        return f"{self.folder}/{self.date}.{self.first:012d}"

    @property
    def path(self) -> str:
        return f"{self.stem}.log.zst" if self.compressed else f"{self.stem}.log"

    @property
    def index_path(self) -> str:
        # Not one name for both forms: the plain one's may be written late, after packing.
        return f"{self.stem}.zst.idx" if self.compressed else f"{self.stem}.idx"


def find(folder: Path) -> list[Segment]:
    """The segments in ``folder``, by seq. Leftovers of an interrupted step are
    removed, in a folder that takes that. Raises OSError."""
    plain: dict[int, Segment] = {}
    packed: dict[int, Segment] = {}
    indexes: list[str] = []
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.endswith(".tmp"):
                with suppress(OSError):
                    os.unlink(entry.path)
            elif entry.name.endswith(".idx"):
                indexes.append(entry.path)
            elif name := NAME.fullmatch(entry.name):
                day, first, zst = name.groups()
                one = Segment(str(folder), day, int(first), bool(zst), entry.stat().st_size)
                side = packed if zst else plain
                other = side.get(one.first)
                if other:  # an empty one was begun again on a later day
                    one, other = (one, other) if one.size >= other.size else (other, one)
                    _tidy(other)
                side[one.first] = one
    for first in plain.keys() & packed.keys():
        # Stopped between packing and removing the plain text, which is the original.
        if plain[first].size:
            _tidy(packed.pop(first))
        else:
            _tidy(plain.pop(first))
    segments = sorted((*plain.values(), *packed.values()), key=lambda s: s.first)
    for path in set(indexes) - {s.index_path for s in segments}:
        with suppress(OSError):
            os.unlink(path)
    return segments


def remove(segment: Segment) -> None:
    """Delete the file and its index."""
    for path in (segment.path, segment.index_path):
        with suppress(FileNotFoundError):
            os.unlink(path)


def _tidy(leftover: Segment) -> None:
    """The same of what is not needed, and may stay until the folder takes it."""
    with suppress(OSError):
        remove(leftover)


def index_written(segment: Segment) -> None:
    """Take its index away again where the segment was deleted while somebody wrote that."""
    # remove() takes the segment first: one of the two finds the other's.
    if not os.path.exists(segment.path):
        with suppress(OSError):
            os.unlink(segment.index_path)


def remove_empty(folder: Path, active: Segment | None) -> None:
    """Delete the folder of a log without lines; blocks on the disk. One in which something has
    begun again meanwhile stays, and one in which somebody else keeps files. Raises OSError."""
    if active:
        remove(active)
    for _ in range(LATE_INDEXES):
        for path in _leftovers(folder):
            with suppress(FileNotFoundError):
                os.unlink(path)
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError as e:
            if e.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if not _leftovers(folder):
            return


def _leftovers(folder: Path) -> list[str]:
    """The files there that mean nothing without a segment; none where there is one."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except FileNotFoundError:
        return []
    if any(NAME.fullmatch(entry.name) for entry in entries):
        return []
    return [e.path for e in entries if e.name == "marks.json" or e.name.endswith((".idx", ".tmp"))]


def read_block(
    fd: int,
    segment: Segment,
    block: Block,
    unpack: zstandard.ZstdDecompressor | None = None,
) -> bytes:
    """The plain text of one block. What is damaged is left out, and logged once a segment.

    ``unpack`` is the caller's own: one that was used before needs a fifth less time.
    """
    raw = os.pread(fd, block.stored, block.at)
    if not segment.compressed:
        if len(raw) != block.plain:
            _damaged(segment, "it is shorter than its index")
        return raw[: raw.rfind(b"\n") + 1]
    try:
        unpack = unpack or zstandard.ZstdDecompressor()
        plain = unpack.decompress(raw, max_output_size=block.plain)
        if len(plain) == block.plain:
            return plain
        reason = "a block has the wrong size"
    except zstandard.ZstdError as e:
        reason = str(e)
    _damaged(segment, reason)
    return _salvage(raw, block.plain)


def _salvage(raw: bytes, size: int) -> bytes:
    """The whole records at the start of a frame that is cut off; nothing of a garbled one."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    plain = b""
    try:
        for at in range(0, len(raw), 1024):
            plain += reader.decompress(raw[at : at + 1024])
    except zstandard.ZstdError:
        # What came before the bad byte cannot be told from what came after it: only the
        # checksum at the end of the frame would.
        return b""
    return plain[: plain[:size].rfind(b"\n") + 1]


def _damaged(segment: Segment, reason: str) -> None:
    if not segment.damaged:
        segment.damaged = True
        log.warning("%s is damaged (%s): lines in it cannot be shown", segment.path, reason)


def compress(segment: Segment, blocks: list[Block], level: int = LEVEL) -> Segment:
    """Pack a closed plain segment. Gives the packed one; the plain file is left. Raises OSError."""
    packed = Segment(segment.folder, segment.date, segment.first, compressed=True)
    temporary = f"{packed.path}.tmp"
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
    done: list[Block] = []
    try:
        with open(segment.path, "rb") as source, open(temporary, "wb") as target:
            for block in blocks:
                plain = os.pread(source.fileno(), block.plain, block.at)
                if len(plain) != block.plain:
                    raise OSError(f"{segment.path} is shorter than its index")
                frame = compressor.compress(plain)
                # The entry says where its frame is, so its own length has to be known first.
                length = len(_TAG) + len(index.pack(block))
                at = target.tell() + _FRAME.size + length
                block = block._replace(at=at, stored=len(frame))
                target.write(_FRAME.pack(_SKIPPABLE, length) + _TAG + index.pack(block) + frame)
                done.append(block)
            target.flush()
            os.fsync(target.fileno())
            packed.size = target.tell()
        os.replace(temporary, packed.path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    stat = os.stat(segment.path)
    os.utime(packed.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with suppress(OSError):  # rebuilt when missing
        index.save(packed.index_path, True, True, packed.size, done)
    packed.total = index.summary(done)
    return packed


def rebuild(segment: Segment) -> list[Block]:
    """The blocks of a segment from the segment alone. Raises OSError."""
    with open(segment.path, "rb") as file:
        if not segment.compressed:
            return index.cut(iter(lambda: file.read(1024 * 1024), b""))
        raw = file.read()
    blocks: list[Block] = []
    at = 0
    shared: dict[bytes, frozenset[bytes] | None] = {}
    marker = _FRAME.pack(_SKIPPABLE, 0)[:4]
    while (at := raw.find(marker, at)) >= 0:
        try:
            if raw[at + _FRAME.size : at + _FRAME.size + len(_TAG)] != _TAG:
                raise CorruptIndex("not ours")
            block, end = index.unpack(raw, at + _FRAME.size + len(_TAG), shared)
            if block.at != end or block.plain > _MAX_BLOCK:
                raise CorruptIndex("not in its place")
        except CorruptIndex:
            at += 1
            continue
        blocks.append(block)
        at = end + block.stored
    if not blocks and raw:
        blocks = _foreign_frames(raw)
    if not blocks and raw:
        _damaged(segment, "no block of it can be found")
    return blocks


def _foreign_frames(raw: bytes) -> list[Block]:
    """Blocks of text that someone packed with the zstd command: it unpacks from its start."""
    try:
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    except zstandard.ZstdError:
        return []
    if not (end := plain.rfind(b"\n") + 1):
        return []
    block = index.describe(plain[: end - 1].split(b"\n"), 0, 0, end)
    return [block._replace(stored=len(raw))]


class IndexCache:
    """The indexes last used, of at most ``limit`` blocks together: about 350 bytes each.

    Used from several threads at once, so its lock is a native one, held for dictionary steps only.
    """

    def __init__(self, limit: int = 12_000) -> None:
        self._limit = limit
        self._held = 0
        self._blocks: OrderedDict[str, list[Block]] = OrderedDict()
        self.empty = EmptyBlocks()  # for who searches
        self._lock = get_original("_thread", "allocate_lock")()

    def put(self, segment: Segment, blocks: list[Block]) -> None:
        with self._lock:
            self._held += len(blocks) - len(self._blocks.pop(segment.path, ()))
            self._blocks[segment.path] = blocks
            while self._held > self._limit and len(self._blocks) > 1:
                self._held -= len(self._blocks.popitem(last=False)[1])

    def forget(self, segment: Segment) -> None:
        with self._lock:
            self._held -= len(self._blocks.pop(segment.path, ()))

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
            try:
                with open(segment.index_path, "rb") as file:
                    raw = file.read(index.HEADER_BYTES)
                segment.total = index.read_header(raw, segment.compressed, True, segment.size)
            except (CorruptIndex, FileNotFoundError):
                segment.total = index.summary(self.blocks(segment))
        return segment.total

    def _again(self, segment: Segment, reason: Exception) -> list[Block]:
        if isinstance(reason, CorruptIndex) and not isinstance(reason, OutdatedIndex):
            log.warning("the index of %s is damaged (%s): rebuilt", segment.path, reason)
        blocks = rebuild(segment)
        segment.total = index.summary(blocks)
        with suppress(OSError):  # without it, it is rebuilt again the next time
            index.save(segment.index_path, segment.compressed, True, segment.size, blocks)
            index_written(segment)
        return blocks


def open_file(segment: Segment) -> int:
    """A descriptor to read ``segment`` with. Raises FileNotFoundError, OSError."""
    return os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)


def lines_of(plain: bytes) -> list[bytes]:
    """The lines of a block, without their LF. Only LF ends a line: CR is part of a text."""
    lines = plain.split(b"\n")
    lines.pop()
    return lines


def whole_lines(fd: int, start: int, end: int) -> Iterator[bytes]:
    """``[start, end)`` of a plain file, in chunks."""
    while start < end:
        chunk = os.pread(fd, min(1024 * 1024, end - start), start)
        if not chunk:
            return
        start += len(chunk)
        yield chunk
