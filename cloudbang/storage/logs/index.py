"""Where in a segment which lines are: one entry for each block of about 256 KiB.

An index is a cache: everything in it can be computed again from the segment, and is, whenever the
file is missing, damaged or about another state of the segment. In a compressed segment each
entry also stands in front of its block, in a zstd "skippable frame" that ``zstdcat`` ignores, so
that even a segment with a hole in it can be indexed again without unpacking it.

``NAME.idx``, ``NAME.zst.idx``: a header with the sum of it all, then the entries, each with a checksum.
"""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

BLOCK_BYTES = 256 * 1024
"""Bytes of plain text after which a block is complete: what a page of lines has to unpack."""

MAX_KEYS = 64
"""A block with more (container, stream) pairs than this is listed as having any of them."""

KEY_WIDTH = 19  # RECORD[31:50], "container stream"
ANY_KEY = b"*" * KEY_WIDTH

_numbers = itertools.count()

_HEADER = struct.Struct("<6sBBQQQ30s30sI")
_ENTRY = struct.Struct("<QIQII30s30sH")
_CRC = struct.Struct("<I")
_MAGIC = b"CBIDX2"
HEADER_BYTES = _HEADER.size + _CRC.size


class CorruptIndex(Exception):
    """The index cannot be believed. Only ever seen inside the store, which then rebuilds it."""


class OutdatedIndex(CorruptIndex):
    """It is about an earlier state of its segment: the program was stopped before it wrote anew."""


class Block(NamedTuple):
    """A run of whole records that is read in one go."""

    number: int  # records of the segment before it
    lines: int  # records in it
    at: int  # where it starts in the file, in bytes
    stored: int  # bytes it takes in the file
    plain: int  # bytes of its text
    oldest: bytes  # smallest and largest time in it, as the 30 bytes in front of a record:
    newest: bytes  # lines are NOT ordered by time, so a search looks at both
    keys: frozenset[bytes] | None  # "container stream" of its lines; None: too many to list


class Summary(NamedTuple):
    """What a whole closed segment holds."""

    lines: int
    plain: int  # bytes of its text
    oldest: bytes
    newest: bytes


def summary(blocks: Sequence[Block]) -> Summary:
    if not blocks:
        return Summary(0, 0, b"", b"")
    return Summary(
        max(b.number + b.lines for b in blocks),
        sum(b.plain for b in blocks),
        min(b.oldest for b in blocks),
        max(b.newest for b in blocks),
    )


def pack(block: Block) -> bytes:
    """One entry, as it stands in the index and in front of a compressed block."""
    keys = (ANY_KEY,) if block.keys is None else sorted(block.keys)
    body = _ENTRY.pack(*block[:7], len(keys)) + b"".join(k.ljust(KEY_WIDTH) for k in keys)
    return body + _CRC.pack(zlib.crc32(body))


def unpack(raw: bytes, at: int, shared: dict[bytes, frozenset[bytes] | None]) -> tuple[Block, int]:
    """The entry at ``raw[at:]`` and where the next one starts. Raises CorruptIndex.

    ``shared`` makes blocks with the same keys share one set: most blocks of a segment do.
    """
    try:
        number, lines, place, stored, plain, oldest, newest, keys = _ENTRY.unpack_from(raw, at)
        end = at + _ENTRY.size + keys * KEY_WIDTH
        (crc,) = _CRC.unpack_from(raw, end)
    except struct.error:
        raise CorruptIndex("cut off") from None
    if zlib.crc32(raw[at:end]) != crc:
        raise CorruptIndex("checksum")
    listed = raw[at + _ENTRY.size : end]
    if listed not in shared:
        shared[listed] = _keys(listed)
    block = Block(number, lines, place, stored, plain, oldest, newest, shared[listed])
    return block, end + _CRC.size


def header(
    compressed: bool, closed: bool, file_bytes: int, total: Summary, listed: bytes = b""
) -> bytes:
    """What stands first; ``listed`` are all the entries that follow, of a closed segment."""
    body = _HEADER.pack(_MAGIC, compressed, closed, file_bytes, *total, zlib.crc32(listed))
    return body + _CRC.pack(zlib.crc32(body))


def read_header(raw: bytes, compressed: bool, closed: bool, file_bytes: int) -> Summary:
    """The sum of a segment of ``file_bytes`` (not looked at unless closed). Raises CorruptIndex."""
    if len(raw) < HEADER_BYTES:
        raise CorruptIndex("cut off")
    magic, is_compressed, is_closed, of_bytes, *total, _ = _HEADER.unpack_from(raw)
    (crc,) = _CRC.unpack_from(raw, _HEADER.size)
    if magic != _MAGIC or zlib.crc32(raw[: _HEADER.size]) != crc:
        raise CorruptIndex("header")
    if bool(is_compressed) != compressed or bool(is_closed) != closed:
        raise OutdatedIndex("of another state of the segment")
    if closed and of_bytes != file_bytes:
        raise CorruptIndex("of another size of the segment")
    return Summary(*total)


def check_listed(raw: bytes) -> None:
    """That the entries of a closed segment's index are all there, without reading each.

    Raises CorruptIndex: what is not in a cut index may still be in its segment.
    """
    if not _all_listed(raw):
        raise CorruptIndex("entries")


def _all_listed(raw: bytes) -> bool:
    return zlib.crc32(memoryview(raw)[HEADER_BYTES:]) == int(_HEADER.unpack_from(raw)[-1])


def entries(raw: bytes, compressed: bool, closed: bool, file_bytes: int) -> list[Block]:
    """All blocks of the index file's content ``raw``. Raises CorruptIndex.

    The index of a segment that still grows (``closed`` False) may end in the middle of an entry
    or be behind its segment: then the entries that are whole.
    """
    total = read_header(raw, compressed, closed, file_bytes)
    blocks = _alike(raw) if closed and _all_listed(raw) else []
    if blocks and sum(b.plain for b in blocks) == total.plain:
        return blocks
    blocks = []
    at = HEADER_BYTES
    shared: dict[bytes, frozenset[bytes] | None] = {}
    while at < len(raw):
        try:
            block, at = unpack(raw, at, shared)
        except CorruptIndex:
            if closed:
                raise
            break
        blocks.append(block)
    if closed and sum(b.plain for b in blocks) != total.plain:
        raise CorruptIndex("entries are missing")
    return blocks


def _alike(raw: bytes) -> list[Block]:
    """All blocks where each entry lists as many keys as the first, as those of one writer do: a
    third of the time that one after the other takes, and the first page of a segment waits for
    it. Else none. ``raw`` is known to be as it was written."""
    count = _ENTRY.unpack_from(raw, HEADER_BYTES)[-1] if len(raw) > HEADER_BYTES else 0
    each = struct.Struct(f"{_ENTRY.format}{count * KEY_WIDTH}s{_CRC.size}x")
    listed = memoryview(raw)[HEADER_BYTES:]
    if not listed or len(listed) % each.size:
        return []
    shared: dict[bytes, frozenset[bytes] | None] = {}
    blocks: list[Block] = []
    for *facts, keys, text in each.iter_unpack(listed):
        if keys != count:
            return []
        if text not in shared:
            shared[text] = _keys(text)
        facts.append(shared[text])
        blocks.append(Block._make(facts))
    return blocks


def _keys(text: bytes) -> frozenset[bytes] | None:
    split = frozenset(text[i : i + KEY_WIDTH] for i in range(0, len(text), KEY_WIDTH))
    return None if ANY_KEY in split else split


def save(path: str, compressed: bool, closed: bool, file_bytes: int, blocks: list[Block]) -> None:
    """Write a whole index in place of what is there. Raises OSError."""
    # Two readers may find the same one damaged, in two processes, too.
    temporary = f"{path}.{os.getpid()}.{next(_numbers)}.tmp"
    listed = b"".join(map(pack, blocks))
    Path(temporary).write_bytes(
        header(compressed, closed, file_bytes, summary(blocks), listed) + listed
    )
    os.replace(temporary, path)


def describe(lines: Sequence[bytes], number: int, at: int, size: int) -> Block:
    """The block of these lines of plain text (with or without their LF), found at ``at``."""
    keys = {line[31:50] for line in lines}
    return Block(
        number,
        len(lines),
        at,
        size,
        size,
        min(lines)[:30],
        max(lines)[:30],
        frozenset(keys) if len(keys) <= MAX_KEYS else None,
    )


def cut(chunks: Iterable[bytes], number: int = 0, at: int = 0) -> list[Block]:
    """The blocks of plain text that comes in ``chunks``; an unfinished last line is left out."""
    blocks: list[Block] = []
    rest = b""
    for chunk in chunks:
        rest += chunk
        while len(rest) >= BLOCK_BYTES:
            end = rest.find(b"\n", BLOCK_BYTES - 1) + 1
            if not end:
                break
            lines = rest[: end - 1].split(b"\n")
            blocks.append(describe(lines, number, at, end))
            number, at, rest = number + len(lines), at + end, rest[end:]
    if end := rest.rfind(b"\n") + 1:
        lines = rest[: end - 1].split(b"\n")
        blocks.append(describe(lines, number, at, end))
    return blocks
