"""What a terminal has printed: cut between whole characters, kept for those who come back.

Everything is counted in bytes since the session's start. What is kept ends at ``end`` and begins at
``start``; what fell out is remembered only as the state it left the terminal in, so that a screen
that begins in the middle still has its cursor keys, its mouse and its alternate screen right. Beside
it stands for which sizes it was printed: it is drawn again in those.
"""

from __future__ import annotations

from collections import deque

from cloudbang.domain.screen_state import ScreenState
from cloudbang.domain.terminals import Size

KEEP = 1024 * 1024  # bytes of output that are kept for who comes back
BLOCK = 16 * 1024  # bytes gathered before they become a block of their own
LINE = 4096  # bytes within which a good place to begin is looked for
SIZES = 32  # that are remembered: a page that draws again sets up all lines anew for each


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


class Scrollback:
    """The last output, at least ``keep`` bytes of it once there were so many."""

    __slots__ = ("_blocks", "_keep", "_size", "_sizes", "_state", "_tail", "end", "start")

    def __init__(self, keep: int = KEEP) -> None:
        self.start = 0  # offset of the first byte that is kept
        self.end = 0  # offset after the last byte
        self._keep = keep
        self._blocks: deque[bytes] = deque()
        self._size = 0  # bytes in blocks
        self._tail = bytearray()  # what is not a block yet: many short pieces cost as one
        self._state = ScreenState()  # as of ``start``
        self._sizes: list[tuple[int, Size]] = []  # from which offset on

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
            self._state.feed(gone)
            self._size -= len(gone)
            self.start += len(gone)

    def resized(self, size: Size) -> None:
        """What is printed from now on is for this size.

        Overload: of more than :data:`SIZES` the one is forgotten for which least was printed."""
        sizes = self._sizes
        while sizes and sizes[-1][0] == self.end:
            sizes.pop()
        if not sizes or sizes[-1][1] != size:
            sizes.append((self.end, size))
        while len(sizes) > 1 and sizes[1][0] <= self.start:
            del sizes[0]
        if len(sizes) > SIZES:
            spans = [(sizes[n + 1][0] - sizes[n][0], n) for n in range(len(sizes) - 1)]
            del sizes[min(spans)[1]]

    def sizes(self, offset: int) -> list[list[int]]:
        """For which sizes the output from ``offset`` on was printed: ``[offset, columns, rows]``
        each, of which the first is in force at ``offset``."""
        sizes = self._sizes
        first = max((n for n, (at, _) in enumerate(sizes) if at <= offset), default=0)
        found = [[at, size.columns, size.rows] for at, size in sizes[first:]]
        if found:
            found[0][0] = offset
        return found

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
        state = self._state.copy()
        at = self.start
        for block in (*self._blocks, bytes(self._tail)):
            if at >= begin:
                break
            state.feed(block[: begin - at])
            at += len(block)
        head = self.read(begin, LINE)
        # After a line's end nothing is cut in two, neither a sequence nor a line.
        line = head.find(b"\n") + 1
        if not line:
            line = _skip_character(head)
        state.feed(head[:line])
        return begin + line, state.restore()


def _skip_character(head: bytes) -> int:
    """How many bytes of a cut character, at most 3, ``head`` begins with."""
    for count, byte in enumerate(head[:3]):
        if not 0x80 <= byte < 0xC0:
            return count
    return min(3, len(head))
