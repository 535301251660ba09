"""How the store is: what concerns everybody, and whose path refuses.

A full disk is everybody's, and so is a want of this process (descriptors, memory) and a data folder
that takes nothing. Any other failure belongs to the path it came from, hence to one app: the others
are well, and it is not until that very path has taken a write.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gevent.event import Event

from cloudbang.core.descriptors import is_want
from cloudbang.core.notices import Notices
from cloudbang.errors import CloudBangError, LogDiskFull, StorageFailed

log = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)

Step = Literal["write", "sync"]
CODES: dict[Step, str] = {"write": "storage-app-failed", "sync": "storage-sync-failed"}


@dataclass(frozen=True)
class StorageHealth:
    """Why nothing can be stored at the moment. It goes away by itself."""

    kind: str  # "full" or "failed"
    path: str
    since: int  # ns
    message: str


class Health:
    """Told by who writes; tells ``notices``, and ``on_change`` of what is everybody's."""

    def __init__(self, root: str, clock: Callable[[], int], notices: Notices) -> None:
        self._root, self._clock, self._notices = root, clock, notices
        self._refusing: dict[Step, set[str]] = {"write": set(), "sync": set()}  # apps
        self.now: StorageHealth | None = None
        self.on_change: list[Callable[[StorageHealth | None], None]] = []
        self.unproven = False  # a path refused, and the data folder was not tried since
        self.troubled = Event()  # set while something is to be tried again

    @property
    def refusing(self) -> int:
        """Apps whose own path refuses."""
        return len(self._refusing["write"] | self._refusing["sync"])

    def refuses(self, app: str) -> bool:
        """Whether that app's own path took nothing when it was last tried."""
        return app in self._refusing["write"]

    def failed(self, app: str, path: str, error: OSError, step: Step = "write") -> CloudBangError:
        """A write of ``app`` to ``path`` failed. Gives what to say to who waits for it."""
        self.troubled.set()
        if is_everybodys(error):
            return self.everybody(error)
        refused = StorageFailed(error.filename or path, error.strerror or str(error))
        self.unproven = self.unproven or app not in self._refusing[step]
        self._refusing[step].add(app)
        self._notices.begin(CODES[step], f"{app}: {refused}", app=app, path=path)
        return refused

    def took(self, app: str, step: Step = "write") -> None:
        """The app's path took a write."""
        if app in self._refusing[step]:
            self._refusing[step].discard(app)
            self._notices.end(CODES[step], f"{app} is stored again", app=app)

    def forget(self, app: str) -> None:
        """There is nothing of the app any more."""
        for step in CODES:
            self.took(app, step)

    def everybody(self, error: OSError) -> CloudBangError:
        """Nothing can be stored, for anybody."""
        if error.errno in FULL:
            full = LogDiskFull(self._root)
            self.nothing_goes("full", str(full))
            return full
        failed = StorageFailed(self._root, error.strerror or str(error))
        self.nothing_goes("failed", str(failed))
        return failed

    def nothing_goes(self, kind: str, message: str) -> None:
        """The same, in words."""
        if self.now and self.now.kind == kind:
            return
        if self.now:
            self._notices.end(f"storage-{self.now.kind}", "storing fails for another reason")
        self.now = StorageHealth(kind, self._root, self._clock(), message)
        self.troubled.set()
        self._notices.begin(f"storage-{kind}", message, path=self._root)
        self._tell()

    def all_goes(self) -> None:
        """What concerned everybody is over."""
        if self.now:
            kind, self.now = self.now.kind, None
            self._notices.end(f"storage-{kind}", "storing goes on")
            self._tell()

    def _tell(self) -> None:
        for callback in self.on_change:
            try:
                callback(self.now)
            except Exception:
                log.exception("somebody who is told how the store is failed")


def is_everybodys(error: OSError) -> bool:
    """Whether no single path is to blame."""
    return error.errno in FULL or is_want(error)
