"""Recordings of terminals: ``<storage>/.terminals/<YYYY-MM-DD>/<session>.cast``, and ``.cast.zst``
once the session has ended. What is printed is recorded, what is typed never is.

The one door to them. ``asciicast`` and ``cast`` are the file, ``recording`` is how output comes
into it, ``recording_upkeep`` what happens to it afterwards.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gevent.threadpool import ThreadPool

from cloudbang.config import TerminalSettings
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.core.threads import in_thread
from cloudbang.errors import CloudBangError, StorageFailed
from cloudbang.storage.recordings.asciicast import header
from cloudbang.storage.recordings.cast import CastFile, CastReader
from cloudbang.storage.recordings.recording import Recording, RecordingWriter
from cloudbang.storage.recordings.retention import RecordingRetention

FOLDER = ".terminals"
SESSION = re.compile(r"[0-9a-f]{16}")
FLUSH_WITHIN = 2.0  # seconds that a stop waits for what was printed last
READERS = 2  # threads that read; a reader beyond them waits for its turn


class NoRecording(CloudBangError):
    """There is nothing to replay."""

    code = "no-recording"
    status = 404
    title = "No recording"
    sentence = "terminal {session} has no recording: it was not recorded, or it was too old"

    def __init__(self, session: str) -> None:
        self.session = session
        super().__init__(session)


class Replay:
    """A recording as asciicast v2, in pieces of 256 KiB at most. To be closed, or read to its
    end."""

    def __init__(self, threads: ThreadPool, cast: CastReader, session: str) -> None:
        self.size = cast.size  # bytes of all pieces
        self._threads, self._cast, self._session = threads, cast, session

    def __iter__(self) -> Iterator[bytes]:
        """Raises StorageFailed."""
        try:
            while piece := in_thread(self._threads, self._cast.piece):
                yield piece
        except OSError as e:
            raise _failed(self._session, e) from e
        finally:
            self.close()

    def close(self) -> None:
        """May be called twice."""
        self._cast.close()


class Recordings:
    """All of them. ``open`` before anything else, ``close`` at the end."""

    def __init__(
        self,
        storage: Path,
        settings: TerminalSettings,
        clock: Callable[[], int] = time.time_ns,
        *,
        keep_free: int = 0,
        on_removed: Callable[[list[str]], None] = lambda sessions: None,
    ) -> None:
        """``keep_free``: bytes of the disk that recordings leave to others; ``on_removed`` is told,
        in a greenlet, which sessions have lost their recordings because of age or size."""
        self.folder = Path(storage) / FOLDER
        self._limit = settings.recording_max_bytes
        self._running: dict[str, Recording] = {}
        self._writer = RecordingWriter(str(self.folder), keep_free, self._written)
        self._supervisor = Supervisor("recordings")
        self.upkeep = RecordingRetention(
            str(self.folder), settings, clock, self._running, self._stop_biggest, on_removed
        )

    # -- life

    def open(self) -> None:
        """Make the folder; pack what a killed server left. Raises StorageFailed."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(self.folder, 0o700)
        except OSError as e:
            raise StorageFailed(str(self.folder), e.strerror or str(e)) from None
        self._readers = ThreadPool(READERS)
        self._writer.start(self._supervisor)
        self._supervisor.run("upkeep", self.upkeep.loop)

    def close(self, deadline: Deadline = UNHURRIED) -> None:
        """Write what was printed, in 2 s at most. The next start packs what is not."""
        for recording in [*self._running.values()]:
            recording.end(timeout=0)
        self._writer.close(deadline.at_most(FLUSH_WITHIN))
        self.upkeep.close()
        self._supervisor.stop(deadline)
        self._writer.release()
        self._readers.kill()

    # -- writing

    def begin(
        self,
        session: str,
        *,
        columns: int,
        rows: int,
        command: Sequence[str],
        title: str,
        started: str,
        on_stopped: Callable[[str], None] = lambda reason: None,
    ) -> Recording:
        """Begin one; never waits. ``started`` is RFC 3339 in UTC.

        ``on_stopped`` is called on the hub, once, when recording stops before :meth:`Recording.end`
        does it: ``limit`` (of this one or of all), ``disk-full``, ``failed``. It must not wait.
        """
        head = header(columns, rows, command, title, started)
        cast = CastFile(f"{self.folder}/{started[:10]}/{session}.cast", head, self._limit)
        recording = self._running[session] = Recording(self._writer, session, cast, on_stopped)
        self._writer.queue(recording)
        return recording

    def _written(self, recording: Recording, count: int) -> None:
        self.upkeep.used += count
        if recording.done:
            self._running.pop(recording.session, None)
            self.upkeep.finished(recording.cast.path)

    def _stop_biggest(self, over: int) -> None:
        """All together are too much by ``over`` bytes, and none that has ended is left."""
        for recording in sorted(self._running.values(), key=lambda r: -r.size):
            if over <= 0:
                return
            over -= recording.size
            recording.stop("limit")

    # -- reading

    def read(self, session: str) -> Replay:
        """What is recorded of ``session``, which may still run. Raises NoRecording,
        StorageFailed."""
        if not SESSION.fullmatch(session):
            raise NoRecording(session)
        running = self._running.get(session)
        written = running.size if running else None
        try:
            cast = in_thread(self._readers, CastReader, str(self.folder), session, written)
        except FileNotFoundError:
            raise NoRecording(session) from None
        except OSError as e:
            raise _failed(session, e) from e
        return Replay(self._readers, cast, session)


def _failed(session: str, error: OSError) -> StorageFailed:
    return StorageFailed(f"the recording of terminal {session}", error.strerror or str(error))
