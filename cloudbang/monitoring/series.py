"""Everything that is measured comes in here: kept in memory for 15 minutes, written down each 10 s,
told on the bus each second.

What is late or missing is a gap; whether something was missed, a number never has to say.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import gevent
import orjson

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.metrics.catalogue import NODE, OF_NODES
from cloudbang.domain.metrics.exposed import Why
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.own_samples import NotTaken, Sample, sample
from cloudbang.domain.metrics.series import Labels, SeriesKey
from cloudbang.domain.metrics.sweep import InstanceSample, Sweep
from cloudbang.domain.names import is_app_name
from cloudbang.monitoring.app_series import AppSeries, rounded
from cloudbang.monitoring.log_rates import LogRates, Rates
from cloudbang.monitoring.own import QUIET
from cloudbang.monitoring.ring import KEPT
from cloudbang.monitoring.slab_maker import SlabMaker
from cloudbang.monitoring.slabs import STEP, Store

log = logging.getLogger(__name__)

TIDY_EVERY = 60.0  # seconds
FRESH = 15  # seconds that a last value may be old
BEHIND = 5  # seconds without a sweep after which numbers may be missing for every app
QUANTILES = (0.5, 0.95, 0.99)
COLUMNS = ("cpu", "memory")
"""Of each app what a page of all of them shows."""
MEASURING_IS_BEHIND = "measuring is behind: nothing was measured in the last seconds"
NOT_WRITTEN = "metrics cannot be written down at the moment; they are tried again"
LINES, ERRORS = "log.lines", "log.errors"


class Bus(Protocol):
    """What is asked of the publisher."""

    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class Series:
    """The sink of the sampler, and of whoever else measures. For the hub; nothing here waits but
    what is written down, by a greenlet of its own."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        logs: LogRates | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._bus, self._clock = store, bus, clock
        self._logs = logs or LogRates(clock)
        self._apps: dict[str, AppSeries] = {NODE: AppSeries(node=True)}
        self.slabs = SlabMaker(store, self._apps, clock)
        self._listeners: list[Callable[[int], None]] = []
        self.overview: dict[str, list[float | None]] = {}
        """``COLUMNS`` in the last second, of each app that runs."""
        self.node: list[list[object]] = []
        """What was measured of the node in it, as it is told."""
        self.newest = 0
        """The last second that was taken over."""
        self.counts_kills = False
        """Whether in it was said how often the kernel killed for want of memory, of some or all."""
        self.began = 0
        """The first one: of what was before, memory knows nothing."""
        self.samples = self.refused = 0
        export(
            self,
            "metrics",
            counters={
                "samples": "Samples that programs measured of themselves and that were taken.",
                "refused": "Samples of programs that were not taken.",
            },
            gauges={
                "series": "Series in memory.",
                "behind_seconds": "Since the last second that was measured.",
            },
        )
        self._supervisor = Supervisor("metrics")

    def start(self) -> None:
        self._supervisor.run("write", self.slabs.queue.run)
        self._supervisor.run("slabs", self.slabs.run)
        self._supervisor.run("tidy", self._tidy)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop; what was measured until now is written."""
        self._supervisor.stop(deadline)
        self.slabs.finish(self.newest + 1, deadline)

    def listen(self, callback: Callable[[int], None]) -> None:
        """Call ``callback(second)`` on the hub when a second was taken over. It must be quick."""
        self._listeners.append(callback)

    # --- what comes ----------------------------------------------------------------------------

    def take(self, sweep: Sweep) -> None:
        """What the sampler measured in one second."""
        if sweep.time <= self.newest:
            self._set_back(sweep.time)
        passed, self.newest = sweep.time - self.newest, sweep.time
        if not self.began:
            self.began = sweep.time
            self.slabs.begin(sweep.time)
        found: dict[str, list[InstanceSample]] = {}
        self.counts_kills = sweep.slow
        for one in sweep.instances:
            found.setdefault(one.app, []).append(one)
            self.counts_kills |= one.killed
        for name, expected in sweep.expected.items():
            self._app(name).take(sweep.time, expected, found.get(name, ()))
        node = self._apps[NODE]
        for (name, labels), value in sweep.node.items():
            if name in OF_NODES:
                node.put(sweep.time, name, value, labels)
        self._take_logs(sweep, passed if 0 < passed <= BEHIND else 0)
        self._tell(sweep)
        for callback in self._listeners:
            try:
                callback(sweep.time)
            except Exception:
                log.exception("somebody who is told of metrics failed")

    def say(self, app: str, container: str, why: dict[str, str]) -> None:
        """What cannot be measured of an instance, and why; see ``MetricSink``."""
        self._app(app).say(container, why)

    def say_exposed(self, app: str, container: str, why: Why | None) -> None:
        """Why what an instance exposes is not read; None when it is, or nobody asks any more."""
        if why is not None or app in self._apps:
            self._app(app).say_exposed(container, why)

    def record(self, app: str, time: int, values: Mapping[tuple[str, Labels], float]) -> None:
        """What was counted of an app in one second, by somebody else than the sampler. Names of the
        catalogue."""
        series = self._app(app)
        for (name, labels), value in values.items():
            series.put(time, name, value, labels)
        self._tell_of(app, time, [[n, dict(ls), rounded(v)] for (n, ls), v in values.items()])

    def record_histogram(
        self, app: str, time: int, name: str, labels: Labels, histogram: Histogram
    ) -> None:
        """What was distributed how in the 10 s that begin at ``time``, or a part of them."""
        made = self.slabs.add_histogram(time, SeriesKey(app, name, labels), histogram)
        self._show_quantiles(app, time, name, labels, made)

    def own(self, app: str, samples: Sequence[object]) -> tuple[int, list[tuple[int, NotTaken]]]:
        """What a program measured of itself, as it came, or looked through already: how many were
        taken, and of each other its index and why not."""
        series, now = self._app(app), self._clock()
        refused: list[tuple[int, NotTaken]] = []
        told: dict[int, list[list[object]]] = {}
        distributed: dict[tuple[int, str, Labels], None] = {}
        for index, raw in in_turns(enumerate(samples)):
            try:
                if isinstance(raw, NotTaken):
                    raise raw
                one = raw if isinstance(raw, Sample) else sample(raw, now)
                found = series.take_own(one)
            except NotTaken as e:
                refused.append((index, e))
                series.refuse(int(now), e)
                continue
            for name, labels in ((one.name, one.labels), *((n, ls) for n, ls, _ in found)):
                self._store.keep_unit(SeriesKey(app, name, labels), series.own_unit(name, labels))
            told.setdefault(one.time, []).extend([n, dict(ls), rounded(v)] for n, ls, v in found)
            if one.kind == "histogram":
                distributed[one.time // STEP * STEP, one.name, one.labels] = None
        for at, values in told.items():
            self._tell_of(app, at, values)
        for at, name, labels in distributed:
            assert series.own is not None
            if made := series.own.open(at).histograms.get((name, labels)):
                self._show_quantiles(app, at, name, labels, made)
        taken = len(samples) - len(refused)
        self.samples += taken
        self.refused += len(refused)
        return taken, refused

    def forget(self, app: str) -> None:
        """An app was deleted. Raises StorageFailed, StorageFull."""
        self._apps.pop(app, None)
        self.slabs.forget(app)
        self._store.forget(app)

    def _take_logs(self, sweep: Sweep, seconds: int) -> None:
        rates = self._logs.take()
        if not seconds:
            return  # the first one: nobody knows of how long these are
        for name in rates:
            if name not in self._apps and is_app_name(name):
                self._app(name)
        for name, series in self._apps.items():
            found = rates.get(name, Rates(0, 0))
            logs = (LINES, ()) in series.rings
            if found.lines or name in sweep.expected or (logs and name != NODE):
                seen = series.seen
                series.put(sweep.time, LINES, found.lines / seconds)
                series.put(sweep.time, ERRORS, found.errors / seconds)
                if not found.lines and name not in sweep.expected:
                    series.seen = seen  # silence alone keeps nobody in memory

    def _set_back(self, time: int) -> None:
        log.warning("the clock was set back: metrics from %d on are measured again", time)
        for series in self._apps.values():
            series.cut(time)
        self.slabs.begin(time)
        self.began = min(self.began, time)
        self.newest = time - 1

    def _app(self, name: str) -> AppSeries:
        found = self._apps.get(name)
        if found is None:
            found = self._apps[name] = AppSeries()
        return found

    # --- what is asked -------------------------------------------------------------------------

    def of(self, app: str) -> AppSeries | None:
        """What is in memory of an app, or of the node."""
        return self._apps.get(app)

    def latest(self, app: str, name: str, labels: Labels = ()) -> tuple[int, float] | None:
        """The newest value, and of when."""
        series = self._apps.get(app)
        ring = series.ring_of(name, labels) if series else None
        return ring.last() if ring else None

    def newest_of(self, app: str) -> dict[str, float]:
        """What was measured of an app as a whole in the last seconds, by name; nothing of metrics
        that have labels."""
        series = self._apps.get(app)
        found: dict[str, float] = {}
        for (name, labels), ring in series.rings.items() if series else ():
            if not labels and ring.end > self.newest - FRESH:
                at, value = ring.last() or (0, 0.0)
                if at > self.newest - FRESH:
                    found[name] = float(f"{value:.6g}")
        return found

    def window(self, key: SeriesKey, seconds: int) -> list[float | None]:
        """The last ``seconds``, one value each step of the series; None was not measured."""
        series = self._apps.get(key.app)
        ring = series.ring_of(key.name, key.labels) if series else None
        if ring is None:
            return []
        begin = self.newest - self.newest % ring.step
        # A step that has not ended counts once there is something of it.
        end = begin + ring.step if ring.step == 1 or ring.end > begin else begin
        return ring.between(end - seconds, end)

    @property
    def stale(self) -> bool:
        """Whether nothing was measured in the last seconds, of any app."""
        return bool(self.newest) and self._clock() - self.newest > BEHIND

    def trouble_of(self) -> str | None:
        """Why the newest numbers may be missing for every app; None while they are not."""
        if self.stale:
            return MEASURING_IS_BEHIND
        if self.slabs.queue.trouble:
            return NOT_WRITTEN
        return None

    @property
    def behind_seconds(self) -> float:
        return max(self._clock() - self.newest, 0.0) if self.newest else 0.0

    @property
    def series(self) -> int:
        return sum(1 for one in self._apps.values() for _ in one.all_rings())

    # --- what is told --------------------------------------------------------------------------

    def _tell(self, sweep: Sweep) -> None:
        time = sweep.time
        for name in sweep.expected:
            self._tell_now(name, time, sweep.slow)
        for name in self._apps.keys() - sweep.expected.keys():
            self._tell_now(name, time, sweep.slow)
        self.overview = {
            name: [self._value(name, column, time) for column in COLUMNS] for name in sweep.expected
        }
        self.node = [[n, dict(labels), rounded(v)] for (n, labels), v in sweep.node.items()]
        if self._bus.wanted("overview/"):
            body = orjson.dumps({"apps": self.overview, "node": self.node})
            self._bus.send("overview/", _header(time), body)

    def _tell_now(self, name: str, time: int, slow: bool) -> None:
        if self._bus.wanted(f"metric/{name}/"):
            self._tell_of(name, time, self._apps[name].now(time, slow))

    def _tell_of(self, app: str, time: int, samples: list[list[object]]) -> None:
        topic = f"metric/{app}/"
        if samples and self._bus.wanted(topic):
            self._bus.send(topic, _header(time), orjson.dumps(samples))

    def _value(self, app: str, name: str, time: int) -> float | None:
        ring = self._apps[app].rings.get((name, ()))
        return rounded(ring.between(time, time + 1)[0]) if ring else None

    def _show_quantiles(
        self, app: str, time: int, name: str, labels: Labels, histogram: Histogram
    ) -> None:
        at = time // STEP * STEP
        told: list[list[object]] = []
        for q in QUANTILES:
            value = histogram.quantile(q)
            named = tuple(sorted((*labels, ("quantile", f"{q:g}"))))
            self._app(app).put_quantile(at, (name, named), value)
            told.append([name, dict(named), rounded(value)])
        self._tell_of(app, at, told)

    def _tidy(self) -> None:
        while True:
            gevent.sleep(TIDY_EVERY)
            self.tidy()

    def tidy(self) -> None:
        """Let go of what memory has nothing of any more."""
        for name, series in in_turns(list(self._apps.items())):
            series.tidy(self.newest)
            kept = QUIET if series.own is not None else KEPT
            if name != NODE and series.seen < self.newest - kept and not series.why:
                if series.not_exposed:
                    continue
                del self._apps[name]


def _header(time: int) -> bytes:
    return b'{"v":1,"time":%d}' % time
