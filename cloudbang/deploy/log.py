"""The log of a deployment: kept, searched and shown as any log, under a name that no app can have.

What an app's secrets hold is in none of its lines, whoever prints it: the build, the release
command, the engine's words, or we.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from cloudbang.domain.lines import format_time, record
from cloudbang.domain.long_text import shortened
from cloudbang.domain.masking import MASK, pattern_of

OURS = b"0" * 12  # where other lines have their container: nobody printed it but we
STORED_WITHIN = 1.0  # seconds
LAST = 50  # lines that the record keeps for longer than the log


def log_name(deployment: int) -> str:
    """Under which the log store has it."""
    return f"@deployment-{deployment}"


class Receipt(Protocol):
    """Lines on their way to the disk."""

    def wait(self, timeout: float | None = None) -> bool: ...


class Sink(Protocol):
    """Where lines go: stored first, shown second."""

    def append(self, app: str, records: list[bytes]) -> Receipt | None: ...


class DeploymentLog:
    """Written to by who carries a deployment out; in the order of the calls."""

    def __init__(self, sink: Sink, deployment: int, secrets: Iterable[str] = ()) -> None:
        self._sink, self._name = sink, log_name(deployment)
        self._secret = pattern_of(secrets)
        self._newest: Receipt | None = None
        self.last: list[str] = []

    def say(self, text: str, stream: bytes = b"stdout") -> None:
        """Lines of ours, or of the engine's."""
        self.write(text.encode("utf-8", "replace").split(b"\n"), stream)

    def write(
        self, lines: Iterable[bytes], stream: bytes = b"stdout", container: bytes = OURS
    ) -> None:
        """Whole lines, without their LF. Waits while too much is not stored yet."""
        now = format_time(time.time_ns()).encode()
        texts = [self.masked(line.rstrip(b"\r").replace(b"\n", b" ")) for line in lines]
        records = [record(now, container, stream, shortened(text)) for text in texts]
        if records:
            newest = [text.decode("utf-8", "replace") for text in texts[-LAST:]]
            self.last = [*self.last, *newest][-LAST:]
            self._newest = self._sink.append(self._name, records)

    def wait(self) -> None:
        """Until what was written can be read, or the disk does not take it for a while: who is told
        of an end finds its lines."""
        if self._newest is not None:
            self._newest.wait(STORED_WITHIN)

    def masked(self, text: bytes) -> bytes:
        """The same without what the secrets hold."""
        return self._secret.sub(MASK, text) if self._secret else text
