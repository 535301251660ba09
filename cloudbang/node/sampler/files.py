"""Files of the kernel that are read again and again: kept open, as far as there is room.

Each read from the beginning makes their content anew, so an open one costs one system call. None
of this waits for anything: what is read is made by the kernel at that moment.
"""

from __future__ import annotations

import errno
import os

MOST = 16 * 1024  # bytes of one file that are asked for; those of a control group have under 4 KiB

# The group was removed: ENODEV where it was open, ENOENT where it was not.
GONE = frozenset({errno.ENODEV, errno.ENOENT, errno.ESRCH})


class Room:
    """How many may be kept open; the others are opened for each reading.

    Those that came first keep their place. All are read in turn, again and again: to close the one
    that was not read for longest would close each of them just before its turn.
    """

    def __init__(self, files: int) -> None:
        self.free = files


class KeptFile:
    """One file. ``read()`` raises OSError, and opens it anew the next time."""

    __slots__ = ("_fd", "_room", "path")

    def __init__(self, path: str, room: Room) -> None:
        self.path = path
        self._room = room
        self._fd = -1

    def read(self) -> bytes:
        fd = self._fd
        if fd < 0:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            if self._room.free <= 0:
                return _read_and_close(fd)
            self._room.free -= 1
            self._fd = fd
        try:
            return os.pread(fd, MOST, 0)
        except OSError:
            self.close()
            raise

    def read_all(self) -> bytes:
        """The same of a list, which the kernel gives in pieces of a few KiB."""
        data = self.read()
        if self._fd < 0:
            return read_all(self.path)
        while more := os.pread(self._fd, MOST, len(data)):
            data += more
        return data

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._room.free += 1


def read(path: str) -> bytes:
    """A file that is needed seldom. Raises OSError."""
    return _read_and_close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def read_all(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def _read_and_close(fd: int) -> bytes:
    try:
        return os.pread(fd, MOST, 0)
    finally:
        os.close(fd)
