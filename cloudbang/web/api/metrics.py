"""What Prometheus is told, read from the services at the moment it asks."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cloudbang import __version__

if TYPE_CHECKING:
    from cloudbang.accounts import Caller
    from cloudbang.web.services import Services

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _ServicesCollector(Collector):
    def __init__(self, services: Services, caller: Caller | None) -> None:
        self._services, self._caller = services, caller

    def collect(self) -> Iterable[Metric]:
        yield from _process()
        yield from self._store()
        yield from self._live()
        yield from self._events()
        running = sum(i.state == "running" for i in self._services.inventory.instances())
        yield _gauge("apps", "Apps known.", len(self._services.apps))
        yield _gauge("instances_running", "Containers that run.", running)
        up = self._services.inventory.engine_error is None
        yield _gauge("engine_up", "1 while the Docker Engine answers.", int(up))
        if (terminals := self._services.terminals) is not None:
            yield _gauge("terminals", "Terminals open now.", len(terminals))
            yield _counter("terminals_opened", "Terminals ever opened.", terminals.opened)
        if (lag := self._services.loop_lag) is not None:
            found = GaugeMetricFamily(
                "cloudbang_loop_lag_seconds",
                "How late the hub woke a greenlet that was due, in the last minute.",
                labels=["quantile"],
            )
            for quantile in (0.5, 0.99, 1.0):
                found.add_metric([f"{quantile:g}"], lag.quantile(quantile))
            yield found

    def _store(self) -> Iterable[Metric]:
        store = self._services.store
        yield _gauge("log_bytes", "Log lines on disk, in bytes.", store.totals()[0])
        yield _counter("log_lines", "Lines ever stored.", store.ever_stored)
        trouble = self._services.store.trouble is not None
        yield _gauge("storage_trouble", "1 while lines cannot be stored.", int(trouble))
        if self._caller is None:
            return
        apps = self._services.apps
        names = apps.names(self._caller.teams("view"))
        size = GaugeMetricFamily("cloudbang_app_log_bytes", "Of one app, in bytes.", labels=["app"])
        lines = CounterMetricFamily("cloudbang_app_log_lines", "Of one app.", labels=["app"])
        lag = GaugeMetricFamily(
            "cloudbang_app_lag_seconds", "How far reading an app's log is behind.", labels=["app"]
        )
        for name in names:
            size.add_metric([name], store.size(name))
            lines.add_metric([name], store.next_seq(name) - 1)
            lag.add_metric([name], self._services.collector.lag(name) or 0.0)
        yield from (size, lines, lag)

    def _live(self) -> Iterable[Metric]:
        live = self._services.live
        yield _gauge("live_sockets", "Open live sockets.", live.connections)
        yield _counter("live_slow_viewers", "Viewers too slow for the lines.", live.slow_viewers)
        yield _counter("bus_malformed", "Messages of the bus that do not parse.", live.malformed)

    def _events(self) -> Iterable[Metric]:
        recorder = self._services.recorder
        yield _counter("events_recorded", "Events stored and published.", recorder.recorded)
        yield _counter("events_dropped", "Events not kept: too many waited.", recorder.dropped)
        yield _gauge("events_waiting", "Events told and not stored yet.", recorder.waiting)


def exposition(services: Services, caller: Caller | None) -> bytes:
    """All metrics as text. It names the apps that ``caller`` may see, to nobody none."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_ServicesCollector(services, caller))
    return generate_latest(registry)


def _process() -> Iterable[Metric]:
    info = GaugeMetricFamily("cloudbang_info", "Which CloudBang this is.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield CounterMetricFamily(
        "process_cpu_seconds", "CPU time used.", value=used.ru_utime + used.ru_stime
    )
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    yield GaugeMetricFamily(
        "process_resident_memory_bytes", "Memory used.", value=pages * os.sysconf("SC_PAGE_SIZE")
    )
    yield GaugeMetricFamily(
        "process_open_fds", "Open file descriptors.", value=len(os.listdir("/proc/self/fd"))
    )
    yield GaugeMetricFamily(
        "process_start_time_seconds", "When it started, since 1970.", value=_STARTED
    )


_STARTED = time.time()


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cloudbang_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"cloudbang_{name}", text, value=value)
