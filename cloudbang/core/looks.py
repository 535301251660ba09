"""Looking again and again, for so long."""

from __future__ import annotations

import time
from collections.abc import Iterator


def looks(seconds: float, least: int = 1) -> Iterator[None]:
    """One for each look. The last one begins when that time is over: what was seen before says nothing
    then, where who looks was halted with the machine, or had to wait for a processor or for the answer
    itself. ``least``: how many there are in any case, where who is asked may be slow to know."""
    until = time.monotonic() + seconds
    over = False
    while not over:
        least -= 1
        over = least <= 0 and time.monotonic() > until
        yield
