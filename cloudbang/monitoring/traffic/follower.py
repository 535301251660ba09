"""Following a log by its name while somebody else begins it anew: each line once, over our restarts
as well.

Everything here reads files and is for a thread. When the file is full it is renamed to
``access-<time>.log``; of those some are kept, so who is away for a while finds what was written
meanwhile.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PIECE = 256 * 1024  # bytes of one read; a line that is longer is none of the gateway's
HEAD = 64  # bytes by which a file is known again: the first line's time is in them


class Place(NamedTuple):
    """Up to where a log was read: which file, by its number and how it begins (as hex), and where
    the next line starts."""

    inode: int
    head: str
    offset: int


class Piece(NamedTuple):
    """Lines without their ends; ``place`` is behind them. ``caught_up``: there were no more then."""

    lines: list[bytes]
    place: Place | None
    caught_up: bool


class LogFollower:
    """``path``: the file's name; ``place``: where to go on, None for from the oldest file on.

    ``gaps``: how often a file was gone before it was read, or the one where to go on; ``cut``: lines
    that were longer than a piece.
    """

    def __init__(self, path: Path, place: Place | None = None) -> None:
        self._path, self._begin = path, place
        self._fd, self._inode, self._offset, self._head = -1, 0, 0, ""
        self._skipping = False
        self.gaps = self.cut = 0

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def place(self) -> Place | None:
        if self._fd < 0:
            return self._begin
        return Place(self._inode, self._head, self._offset)

    @property
    def behind(self) -> int:
        """Bytes of this file and of newer ones that are not read yet."""
        found = self._files()
        numbers = [inode for inode, _, _ in found]
        start = numbers.index(self._inode) if self._inode in numbers else 0
        total = sum(size for _, size, _ in found[start:])
        return max(total - (self._offset if self._inode in numbers else 0), 0)

    def read(self) -> Piece:
        """The next lines. Raises OSError."""
        if self._fd < 0 and not self._open():
            return Piece([], self.place, True)
        before = self._offset
        lines = self._lines()
        if self._offset == before and self._is_over():
            # It was renamed, and whoever wrote to it had closed it before: what is there now is all.
            lines = self._lines(last=True)
            if self._offset == before:
                return Piece([], self.place, not self._next())
        return Piece(lines, self.place, self._offset == before)

    # -- one file

    def _lines(self, last: bool = False) -> list[bytes]:
        """Whole ones; with ``last`` also what has no end."""
        data = os.pread(self._fd, PIECE, self._offset)
        if not data:
            if os.fstat(self._fd).st_size < self._offset:  # somebody emptied it
                self.gaps += 1
                self._offset, self._head = 0, ""
            return []
        if self._skipping:
            end = data.find(b"\n")
            if end < 0:
                self._offset += len(data)
                return []
            self._skipping = False
            self._offset += end + 1
            return self._lines(last)
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) == PIECE:
                self.cut += 1
                self._skipping = True
                self._offset += len(data)
                return []
            if not last:
                return []
            end = len(data)
        if not self._offset:
            self._head = data[: min(end, HEAD)].hex()
        self._offset += end
        lines = data[:end].split(b"\n")
        if not lines[-1]:
            lines.pop()
        return lines

    def _is_over(self) -> bool:
        try:
            return os.stat(self._path).st_ino != self._inode
        except FileNotFoundError:
            return True

    # -- one after the other

    def _files(self) -> list[tuple[int, int, Path]]:
        """Number, size and path of each, oldest first."""
        full = sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
        found = []
        for path in (*full, self._path):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_ino, stat.st_size, path))
        # One that is renamed while we look may be found twice: its older name is right.
        return list({one[0]: one for one in reversed(found)}.values())[::-1]

    def _open(self) -> bool:
        if self._begin is not None:
            return self._go_on(self._begin)
        return self._take(0)

    def _next(self) -> bool:
        """Go over to the file that came after this one, if it is there yet."""
        if self._after(self._inode) is None:
            return False
        self._begin = self.place  # from there again, if it is renamed at this very moment
        self.close()
        return self._take(self._inode)

    def _after(self, inode: int) -> Path | None:
        """The file that comes after the one of that number; the oldest, where it is gone or 0."""
        found = self._files()
        numbers = [one[0] for one in found]
        # Where it is gone it may have been the one before the oldest: nobody knows.
        rest = found[numbers.index(inode) + 1 :] if inode in numbers else found
        return rest[0][2] if rest else None

    def _take(self, after: int) -> bool:
        """Read what comes after the file of that number, from its start."""
        path = self._after(after)
        if path is None:
            return False
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        inode = os.fstat(fd).st_ino
        following = self._after(after)
        if following is None or not _is(following, inode):
            os.close(fd)  # renamed in between: what has its name now comes later
            return False
        self.gaps += bool(after) and after not in [one[0] for one in self._files()]
        self._fd, self._inode, self._offset, self._head = fd, inode, 0, ""
        self._skipping = False
        return True

    def _go_on(self, place: Place) -> bool:
        """Find the file of that place again, and read from there."""
        head = bytes.fromhex(place.head)
        found = self._files()
        for inode, size, path in sorted(found, key=lambda one: one[0] != place.inode):
            if size < place.offset or (not head and inode != place.inode):
                continue
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                continue
            number = os.fstat(fd).st_ino
            if number == inode and os.pread(fd, len(head), 0) == head:
                self._fd, self._inode = fd, inode
                self._offset, self._head = place.offset, place.head
                return True
            os.close(fd)
        if not found:
            return False  # nothing at all: the gateway may be away
        self.gaps += 1
        self._begin = None
        return self._take(0)


def _is(path: Path, inode: int) -> bool:
    with suppress(OSError):
        return path.stat().st_ino == inode
    return False
