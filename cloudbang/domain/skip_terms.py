"""What a block of log surely does not hold, told by a few bits of what it holds.

A search finds what it looks for in a line as it was written or as it is seen (``seen_text``), so
the terms of a block are read off both. Of its words (letters, and characters beyond ASCII) those
are the windows of four letters, or two characters, with what ends a word as one of them; of what has
a digit in it, ids mostly, how it begins and ends and how long the longest is: all windows of ids would
be everywhere, and as large as they are. Capitals make no difference.

What stands in a block has its terms there. The other way round nothing is said. Pure.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.query.fields import LOOKED_AT, fields_of
from cloudbang.domain.seen_text import BOM, seen_bytes

WINDOW = 4  # bytes of a word
WIDE_WINDOW = 6  # of a word where it begins with a character beyond ASCII: two of most
ID = 6  # characters of the beginning and of the end of an id

_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"
_WIDE = bytes(range(0x80, 0x100))
_SMALL = bytes.maketrans(_LETTERS.upper(), _LETTERS)


def _table(kept: bytes) -> bytes:
    """What is kept, in small letters; all else is a blank."""
    return bytes(b if b in kept else 32 for b in _SMALL)


_TO_WORDS, _TO_IDS = _table(_LETTERS + _WIDE), _table(_LETTERS + _DIGITS)
_IS_WORD = frozenset(_LETTERS + _WIDE)
_IS_ID = frozenset(_LETTERS + _DIGITS)
_OPEN = 0  # in what is looked for: here may stand anything

# Letters beyond ASCII that some way of comparing takes for one of ASCII.
_ALIKE = (("\u212a".encode(), b"k"), ("\u017f".encode(), b"s"), ("\u0130".encode(), b"i"))


class BlockTerms(NamedTuple):
    """``words`` and ``ids`` as they stand in a block, in small letters; ``longest``: bytes of the
    longest of its ids."""

    words: set[bytes]
    ids: set[bytes]
    longest: int


class IdNeed(NamedTuple):
    """``term`` stands in every block that has what is looked for and no id longer than ``longest``
    (0: whatever it has)."""

    term: int
    longest: int


class Needs(NamedTuple):
    """The terms that a block has if what is looked for is in it, as numbers of 32 bits."""

    words: tuple[int, ...] = ()
    ids: tuple[IdNeed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.ids)

    def and_these(self, other: Needs) -> Needs:
        """Where both stand in one line."""
        words = dict.fromkeys((*self.words, *other.words))
        return Needs(tuple(words), tuple(dict.fromkeys((*self.ids, *other.ids))))


NOTHING = Needs()

# -- what a block has


def terms_of_block(plain: bytes) -> BlockTerms:
    """The terms of whole records, each with its LF. Never raises."""
    lines = [raw[TEXT_AT:] for raw in plain.split(b"\n")]
    text = b"\n".join((*lines, *_seen_besides(lines)))
    for letter, alike in _ALIKE:
        if letter in text:
            text += b"\n" + text.replace(letter, alike)
    words = set(text.translate(_TO_WORDS).split())
    ids = {
        one for one in set(text.translate(_TO_IDS).split()) if len(one) >= ID and not one.isalpha()
    }
    return BlockTerms(words, ids, max(map(len, ids), default=0))


def word_terms(word: bytes) -> Iterator[int]:
    """The terms of a word that stands between other signs."""
    return map(zlib.crc32, _windows(b" %b " % word))


def id_terms(one: bytes) -> tuple[int, int]:
    """How an id begins, and how it ends."""
    return zlib.crc32(b"<" + one[:ID]), zlib.crc32(b">" + one[-ID:])


def _windows(padded: bytes) -> Iterator[bytes]:
    end = len(padded)
    if padded.isascii():
        for at in range(end - WINDOW + 1):
            yield padded[at : at + WINDOW]
        return
    for at in range(end - WINDOW + 1):
        first = padded[at]
        if first < 0x80:
            yield padded[at : at + WINDOW]
        elif first >= 0xC0 and at + WIDE_WINDOW <= end:
            yield padded[at : at + WIDE_WINDOW]


def _seen_besides(lines: list[bytes]) -> Iterator[bytes]:
    """What may be found in these lines beside what is written in them: most have nothing."""
    text = b"\n".join(lines)
    small = text.lower()
    odd = [
        re.escape(sign)
        for sign in (b"\x1b", b"\r", b"\b", b"\\", b"@mt", b"emplate")
        if sign in (small if sign.isalnum() or sign == b"@mt" else text)
    ]
    composes = False
    if not text.isascii():
        try:
            characters = text.decode()
        except UnicodeDecodeError:
            composes = True
        else:
            composes = not unicodedata.is_normalized("NFC", characters) or any(
                char == BOM or unicodedata.category(char)[0] == "M" or "\u1100" <= char <= "\u11ff"
                for char in set(characters)
                if not char.isascii()
            )
    long = any(len(line) > LOOKED_AT for line in lines)
    if not odd and not composes and not long:
        return
    has_odd = re.compile(b"|".join(odd), re.IGNORECASE).search if odd else None
    for line in lines:
        if (
            (has_odd and has_odd(line))
            or (composes and not line.isascii())
            or (long and len(line) > LOOKED_AT)
        ):
            yield from _seen_of(line)


def _seen_of(line: bytes) -> Iterator[bytes]:
    seen = seen_bytes(line)
    if seen is not line:
        yield seen
    if b"\\" in line and (b"{" in line or b'":' in line):
        # Of JSON behind other text, too, and over several lines, the fields are decoded.
        for name, value in fields_of(line.decode("utf-8", "replace")):
            yield f"{name} {value}".encode()
    if len(line) > LOOKED_AT:
        # Of a very long text fields are read up to here, which may be within a word.
        text = seen.decode("utf-8", "replace")
        yield text[:LOOKED_AT].encode()
        yield text.lstrip(" \t\r\n")[:LOOKED_AT].encode()


# -- what is looked for


def needs_of(text: str, *, begins: bool = False, ends: bool = False) -> Needs:
    """The terms that stand in each block in which a line has ``text`` in it, as it was written or as
    it is seen, whatever its capitals. ``begins``, ``ends``: there neither a letter nor a digit stands
    before it, or behind it."""
    signs = bytearray(b" " if begins else b"\0")
    for char in text:
        signs += _sign(char)
    signs += b" " if ends else b"\0"
    return Needs(tuple(dict.fromkeys(_word_needs(signs))), tuple(dict.fromkeys(_id_needs(signs))))


def needs_of_all(texts: Iterable[str]) -> Needs:
    """The same of texts that all stand in one line."""
    needs = Needs()
    for text in texts:
        needs = needs.and_these(needs_of(text))
    return needs


def _sign(char: str) -> bytes:
    """A character as terms have it: itself, a blank where it ends a word, or nothing that is known."""
    if char.isascii():
        if char.isalnum():
            return char.lower().encode()
        # What is no sign on paper may have been written as \n, whose letter was part of a word.
        return b" " if " " <= char <= "~" else b"\0"
    # Characters that know no capitals and are never put together with what stands beside them.
    if (
        unicodedata.category(char) == "Lo"
        and char == char.lower() == char.upper() == char.casefold()
        and unicodedata.normalize("NFKD", char) == char
        and not "\u1100" <= char <= "\u11ff"
    ):
        return char.encode()
    return b"\0"


def _runs(signs: bytearray, kept: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Where the parts are that are of these bytes alone."""
    begin = -1
    for at, sign in enumerate(signs):
        if sign in kept:
            begin = at if begin < 0 else begin
        elif begin >= 0:
            yield begin, at
            begin = -1


def _word_needs(signs: bytearray) -> Iterator[int]:
    for begin, end in _runs(signs, _IS_WORD):
        before = b"" if signs[begin - 1] == _OPEN else b" "
        behind = b"" if signs[end] == _OPEN else b" "
        yield from map(zlib.crc32, _windows(before + bytes(signs[begin:end]) + behind))


def _id_needs(signs: bytearray) -> Iterator[IdNeed]:
    for begin, end in _runs(signs, _IS_ID):
        part = bytes(signs[begin:end])
        if len(part) < ID or part.isalpha():
            continue
        first, last = id_terms(part)
        # Where it may go on, it is all of an id only if none is longer.
        yield IdNeed(first, len(part) if signs[begin - 1] == _OPEN else 0)
        yield IdNeed(last, len(part) if signs[end] == _OPEN else 0)
