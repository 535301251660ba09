"""What is surely not in which block of a segment: a file beside it that lets a search skip blocks.

``NAME.skip`` is parts one after the other, each of up to 32 blocks and with a checksum, in the order
of the blocks; it is the same for the plain and the packed form of a segment. A part says of each block
what it is about (its place, its lines, its size, its times): of one that is another now, or that no
whole part is about, nothing is known, and it is looked at. Everything in it can be made again.

In a part stand, packed: for each of 32,768 numbers one bit a block, whether a word with such a term is
in it (all of them where more than half have one: that tells nothing and costs nothing); and for
each block one bit for each number of terms of ids. Numbers are shared by many terms, so that a block may
seem to have what it has not, and never the other way round.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import zstandard
from gevent.monkey import get_original

from cloudbang.domain.skip_terms import BlockTerms, Needs, id_terms, word_terms
from cloudbang.storage.logs.index import Block

PART_BLOCKS = 32
LEAST_BLOCKS = 4  # at the end of a segment: looking at fewer costs less than knowing of them
ROWS = 1 << 15
COMMON = 2  # a term that more than one of so many blocks have tells nothing
LEAST_CELLS, MOST_CELLS = 512, 8192  # bits of ids a block has
SPREAD = 3  # bits for each term of an id, as long as there are so many

WORDS_HELD = 50_000  # words of a part that are gathered before their terms are noted
LEVEL = 9

_MAGIC = b"CBSKIP1\n"
_HEAD = struct.Struct("<8sIIHHI")  # blocks, packed bytes; count, cells / 8; checksum
_ABOUT = struct.Struct("<QIIIBB")  # number, lines, plain, times; whether it is known, longest id
_VERY_LONG = 255  # and longer
_NONE = frozenset[int]()


class Part(NamedTuple):
    """Some blocks: what each is about, whether it was looked through and its longest id, and their
    bits. ``cells``: a block's bits of ids."""

    about: list[tuple[int, int, int, int, int, int]]
    cells: int
    packed: bytes


def about(block: Block) -> tuple[int, int, int, int]:
    """What tells a block from another in its place."""
    times = zlib.crc32(block.oldest + block.newest)
    return (block.number, block.lines, block.plain, times)


class PartBuilder:
    """The terms of some blocks, noted one block after the other."""

    def __init__(self) -> None:
        self._about: list[tuple[int, int, int, int, int, int]] = []
        self._rows = array("I", bytes(4 * ROWS))
        self._words: dict[bytes, int] = {}
        self._ids: list[set[int]] = []

    def __len__(self) -> int:
        return len(self._about)

    def add(self, told: tuple[int, int, int, int], terms: BlockTerms | None) -> None:
        """A block, or with None one of which nothing is known."""
        bit = 1 << len(self._about)
        longest = 0 if terms is None else min(terms.longest, _VERY_LONG)
        self._about.append((*told, terms is not None, longest))
        cells: set[int] = set()
        if terms is not None:
            words, get = self._words, self._words.get
            for word in terms.words:
                words[word] = get(word, 0) | bit
            if len(words) > WORDS_HELD:
                self._note_words()
            for one in terms.ids:
                cells.update(id_terms(one))
        self._ids.append(cells)

    def build(self) -> bytes:
        """The part as it stands in the file."""
        self._note_words()
        count = len(self._about)
        every = (1 << PART_BLOCKS) - 1
        rows = array("I", [every if r.bit_count() * COMMON > count else r for r in self._rows])
        cells = self._cells()
        bits = b"".join(_bits(ids, cells) for ids in self._ids)
        packed = zstandard.ZstdCompressor(level=LEVEL).compress(_in_planes(rows) + bits)
        body = b"".join(_ABOUT.pack(*one) for one in self._about) + packed
        head = (len(body), len(packed), count, cells // 8)
        checksum = zlib.crc32(body, zlib.crc32(struct.pack("<IIHH", *head)))
        return _HEAD.pack(_MAGIC, *head, checksum) + body

    def _note_words(self) -> None:
        rows, mask = self._rows, ROWS - 1
        for word, blocks in self._words.items():
            for term in word_terms(word):
                rows[term & mask] |= blocks
        self._words.clear()

    def _cells(self) -> int:
        average = sum(map(len, self._ids)) // max(len(self._ids), 1)
        if not any(self._ids):
            return 0
        cells = LEAST_CELLS
        while cells < min(average * SPREAD, MOST_CELLS):
            cells *= 2
        return cells


def _bits(terms: Iterable[int], cells: int) -> bytes:
    bits = bytearray(cells // 8)
    for term in terms:
        cell = term % cells
        bits[cell >> 3] |= 1 << (cell & 7)
    return bytes(bits)


def _in_planes(rows: array[int]) -> bytes:
    """The rows' first bytes, then their second ones …: so they pack better."""
    if sys.byteorder == "big":
        rows.byteswap()
    raw = rows.tobytes()
    return b"".join(raw[at::4] for at in range(4))


def parts_of(raw: bytes) -> Iterator[tuple[Part, int]]:
    """The whole parts at the beginning of a file's content, and where each ends."""
    at = 0
    while at + _HEAD.size <= len(raw):
        magic, size, packed, count, eighths, checksum = _HEAD.unpack_from(raw, at)
        body = raw[at + _HEAD.size : at + _HEAD.size + size]
        if (
            magic != _MAGIC
            or len(body) != size
            or zlib.crc32(body, zlib.crc32(struct.pack("<IIHH", size, packed, count, eighths)))
            != checksum
            or size != count * _ABOUT.size + packed
            or count > PART_BLOCKS
        ):
            return
        at += _HEAD.size + size
        told = list(_ABOUT.iter_unpack(body[: count * _ABOUT.size]))
        yield Part(told, eighths * 8, body[count * _ABOUT.size :]), at


def covered(raw: bytes, blocks: Sequence[tuple[int, int, int, int]]) -> tuple[int, int]:
    """How many of these blocks (what each is ``about``) the file is about, from the first on and
    without a hole, and how many bytes of it say so. The rest of it is to be written anew."""
    known = size = 0
    for part, end in parts_of(raw):
        told = [one[:4] for one in part.about]
        if told != list(blocks[known : known + len(told)]):
            break
        if len(told) < PART_BLOCKS and known + len(told) < len(blocks):
            break  # more have come since
        known, size = known + len(told), end
    return known, size


def without(raw: bytes, blocks: Sequence[Block], needs: Needs) -> frozenset[int]:
    """The numbers of the blocks of a segment in which there surely is not what is looked for."""
    missing: list[int] = []
    at = 0
    for part, _ in parts_of(raw):
        its = blocks[at : at + len(part.about)]
        at += len(part.about)
        absent = _absent(part, needs)
        missing += [
            block.number
            for place, (block, told) in enumerate(zip(its, part.about, strict=False))
            if absent >> place & 1 and about(block) == told[:4]
        ]
    return frozenset(missing)


def _absent(part: Part, needs: Needs) -> int:
    """Bits: in which of its blocks it is not."""
    size = 4 * ROWS + len(part.about) * part.cells // 8
    try:
        bits = zstandard.ZstdDecompressor().decompress(part.packed, max_output_size=size)
    except zstandard.ZstdError:
        return 0
    if len(bits) != size:
        return 0
    there = (1 << len(part.about)) - 1
    for term in needs.words:
        row = term & (ROWS - 1)
        there &= sum(bits[plane * ROWS + row] << 8 * plane for plane in range(4))
        if not there:
            break
    cells, wide = part.cells, part.cells // 8
    for place, (*_, known, longest) in enumerate(part.about):
        bit = 1 << place
        if not known:
            there |= bit
        elif there & bit:
            begin = 4 * ROWS + place * wide
            for term, most in needs.ids:
                if most and (longest > most or longest == _VERY_LONG):
                    continue
                cell = term % cells if cells else 0
                if not cells or not bits[begin + (cell >> 3)] >> (cell & 7) & 1:
                    there &= ~bit
                    break
    return ~there & ((1 << len(part.about)) - 1)


KEPT = 100_000  # numbers of blocks that answers have in them: some 6 MB


class SkipAnswers:
    """What files said to searches. Used from several threads: the lock is held for steps of
    dictionaries only."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, object], tuple[int, frozenset[int]]] = OrderedDict()
        self._held = 0
        self._lock = get_original("_thread", "allocate_lock")()

    def of(
        self, path: str, size: int, blocks: Sequence[Block], key: object, needs: Needs
    ) -> frozenset[int]:
        """The numbers of blocks that need not be looked at. ``path`` is the file of that ``size``,
        as far as is known; none where it cannot be read."""
        with self._lock:
            found = self._known.get((path, key))
            if found is not None and found[0] == size:
                self._known.move_to_end((path, key))
                return found[1]
        try:
            with open(path, "rb") as file:
                raw = file.read()
        except OSError:
            return _NONE
        missing = without(raw, blocks, needs)
        with self._lock:
            self._held += 1 + len(missing)
            if (before := self._known.pop((path, key), None)) is not None:
                self._held -= 1 + len(before[1])
            self._known[(path, key)] = (size, missing)
            while self._held > KEPT and len(self._known) > 1:
                self._held -= 1 + len(self._known.popitem(last=False)[1][1])
        return missing


def append(path: str, at: int, part: bytes) -> int:
    """Write a part behind what is whole. Gives the size of the file then. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.ftruncate(fd, at)
        done = 0
        try:
            while done < len(part):  # a full disk takes a part first
                done += os.pwrite(fd, memoryview(part)[done:], at + done)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, at)
            raise
    finally:
        os.close(fd)
    return at + len(part)
