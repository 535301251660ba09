"""A line that is not ended: progress that a program draws over and over, a question that waits for
its answer. It has no seq and is not stored; what a page shows of it is its newest state."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 2 * 1024
"""Bytes that are shown of one. Of a longer one the middle goes: its end is what is new."""

_HEAD = 512
_CUT = " … "
_BROKEN_START = re.compile(rb"^[\x80-\xbf]{1,3}")


class PartialLine(NamedTuple):
    """``time`` is that of its beginning, as the engine gave it; ``text`` has no LF."""

    time: str
    container: str
    stream: str
    text: str

    @property
    def place(self) -> tuple[str, str]:
        """Of one container and stream there is one at a time."""
        return self.container, self.stream


def newest_state(end: bytes, start: bytes = b"", under: bytes = b"") -> str:
    """What a terminal would show of a line that goes on, cut to :data:`LONGEST`.

    ``end`` is what was written last of it, ``start`` how it begins where that is not all. What stands
    before the last CR is overwritten; the line may be cut within a state that is just being drawn,
    and then the rest of the one before it is still to be seen: ``under``, where ``end`` has none.
    """
    *earlier, text = end.rstrip(b"\r").rsplit(b"\r", 2)
    if not earlier:
        text = start + text
    state, rest = _shortened(text), _shortened(earlier[-1] if earlier and earlier[-1] else under)
    moves = any(sign in rest or sign in state for sign in ("\x1b", "\b"))
    if len(rest) > len(state) and not moves:
        state += rest[len(state) :]
    return state


def _shortened(text: bytes) -> str:
    if len(text) <= LONGEST:
        return text.decode("utf-8", "replace")
    head = text[:_HEAD].decode("utf-8", "ignore")
    tail = _BROKEN_START.sub(b"", text[_HEAD - LONGEST :]).decode("utf-8", "replace")
    return head + _CUT + tail
