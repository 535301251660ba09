"""What waits to be written: the appends of each app, in order, and what becomes of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gevent.event import Event

from cloudbang.errors import CloudBangError
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.segment_writer import Write


class Stored(NamedTuple):
    """Consecutive records of an app that are in its file now, and the seq of the first."""

    app: str
    first: int
    records: list[bytes]


class Append:
    """Records on their way to the file; see :meth:`wait`.

    With ``keep`` they wait, at the head of their app's queue, when the disk does not take them;
    without it they are refused.
    """

    __slots__ = ("_app", "_done", "data", "error", "keep", "records", "seq")

    def __init__(self, app: AppLog, records: list[bytes], data: bytes, keep: bool) -> None:
        self.records, self.data, self.keep = records, data, keep
        self._app = app
        app.writing += 1
        self.seq = 0  # of the first record, once they are stored
        self.error: CloudBangError | None = None
        self._done: Event | None = None

    @property
    def decided(self) -> bool:
        """Whether they are stored, or will not be."""
        return bool(self.seq or self.error)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until they are stored, or refused; False when ``timeout`` seconds passed first."""
        if not self.decided:
            if self._done is None:
                self._done = Event()
            self._done.wait(timeout)
        return self.decided

    def end(self, seq: int, error: CloudBangError | None) -> None:
        """By who commits: it is decided."""
        self.seq, self.error = seq, error
        self._app.writing -= 1
        self.records, self.data = [], b""  # who keeps the receipt does not keep the lines
        if self._done is not None:
            self._done.set()


class AppendQueue:
    """What one app's log is still to take, in order."""

    __slots__ = ("appends", "held", "refused", "roll", "size")

    def __init__(self) -> None:
        self.appends: list[Append] = []
        self.size = 0  # bytes, with those that are being written
        self.held = False  # the disk did not take it: tried again now and then
        # What the last try said: everybody's trouble, or its own. Also while it is tried again.
        self.refused: Literal["", "all", "own"] = ""
        self.roll: Event | None = None  # a new segment is wanted

    @property
    def waits(self) -> bool:
        """Whether there is something for the next job."""
        return bool(self.appends or self.roll) and not self.held

    def take(self, share: int) -> list[Append]:
        """The first of them, of about ``share`` bytes together."""
        count = size = 0
        for append in self.appends:
            size += len(append.data)
            if count and size > share:
                break
            count += 1
        taken, self.appends = self.appends[:count], self.appends[count:]
        return taken


class Job(NamedTuple):
    app: AppLog
    queue: AppendQueue
    appends: list[Append]
    write: Write
    roll: Event | None
