"""What happened to apps, as rules ask for it: which ends nobody asked for, how many lately, whether
the last deployment failed.

Ends that somebody asked for are none. Nor are those of an engine that went away itself, nor of a
release that is just being deployed: what becomes of that the deployment tells.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from cloudbang.domain.alerts.machine import Verdict, verdict_of
from cloudbang.domain.alerts.rules import EventCondition
from cloudbang.domain.apps import TOLD_TO_STOP
from cloudbang.domain.events import Event

SETTLES = (
    1.0  # seconds until an end counts: the engine may be going away, or the container be removed
)
ASKED_WITHIN = 30.0  # seconds in which what a person asked for shows
BEFORE_AWAY = 15.0  # seconds before an engine was found to be away, in which it ended what ran
LOST = 255  # the exit code of what ended while the engine did not run
COUNTED = 3600.0  # seconds for which an end counts
MOST = 1_000  # ends of one app that are remembered
STOPS = frozenset({"stop", "kill", "restart", "remove", "scale", "delete", "stack-down"})


@dataclass(slots=True)
class _App:
    deaths: deque[tuple[float, dict[str, object]]] = field(default_factory=deque)
    ooms: deque[tuple[float, dict[str, object]]] = field(default_factory=deque)
    # By occurrence when it was, of those not yet told of; and whether that was long ago.
    fresh: dict[str, tuple[float, bool]] = field(default_factory=dict)
    asked: float = -1e9  # when somebody last asked for an end
    deploying: bool = False
    failed: dict[str, object] | None = None
    served: bool = False
    unhealthy: bool = False

    def has(self, kind: str, now: float, old: bool) -> None:
        """It happened. What happens again meanwhile puts off nothing: one that ends each half second
        would never be told of."""
        at, was_old = self.fresh.get(kind, (now, old))
        self.fresh[kind] = (at, old and was_old)

    @property
    def is_notable(self) -> bool:
        return bool(self.fresh or self.failed or self.unhealthy or len(self.deaths) > 1)


class Occurrences:
    """By app. The seconds are those of a clock that nobody sets."""

    def __init__(self) -> None:
        self._apps: dict[str, _App] = {}

    @property
    def notable(self) -> list[str]:
        """The apps of which there is something to judge."""
        return [name for name, its in self._apps.items() if its.is_notable]

    @property
    def settling(self) -> set[str]:
        """The apps of which something happened that is not judged yet."""
        return {name for name, its in self._apps.items() if its.fresh}

    def settled_in(self, now: float) -> float | None:
        """Seconds until the next of it may be judged; None where there is nothing, or nobody knows."""
        left = [at + SETTLES - now for its in self._apps.values() for at, _ in its.fresh.values()]
        return min((seconds for seconds in left if seconds > 0), default=None)

    def take(self, event: Event, now: float, fresh: bool = True, old: bool = False) -> None:
        """``fresh``: it is to be told; otherwise it only counts. ``old``: only if the app has not
        come back meanwhile."""
        if not event.app:
            return
        its = self._apps.setdefault(event.app, _App())
        match event.kind:
            case "die":
                self._died(its, event, now, fresh, old)
            case "oom":
                its.ooms.append((now, {**event.data, "event": event.id}))
                if fresh:
                    its.has("oom", now, old)
            case "health":
                its.unhealthy = event.data.get("status") == "unhealthy"
            case "deployment":
                outcome = event.data.get("outcome")
                its.deploying = outcome == "began"
                if outcome == "failed":
                    its.failed, its.served = dict(event.data), False
                elif outcome == "serving":
                    its.failed, its.served = None, True
            case "action" if event.data.get("what") in STOPS:
                its.asked = now
                self._forget_ends(its)
        for ends in (its.deaths, its.ooms):
            while ends and (len(ends) > MOST or ends[0][0] < now - COUNTED):
                ends.popleft()

    def _died(self, its: _App, event: Event, now: float, fresh: bool, old: bool) -> None:
        code = event.data.get("exit_code")
        asked = bool(event.data.get("asked")) or now - its.asked <= ASKED_WITHIN
        # Of one that nobody was told of as it happened, nobody knows whether it was asked for.
        asked = asked or (event.found_out and code in (0, None, LOST, *TOLD_TO_STOP))
        if asked:
            self._forget_ends(its)
        elif not its.deploying:
            more = {"container": event.container, "event": event.id}
            its.deaths.append((now, {**event.data, **more}))
            if fresh and code != 0:
                its.has("died", now, old)

    @staticmethod
    def _forget_ends(its: _App) -> None:
        its.deaths.clear()
        its.fresh.pop("died", None)

    def engine_away(self, now: float) -> None:
        """What ended shortly before ended with the engine."""
        for its in self._apps.values():
            while its.deaths and its.deaths[-1][0] >= now - BEFORE_AWAY:
                its.deaths.pop()
            if "died" in its.fresh and its.fresh["died"][0] >= now - BEFORE_AWAY:
                del its.fresh["died"]

    def set_unhealthy(self, app: str) -> None:
        """It was already when nobody looked yet."""
        self._apps.setdefault(app, _App()).unhealthy = True

    def forget(self, app: str) -> None:
        self._apps.pop(app, None)

    def facts(self, app: str, condition: EventCondition, now: float) -> dict[str, object]:
        """What there is to say of the last one."""
        its = self._apps.get(app) or _App()
        match condition.occurrence:
            case "died":
                return dict(its.deaths[-1][1]) if its.deaths else {}
            case "oom":
                return dict(its.ooms[-1][1]) if its.ooms else {}
            case "crash-loop":
                return {"count": self._count(its, condition.within, now)}
            case "deployment-failed":
                return dict(its.failed or {})
        return {}

    def verdict(
        self,
        app: str,
        condition: EventCondition,
        now: float,
        well: bool | None,
        firing: bool,
        unhealthy: bool = True,
    ) -> Verdict:
        """``well``: whether the app runs as it should now, None where nobody can know; ``firing``:
        whether it is an alert already, or about to be one; ``unhealthy``: whether it is so now."""
        its = self._apps.get(app) or _App()
        if well is None:
            return "unknown"
        match condition.occurrence:
            case "died" | "oom" as kind:
                return self._once(its, kind, now, well, firing)
            case "crash-loop":
                count = self._count(its, condition.within, now)
                return verdict_of(float(count), condition.begin, condition.end)
            case "unhealthy":
                return "over" if its.unhealthy and unhealthy else "under"
            case "deployment-failed":
                if its.failed is not None:
                    return "over"
                return "under" if its.served or not firing else "between"
        return "under"

    def _once(self, its: _App, kind: str, now: float, well: bool, firing: bool) -> Verdict:
        """It is an alert because it happened, whether or not the app is well again by now."""
        at, old = its.fresh.get(kind, (None, False))
        if at is not None:
            if now - at < SETTLES:
                return "between"
            if not (old and well):
                return "over"
        if not firing or well or now - its.asked <= ASKED_WITHIN:
            return "under"
        # It may be restarted by another than who ended it: until it runs, it is down.
        return "over" if its.deaths or kind == "died" else "between"

    def judged(self, app: str, now: float) -> None:
        """All rules have looked at what there is of it."""
        its = self._apps.get(app) or _App()
        for kind, (at, _) in [*its.fresh.items()]:
            if now - at >= SETTLES:
                del its.fresh[kind]

    @staticmethod
    def _count(its: _App, within: float, now: float) -> int:
        return sum(at > now - within for at, _ in its.deaths)
