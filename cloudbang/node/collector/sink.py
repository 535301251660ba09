"""Where a reader's lines go: to a store in this process, or to one on another machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from cloudbang.domain.partial_line import PartialLine
from cloudbang.domain.resume import ResumePoint


class Receipt(Protocol):
    """What an append gives. It is acknowledged when the lines are in the store's file."""

    @property
    def seq(self) -> int:
        """Of the first of the lines; 0 until they are stored."""

    @property
    def error(self) -> Exception | None:
        """Why they will not be: whoever reads begins anew from what is stored."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is decided; False when ``timeout`` seconds passed first."""


class LogSink(Protocol):
    """Takes the lines of containers, keeps them, and shows them to who looks."""

    def resume_point(self, app: str, container: str) -> ResumePoint | None:
        """From when to read ``container`` (its short id) again, and what of that is stored; None
        when nothing of it is known. Counts what was acknowledged. Raises StorageFailed."""

    def stored_between(self, app: str, container: str, since: int, until: int) -> Counter[bytes]:
        """How often each record of ``container``, by its fingerprint (``domain.resume``), is stored
        of these times (ns, inclusive). Counts what was acknowledged. Raises StorageFailed."""

    def newest_of(self, app: str, container: str, lines: int, seconds: float) -> list[bytes]:
        """The newest records of ``container`` by their times, oldest first: at most so many, of at
        most so long before the last, and the one before these. Raises StorageFailed."""

    def append(self, app: str, records: list[bytes]) -> Receipt:
        """Store whole records (each with its LF) of an app, in the order of the calls.

        Overload policy: waits while too much is not acknowledged yet, so that the engine holds the
        data. What the disk does not take is kept and tried again, in order. Raises StorageFailed
        when nothing will be taken any more.
        """

    def move(self, app: str, to: str, container: str) -> None:
        """Have what is stored of a container's lines under another app, and nothing any more under
        its own, where only they are. Waits. Raises StorageFailed."""

    def partial(self, app: str, container: str, lines: Sequence[PartialLine]) -> None:
        """These, and no others, are the lines of ``container`` (its short id) that are not ended
        now. They are shown and not stored. Never waits."""

    def watched(self, app: str) -> bool:
        """Whether somebody looks at the app's lines as they come; asked at every reading."""
