"""The text of a line that may be longer than a line can be: its beginning and its end are kept.

Of what is printed without an end, the newest is what somebody looks for; so the middle goes, and
the text says there how much of it.
"""

from __future__ import annotations

from cloudbang.domain.lines import MAX_TEXT

_CUT = "… [cut: %d bytes of a line longer than 1 MiB] …"
_HEAD = MAX_TEXT // 2
_TAIL = MAX_TEXT - _HEAD - len(_CUT.encode()) - 20  # the number has fewer digits than that


class LongText:
    """Bytes of a text as they come; holds about 1.5 MiB of them at most."""

    __slots__ = ("_head", "_tail", "size")

    def __init__(self) -> None:
        self._head: list[bytes] = []
        self._tail: bytearray | None = None  # all but the first _HEAD bytes, or the end of it
        self.size = 0

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if self._tail is None:
            self._head.append(part)
            if self.size > MAX_TEXT:
                whole = b"".join(self._head)
                self._head, self._tail = [whole[:_HEAD]], bytearray(whole[_HEAD:])
        else:
            self._tail += part
            if len(self._tail) > MAX_TEXT:
                del self._tail[:-_TAIL]

    def start(self, size: int) -> bytes:
        """The first bytes of it, at most so many."""
        start = b""
        for part in self._head:
            if len(start) >= size:
                break
            start += part[: size - len(start)]
        return start

    def end(self, size: int) -> bytes:
        """The last bytes of it, at most so many."""
        if self._tail:
            return bytes(self._tail[-size:])
        end: list[bytes] = []
        for part in reversed(self._head):
            if size <= 0:
                break
            end.append(part[-size:])
            size -= len(part)
        return b"".join(reversed(end))

    def text(self) -> bytes:
        """All of it, or what a line may have of it; whole characters where it is UTF-8."""
        if self._tail is None:
            return b"".join(self._head)
        head = _without_broken_end(self._head[0])
        tail = bytes(self._tail[-_TAIL:])
        for _ in range(3):  # the rest of a character whose beginning is cut off
            if tail and 0x80 <= tail[0] < 0xC0:
                tail = tail[1:]
        cut = _CUT % (self.size - len(head) - len(tail))
        return head + cut.encode() + tail


def shortened(text: bytes) -> bytes:
    """``text``, or what a line may have of it."""
    if len(text) <= MAX_TEXT:
        return text
    long = LongText()
    long.add(text)
    return long.text()


def _without_broken_end(text: bytes) -> bytes:
    """At most three bytes of a character stand at the end."""
    for back in range(1, 4):
        byte = text[-back]
        if byte >= 0xC0:
            return text[:-back]
        if byte < 0x80:
            break
    return text
