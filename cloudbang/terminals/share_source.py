"""A command of the host as the source of a session: it runs in ``python -m cloudbang share``,
and what it prints comes in through that command's socket."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from gevent.event import Event as Flag

from cloudbang.domain.terminals import ExitStatus, Size

KIB = 1024
# Overload: who feeds waits when so much output has not been read, so that the socket is not read
# either, the command's own buffer fills, and the program it runs is slowed down by its terminal.
OUTPUT = 256 * KIB
# Bytes of input on their way that the program has not taken yet; the rest waits here, where
# ``pending`` counts it and the session bounds it.
INPUT = 256 * KIB
PIECE = 64 * KIB  # bytes of one message of input at most
END_WITHIN = 5.0  # seconds the command has to end its program; then it is cut off


class ShareConnection(Protocol):
    """The way to the command that runs the program. Nothing here waits."""

    def hand(self, data: bytes) -> bool:
        """Send input; False: no room now."""

    def tell(self, message: dict[str, object]) -> bool:
        """Send a message; False: no room now, or nobody there."""

    def cut(self) -> None:
        """Break the connection: the command ends its program when it is broken."""


class ShareSource:
    """See :class:`cloudbang.domain.terminals.Source`. The endpoint calls ``feed``, ``confirm``,
    ``room``, ``finish`` and ``lose``."""

    exec_id = ""
    coming = False
    pid = 0  # nobody's but the command's own to signal

    def __init__(self, connection: ShareConnection, *, write: bool) -> None:
        self._connection = connection
        self._write = write
        self._output: deque[bytes] = deque()
        self._waiting = 0  # bytes of output
        self._has, self._room = Flag(), Flag()
        self._room.set()
        self._input: deque[bytes] = deque()
        self._pending = self._handed = self._taken = 0  # bytes of input
        self._size: Size | None = None  # one the connection had no room for
        self._end: ExitStatus | None = None
        self._gone = Flag()

    # --- what the session asks --------------------------------------------------------------------

    def start(self, size: Size) -> None:
        """Nothing to do: the command starts the program, with the size that it asked for."""

    def read(self, limit: int = 65536) -> bytes:
        while (data := self.read_now(limit)) is None:
            self._has.clear()
            self._has.wait()
        return data

    def read_now(self, limit: int = 65536) -> bytes | None:
        if not self._output:
            return b"" if self._end is not None else None
        parts, size = [], 0
        while self._output and size < limit:
            part = self._output.popleft()
            if len(part) > limit - size:
                self._output.appendleft(part[limit - size :])
                part = part[: limit - size]
            parts.append(part)
            size += len(part)
        self._waiting -= size
        if self._waiting < OUTPUT:
            self._room.set()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, data: bytes) -> None:
        if not self._write or self._end is not None:
            return
        self._input.append(data)
        self._pending += len(data)
        self._push()

    @property
    def pending(self) -> int:
        return self._pending

    @property
    def resizing(self) -> bool:
        return False  # it is on its way as soon as it is said

    def resize(self, size: Size) -> None:
        message: dict[str, object] = {"op": "resize", "columns": size.columns, "rows": size.rows}
        self._size = None if self._connection.tell(message) else size

    def result(self) -> ExitStatus:
        return self._end or ExitStatus("command-ended")

    def end(self) -> None:
        if self._end is not None:
            return
        self._connection.tell({"op": "end"})
        if not self._gone.wait(END_WITHIN):
            self._connection.cut()

    def folder(self) -> str:
        return ""

    # --- what the endpoint brings ---------------------------------------------------------------------

    def feed(self, data: bytes, timeout: float) -> bool:
        """Take output in when there is room for it; False: none within ``timeout`` seconds."""
        if self._waiting >= OUTPUT:
            self._room.clear()
            if not self._room.wait(timeout):
                return False
        if data:
            self._output.append(data)
            self._waiting += len(data)
            self._has.set()
        return True

    def confirm(self, offset: int) -> None:
        """The program's terminal has taken so many bytes of input since the start."""
        taken = min(max(offset, self._taken), self._handed)
        self._pending -= taken - self._taken
        self._taken = taken
        self._push()

    def room(self) -> None:
        """The connection has room again."""
        if self._size is not None:
            self.resize(self._size)
        self._push()

    def finish(self, code: int) -> None:
        """The program has ended with this exit status, and all it printed was fed."""
        self._over(ExitStatus("exit", code))

    def lose(self, reason: str = "command-ended") -> None:
        """The connection is over without a word; the command, or who looks after it, ends the
        program. Does nothing when that has ended before."""
        self._over(ExitStatus(reason))

    def _over(self, end: ExitStatus) -> None:
        if self._end is None:
            self._end = end
            self._input.clear()
            self._pending = 0
        self._has.set()
        self._gone.set()

    def _push(self) -> None:
        while self._input and (room := INPUT - (self._handed - self._taken)) > 0:
            piece = self._input[0][: min(room, PIECE)]
            if not self._connection.hand(piece):
                return
            self._handed += len(piece)
            if len(piece) == len(self._input[0]):
                self._input.popleft()
            else:
                self._input[0] = self._input[0][len(piece) :]
