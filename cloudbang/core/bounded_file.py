"""Reading from who may say anything, for as long as they like.

The libraries that speak HTTP and SMTP read lines in loops of their own: interim answers, trailers, replies
of many lines. A socket that always has more gives none of them a reason to wait, so nobody else has a
turn, no limit of time is ever noticed, and what is collected has no end.
"""

from __future__ import annotations

import io
import time
from typing import Any

from cloudbang.core.loop import TURN, yield_to_loop


class SaysTooMuch(OSError):
    """More came than is taken, of ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"it says more than {most:,} bytes")


class _Bounded(io.RawIOBase):
    def __init__(self, raw: Any, most: int) -> None:
        self._raw, self._most, self._left = raw, most, most
        self._turn_ends = time.monotonic() + TURN

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:
        if time.monotonic() >= self._turn_ends:
            yield_to_loop()
            self._turn_ends = time.monotonic() + TURN
        came: int | None = self._raw.readinto(into)
        self._left -= came or 0
        if self._left < 0:
            raise SaysTooMuch(self._most)
        return came

    def close(self) -> None:
        try:
            self._raw.close()
        finally:
            super().close()


def bounded(file: Any, most: int) -> io.BufferedReader:
    """A socket's file for reading, as ``makefile("rb")`` gives it, in whose place this one comes: it
    raises SaysTooMuch after so many bytes, and gives way every 2 ms, whatever comes."""
    return io.BufferedReader(_Bounded(file.detach(), most))
