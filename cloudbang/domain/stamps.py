"""What stands before each line of a trace: a wrapper's time, or the whole head of a logger whose
messages have one line."""

from __future__ import annotations

import re

from cloudbang.domain.traces import frame

# Its end, where what follows is indented.
_ENDS = re.compile(r"(?<=\S)(?: (?=[ \t]+\S)|(?=\t\S))")
_LONGEST = 150
_ZEROS = str.maketrans("123456789", "000000000")


def stamp_of(text: str) -> str:
    """What stands before a frame, every digit a 0; "" where there is none."""
    if " at " in text or "\tat " in text or 'File "' in text or ".go:" in text or "... " in text:
        for found in _ENDS.finditer(text, 2, _LONGEST):
            if frame(text[found.end() :]):
                return without_digits(text[: found.end()])
    return ""


def without_digits(text: str) -> str:
    """The same with every digit a 0."""
    return text.translate(_ZEROS)


def stamped_with(text: str, stamp: str) -> bool:
    """Whether this stands before a line."""
    return without_digits(text[: len(stamp)]) == stamp
