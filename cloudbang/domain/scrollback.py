"""What a terminal has printed: cut between whole characters, kept for those who come back.

Everything is counted in bytes since the session's start. What is kept ends at ``end`` and begins at
``start``; what fell out is remembered only as the modes it left the terminal in, so that a screen
that begins in the middle still has its cursor keys, its mouse and its alternate screen right.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

KEEP = 1024 * 1024  # bytes of output that are kept for who comes back
BLOCK = 16 * 1024  # bytes gathered before they become a block of their own
LINE = 4096  # bytes within which a good place to begin is looked for


def incomplete_tail(data: bytes) -> int:
    """How many bytes at the end of ``data`` (0 to 3) begin a UTF-8 character that is not whole."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:  # the first byte of a character
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4 if byte < 0xF5 else 0
            return back if wanted > back else 0
    return 0


class Cutter:
    """Holds back the beginning of a character until the rest of it has come."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """``data``, with what was held back before it, up to its last whole character."""
        if self._rest:
            data = self._rest + data
        elif data and data[-1] < 0x80:
            return data
        held = incomplete_tail(data)
        self._rest = data[-held:] if held else b""
        return data[:-held] if held else data

    def flush(self) -> bytes:
        """What is still held back: nothing more will come."""
        rest, self._rest = self._rest, b""
        return rest


# What changes the state a screen is in without being on it: private modes, the keypad, the line
# drawing set, the scroll region, and a reset, which undoes them all (xterm's control sequences).
_MODES = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[0-9;]{1,64})(?P<set>[hl])|(?P<keypad>[=>])|\((?P<charset>[0AB])"
    rb"|\[(?P<region>[0-9]{0,5}(?:;[0-9]{0,5})?)r|(?P<reset>c|\[!p))"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[?0-9;!]{0,66}|\()?\Z")
_BY_DEFAULT = {7: True, 25: True}  # private modes that are on in a fresh terminal
_MOST_MODES = 64  # distinct modes that are remembered; there are about forty
_SCREENS = (47, 1047, 1049)


@dataclass(slots=True)
class Modes:
    """The state that output has left a terminal in."""

    private: dict[int, bool] = field(default_factory=dict)
    keypad: bool = False
    charset: bytes = b"B"
    region: bytes = b""
    _cut: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take in output that a terminal would have drawn."""
        if not self._cut and b"\x1b" not in data:
            return
        data = self._cut + data
        for found in _MODES.finditer(data):
            if found["reset"]:
                self.private.clear()
                self.keypad, self.charset, self.region = False, b"B", b""
            elif found["modes"]:
                for mode in found["modes"].split(b";"):
                    if mode and len(mode) < 6:
                        self._set(int(mode), found["set"] == b"h")
            elif found["keypad"]:
                self.keypad = found["keypad"] == b"="
            elif found["charset"]:
                self.charset = found["charset"]
            else:
                self.region = found["region"] or b""
        cut = _UNFINISHED.search(data[-80:])
        self._cut = cut[0] if cut else b""

    def _set(self, mode: int, on: bool) -> None:
        if _BY_DEFAULT.get(mode, False) == on:
            self.private.pop(mode, None)
        elif len(self.private) < _MOST_MODES:
            self.private[mode] = on

    @property
    def full_screen(self) -> bool:
        """Whether a program has the whole screen to itself, as vi has."""
        return any(self.private.get(mode) for mode in _SCREENS)

    def copy(self) -> Modes:
        return Modes(dict(self.private), self.keypad, self.charset, self.region, self._cut)

    def restore(self) -> str:
        """The sequences that bring a fresh terminal into this state."""
        # The screen first: what the region says is about the screen it was said on.
        order = sorted(self.private.items(), key=lambda mode: mode[0] not in _SCREENS)
        parts = [f"\x1b[?{mode}{'h' if on else 'l'}" for mode, on in order]
        if self.region:
            parts.append(f"\x1b[{self.region.decode()}r")
        if self.keypad:
            parts.append("\x1b=")
        if self.charset != b"B":
            parts.append(f"\x1b({self.charset.decode()}")
        return "".join(parts)


class Scrollback:
    """The last output, at least ``keep`` bytes of it once there were so many."""

    __slots__ = ("_blocks", "_keep", "_modes", "_size", "_tail", "end", "start")

    def __init__(self, keep: int = KEEP) -> None:
        self.start = 0  # offset of the first byte that is kept
        self.end = 0  # offset after the last byte
        self._keep = keep
        self._blocks: deque[bytes] = deque()
        self._size = 0  # bytes in blocks
        self._tail = bytearray()  # what is not a block yet: many short pieces cost as one
        self._modes = Modes()  # as of ``start``

    def append(self, data: bytes) -> None:
        """Keep ``data``, which ends with a whole character; forget the oldest beyond ``keep``."""
        self.end += len(data)
        if len(data) >= BLOCK:
            self._freeze()
            self._blocks.append(data)
            self._size += len(data)
        else:
            self._tail += data
            if len(self._tail) >= BLOCK:
                self._freeze()
        while self._blocks and self._size + len(self._tail) - len(self._blocks[0]) >= self._keep:
            gone = self._blocks.popleft()
            self._modes.feed(gone)
            self._size -= len(gone)
            self.start += len(gone)

    def _freeze(self) -> None:
        if self._tail:
            self._blocks.append(bytes(self._tail))
            self._size += len(self._tail)
            self._tail = bytearray()

    def read(self, offset: int, limit: int) -> bytes:
        """Output from ``offset`` (which is kept) on: some of it, whole characters, at most
        ``limit`` bytes. ``b""`` when there is nothing beyond ``offset``, or not a whole character
        within ``limit``.
        """
        at = self.start + self._size
        if offset >= at:
            found = bytes(self._tail[offset - at : offset - at + limit])
            whole = offset + len(found) == self.end
        else:
            for block in reversed(self._blocks):
                at -= len(block)
                if at <= offset:
                    break
            begin = offset - at
            if not begin and len(block) <= limit:
                return block  # the very bytes that came in: a flood is not copied here
            found = block[begin : begin + limit]
            whole = begin + len(found) == len(block)
        # The ends of blocks are ends of characters; so is the last thing that was printed.
        held = 0 if whole else incomplete_tail(found)
        return found[:-held] if held else found

    def fresh(self, at_most: int = KEEP) -> tuple[int, str]:
        """Where a cleared screen may begin so that it ends as it should with ``at_most`` bytes,
        and the sequences to be written before."""
        begin = max(self.start, self.end - at_most)
        if begin == 0:
            return 0, ""
        modes = self._modes.copy()
        at = self.start
        for block in (*self._blocks, bytes(self._tail)):
            if at >= begin:
                break
            modes.feed(block[: begin - at])
            at += len(block)
        head = self.read(begin, LINE)
        # After a line's end nothing is cut in two, neither a sequence nor a line.
        line = head.find(b"\n") + 1
        if not line:
            line = _skip_character(head)
        modes.feed(head[:line])
        return begin + line, modes.restore()


def _skip_character(head: bytes) -> int:
    """How many bytes of a cut character, at most 3, ``head`` begins with."""
    for count, byte in enumerate(head[:3]):
        if not 0x80 <= byte < 0xC0:
            return count
    return min(3, len(head))
