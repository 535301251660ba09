"""Files under ``/static``, at addresses that change with their content.

A page asks for some sixty small modules; a terminal also for xterm.js, which is large. At
``/static/~<version>/…`` they may be kept for ever, so that the next page asks for none of them;
modules import each other by relative addresses and so inherit the version. Without one, or with an
old one, a file is served but not kept.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
import time
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

KEEP = 365 * 24 * 3600  # seconds
SMALL = (
    512 * 1024
)  # bytes (packing that much takes 20 ms, once); larger files are read from the disk
FEW = 500  # files held in memory; there are not that many
WORTH_PACKING = 400  # bytes
LOOK_EVERY = 2.0  # seconds; a file that is edited while the server runs shows after that


class Assets:
    """The files of one folder and the version they are at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = ""
        self._held: dict[str, _Held] = {}  # by name, all of the version they are at
        self._looked_at = float("-inf")

    @property
    def version(self) -> str:
        """12 hex digits of what the folder holds now, by name, size and time of each file."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY:
            found, self._looked_at = _version(self._folder), now
            if found != self._version:
                self._version, self._held = found, {}
        return self._version

    @property
    def base(self) -> str:
        """What addresses of files start with."""
        return f"/static/~{self.version}"

    def serve(self, filename: str) -> Response:
        """The view behind ``/static/<path:filename>``."""
        keep: int | None = None
        if filename.startswith("~"):
            asked, _, filename = filename[1:].partition("/")
            keep = KEEP if asked == self.version else None
        held = self._hold(filename) if keep else None
        if held is None:
            answer = send_from_directory(self._folder, filename, max_age=keep)
        else:
            answer = held.answer(KEEP)
        if keep:
            answer.cache_control.immutable = True
        return answer

    def _hold(self, filename: str) -> _Held | None:
        """A small file from memory: a first visit asks for all of them at once."""
        held = self._held.get(filename)
        if held is None and len(self._held) < FEW:
            path = safe_join(str(self._folder), filename)
            if path is None or not os.path.isfile(path) or os.path.getsize(path) > SMALL:
                return None
            held = self._held[filename] = _Held(Path(path))
        return held


class _Held:
    """One file in memory, plain and packed."""

    def __init__(self, path: Path) -> None:
        self._plain = path.read_bytes()
        self._type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        packed = gzip.compress(self._plain, 9, mtime=0)
        text = self._type.startswith(("text/", "image/svg", "application/json"))
        self._packed = packed if text and len(self._plain) > WORTH_PACKING else b""

    def answer(self, keep: int) -> Response:
        """The whole file, packed for who takes it so."""
        if self._packed and request.accept_encodings["gzip"] > 0:
            answer = Response(self._packed, mimetype=self._type)
            answer.content_encoding = "gzip"
        else:
            answer = Response(self._plain, mimetype=self._type)
        if self._packed:
            answer.vary.add("Accept-Encoding")
        answer.cache_control.public = True
        answer.cache_control.max_age = keep
        return answer


def install(app: Flask) -> None:
    """Serve the static folder of ``app`` this way; templates get its base as ``static``."""
    assert app.static_folder
    assets = Assets(Path(app.static_folder))
    app.view_functions["static"] = assets.serve
    app.context_processor(lambda: {"static": assets.base})


def _version(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        stat = path.stat()
        found.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return found.hexdigest()[:12]
