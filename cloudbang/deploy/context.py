"""What of a folder goes to the engine to be built: as tar, piece by piece, without what the folder
itself leaves out, and without a way out of it.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

from gevent import get_hub

from cloudbang.core.threads import in_thread
from cloudbang.deploy.errors import StepFailed
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.ignored import Ignored
from cloudbang.domain.deploy.recipes import READ

PIECE = 256 * 1024
MOST_FILES = 200_000
TEXT = 1024 * 1024  # bytes of a Dockerfile, or of a file that a recipe is made from
DOCKERFILE = ".cloudbang.Dockerfile"  # the name of one that is ours


class BuildContext:
    """A folder within a source. ``dockerfile``: its path in it, ``text``: of the one that is there,
    None where there is none."""

    def __init__(self, source: Path, folder: str, dockerfile: str) -> None:
        """Raises StepFailed."""
        self.root = _inside(source, source, folder)
        if not self.root.is_dir():
            said = f"the source has no folder {folder}"
            raise StepFailed(Failure("build-failed", said, what=folder))
        self.dockerfile = os.path.normpath(dockerfile)
        self.text = self._text(self.dockerfile)
        self._ours: bytes | None = None
        own = self._text(f"{self.dockerfile}.dockerignore")
        ignored = own if own is not None else self._text(".dockerignore")
        self._ignored = Ignored((ignored or "").splitlines())

    def replace_dockerfile(self, text: str) -> None:
        """Build with this one instead."""
        self._ours = text.encode()
        self.dockerfile = DOCKERFILE

    def names(self) -> list[str]:
        """The paths of its files. In a thread."""
        return in_thread(get_hub().threadpool, lambda: [name for name, _ in self._walk()])

    def texts(self) -> dict[str, str]:
        """Those from which a recipe is made."""
        found = {name: self._text(name) for name in READ}
        return {name: text for name, text in found.items() if text is not None}

    def tar(self) -> Iterator[bytes]:
        """The archive, piece by piece; what is read from the disk is read in a thread."""
        pool = get_hub().threadpool
        if self._ours is not None:
            entry = tarfile.TarInfo(DOCKERFILE)
            entry.size = len(self._ours)
            yield _header(entry) + _padded(self._ours)
        walk = self._walk()
        waiting, size = [], 0
        # Of small files many at a time: handing each over would take longer than reading it.
        while (batch := in_thread(pool, _batch, walk, self.root)) is not None:
            for entry, data, path in batch:
                waiting.append(_header(entry))
                size += len(waiting[-1])
                if data is not None:
                    waiting.append(_padded(data))
                    size += len(waiting[-1])
                if size >= PIECE or path is not None:
                    yield b"".join(waiting)
                    waiting, size = [], 0
                if path is not None:
                    yield from _content(pool, path, entry.size)
        yield b"".join(waiting) + bytes(2 * tarfile.BLOCKSIZE)

    def _text(self, name: str) -> str | None:
        """Of a file in it that is no longer than a text; None where there is none."""
        path = self.root / name
        try:
            path = path.resolve(strict=True)
            if path.is_relative_to(self.root) and path.is_file():
                with path.open("rb") as file:
                    return file.read(TEXT).decode("utf-8", "replace")
        except OSError:
            pass
        return None

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Path and state of each file, folder and link, in their order."""
        needed = {self.dockerfile, ".dockerignore"}
        count = 0
        folders = [""]
        while folders:
            folder = folders.pop()
            with os.scandir(self.root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            below = []
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if name == ".git":
                    continue
                state = entry.stat(follow_symlinks=False)
                left_out = self._ignored(name) and name not in needed
                if stat.S_ISDIR(state.st_mode):
                    above = any(one.startswith(f"{name}/") for one in needed)
                    if not left_out or above or self._ignored.takes_back:
                        below.append(name)
                    if left_out:
                        continue
                elif left_out or not (stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode)):
                    continue
                count += 1
                if count > MOST_FILES:
                    said = (
                        f"the source has more than {MOST_FILES} files: name some in .dockerignore"
                    )
                    raise StepFailed(Failure("build-failed", said, what="."))
                yield name, state
            folders += reversed(below)


_Entry = tuple[tarfile.TarInfo, bytes | None, Path | None]


def _batch(walk: Iterator[tuple[str, os.stat_result]], root: Path) -> list[_Entry] | None:
    """The next files, small ones with what is in them; of a large one the path, and it is the last.
    None after all. In a thread."""
    found: list[_Entry] = []
    size = 0
    for name, state in walk:
        entry, path = _entry(name, state), root / name
        if stat.S_ISLNK(state.st_mode):
            entry.linkname = os.readlink(path)
        if not entry.isreg():
            found.append((entry, None, None))
        elif state.st_size > PIECE:
            return [*found, (entry, None, path)]
        else:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                data = file.read(PIECE)
            entry.size = len(data)
            found.append((entry, data, None))
            size += len(data)
        if size >= PIECE or len(found) >= 500:
            return found
    return found or None


def _entry(name: str, state: os.stat_result) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mode = stat.S_IMODE(state.st_mode) & 0o755
    entry.mtime = int(state.st_mtime)
    entry.size = state.st_size
    entry.type = tarfile.REGTYPE
    if stat.S_ISDIR(state.st_mode):
        entry.type, entry.size = tarfile.DIRTYPE, 0
    elif stat.S_ISLNK(state.st_mode):
        entry.type, entry.size = tarfile.SYMTYPE, 0
    return entry


def _header(entry: tarfile.TarInfo) -> bytes:
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _content(pool: object, path: Path, size: int) -> Iterator[bytes]:
    """Exactly so many bytes, as the header has promised."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as file:
        left = size
        while left:
            data = in_thread(pool, file.read, min(PIECE, left))
            if not data:
                data = bytes(min(PIECE, left))  # somebody has cut it meanwhile
            left -= len(data)
            yield data
    yield bytes(-size % tarfile.BLOCKSIZE)


def _inside(source: Path, base: Path, name: str) -> Path:
    """The folder of that name, wherever links lead, as long as that is within the source."""
    root = source.resolve()
    found = (base / name).resolve()
    if not found.is_relative_to(root):
        said = f"{name} leads out of the source"
        raise StepFailed(Failure("build-failed", said, what=name))
    return found
