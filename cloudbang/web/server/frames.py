"""WebSocket framing (RFC 6455) and its compression (RFC 7692), without any I/O.

``Decoder`` turns the bytes a client sends into messages and control frames, in slices small
enough that a 16 MiB message never holds up the hub. ``SharedFrame`` is one message encoded once
for any number of connections.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from cloudbang.errors import CloudBangError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1, MASKED = 0x80, 0x40, 0x80
SLICE = 16 * 1024  # bytes worked on at a time; integer XOR is fastest where it fits the cache
DEFLATE_TAIL = b"\x00\x00\xff\xff"  # RFC 7692, 7.2.1: left off by the sender, put back here
_WHOLE = FIN | TEXT, FIN | BINARY  # first bytes of a message in one frame
DEFLATE_FROM = 256  # bytes; below this, compressing costs more than it saves

# One 1 in each 32-bit word of a slice: a mask times this is the mask repeated over the slice.
_EVERY_WORD = int.from_bytes(b"\x01\x00\x00\x00" * (SLICE // 4), "little")


class PeerViolation(CloudBangError):
    """The peer broke the protocol or a limit; the connection ends with ``close_code``."""

    code = "socket-violation"
    status = 400
    sentence = "{reason} (close code {close_code})"

    def __init__(self, close_code: int, reason: str) -> None:
        self.close_code, self.reason = close_code, reason
        super().__init__(close_code, reason)


class Ping(NamedTuple):
    payload: bytes


class Pong(NamedTuple):
    payload: bytes


class Closing(NamedTuple):
    """The peer's close frame. ``code`` is None when it carried none."""

    code: int | None
    reason: str


class Working:
    """Returned by :meth:`Decoder.next` between two slices: a good moment to let others run."""


WORKING: Final = Working()
Event = str | bytes | Ping | Pong | Closing | Working


def valid_close_code(code: int) -> bool:
    """May this code stand in a close frame? (RFC 6455, 7.4, and the IANA registry)"""
    return 3000 <= code <= 4999 or code in (
        *(1000, 1001, 1002, 1003),
        *(1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014),
    )


def header(opcode: int, length: int, first: int = FIN) -> bytes:
    """The header of an unmasked frame. ``first`` holds the FIN and RSV bits."""
    if length < 126:
        return bytes((first | opcode, length))
    if length < 65536:
        return bytes((first | opcode, 126)) + length.to_bytes(2, "big")
    return bytes((first | opcode, 127)) + length.to_bytes(8, "big")


SMALL = 126  # bytes; the length of a payload of less stands in one byte
SMALL_BINARY = tuple(header(BINARY, size) for size in range(SMALL))
"""The headers of small binary messages by their length: for the echo of a key."""


def frame(payload: bytes, opcode: int, first: int = FIN) -> bytes:
    """A whole unmasked frame, as a server sends it."""
    if len(payload) < SMALL:  # in one step
        return bytes((first | opcode, len(payload))) + payload
    return header(opcode, len(payload), first) + payload


def close_frame(code: int | None, reason: str = "") -> bytes:
    """A close frame; the reason is cut to what a control frame holds (123 bytes)."""
    if code is None:
        return frame(b"", CLOSE)
    text = reason.encode("utf-8", "replace")[:123].decode("utf-8", "ignore").encode()
    return frame(code.to_bytes(2, "big") + text, CLOSE)


def xor(data: bytes, mask: bytes, whole: int = 0) -> bytes:
    """``data`` masked or unmasked with the four bytes of ``mask`` (one integer operation).

    ``whole`` is the mask repeated over a full slice, if the caller keeps it (see ``spread``).
    """
    size = len(data)
    if whole and size == SLICE:
        return (int.from_bytes(data, "little") ^ whole).to_bytes(size, "little")
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(
        size, "little"
    )


def spread(mask: bytes) -> int:
    """The mask repeated over one slice, as the integer that ``xor`` takes."""
    return int.from_bytes(mask, "little") * _EVERY_WORD


def packer(window_bits: int = 15) -> zlib._Compress:
    """A compressor for one message.

    A window of 8 bits is asked of zlib as 9: zlib never refers back further than its window less
    262 bytes, so what it makes with 9 bits fits the 256 bytes of 8.
    """
    # Level 3: twice as fast as the default 6, a tenth larger.
    return zlib.compressobj(3, zlib.DEFLATED, -max(window_bits, 9), 8)


def deflate(payload: bytes, window_bits: int = 15) -> bytes:
    """One message compressed without context, its tail left off (RFC 7692, 7.2.1)."""
    pack = packer(window_bits)
    return (pack.compress(payload) + pack.flush(zlib.Z_SYNC_FLUSH))[:-4]


class SharedFrame:
    """One message for any number of connections, encoded at most twice: plain and deflated.

    ``deflated`` falls back to the plain frame (which RFC 7692 allows at any time) for what is
    small, does not shrink, or is so large that compressing it would hold up the hub.
    """

    __slots__ = ("_deflated", "opcode", "plain", "size")
    DEFLATE_UP_TO = 1024 * 1024  # bytes; about 5 ms of compressing

    def __init__(self, payload: bytes, opcode: int = TEXT) -> None:
        self.opcode = opcode
        self.size = len(payload)
        self.plain = frame(payload, opcode)
        self._deflated: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The message itself."""
        return self.plain[len(self.plain) - self.size :]

    @property
    def deflated(self) -> bytes:
        if self._deflated is None:
            self._deflated = self.plain
            if DEFLATE_FROM <= self.size <= self.DEFLATE_UP_TO:
                packed = deflate(self.payload)
                if len(packed) < self.size:
                    self._deflated = frame(packed, self.opcode, FIN | RSV1)
        return self._deflated


class JoinedFrames:
    """Several messages, one behind the other: bytes for one call of the kernel, made at most twice."""

    __slots__ = ("_deflated", "_frames", "_plain")

    def __init__(self, frames: Sequence[SharedFrame]) -> None:
        self._frames = frames
        self._plain = self._deflated = b""

    @property
    def plain(self) -> bytes:
        self._plain = self._plain or b"".join([one.plain for one in self._frames])
        return self._plain

    @property
    def deflated(self) -> bytes:
        self._deflated = self._deflated or b"".join([one.deflated for one in self._frames])
        return self._deflated


class Decoder:
    """What a client sends, decoded: ``feed`` bytes in, take events out with ``next``.

    ``max_message`` bounds a message in bytes, after inflating. UTF-8 is checked as it arrives, so
    a bad byte is refused before the rest of its frame has come. Raises PeerViolation.
    """

    __slots__ = (
        *("_at", "_data", "_deflates", "_ending", "_fin", "_inflater", "_kind", "_left", "_mask"),
        *("_opcode", "_parts", "_size", "_text", "_unread", "_whole", "hungry", "max_message"),
    )

    def __init__(self, max_message: int, deflates: bool = False) -> None:
        self.max_message = max_message
        self.hungry = True  # ``next`` has nothing more before there are more bytes
        self._deflates = deflates
        self._data, self._at = b"", 0  # what has come and is not decoded, from _at
        self._left = -1  # payload bytes of the current frame still to come; -1: its header first
        self._opcode, self._fin = 0, True  # of the current frame
        self._mask, self._whole = b"", 0  # the current mask, turned to the next byte
        self._kind = 0  # TEXT or BINARY while a message is under way
        self._parts: list[str] | list[bytes] = []
        self._size = 0  # of the message so far, inflated
        self._text: codecs.IncrementalDecoder | None = None
        self._inflater: zlib._Decompress | None = None
        self._unread: bytes | None = None  # deflated bytes that wait for their turn
        self._ending = False  # the tail of a deflated message is being inflated

    def feed(self, data: bytes) -> None:
        """More bytes from the peer."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0
        self.hungry = False

    def next(self) -> Event | None:
        """The next event, ``WORKING`` between two slices, None when more bytes are needed."""
        data, at = self._data, self._at
        size = len(data) - at
        if size >= 6 and not self._kind and self._left < 0 and self._unread is None:
            # A whole message in one small frame, as keys and acks are?
            first, length = data[at], data[at + 1] - MASKED
            fits = 0 <= length < SMALL and length <= size - 6 and length <= self.max_message
            if fits and first in _WHOLE:
                end = at + 6 + length
                if length == 1:  # a key
                    payload = bytes((data[at + 6] ^ data[at + 2],))
                else:
                    payload = xor(data[at + 6 : end], data[at + 2 : at + 6])
                try:
                    message = payload.decode() if first == FIN | TEXT else payload
                except UnicodeDecodeError:
                    pass  # the long way says what is wrong
                else:
                    self.hungry = length == size - 6
                    self._data, self._at = (b"", 0) if self.hungry else (data, end)
                    return message
        event = self._next()
        self.hungry = event is None
        return event

    def _next(self) -> Event | None:
        if self._unread is not None:
            self._inflate()
            if self._unread is None and self._left == 0:
                return self._end_of_frame()
            return WORKING
        if self._left < 0 and not self._read_header():
            return None
        if self._opcode >= CLOSE:
            return self._control()
        if self._left == 0:
            return self._end_of_frame()
        chunk = self._data[self._at : self._at + min(self._left, SLICE)]
        if not chunk:
            self._data, self._at = b"", 0
            return None
        self._at += len(chunk)
        self._left -= len(chunk)
        plain = xor(chunk, self._mask, self._whole)
        if turn := len(chunk) & 3:
            self._mask = self._mask[turn:] + self._mask[:turn]
            self._whole = spread(self._mask) if self._whole else 0
        if self._inflater is not None:
            self._unread = plain
            return WORKING
        self._add(plain)
        return self._end_of_frame() if self._left == 0 else WORKING

    def _read_header(self) -> bool:
        data, at = self._data, self._at
        here = len(data) - at
        if here < 2:
            return False
        first, second = data[at], data[at + 1]
        # Checked with two bytes at hand: what is wrong is refused before the rest comes.
        opcode, length = first & 0x0F, second & 0x7F
        self._check(first, opcode, length, second)
        extra = 2 if length == 126 else 8 if length == 127 else 0
        if here < 6 + extra:
            return False
        if extra:
            length = int.from_bytes(data[at + 2 : at + 2 + extra], "big")
            if length >> 63:
                raise PeerViolation(1002, "a frame's length has its highest bit set")
        if self._size + length > self.max_message and opcode < CLOSE:
            raise PeerViolation(1009, f"a message may hold {self.max_message} bytes")
        at += 2 + extra
        self._mask = data[at : at + 4]
        self._whole = spread(self._mask) if length > SLICE else 0
        self._at = at + 4
        self._left, self._opcode, self._fin = length, opcode, first >= FIN
        if opcode in (TEXT, BINARY):
            self._begin(opcode, bool(first & RSV1))
        return True

    def _check(self, first: int, opcode: int, length: int, second: int) -> None:
        if second < MASKED:
            raise PeerViolation(1002, "a client's frame is not masked")
        if opcode >= CLOSE:
            if opcode > PONG:
                raise PeerViolation(1002, f"opcode {opcode} is reserved")
            if first < FIN or length > 125:
                raise PeerViolation(1002, "a control frame is fragmented or over 125 bytes")
        elif opcode > BINARY:
            raise PeerViolation(1002, f"opcode {opcode} is reserved")
        elif opcode == CONTINUATION and not self._kind:
            raise PeerViolation(1002, "a continuation without a message")
        elif opcode and self._kind:
            raise PeerViolation(1002, "a message begins inside another")
        allowed = RSV1 if self._deflates and opcode in (TEXT, BINARY) else 0
        if first & 0x70 & ~allowed:
            raise PeerViolation(1002, "a reserved bit is set")

    def _begin(self, kind: int, deflated: bool) -> None:
        self._kind, self._parts, self._size = kind, [], 0
        self._text = codecs.getincrementaldecoder("utf-8")() if kind == TEXT else None
        self._inflater = zlib.decompressobj(-15) if deflated else None

    def _control(self) -> Event | None:
        payload = self._data[self._at : self._at + self._left]
        if len(payload) < self._left:
            return None
        self._at += self._left
        self._left = -1
        payload = xor(payload, self._mask)
        if self._opcode == PING:
            return Ping(payload)
        if self._opcode == PONG:
            return Pong(payload)
        if not payload:
            return Closing(None, "")
        code = int.from_bytes(payload[:2], "big")
        if len(payload) < 2 or not valid_close_code(code):
            raise PeerViolation(1002, "a close frame has no valid code")
        try:
            return Closing(code, payload[2:].decode())
        except UnicodeDecodeError:
            raise PeerViolation(1007, "a close reason is not UTF-8") from None

    def _inflate(self) -> None:
        """One slice more out of the inflater; ``_unread`` is None when it wants more input."""
        inflater = self._inflater
        assert inflater is not None
        assert self._unread is not None
        try:
            plain = inflater.decompress(self._unread, SLICE)
        except zlib.error:
            raise PeerViolation(1002, "a message cannot be inflated") from None
        self._unread = inflater.unconsumed_tail or None
        if inflater.eof:  # a block marked as the last: what follows starts afresh (7.2.3.4)
            self._unread = inflater.unused_data or None
            self._inflater = zlib.decompressobj(-15)
        elif len(plain) == SLICE and self._unread is None:
            self._unread = b""  # the inflater holds more than it could hand out
        self._add(plain)

    def _add(self, plain: bytes) -> None:
        self._size += len(plain)
        if self._size > self.max_message:
            raise PeerViolation(1009, f"a message may hold {self.max_message} bytes")
        if self._text is None:
            if plain:
                self._parts.append(plain)  # type: ignore[arg-type]
        elif text := self._decode(plain, False):
            self._parts.append(text)  # type: ignore[arg-type]

    def _decode(self, data: bytes, final: bool) -> str:
        assert self._text is not None
        try:
            return self._text.decode(data, final)
        except UnicodeDecodeError:
            raise PeerViolation(1007, "a text message is not UTF-8") from None

    def _end_of_frame(self) -> Event:
        if not self._fin:
            self._left = -1
            return WORKING
        if self._inflater is not None and not self._ending:
            # The tail is inflated in slices too: few bytes may inflate to a large message.
            self._ending, self._unread = True, DEFLATE_TAIL
            return WORKING
        message: str | bytes
        if self._text is not None:
            self._decode(b"", True)
            message = "".join(self._parts)  # type: ignore[arg-type]
        else:
            message = b"".join(self._parts)  # type: ignore[arg-type]
        self._left, self._ending, self._kind, self._size = -1, False, 0, 0
        self._parts, self._text, self._inflater = [], None, None
        return message
