"""What was counted, second by second, on its way to the series of apps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from cloudbang.core.loop import in_turns
from cloudbang.domain.metrics.access_log import Request
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.series import Labels

WAIT = 2.0  # seconds after its beginning a second is over, also for whose line comes a little later
LATEST = 4.0  # seconds of newer lines, after which it is over for who is behind
LONGEST = 3600.0  # seconds that nobody looked, after which it goes on with now
STEP = 10


class Numbers(Protocol):
    """Who takes series: see ``monitoring.series``."""

    def record(self, app: str, time: int, values: Mapping[tuple[str, Labels], float]) -> None: ...

    def record_histogram(
        self, app: str, time: int, name: str, labels: Labels, histogram: Histogram
    ) -> None: ...


class Seconds:
    """Seconds that are not over, and the 10 s that they are part of.

    Each is handed over once, in order, zeros of apps with a route included: the log was read, and
    nobody asked. A line that comes too late for its second counts in the next one: nothing is missing
    in the sum. What was before ``begin`` is not handed over: others may have it already.
    """

    def __init__(self, numbers: Numbers | None, routed: Callable[[], Collection[str]]) -> None:
        self._numbers, self._routed = numbers, routed
        self._next = 0  # the second that is handed over next
        self._over = 0  # the last one that is over
        self._begun = 0
        self._counts: dict[int, dict[str, list[int]]] = {}  # second -> app -> requests, errors
        self._took: dict[int, dict[str, Histogram]] = {}  # 10 s -> app -> of its answers

    def begin(self, now: float) -> None:
        self._next = self._begun = int(now)

    def add(self, request: Request, second: int) -> None:
        """One that ended in that second."""
        if self._numbers is None or second < self._begun:
            return
        second = max(second, self._next)
        apps = self._counts.get(second)
        if apps is None:
            apps = self._counts[second] = {}
        counts = apps.get(request.app)
        if counts is None:
            counts = apps[request.app] = [0, 0]
        counts[0] += 1
        counts[1] += 500 <= request.status <= 599
        if request.kind == "answer":
            took = self._took.setdefault(second - second % STEP, {})
            histogram = took.get(request.app)
            if histogram is None:
                histogram = took[request.app] = Histogram()
            histogram.add(request.seconds)

    def hand_over(
        self, now: float, read: float, newest: float, online: Callable[[], Mapping[str, int]]
    ) -> None:
        """Give away what is over: ``read``: up to when the log was, ``newest``: the time of its
        newest line; ``online()``: clients by app, asked for each 10 s."""
        if self._numbers is None:
            return
        if now > self._next + LONGEST:
            self.jump(now)
        over = int(max(read - WAIT, newest - LATEST))
        self._over = min(over, int(now) - 1)
        for second in in_turns(iter(self._is_over, None)):
            self._give(second, {*self._routed(), *self._counts.get(second, ())})
            if (second + 1) % STEP == 0:
                self._give_slab(second - second % STEP, online(), self._routed())

    def _is_over(self) -> int | None:
        if self._next > self._over:
            return None
        self._next += 1
        return self._next - 1

    def jump(self, now: float) -> None:
        """The clock was set, and says ``now``: what was counted by it before is given as it was, and
        what lies between was never there."""
        for second in sorted(self._counts):
            self._give(second, list(self._counts[second]))
        for begins in sorted(self._took):
            self._give_slab(begins, {}, ())
        self._next = self._begun = int(now)
        self._over = 0

    def _give(self, second: int, apps: Collection[str]) -> None:
        assert self._numbers is not None
        counts = self._counts.pop(second, {})
        for app in apps:
            requests, errors = counts.get(app, (0, 0))
            self._numbers.record(
                app,
                second,
                {("http.requests", ()): float(requests), ("http.errors", ()): float(errors)},
            )

    def _give_slab(self, begins: int, online: Mapping[str, int], routed: Collection[str]) -> None:
        assert self._numbers is not None
        for app, histogram in self._took.pop(begins, {}).items():
            self._numbers.record_histogram(app, begins, "http.latency", (), histogram)
        for app in {*routed, *online}:
            self._numbers.record(app, begins, {("http.clients", ()): float(online.get(app, 0))})
