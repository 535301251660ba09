"""A terminal that is being recorded, and how it comes into its file.

A terminal hands over its output on the hub and never waits here: a list takes it, and one greenlet
with one thread writes what all of them have printed, four times a second. A power cut may take
the last half a minute of a recording that runs, a kill of this process the last quarter second.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from time import monotonic

from gevent.event import Event
from gevent.threadpool import ThreadPool

from cloudbang.core.supervise import Supervisor
from cloudbang.core.threads import in_thread
from cloudbang.storage.recordings.asciicast import Part
from cloudbang.storage.recordings.cast import CastFile

log = logging.getLogger(__name__)

FLUSH_EVERY = 0.25  # seconds between two writes, unless something is urgent
URGENT_BYTES = 1024 * 1024  # unwritten ones of a recording that are
ROOM_BYTES = 2 * 1024 * 1024  # unwritten ones of a recording with which it is full
MAX_BYTES = 4 * 1024 * 1024  # and with which it is given up: nobody looked whether it is full
PATIENCE = 5.0  # seconds that a terminal waits for the disk
_PART_BYTES = 128  # what an output takes besides its bytes


class Recording:
    """One that runs; see :meth:`Recordings.begin`. All of it is called on the hub."""

    __slots__ = (
        "_began",
        "_end",
        "_on_stopped",
        "_parts",
        "_queued",
        "_unwritten",
        "_writer",
        "cast",
        "done",
        "session",
        "stopped",
    )

    def __init__(
        self,
        writer: RecordingWriter,
        session: str,
        cast: CastFile,
        on_stopped: Callable[[str], None],
    ) -> None:
        self.session = session
        self.cast = cast
        self.stopped = ""  # why it takes no more: end | limit | disk-full | failed
        self._writer = writer
        self._on_stopped = on_stopped
        self._began = monotonic()
        self._parts: list[Part] = []
        self._unwritten = 0  # bytes, those on their way to the file included
        self._queued = False
        self._end = ""  # what the writer has still to be told of ``stopped``
        self.done = False  # the file is as it will be

    @property
    def size(self) -> int:
        """Bytes in the file, as asciicast."""
        return self.cast.written

    @property
    def full(self) -> bool:
        """Whether to read no more until there is room again: see :meth:`wait_for_room`."""
        return self._unwritten >= ROOM_BYTES and not self.stopped

    def output(self, data: bytes) -> None:
        """Record what was printed; never waits. Nothing happens when recording has stopped."""
        if self.stopped:
            return
        self._parts.append((monotonic() - self._began, data))
        self._unwritten += len(data) + _PART_BYTES
        if not self._queued:
            self._writer.queue(self)
        elif self._unwritten >= URGENT_BYTES:
            self._writer.urgent.set()
            # Policy: whoever prints waits while it is full; who does not wait is not recorded.
            if self._unwritten > MAX_BYTES:
                self.stop("failed")

    def resize(self, columns: int, rows: int) -> None:
        """Record a new size; never waits."""
        if not self.stopped:
            self._parts.append((monotonic() - self._began, f"{columns}x{rows}"))
            self._unwritten += _PART_BYTES
            self._writer.queue(self)

    def wait_for_room(self) -> bool:
        """Wait until it is not :attr:`full`, or recording has stopped: it does when the disk has
        not taken enough within 5 s. Gives whether it still records."""
        deadline = monotonic() + PATIENCE
        while self.full:
            left = deadline - monotonic()
            if left <= 0:
                self.stop("failed")
                break
            self._writer.flushed.wait(left)
        return not self.stopped

    def end(self, timeout: float = 2.0) -> int:
        """Nothing more is printed. Waits until all is in the file, ``timeout`` seconds at most,
        and gives its size. May be called more than once."""
        if not self.stopped:
            self.stopped = self._end = "end"
            self._writer.queue(self)
        self._writer.urgent.set()
        deadline = monotonic() + timeout
        while not self.done and (left := deadline - monotonic()) > 0:
            self._writer.flushed.wait(left)
        return self.size

    def stop(self, reason: str) -> None:
        """Recording stops before its terminal ends; when the disk has ``failed``, what is not
        written yet is given up."""
        if self.stopped:
            return
        self.stopped = self._end = reason
        if reason == "failed":
            self._parts = []
        self._writer.queue(self)
        log.warning("terminal %s is not recorded any further: %s", self.session, reason)
        try:
            self._on_stopped(reason)
        except Exception:
            log.exception("a terminal could not be told that its recording has stopped")


class _Job:
    """What one recording has for the thread."""

    __slots__ = ("at", "before", "bytes", "end", "error", "parts", "reason", "recording")

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.parts, recording._parts = recording._parts, []
        self.end, recording._end = recording._end, ""
        self.at = monotonic() - recording._began
        self.bytes = recording._unwritten
        self.before = recording.size
        self.reason = ""  # set by the thread: why nothing more is written
        self.error: Exception | None = None


class RecordingWriter:
    """The greenlet and the thread that bring what was printed into the files."""

    def __init__(self, folder: str, keep_free: int, on_written: Callable[[Recording, int], None]):
        """``on_written`` is told whenever something was written: which one and how many bytes; its
        ``done`` says whether that was the last."""
        self.urgent = Event()
        self.flushed = Event()  # a new one after each write
        self._folder, self._keep_free, self._on_written = folder, keep_free, on_written
        self._waiting: list[Recording] = []  # those with something to write, each once
        self._wake = Event()
        self._closing = False

    def start(self, supervisor: Supervisor) -> None:
        self._thread = ThreadPool(1)
        self._greenlet = supervisor.run("write", self._loop)

    def close(self, timeout: float) -> None:
        """Write what there is, then nothing more."""
        self._closing = True
        self._wake.set()
        self.urgent.set()
        self._greenlet.join(timeout)

    def release(self) -> None:
        """After the greenlet has ended."""
        self._thread.kill()

    def queue(self, recording: Recording) -> None:
        """It has something to write."""
        if not recording._queued:
            recording._queued = True
            self._waiting.append(recording)
            self._wake.set()

    def _loop(self) -> None:
        while self._waiting or not self._closing:
            self._wake.wait()
            self.urgent.wait(FLUSH_EVERY)
            self.urgent.clear()
            self._wake.clear()
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for recording in waiting:
            recording._queued = False
        jobs = [_Job(recording) for recording in waiting if not recording.done]
        in_thread(self._thread, self._write, jobs)
        for job in jobs:
            recording = job.recording
            recording._unwritten -= job.bytes
            if job.error:
                log.error("recording terminal %s failed", recording.session, exc_info=job.error)
            if job.reason:
                recording.stop(job.reason)
            if job.reason or job.end:
                recording.done = True
                recording._parts = []
            self._on_written(recording, recording.size - job.before)
        flushed, self.flushed = self.flushed, Event()
        flushed.set()

    def _write(self, jobs: list[_Job]) -> None:
        """In the thread."""
        short = self._short_of_room()
        for job in jobs:
            if short and not job.end:
                job.parts, job.end, job.reason = [], "disk-full", "disk-full"
            try:
                job.reason = job.recording.cast.add(job.parts, job.at, job.end) or job.reason
            except Exception as e:
                job.reason, job.error = "failed", e

    def _short_of_room(self) -> bool:
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return False  # the write itself will say what is wrong
        return disk.f_bavail * disk.f_frsize < self._keep_free
