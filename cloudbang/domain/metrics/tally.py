"""What an app's requests of some seconds add up to: what all of traffic is computed from.

Two of them are put together exactly, in whatever order, but for the list of addresses, which is cut;
``Heavy`` says how far off that leaves a count.
"""

from __future__ import annotations

from collections.abc import Callable

from cloudbang.domain.metrics.access_log import Request
from cloudbang.domain.metrics.heavy import Heavy
from cloudbang.domain.metrics.histogram import Histogram, index_of

Address = tuple[str, str]
"""Method and template."""

MOST = 2_000  # addresses of one tally
SERVER_ERROR = 500


class Entry:
    """One address. ``latency``: of its answers alone; ``most``: the longest of them in seconds."""

    __slots__ = ("count", "errors", "example", "latency", "most")

    def __init__(self) -> None:
        self.count = self.errors = 0
        self.most = 0.0
        self.example = ""
        self.latency = Histogram()

    @property
    def seconds(self) -> float:
        return self.latency.total

    @property
    def mean(self) -> float:
        return self.latency.total / self.latency.count if self.latency.count else 0.0

    def merge(self, other: Entry) -> None:
        self.count += other.count
        self.errors += other.errors
        self.most = max(self.most, other.most)
        self.example = other.example or self.example
        self.latency.merge(other.latency)


BY: dict[str, Callable[[Entry], float]] = {
    "seconds": lambda entry: entry.seconds,
    "count": lambda entry: entry.count,
    "mean": lambda entry: entry.mean,
    "errors": lambda entry: entry.errors,
}
"""What a list of addresses can go by."""


class Tally:
    """``streams`` are WebSockets and event streams that ended, ``stream_seconds`` how long they were
    open together; ``sent`` is bytes of answers."""

    __slots__ = (
        *("entries", "errors", "latency", "left", "methods", "requests", "sent", "statuses"),
        *("stream_seconds", "streams"),
    )

    def __init__(self) -> None:
        self.requests = self.errors = self.left = self.sent = self.streams = 0
        self.stream_seconds = 0.0
        self.statuses: dict[int, int] = {}
        self.methods: dict[str, int] = {}
        self.latency = Histogram()
        self.entries: Heavy[Address, Entry] = Heavy(MOST, Entry)

    def add(self, request: Request, template: str) -> None:
        """One more."""
        kind, status, method = request.kind, request.status, request.method
        entry = self.entries.of((method, template))
        self.requests += 1
        entry.count += 1
        if not entry.example:
            entry.example = request.path
        self.sent += request.sent
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.methods[method] = self.methods.get(method, 0) + 1
        if 599 >= status >= SERVER_ERROR:
            self.errors += 1
            entry.errors += 1
        if kind == "answer":
            seconds = request.seconds
            index = index_of(seconds)
            self.latency.add_at(index, seconds)
            entry.latency.add_at(index, seconds)
            if seconds > entry.most:
                entry.most = seconds
        elif kind == "left":
            self.left += 1
        elif kind == "stream":
            self.streams += 1
            self.stream_seconds += request.seconds

    def merge(self, other: Tally, name: Callable[[str], str] = lambda template: template) -> None:
        """Take over what the other has, its templates by what they are called now."""
        self.requests += other.requests
        self.errors += other.errors
        self.left += other.left
        self.sent += other.sent
        self.streams += other.streams
        self.stream_seconds += other.stream_seconds
        for status, n in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + n
        for method, n in other.methods.items():
            self.methods[method] = self.methods.get(method, 0) + n
        self.latency.merge(other.latency)
        self.entries.merge(other.entries, Entry.merge, lambda key: (key[0], name(key[1])))

    def copy(self) -> Tally:
        made = Tally()
        made.merge(self)
        return made

    def cut(self, most: int) -> None:
        """Keep the addresses alone that are first by any of what a list can go by."""
        self.entries.cut(Entry.merge, tuple(BY.values()), lambda entry: entry.count, most)

    def top(self, by: str, most: int) -> list[tuple[Address, Entry]]:
        """The first by ``by``, most first; of a mean or errors those alone that have some."""
        order = BY[by]
        found = sorted(self.entries, key=lambda one: (-order(one[1]), one[0]))
        if by in ("mean", "errors"):
            found = [one for one in found if order(one[1])]
        return found[:most]
