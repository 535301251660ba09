"""What is wrong now. Each notice is about one thing: it names it, and goes when that one is well.

Whoever finds out tells it here, as often as it likes: it is logged when it begins and when it ends,
and shown on every page in between. Who may see it follows from what it is about (an app is its
team's), and is settled where it is shown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from cloudbang.core.counters import export

log = logging.getLogger(__name__)

Severity = Literal["error", "warning"]

MOST = 500
"""Notices of one code. Overload policy: what is more is logged and counted, and not shown."""

_LEVELS = {"error": logging.ERROR, "warning": logging.WARNING}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is wrong. ``since`` in ns; of what it is about, what is empty is not meant."""

    code: str  # pages translate by it
    message: str  # an English sentence, with the facts
    severity: Severity
    since: int
    app: str = ""
    container: str = ""  # its short id
    path: str = ""
    setting: str = ""  # as in the configuration: "server.public_url"
    team: str = ""  # whose members alone are told; "" for everybody

    def is_about(self, app: str, container: str, path: str, setting: str) -> bool:
        """Whether all of these that are not empty are what it is about."""
        return (
            app in ("", self.app)
            and container in ("", self.container)
            and path in ("", self.path)
            and setting in ("", self.setting)
        )


class Notices:
    """All that hold now. For the hub; nothing here waits."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._held: dict[str, dict[tuple[str, ...], Notice]] = {}
        self._until: dict[tuple[str, ...], float] = {}  # of those that end by themselves
        self.left_out = 0  # since the start: there were too many of their code
        export(self, "notices", counters={"left_out": "Notices not shown: too many of their code."})

    def begin(
        self,
        code: str,
        message: str,
        *,
        app: str = "",
        container: str = "",
        path: str = "",
        setting: str = "",
        team: str = "",
        severity: Severity = "error",
        lasts: float | None = None,
    ) -> None:
        """Something is wrong, or still is: then only what it says is new. With ``lasts`` it is over
        when it was not told again for so many seconds: for what nobody can see getting well."""
        about = (app, container, path, setting)
        mates = self._held.setdefault(code, {})
        known = mates.get(about)
        if lasts is not None and (known or len(mates) < MOST):
            self._until[code, *about] = time.monotonic() + lasts
        if known:
            if known.message != message or known.severity != severity:
                mates[about] = replace(known, message=message, severity=severity)
            return
        log.log(_LEVELS[severity], "%s", message)
        if len(mates) < MOST:
            mates[about] = Notice(code, message, severity, self._clock(), *about, team)
        else:
            self.left_out += 1

    def end(
        self,
        code: str,
        said: str = "",
        *,
        app: str = "",
        container: str = "",
        path: str = "",
        setting: str = "",
    ) -> None:
        """It is well again: every notice of this code that is about all of what is given. ``said``
        is logged, for each that ends."""
        mates = self._held.get(code)
        if not mates:
            return
        for about, notice in list(mates.items()):
            if notice.is_about(app, container, path, setting):
                self._end(notice, about, said)

    def now(self) -> list[Notice]:
        """All that hold, the oldest first."""
        moment = time.monotonic()
        for code, *about in [key for key, until in self._until.items() if until <= moment]:
            if notice := self._held.get(code, {}).get(tuple(about)):
                self._end(notice, tuple(about), "")
        found = [notice for mates in self._held.values() for notice in mates.values()]
        return sorted(found, key=lambda notice: notice.since)

    def _end(self, notice: Notice, about: tuple[str, ...], said: str) -> None:
        del self._held[notice.code][about]
        if not self._held[notice.code]:
            del self._held[notice.code]
        self._until.pop((notice.code, *about), None)
        what = " ".join(filter(None, about))
        log.warning("%s", said or f"{notice.code} is over{what and ': '}{what}")
