"""Who has the data folder: one server at a time, known by the lock that it holds while it runs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudbang.errors import AlreadyRunning

LOCK = ".lock"


def take(folder: Path) -> int:
    """Lock the folder, for as long as the descriptor that is returned is open.

    Raises AlreadyRunning (with the other's process id where it is known), OSError.
    """
    path = folder / LOCK
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise AlreadyRunning(str(folder), _holder(path)) from None
    except OSError:
        os.close(fd)
        raise
    with suppress(OSError):  # on a full disk: the lock counts, not what is in the file
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """The folder locked for a moment: no server can start meanwhile. Raises as :func:`take`."""
    fd = take(folder)
    try:
        yield
    finally:
        os.close(fd)


def is_served(folder: Path) -> bool:
    """Whether a running CloudBang holds this folder; nothing is changed."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _holder(path: Path) -> int | None:
    with suppress(OSError):
        text = path.read_text(errors="replace").strip()
        return int(text) if text.isdigit() else None
    return None
