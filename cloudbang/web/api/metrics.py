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
from cloudbang.accounts import DEFAULT_TEAM
from cloudbang.core.counters import exported
from cloudbang.core.memory import resident

if TYPE_CHECKING:
    from cloudbang.accounts import Caller
    from cloudbang.web.services import Services

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _ServicesCollector(Collector):
    def __init__(self, services: Services, caller: Caller | None) -> None:
        self._services, self._caller = services, caller

    def collect(self) -> Iterable[Metric]:
        yield from _process()
        yield from self._health()
        if self._sees_totals():
            yield from self._totals()
        if self._caller is not None:
            yield from self._apps(self._caller.teams("view"))

    def _sees_totals(self) -> bool:
        """Whether the caller sees what every team owns. Who shows no account is told the totals
        while there is the one team: of several, each could take its own away and knew the rest."""
        sees = self._caller.teams("view") if self._caller else {DEFAULT_TEAM}
        return self._services.accounts.credentials.teams <= sees

    def _health(self) -> Iterable[Metric]:
        """How this process does, whatever it keeps."""
        up = self._services.inventory.engine_state == "connected"
        yield _gauge("engine_up", "1 while the Docker Engine answers.", int(up))
        trouble = self._services.store.health is not None
        yield _gauge("storage_trouble", "1 while lines cannot be stored.", int(trouble))
        refusing = self._services.store.refusing
        yield _gauge("storage_apps_refused", "Apps whose own path takes no lines.", refusing)
        yield _gauge("notices", "Notices that hold now.", len(self._services.notices.now()))
        yield from self._exported(of_teams=False)
        yield _gauge("live_sockets", "Open live sockets.", self._services.live.connections)
        if (lag := self._services.loop_lag) is not None:
            found = GaugeMetricFamily(
                "cloudbang_loop_lag_seconds",
                "How late the hub woke a greenlet that was due, in the last minute.",
                labels=["quantile"],
            )
            for quantile in (0.5, 0.99, 1.0):
                found.add_metric([f"{quantile:g}"], lag.quantile(quantile))
            yield found

    def _totals(self) -> Iterable[Metric]:
        """What all teams own together."""
        store, terminals = self._services.store, self._services.terminals
        running = sum(i.state == "running" for i in self._services.inventory.instances())
        yield _gauge("apps", "Apps known.", len(self._services.apps))
        yield _gauge("instances_running", "Containers that run.", running)
        yield _gauge("log_bytes", "Log lines on disk, in bytes.", store.totals()[0])
        yield _counter("log_lines", "Lines ever stored.", store.ever_stored)
        yield _gauge("terminals", "Terminals open now.", len(terminals))
        yield from self._exported(of_teams=True)

    def _exported(self, *, of_teams: bool) -> Iterable[Metric]:
        """What parts count by themselves; and all that the bus dropped in one number."""
        for family in exported():
            if family.of_teams is not of_teams:
                continue
            if family.name == "bus_dropped":
                malformed = sum(family.values.values())
                yield _counter("bus_malformed", "All that the bus dropped.", malformed)
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            metric = kind(f"cloudbang_{family.name}", family.text, labels=family.labels)
            for key, value in sorted(family.values.items()):
                metric.add_metric(key, value)
            yield metric

    def _apps(self, teams: frozenset[str]) -> Iterable[Metric]:
        """Of each app of these teams."""
        store, names = self._services.store, self._services.apps.names(teams)
        size = GaugeMetricFamily("cloudbang_app_log_bytes", "Of one app, in bytes.", labels=["app"])
        lines = CounterMetricFamily("cloudbang_app_log_lines", "Of one app.", labels=["app"])
        lag = GaugeMetricFamily(
            "cloudbang_app_lag_seconds", "How far reading an app's log is behind.", labels=["app"]
        )
        lags = self._services.collector.lags()
        for name in names:
            size.add_metric([name], store.size(name))
            lines.add_metric([name], store.next_seq(name) - 1)
            lag.add_metric([name], lags.get(name, 0.0))
        yield from (size, lines, lag)


def exposition(services: Services, caller: Caller | None) -> bytes:
    """All metrics as text. It names the apps that ``caller`` may see, to nobody none; totals of
    all teams are for who sees them all."""
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
    yield GaugeMetricFamily("process_resident_memory_bytes", "Memory used.", value=resident())
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
