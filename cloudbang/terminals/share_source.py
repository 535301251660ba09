"""A command of the host as the source of a session: it runs in ``python -m cloudbang share``.

That command hands its program's pseudo terminal over, and what is printed and typed then goes
between this process and the program with nothing in between. Where it cannot (another user, another
mount namespace), output and input travel through the command's socket instead.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
import time
from collections import deque
from typing import Any, Protocol

import gevent
from gevent.event import Event as Flag
from gevent.hub import get_hub

from cloudbang.core.parking import Parking
from cloudbang.domain.terminals import ExitStatus, Size

KIB = 1024
PTMX = (5, 2)  # the device that every master of a pseudo terminal is, on Linux
# Overload: who feeds waits when so much output has not been read, so that the socket is not read
# either, the command's own buffer fills, and the program it runs is slowed down by its terminal.
OUTPUT = 256 * KIB
# Bytes of input on their way that the program has not taken yet; the rest waits here, where
# ``pending`` counts it and the session bounds it.
INPUT = 256 * KIB
PIECE = 64 * KIB  # bytes of one message of input at most
END_WITHIN = 5.0  # seconds the command has to end its program; then it is cut off
# What a terminal may keep back after its last process has gone before it says that this was all.
LAST_WORDS = 1.0  # seconds
FEW = 256  # bytes in one read that are most likely all there is: a flood comes in larger pieces


class ShareConnection(Protocol):
    """The way to the command that runs the program. Nothing here waits."""

    def hand(self, data: bytes) -> bool:
        """Send input; False: no room now."""

    def tell(self, message: dict[str, object]) -> bool:
        """Send a message; False: no room now, or nobody there."""

    def cut(self) -> None:
        """Break the connection: the command ends its program when it is broken."""


class Pty:
    """The master side of a program's pseudo terminal, whose descriptor is ours from now on. One
    greenlet reads; writing never waits. Raises OSError when it is no such thing."""

    def __init__(self, descriptor: int) -> None:
        device = os.fstat(descriptor).st_rdev
        if (os.major(device), os.minor(device)) != PTMX:
            raise OSError(errno.ENOTTY, "not the master of a pseudo terminal")
        os.set_blocking(descriptor, False)
        self._fd = descriptor
        self._arrival = Parking(readable=descriptor)
        self._writable: Any = None
        self._waiting: deque[bytes] = deque()
        self.pending = 0  # bytes of input that the program's terminal has not taken yet
        self._over_at: float | None = None  # monotonic seconds after which nothing is read any more
        self._patience = 0.0  # seconds without output that are then its end
        self._drained = False
        self._taken = False  # the last read took all there was: the next one waits first

    def __del__(self) -> None:
        self.close()

    def read(self, limit: int) -> bytes:
        """The next bytes of output, waiting for them; ``b""`` at the end."""
        while not self._drained:
            try:
                if self._taken and self._over_at is None:
                    self._taken = False
                    self._arrival.wait()
                if data := os.read(self._fd, limit):
                    self._taken = len(data) < FEW
                    if self._over_at is not None and time.monotonic() > self._over_at:
                        break
                    return data
                break
            except BlockingIOError:
                if not self._wait():
                    break
            except OSError:  # EIO: nobody has the other side any more, and nothing is left
                break
        self._drained = True
        return b""

    def _wait(self) -> bool:
        """Until there is something to read or its end was announced; False: there is nothing."""
        patience = None if self._over_at is None else self._patience
        if patience is not None and patience <= 0:
            return False
        with gevent.Timeout(patience, False):
            self._arrival.wait()
            return True
        return False

    def finish(self, patience: float, within: float) -> None:
        """Nothing more will be printed: what is there is read, until it has been silent for
        ``patience`` seconds and for ``within`` at most."""
        self._patience, self._over_at = patience, time.monotonic() + within
        self._forget_input()
        self._arrival.call()

    def write(self, data: bytes) -> int:
        """Type. What its terminal does not take at once follows in order. Gives ``pending``."""
        if not self.pending:
            try:
                taken = os.write(self._fd, data)
            except OSError:
                taken = self._send(data)
            if taken == len(data):
                return 0
            data = data[taken:]
        if self._drained:
            return 0
        self._waiting.append(data)
        self.pending += len(data)
        if self._writable is None:
            self._writable = get_hub().loop.io(self._fd, 2)
            self._writable.start(self._write_more)
        return self.pending

    def _send(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)  # nobody is there any more: the reader finds out

    def _write_more(self) -> None:
        """On the hub, while its terminal takes input."""
        while self._waiting:
            sent = self._send(self._waiting[0])
            self.pending -= sent
            if sent < len(self._waiting[0]):
                self._waiting[0] = self._waiting[0][sent:]
                return
            self._waiting.popleft()
        self._forget_input()

    def _forget_input(self) -> None:
        self._waiting.clear()
        self.pending = 0
        if self._writable is not None:
            self._writable.close()
            self._writable = None

    def resize(self, size: Size) -> None:
        """The window's size; the kernel tells the program (SIGWINCH)."""
        fcntl.ioctl(
            self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0)
        )

    def close(self) -> None:
        """Let go of it, when nobody reads. May be called twice."""
        if getattr(self, "_fd", -1) < 0:  # or it was none
            return
        self._drained = True
        self._forget_input()
        self._arrival.close()
        os.close(self._fd)
        self._fd = -1


class ShareSource:
    """See :class:`cloudbang.domain.terminals.Source`. The endpoint calls ``feed``, ``confirm``,
    ``room``, ``adopt``, ``keep``, ``finish`` and ``lose``. ``handed``: the terminal may be handed
    over; until it is known whether it will be, what is typed waits."""

    exec_id = ""
    may_start_late = False
    pid = 0  # nobody's but the command's own to signal

    def __init__(self, connection: ShareConnection, *, write: bool, handed: bool = False) -> None:
        self._connection = connection
        self._write = write
        self._undecided = handed
        self._pty: Pty | None = None
        self._output: deque[bytes] = deque()
        self._waiting = 0  # bytes of output
        self._has, self._room = Flag(), Flag()
        self._room.set()
        self._input: deque[bytes] = deque()
        self._pending = self._handed = self._taken = 0  # bytes of input
        self._size: Size | None = None  # one that the connection had no room for
        self._end: ExitStatus | None = None
        self._gone = Flag()

    # --- what the session asks --------------------------------------------------------------------

    def start(self, size: Size) -> None:
        """Nothing to do: the command starts the program, with the size that it asked for."""

    def read(self, limit: int = 65536) -> bytes:
        if self._pty is not None:
            return self._pty.read(limit) or self._no_more()
        while (data := self.read_now(limit)) is None:
            self._has.clear()
            self._has.wait()
            if self._pty is not None:
                return self._pty.read(limit) or self._no_more()
        return data

    def _no_more(self) -> bytes:
        self._gone.wait()  # only the command knows how it ended
        return b""

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

    def write(self, data: bytes) -> int:
        if not self._write or self._end is not None:
            return 0
        if self._pty is not None:
            return self._pty.write(data)
        self._input.append(data)
        self._pending += len(data)
        self._push()
        return self._pending

    @property
    def pending(self) -> int:
        return self._pty.pending if self._pty is not None else self._pending

    @property
    def resizing(self) -> bool:
        return False  # it is on its way as soon as it is said

    def resize(self, size: Size) -> None:
        if self._pty is not None:
            self._pty.resize(size)
            return
        if self._undecided:
            self._size = size
            return
        message: dict[str, object] = {"op": "resize", "columns": size.columns, "rows": size.rows}
        self._size = None if self._connection.tell(message) else size

    def result(self) -> ExitStatus:
        if self._pty is not None:
            self._pty.close()
        return self._end or ExitStatus("command-ended")

    def end(self) -> None:
        if self._end is not None:
            return
        self._connection.tell({"op": "end"})
        if not self._gone.wait(END_WITHIN):
            self._connection.cut()

    def folder(self) -> str:
        return ""

    # --- what the endpoint brings -----------------------------------------------------------------

    def adopt(self, descriptor: int) -> bool:
        """The program's terminal itself; nothing is printed or typed by the connection any more.
        False: it is none, or nobody waits for one."""
        if not self._undecided or self._end is not None:
            return False
        try:
            self._pty = Pty(descriptor)
        except OSError:
            return False
        self._undecided = False
        for data in self._input:
            self._pty.write(data)
        self._input.clear()
        if self._size is not None:
            self._pty.resize(self._size)
        self._has.set()
        return True

    def keep(self) -> None:
        """The command keeps its program's terminal: all goes by the connection."""
        if self._undecided:
            self._undecided = False
            self.room()

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
        """The program has ended with this exit status, and all it printed was fed, or waits in its
        terminal."""
        if self._end is None and self._pty is not None:
            self._pty.finish(LAST_WORDS, float("inf"))
        self._over(ExitStatus("exit", code))

    def lose(self, reason: str = "command-ended") -> None:
        """The connection is over without a word; the command, or who looks after it, ends the
        program. Does nothing when that has ended before."""
        if self._end is None and self._pty is not None:
            self._pty.finish(0.0, LAST_WORDS)
        self._over(ExitStatus(reason))

    def _over(self, end: ExitStatus) -> None:
        if self._end is None:
            self._end = end
            self._input.clear()
            self._pending = 0
        self._has.set()
        self._gone.set()

    def _push(self) -> None:
        if self._undecided:
            return
        while self._input and (room := INPUT - (self._handed - self._taken)) > 0:
            piece = self._input[0][: min(room, PIECE)]
            if not self._connection.hand(piece):
                return
            self._handed += len(piece)
            if len(piece) == len(self._input[0]):
                self._input.popleft()
            else:
                self._input[0] = self._input[0][len(piece) :]
