"""Logs of what is no app, such as a deployment: listed nowhere, kept until their lines are old."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from cloudbang.core.loop import in_turns
from cloudbang.domain.names import is_app_name


class Logs(Protocol):
    """What is asked of the log store."""

    def __contains__(self, app: str) -> bool: ...
    def has_lines(self, app: str) -> bool: ...
    def forget(self, app: str, leaving: Callable[[], bool]) -> bool: ...


class OtherLogs:
    """Whose each of them is, by the name that the store has it under."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs
        self._teams: dict[str, str] = {}

    def load(self, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Take over those of ``names`` (each with its team) that are no apps; gives the others."""
        for name, team in names:
            if is_app_name(name):
                yield name, team
            else:
                self._teams[name] = team

    def keep(self, name: str, team: str) -> None:
        """Lines will be kept under that name, for that team, whatever becomes of its apps."""
        self._teams.setdefault(name, team)

    def team_of(self, name: str) -> str | None:
        return self._teams.get(name)

    def forget_empty(self) -> None:
        """Forget those whose lines have all gone of old age. Raises StorageFull, StorageFailed."""
        for name in in_turns([*self._teams]):
            empty = name in self._logs and not self._logs.has_lines(name)
            if empty and self._logs.forget(name, lambda: True):
                del self._teams[name]
