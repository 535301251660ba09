"""Which release an app's requests go to: files that Caddy reads at each request.

A switch is a rename: whole at once, and seen by the next request. Nothing is loaded for it, so no
connection of anybody's is closed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from cloudbang.domain.deploy.caddy import upstream_file
from cloudbang.errors import StorageFailed, StorageFull

PORT = ".port"
_SERVICE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LIMIT = 100  # bytes of a file of ours


class UpstreamFiles:
    """One folder of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, app: str) -> tuple[str, int]:
        """Service and port; ("", 0) where there is none, or something else stands there."""
        name = upstream_file(app)
        service, port = self._read(name), self._read(name + PORT)
        if not _SERVICE.fullmatch(service) or not port.isascii() or not port.isdigit():
            return "", 0
        return service, int(port)

    def write(self, app: str, service: str, port: int) -> None:
        """Raises StorageFull, StorageFailed, ValueError for what names no service."""
        if not _SERVICE.fullmatch(service):
            raise ValueError(f"{service!r} is no service's name")
        name = upstream_file(app)
        # The port first: between the two, the old release is asked at a port where nobody listens,
        # which is tried again; the other way round, the new one might have something else there.
        self._write(name + PORT, str(port))
        self._write(name, service)

    def keep_only(self, apps: Iterable[str]) -> None:
        """Remove what is no file of any of these apps."""
        ours = {file for app in apps for file in (upstream_file(app), upstream_file(app) + PORT)}
        try:
            for found in os.listdir(self._folder):
                if found not in ours:
                    os.unlink(self._folder / found)
        except FileNotFoundError:
            pass
        except OSError as e:
            raise StorageFailed(str(self._folder), e.strerror or str(e)) from e

    def _read(self, name: str) -> str:
        try:
            with (self._folder / name).open("rb") as file:
                return file.read(_LIMIT).decode("utf-8", "replace").rstrip("\n")
        except OSError:
            return ""

    def _write(self, name: str, text: str) -> None:
        made = self._folder / f".{name}"
        try:
            if self._read(name) == text and not (self._folder / name).is_symlink():
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.write_text(text)
            made.rename(self._folder / name)
        except OSError as e:
            if e.errno == 28:  # ENOSPC
                raise StorageFull(str(self._folder)) from e
            raise StorageFailed(str(self._folder), e.strerror or str(e)) from e
