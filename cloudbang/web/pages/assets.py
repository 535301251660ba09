"""What the pages ask for under ``/static``: as it was built, or the sources as they are.

``make`` builds of each page one script and one style sheet (``scripts/build.mjs``) whose names
change with what they hold, and packs them: a browser keeps them for ever, and nothing is packed
here. Without a build, or with sources that are newer than it, a page is served from its sources, so
that developing needs no build and a forgotten one never shows yesterday's page.
"""

from __future__ import annotations

import hashlib
import logging
import mimetypes
import os
import posixpath
import time
from pathlib import Path
from stat import S_ISDIR
from typing import Literal, NamedTuple

import gevent
import orjson
from flask import Flask, Response, abort, request, send_from_directory
from gevent.lock import BoundedSemaphore

from cloudbang.core.threads import in_thread

Mode = Literal["auto", "source"]

log = logging.getLogger(__name__)

KEEP = 365 * 24 * 3600  # seconds
LOOK_EVERY = 2.0  # seconds; a file that is edited while the server runs shows after that
BUILD = "build"  # the folder in static/ that holds what was built
SOURCES = ("css", "js", "vendor")  # and those that it was built from
PACKED = {"br": ".br", "gzip": ".gz"}  # by the name of the encoding; the better one first


class PageFiles(NamedTuple):
    """What the head of a page asks for, as addresses."""

    script: str
    imports: tuple[str, ...]  # what the script imports: asked for at once and not when it has come
    style: str


class Build(NamedTuple):
    """What scripts/build.mjs made: names of files by the sources that they were made of."""

    pages: dict[str, PageFiles]
    files: dict[str, str]
    made: int  # nanoseconds since 1970


class Assets:
    """The static folder, and whether pages are served as built or from their sources."""

    def __init__(self, folder: Path, mode: Mode = "auto") -> None:
        self._folder = folder
        self._mode = mode
        self._build: Build | None = None
        self._version = ""  # of the sources
        self._said = ""
        self._looked_at = float("-inf")
        self._looking = BoundedSemaphore()

    def page(self, name: str) -> PageFiles:
        """What a page is made of, by area and module: ``logs/log_page``."""
        if build := self._current():
            return build.pages[name]
        return PageFiles(self.address(f"js/{name}.js"), (), self.address(f"css/{name}.css"))

    def address(self, path: str) -> str:
        """The address of one file, by its path in the static folder."""
        if build := self._current():
            return build.files[path]
        return f"/static/~{self._version}/{path}"

    def serve(self, filename: str) -> Response:
        """The view behind ``/static/<path:filename>``."""
        # A file has one address (and one more for each version): what is odd is no other.
        if filename != posixpath.normpath(filename) or "\\" in filename:
            abort(404)
        if filename.startswith("~"):
            asked, _, filename = filename[1:].partition("/")
            self._current()
            return self._send(filename, keep=asked == self._version)
        # A name in the build says what it holds, but for the manifest's.
        built = filename.startswith(f"{BUILD}/") and not filename.endswith("manifest.json")
        if not built:
            return self._send(filename, keep=False)
        for encoding, end in PACKED.items():
            if request.accept_encodings[encoding] > 0 and self._has(filename + end):
                answer = self._send(filename + end, keep=True)
                answer.mimetype = mimetypes.guess_type(filename)[0] or "application/octet-stream"
                answer.content_encoding = encoding
                break
        else:
            answer = self._send(filename, keep=True)
        answer.vary.add("Accept-Encoding")
        return answer

    def _has(self, filename: str) -> bool:
        return ".." not in filename and (self._folder / filename).is_file()

    def _send(self, filename: str, keep: bool) -> Response:
        answer = send_from_directory(self._folder, filename, max_age=KEEP if keep else None)
        if keep:
            answer.cache_control.immutable = True
        return answer

    def _current(self) -> Build | None:
        """The build that is served, None when it is the sources.

        Who finds it due looks, in a thread: some hundred files are asked for their times. Who comes
        meanwhile takes what is known, and waits only at the very first.
        """
        if self._is_due() and not (self._looking.locked() and self._version):
            with self._looking:
                if self._is_due():
                    try:
                        self._look()
                    except OSError as e:
                        # What is known is served: of a page that cannot be drawn since nobody
                        # could look whether it has changed, nobody has anything.
                        if not self._version:
                            raise
                        log.warning("whether the pages have changed cannot be seen: %s", e)
                    self._looked_at = time.monotonic()
        return self._build

    def _is_due(self) -> bool:
        return time.monotonic() - self._looked_at >= LOOK_EVERY

    def _look(self) -> None:
        pool = gevent.get_hub().threadpool
        version, newest = in_thread(pool, _scan, self._folder)
        build = None if self._mode == "source" else in_thread(pool, self._read)
        self._version = version
        why = ""
        if build is None:
            if self._mode != "source":
                why = "they were not built: run `make`"
        elif build.made < newest:
            build, why = None, "what was built is older than its sources: run `make`"
        self._build = build
        if why and why != self._said:
            log.warning("the pages are served from their sources, %s", why)
        self._said = why

    def _read(self) -> Build | None:
        manifest = self._folder / BUILD / "manifest.json"
        try:
            made = manifest.stat().st_mtime_ns
            if self._build and self._build.made == made:
                return self._build
            found = orjson.loads(manifest.read_bytes())
        except FileNotFoundError:
            return None
        base = f"/static/{BUILD}/"
        pages = {
            name: PageFiles(
                base + page["script"],
                tuple(base + one for one in page["imports"]),
                base + page["style"],
            )
            for name, page in found["pages"].items()
        }
        files = {path: base + name for path, name in found["files"].items()}
        if (old := self._build) is not None:
            # Between an upgrade's build and its restart this process draws the pages that it knows:
            # one that has another name now keeps the files of the build before.
            pages, files = old.pages | pages, old.files | files
        return Build(pages, files, made)


def install(app: Flask, mode: Mode = "auto") -> None:
    """Serve the static folder of ``app`` this way; templates get ``page_files`` and ``asset``."""
    assert app.static_folder
    assets = Assets(Path(app.static_folder), mode)
    app.view_functions["static"] = assets.serve
    app.jinja_env.globals["page_files"] = assets.page
    app.jinja_env.globals["asset"] = assets.address


def _scan(folder: Path) -> tuple[str, int]:
    """What the sources are now, by name, size and time of each, in 12 hex digits; and when the last
    of them was changed, in nanoseconds since 1970. Folders count: a file may be gone."""
    found, newest = hashlib.sha256(), 0
    waiting = [str(folder / name) for name in reversed(SOURCES)]
    while waiting:
        path = waiting.pop()
        try:
            stat = os.stat(path)
            inside = os.listdir(path) if S_ISDIR(stat.st_mode) else []
        except FileNotFoundError:
            continue
        found.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        newest = max(newest, stat.st_mtime_ns)
        waiting += (f"{path}/{name}" for name in sorted(inside, reverse=True))
    return found.hexdigest()[:12], newest
