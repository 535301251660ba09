"""Folders that were sent, on disk until their deployment is settled; and those fetched from Git.

Below the data folder: ``.deploy/uploads/<id>`` and ``.deploy/fetched/<deployment>``, for their owner
alone. What no deployment that goes on names is removed at the start, and after an hour.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gevent import get_hub
from gevent.lock import BoundedSemaphore

from cloudbang.core.threads import in_thread
from cloudbang.deploy.uploads import MOST_BYTES, Take, Unpacked, UploadRefused, unpack
from cloudbang.errors import StorageFailed, StorageFull

FOLDER = ".deploy"
PIECE = 256 * 1024
MOST_KEPT = 10 * 1024**3  # bytes of all uploads together
ORPHAN = 3600.0  # seconds that an upload waits for its deployment
UNPACKING = 2  # uploads at a time
_ID = re.compile(r"[0-9a-f]{32}")


class Stream(Protocol):
    """What a request's body is read from."""

    def read(self, size: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent. ``left_out``: names of links, devices and pipes, the first ones, of ``left``."""

    id: str
    files: int
    bytes: int
    left: int = 0
    left_out: tuple[str, ...] = ()


class KeptUploads:
    """``keep_free``: bytes that uploads leave free on the data disk, however many come at once."""

    def __init__(self, storage: Path, keep_free: int, most: int = MOST_BYTES) -> None:
        self._uploads = Path(storage) / FOLDER / "uploads"
        self._fetched = Path(storage) / FOLDER / "fetched"
        self._keep_free, self._most = keep_free, most
        self._unpacking = BoundedSemaphore(UNPACKING)
        # Of those that come now, each written by one thread at a time; and of all that have come.
        self._taken: dict[str, int] = {}
        self._written: dict[str, int] = {}  # of what was taken, all but the last piece
        self._came = 0

    def keep(self, stream: Stream) -> Upload:
        """Take a tar in, packed or not, and unpack it. Raises UploadRefused, StorageFull,
        StorageFailed; nothing of it is left then."""
        pool = get_hub().threadpool
        id = secrets.token_hex(16)
        folder, archive = self._uploads / id, self._uploads / f"{id}.tar"
        try:
            in_thread(pool, self._make, self._uploads)
            self._taken[id] = self._written[id] = 0
            take = in_thread(pool, self._room, id)
            self._receive(stream, archive, take)
            with self._unpacking:
                in_thread(pool, folder.mkdir)
                done = in_thread(pool, self._unpack, archive, folder, take)
            self._came += done.bytes
        except BaseException as e:
            in_thread(pool, _remove, folder)
            if isinstance(e, OSError):
                raise _failure(e, self._uploads) from None
            raise
        finally:
            in_thread(pool, _remove, archive)
            self._taken.pop(id, None)
            self._written.pop(id, None)
        return Upload(id, done.files, done.bytes, done.left, tuple(done.left_out))

    def share(self, id: str) -> str:
        """The same once more: its files are the same on the disk. Raises StorageFailed."""
        new = secrets.token_hex(16)
        try:
            in_thread(
                get_hub().threadpool,
                lambda: shutil.copytree(
                    self._uploads / id, self._uploads / new, copy_function=os.link
                ),
            )
        except (OSError, shutil.Error) as e:
            raise StorageFailed(str(self._uploads), str(e)) from e
        return new

    def folder(self, id: str) -> Path | None:
        """Of an upload that is there."""
        path = self._uploads / id
        return path if _ID.fullmatch(id) and path.is_dir() else None

    def fetched(self, deployment: int) -> Path:
        """The folder for what a deployment fetches, empty. Raises StorageFailed, StorageFull."""
        path = self._fetched / str(deployment)

        def make() -> None:
            _remove(path)
            self._make(self._fetched)
            path.mkdir()

        try:
            in_thread(get_hub().threadpool, make)
        except OSError as e:
            raise _failure(e, path) from None
        return path

    def discard(self, upload: str = "", deployment: int = 0) -> None:
        """What is there of either. A failure to remove is mended by the next sweep."""
        pool = get_hub().threadpool
        if _ID.fullmatch(upload):
            in_thread(pool, _remove, self._uploads / upload)
        if deployment:
            in_thread(pool, _remove, self._fetched / str(deployment))

    def sweep(
        self, uploads: Collection[str], deployments: Collection[int], older: float = ORPHAN
    ) -> int:
        """Remove what neither of these names and is older than so many seconds; how many."""

        def work() -> int:
            named = {*uploads, *(f"{id}.tar" for id in uploads)}
            count = 0
            for folder, keep in (
                (self._uploads, named),
                (self._fetched, {str(id) for id in deployments}),
            ):
                for path in folder.iterdir() if folder.is_dir() else ():
                    with suppress(OSError):
                        old = time.time() - path.stat().st_mtime >= older
                        if path.name not in keep and old:
                            _remove(path)
                            count += 1
            return count

        return in_thread(get_hub().threadpool, work)

    def _receive(self, stream: Stream, archive: Path, take: Take) -> None:
        pool = get_hub().threadpool
        taken = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(archive, flags, 0o600), "wb", buffering=0) as file:
            while data := stream.read(PIECE):
                taken += len(data)
                if taken > self._most:
                    raise UploadRefused("too-large", limit=self._most)
                take(len(data))
                in_thread(pool, _write, file.fileno(), data)

    def _unpack(self, archive: Path, folder: Path, take: Take) -> Unpacked:
        with archive.open("rb") as file:
            return unpack(file, folder, most_bytes=self._most, take=take)

    def _room(self, id: str) -> Take:
        """Takes room for so many bytes more of an upload, out of what uploads may take now: of that
        others that come meanwhile take as well. In a thread. It raises StorageFull."""
        # What was taken and is not written yet stands as free on the disk.
        before = self._came + sum(list(self._written.values()))
        told = os.statvfs(self._uploads)
        free = told.f_bavail * told.f_frsize - self._keep_free
        kept = sum(path.lstat().st_blocks * 512 for path in self._uploads.rglob("*"))
        room = max(0, min(free, MOST_KEPT - kept))

        def take(size: int) -> None:
            self._written[id] = self._taken[id]
            self._taken[id] += size
            if self._came + sum(list(self._taken.values())) - before > room:
                raise StorageFull(str(self._uploads))

        return take

    def _make(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.parent.chmod(0o700)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _failure(error: OSError, path: Path) -> StorageFailed | StorageFull:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(str(path))
    return StorageFailed(str(path), error.strerror or str(error))
