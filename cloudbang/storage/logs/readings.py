"""What a reading in steps is, wherever its steps are made: in a thread or in another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from cloudbang.storage.logs.reader import Snapshot

ANY = 1 << 62  # bytes


@dataclass
class HowFar:
    """How far a reading is, after each of its steps."""

    done: bool = False  # there is nothing more to look at
    stale: str = ""  # the app of which a fresh view is needed to go on
    failed: dict[str, OSError] = field(
        default_factory=dict
    )  # why an app could not be read to its end
    ends: dict[str, Any] = field(default_factory=dict)  # by app, what its view says of it


P = TypeVar("P", bound=HowFar)


class Reading(Protocol[P]):
    """It can be pickled between two steps, and goes on where it is unpickled."""

    progress: P

    def step(self, seconds: float, enough: int = ANY) -> None:
        """Go on for so long, or until so many bytes are given, if it gives any."""

    def add(self, app: str, view: Snapshot) -> None:
        """Read this app as well; before the first step."""

    def renew(self, app: str, view: Snapshot) -> None:
        """Go on with a fresh view where a file is gone: packed, or deleted with its lines."""

    def catch_up(self, told: P) -> None:
        """Tell nothing again of what was told of another one that had gone on from here."""

    def close(self) -> None:
        """Have no file open between two steps."""

    def abandon(self) -> None:
        """Close it from outside, perhaps while a step is still under way."""
