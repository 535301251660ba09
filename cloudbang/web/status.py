"""What everybody has to know now: one shape for API and socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from cloudbang.accounts import Caller, TokenEnd
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

    def __init__(
        self,
        engine: Engine,
        held: Notices,
        team_of: Callable[[str], str],
        token_ends: Callable[[Caller], list[TokenEnd]] = lambda caller: [],
    ) -> None:
        """``token_ends(caller)``: the ends of tokens that a caller has to know of."""
        self._engine, self._held, self._team_of = engine, held, team_of
        self._token_ends = token_ends

    def notices(self, caller: Caller) -> list[dict[str, Any]]:
        """What is wrong now, as JSON values; empty when all is well. What is about an app is for
        those of its team, what is about a token for its owner."""
        teams = caller.teams("view")
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
        ends = self._token_ends(caller)
        found += map(_of_token, ends[:SHOWN])
        if len(ends) > SHOWN:
            found[-1]["more"] = len(ends) - SHOWN
        if error := self._engine.engine_error:
            code = "engine-refused" if error in _REFUSED else "engine-unreachable"
            found.append({"code": code, "severity": "error", "message": error, "since": None})
        return found


def _of_token(end: TokenEnd) -> dict[str, Any]:
    ends_at = format_time(end.ends_at * 1_000_000_000)
    if end.refused:
        code = "token-refused"
        said = f"the API token {end.name} ended at {ends_at}, and {end.refused} still asks with it"
    else:
        code, said = "token-ends", f"the API token {end.name} ends at {ends_at}"
    shown = {"code": code, "severity": "warning", "message": said, "since": None}
    return {**shown, "token": end.name, "ends_at": ends_at, "address": end.refused}
