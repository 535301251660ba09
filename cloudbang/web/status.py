"""What everybody has to know now: one shape for API and socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from cloudbang.core.notices import Notices
from cloudbang.domain.lines import format_time
from cloudbang.domain.refusals import REFUSALS

_REFUSED = {refusal.sentence.en for refusal in REFUSALS.values()}
SHOWN = 5  # notices of one code; of more of them, how many there are


class Engine(Protocol):
    """What is asked of the inventory."""

    @property
    def engine_error(self) -> str | None:
        """Why the engine cannot be asked; None when it can."""


class Status:
    """The notices, for whoever may see what they are about. Pages translate them by ``code``."""

    def __init__(self, engine: Engine, held: Notices, team_of: Callable[[str], str]) -> None:
        self._engine, self._held, self._team_of = engine, held, team_of

    def notices(self, teams: frozenset[str]) -> list[dict[str, Any]]:
        """What is wrong now, as JSON values; empty when all is well. What is about an app is for
        those of its team."""
        found: list[dict[str, Any]] = []
        last: dict[str, dict[str, Any]] = {}
        count: Counter[str] = Counter()
        for notice in self._held.now():
            if notice.app and self._team_of(notice.app) not in teams:
                continue
            if notice.team and notice.team not in teams:
                continue
            count[notice.code] += 1
            if count[notice.code] > SHOWN:
                last[notice.code]["more"] = count[notice.code] - SHOWN
                continue
            shown: dict[str, Any] = {
                "code": notice.code,
                "severity": notice.severity,
                "message": notice.message,
                "since": format_time(notice.since),
            }
            for fact in ("app", "container", "path", "setting"):
                if value := getattr(notice, fact):
                    shown[fact] = value
            found.append(shown)
            last[notice.code] = shown
        if error := self._engine.engine_error:
            code = "engine-refused" if error in _REFUSED else "engine-unreachable"
            found.append({"code": code, "severity": "error", "message": error, "since": None})
        return found
