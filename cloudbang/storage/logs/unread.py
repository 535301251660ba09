"""Logs that could not be read when the store was opened: each is tried again, alone.

Until one is read nobody knows at which seq it goes on, so nothing is stored there and nothing is
said of what is there; the other apps know nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import gevent

from cloudbang.core.supervise import backoff
from cloudbang.errors import StorageFailed

log = logging.getLogger(__name__)

AGAIN = (1.0, 60.0)
"""Seconds after which the next look is, and at most."""


class UnreadLogs:
    """``read(name, folder)`` reads one; it raises OSError as long as that cannot be."""

    def __init__(self, read: Callable[[str, Path], None]) -> None:
        self._read = read
        self._errors: dict[str, tuple[Path, OSError]] = {}  # by app

    def __contains__(self, app: str) -> bool:
        return app in self._errors

    def __len__(self) -> int:
        return len(self._errors)

    def names(self) -> list[tuple[str, Path]]:
        """The apps and their folders."""
        return [(app, folder) for app, (folder, _) in self._errors.items()]

    def add(self, app: str, folder: Path, error: OSError) -> None:
        self._errors[app] = (folder, error)

    def check(self, app: str) -> None:
        """Raises StorageFailed when the app's log could not be read."""
        if app in self._errors:
            folder, error = self._errors[app]
            raise StorageFailed(str(error.filename or folder), error.strerror or str(error))

    def loop(self, failed: Callable[[str, str, OSError], object]) -> None:
        """Try until all are read; ``failed`` is told of each that is not."""
        waits = backoff(*AGAIN)
        while True:
            for app, (folder, error) in list(self._errors.items()):
                failed(app, str(folder), error)
            if not self._errors:
                return
            gevent.sleep(next(waits))
            for app, (folder, _) in list(self._errors.items()):
                try:
                    self._read(app, folder)
                except OSError as e:
                    self._errors[app] = (folder, e)
                else:
                    del self._errors[app]
                    log.info("the log of %s could be read", app)
