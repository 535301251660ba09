"""Bodies that some calls take and no other: larger than the rest, and read as they come.

Whoever may make the call is found out before any of it is read, so that a stranger's holds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cloudbang.web.server.http_reader import KIB, RequestReader, RequestRefused

PIECE = 64 * KIB  # bytes handed on at a time


@dataclass(frozen=True)
class LargeBody:
    """What the body of such a call may take. Seconds and bytes."""

    bytes: int
    idle_seconds: float = 30.0  # for the next of it to come
    seconds: float = 3600.0  # for all of it


class BodyStream:
    """``wsgi.input`` of such a call. Overload: who is slow to read it is sent no more by the kernel."""

    def __init__(
        self,
        reader: RequestReader,
        bounds: LargeBody,
        length: int | None,
        send_continue: Callable[[], None],
    ) -> None:
        """``length`` None: it comes in chunks. ``send_continue`` tells a peer that waits for it to
        go on."""
        self.bounds = bounds
        self.exhausted = length == 0
        """Whether nothing of it is left on the connection."""
        self._reader, self._length = reader, length
        self._send_continue = send_continue
        self._until = time.monotonic() + bounds.seconds
        self._pieces = self._read()
        self._piece, self._at = b"", 0

    def read(self, size: int = -1) -> bytes:
        """The next of it, at most ``size`` bytes; nothing at its end. All that is left, without.

        Raises RequestRefused: 400 cut short or in senseless chunks, 408, 413.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        if self._at == len(self._piece):
            self._piece, self._at = self._next(), 0
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        return found

    def _next(self) -> bytes:
        if self.exhausted:
            return b""
        self._allow()
        try:
            piece = next(self._pieces, b"")
        except TimeoutError:
            raise RequestRefused(408) from None
        except OSError:
            raise RequestRefused(400) from None
        self.exhausted = not piece
        return piece

    def _read(self) -> Iterator[bytes]:
        self._send_continue()
        if self._length is None:
            yield from self._reader.chunks(self.bounds.bytes, PIECE, self._allow)
            return
        if self._length > self.bounds.bytes:
            raise RequestRefused(413)
        left = self._length
        while left:
            self._allow()
            piece = self._reader.read_some(min(left, PIECE))
            if not piece:
                raise RequestRefused(400)
            left -= len(piece)
            # Its end is known with its last bytes, not with the question for more.
            self.exhausted = not left
            yield piece

    def _allow(self) -> None:
        soon = time.monotonic() + self.bounds.idle_seconds
        self._reader.allow(2 * PIECE, min(soon, self._until))
