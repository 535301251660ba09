"""Whether the engine can be asked, as people are told it: that it is well is not said to be an
error because nobody has asked it yet, or because a connection ended and the next one works."""

from __future__ import annotations

import logging
import time
from typing import Literal

log = logging.getLogger(__name__)

State = Literal["starting", "connected", "connecting", "down"]

TELL_AFTER = 3.0  # seconds without a connection after which that is an error


class EngineLink:
    """The state, and in ``error`` why the engine is "down"."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._state: State = "starting"
        self._reason = "the Docker Engine has not answered yet"
        self._late_at: float | None = None  # None: it was not asked yet
        self._told = ""  # the reason that was logged last
        self._ever = False  # connected

    @property
    def state(self) -> State:
        late = self._late_at is not None and time.monotonic() >= self._late_at
        return "down" if late else self._state

    @property
    def error(self) -> str | None:
        return self._reason if self.state == "down" else None

    def asked(self) -> None:
        """The engine is asked for the first time: it has a moment to answer."""
        self._late_at = time.monotonic() + TELL_AFTER

    def connected(self) -> None:
        if self._told and self._ever:
            log.info("the Docker Engine at %s answers again", self._host)
        self._state, self._late_at, self._told, self._ever = "connected", None, "", True

    def ended(self, reason: str) -> None:
        """A connection that was well has ended."""
        if self._state == "connected":
            self._state, self._reason = "connecting", reason
            self._late_at = time.monotonic() + TELL_AFTER

    def failed(self, reason: str) -> None:
        """A connection could not be made, or broke."""
        if reason != self._told:
            log.warning("%s", reason)
        self._state, self._reason, self._told, self._late_at = "down", reason, reason, None
