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
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from cloudbang.storage.logs import index
from cloudbang.storage.logs.index import Block, CorruptIndex, Summary

log = logging.getLogger(__name__)

NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.(\d{12,18})\.log(\.zst)?")

LEVEL = 9
"""zstd level of closed segments: see docs/performance.md for what it gives on real logs."""

KNOWN = (".idx", ".skip", ".tmp")
"""What files end with that mean nothing without a segment."""

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
    skip_size: int = field(default=0, compare=False)  # and of the one that says what is not in it
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

    @property
    def skip_path(self) -> str:
        # One name for both forms: they have the same blocks.
        return f"{self.stem}.skip"

    @property
    def stored(self) -> int:
        """Bytes on disk, without the index, which is small."""
        return self.size + self.skip_size


def find(folder: Path) -> list[Segment]:
    """The segments in ``folder``, by seq. Leftovers of an interrupted step are
    removed, in a folder that takes that. Raises OSError."""
    plain: dict[int, Segment] = {}
    packed: dict[int, Segment] = {}
    indexes: list[str] = []
    skips: dict[str, int] = {}
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.endswith(".tmp"):
                with suppress(OSError):
                    os.unlink(entry.path)
            elif entry.name.endswith(".idx"):
                indexes.append(entry.path)
            elif entry.name.endswith(".skip"):
                skips[entry.path] = entry.stat().st_size
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
    for segment in segments:
        segment.skip_size = skips.pop(segment.skip_path, 0)
    for path in (set(indexes) - {s.index_path for s in segments}) | set(skips):
        with suppress(OSError):
            os.unlink(path)
    return segments


def remove(segment: Segment) -> None:
    """Delete the file and what is known of it."""
    remove_form(segment)
    with suppress(FileNotFoundError):
        os.unlink(segment.skip_path)


def remove_form(segment: Segment) -> None:
    """Delete the file and its index, where its lines are in another form as well."""
    for path in (segment.path, segment.index_path):
        with suppress(FileNotFoundError):
            os.unlink(path)


def _tidy(leftover: Segment) -> None:
    """The same of what is not needed, and may stay until the folder takes it."""
    with suppress(OSError):
        remove_form(leftover)


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
    return [e.path for e in entries if e.name == "marks.json" or e.name.endswith(KNOWN)]


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
