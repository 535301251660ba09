"""Who logs now, and how much: looked at once a second, of those only who do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import gevent
import orjson

from cloudbang.domain.lines import row
from cloudbang.domain.names import is_app_name

LAST_LINE = 300  # characters of the last line that an overview shows


class Lines(Protocol):
    """What is asked of the log store: all of it answered from memory."""

    def take_written(self) -> dict[str, int]: ...
    def next_seq(self, app: str) -> int: ...
    def last(self, app: str) -> tuple[int, bytes] | None: ...


class Bus(Protocol):
    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class Activity:
    """Rates of the apps that log. ``wrote(names)`` is told who did since the last look."""

    def __init__(self, logs: Lines, bus: Bus, wrote: Callable[[Iterable[str]], None]) -> None:
        self._logs, self._bus, self._wrote = logs, bus, wrote
        self._rates: dict[str, int] = {}  # of those that log, and 0 for a second afterwards

    def rate(self, app: str) -> int:
        """Lines stored in the last second."""
        return self._rates.get(app, 0)

    def run(self) -> None:
        since = time.monotonic()
        while True:
            gevent.sleep(1)
            now = time.monotonic()
            self.look(now - since)
            since = now

    def look(self, seconds: float) -> None:
        """Take over what was written in the last ``seconds``, and publish it."""
        taken = self._logs.take_written()
        written = {app: lines for app, lines in taken.items() if is_app_name(app)}
        quiet = [app for app, rate in self._rates.items() if rate and app not in written]
        self._rates = dict.fromkeys(quiet, 0)
        self._rates.update({app: round(lines / seconds) for app, lines in written.items()})
        if written:
            self._wrote(written)
        if self._rates and self._bus.wanted("activity/"):
            told = {app: self.of(app) for app in self._rates}
            self._bus.send("activity/", b'{"v":1}', orjson.dumps(told))

    def of(self, app: str) -> list[object]:
        """What the pages are told of one app: next seq, rate, last line."""
        return [self._logs.next_seq(app), self.rate(app), last_line(self._logs, app)]


def last_line(logs: Lines, app: str) -> tuple[int, str, str, str, str] | None:
    """An app's newest line, cut to what an overview shows."""
    last = logs.last(app)
    if last is None:
        return None
    seq, when, container, stream, text = row(*last)
    return seq, when, container, stream, text[:LAST_LINE]
