"""What people get, as rules ask for it: percentiles, failed requests and requests a second.

That nobody asks for anything is no sign that all is well: a percentile of nothing is nothing. While so
it is unknown, and what was an alert stays one; after an hour it is over, and said to be over for want
of requests, since nobody would ever know better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

from cloudbang.core.loop import in_turns
from cloudbang.domain.alerts.machine import Verdict, verdict_of
from cloudbang.domain.alerts.rules import Rule, TrafficCondition
from cloudbang.domain.alerts.traffic import shown, value_of
from cloudbang.monitoring.alerts.about import Apps, Found, Key
from cloudbang.monitoring.traffic.recent import Lately, Subject

SILENT = 3600.0  # seconds without requests enough, after which nobody waits for more


class Recent(Protocol):
    """What is asked of the traffic."""

    def of(self, subject: Subject, seconds: float) -> Lately | None: ...


class TrafficRules:
    """``routed()``: the apps that people can ask."""

    def __init__(
        self,
        recent: Recent,
        apps: Apps,
        routed: Callable[[], Collection[str]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recent, self._apps, self._routed, self._monotonic = recent, apps, routed, monotonic
        self._heard: dict[Key, float] = {}  # when something was known of it last

    def look(self, rules: Sequence[Rule]) -> Iterator[Found]:
        about = [
            (rule, rule.condition)
            for rule in rules
            if rule.enabled and isinstance(rule.condition, TrafficCondition)
        ]
        seen: dict[Key, float] = {}
        routed = set(self._routed()) if about else set()
        for rule, its in about:
            for name in in_turns([rule.app] if rule.app else sorted(routed)):
                team = self._apps.owner(name)
                if team is not None and rule.is_about(name, team):
                    key = (rule.id, name, its.address)
                    yield self._found(rule, its, name, key, name in routed)
                    seen[key] = self._heard[key]
        self._heard = seen

    def _found(self, rule: Rule, its: TrafficCondition, name: str, key: Key, routed: bool) -> Found:
        now = self._monotonic()
        facts: dict[str, Any] = {"measure": its.measure}
        if its.address:
            facts["address"] = its.address
        lately = self._recent.of(subject_of(its, name), its.within)
        value = None if lately is None else now_of(its, lately)
        if value is not None or lately is None:
            self._heard[key] = now  # that the log is not read is nobody's silence
        silent = now - self._heard.setdefault(key, now)
        verdict: Verdict = verdict_of(value, its.begin, its.end, its.below)
        if value is not None:
            facts["value"] = shown(its, value)
        if not routed:
            verdict, facts["gone"] = "under", True
        elif silent >= SILENT:
            verdict, facts["silent"], facts["minutes"] = "under", True, round(silent / 60)
        return Found(rule, name, its.address, verdict, facts)


def subject_of(its: TrafficCondition, app: str) -> Subject:
    return Subject(app, its.method, its.template)


def now_of(its: TrafficCondition, lately: Lately) -> float | None:
    latency = lately.latency
    told = (lately.requests, lately.errors, latency.count, latency.quantile, lately.seconds)
    return value_of(its, *told)
