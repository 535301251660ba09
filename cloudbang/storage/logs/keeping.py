"""How long a log is kept, and how much of it: as the settings say, or of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cloudbang.config import StorageSettings

LEAST_SEGMENT = 64 * 1024  # bytes
PARTS = 4  # of what may be kept of a log is one segment, so that it can be cut down to its size


@dataclass(frozen=True, slots=True)
class Keeping:
    """``days``: the age of the oldest line, ``bytes``: on disk; 0 is no limit."""

    days: float
    bytes: int

    def segment_bytes(self, usual: int) -> int:
        """How large one file of such a log may grow."""
        return min(usual, max(self.bytes // PARTS, LEAST_SEGMENT)) if self.bytes else usual

    def holds(self, size: int, usual: int) -> bool:
        """Whether a file of this size is one that lines are still written to."""
        return size < LEAST_SEGMENT or size < self.segment_bytes(usual)


@dataclass(frozen=True, slots=True)
class OwnKeeping:
    """What is said of one log; None: as the settings say."""

    days: float | None = None
    bytes: int | None = None

    def over(self, usual: Keeping) -> Keeping:
        return Keeping(
            usual.days if self.days is None else self.days,
            usual.bytes if self.bytes is None else self.bytes,
        )


AS_USUAL = OwnKeeping()
OwnKeepings = Callable[[str], OwnKeeping]
"""By the name of a log, from memory."""


def usual_of(settings: StorageSettings) -> Keeping:
    """What the settings say."""
    return Keeping(settings.retention_days, settings.app_max_bytes)
