"""Whether the engine's disk has room for what is to come: said before, and not when it is full."""

from __future__ import annotations

import os

from gevent import get_hub

from cloudbang.core.threads import in_thread
from cloudbang.deploy.errors import StepFailed
from cloudbang.domain.deploy.failure import Failure
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused

GIB = 1024**3


class EngineDisk:
    """The disk on which an engine keeps images. Of one elsewhere nothing is known: its own words
    come when it is full."""

    def __init__(self, engine: Engine, keep_free: int) -> None:
        self._engine, self._keep_free = engine, keep_free

    def free(self) -> int | None:
        """Bytes; None where they cannot be known. Raises EngineUnreachable."""
        if self._engine.is_remote:
            return None
        try:
            told = in_thread(get_hub().threadpool, os.statvfs, self._engine.data_root())
        except (OSError, EngineRefused):  # it is beside a CloudBang in a container, or a proxy
            return None
        return told.f_bavail * told.f_frsize

    def admit(self, what: str) -> None:
        """Raises StepFailed where there is too little room to begin with that."""
        free = self.free()
        if free is not None and free < self._keep_free:
            said = (
                f"{free / GIB:.1f} GiB are free on the engine's disk, and nothing is begun with "
                f"less than {self._keep_free / GIB:.1f}"
            )
            raise StepFailed(Failure("disk-full", said, what=what))
