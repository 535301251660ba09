"""Files under ``/static``, at addresses that change with their content.

A page asks for some sixty small modules. At ``/static/~<version>/…`` they may be kept for ever, so
that the next page asks for none of them; modules import each other by relative addresses and so
inherit the version. Without one, or with an old one, a file is served but not kept.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from flask import Flask, Response, send_from_directory

KEEP = 365 * 24 * 3600  # seconds
LOOK_EVERY = 2.0  # seconds; a file that is edited while the server runs shows after that


class Assets:
    """The files of one folder and the version they are at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = ""
        self._looked_at = float("-inf")

    @property
    def version(self) -> str:
        """12 hex digits of what the folder holds now, by name, size and time of each file."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY:
            self._version, self._looked_at = _version(self._folder), now
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
        answer = send_from_directory(self._folder, filename, max_age=keep)
        if keep:
            answer.cache_control.immutable = True
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
