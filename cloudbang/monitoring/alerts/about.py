"""What alerts are about, as they are handed it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from cloudbang.domain.alerts.machine import Verdict
from cloudbang.domain.alerts.rules import Rule
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.events import Event

Key = tuple[int, str, str]
"""Rule, app, subject."""


class Found(NamedTuple):
    """How it is with one thing that a rule is about, and what there is to say of it."""

    rule: Rule
    app: str
    subject: str
    verdict: Verdict
    facts: dict[str, Any]


class Apps(Protocol):
    """What is asked of the registry."""

    def get(self, name: str) -> App | None: ...
    def owner(self, name: str) -> str | None: ...


class Containers(Protocol):
    """What is asked of the inventory."""

    @property
    def engine_state(self) -> str: ...
    def instances(self) -> list[Instance]: ...


class Events(Protocol):
    """What is kept of events."""

    def after(self, id: int, limit: int = 500) -> list[Event]: ...
    def newest_id(self) -> int: ...


class Recorder(Protocol):
    """Who keeps them."""

    def listen(self, callback: Callable[[], None]) -> None: ...
    def record(self, *events: Event) -> None: ...


class Measured(Protocol):
    """What is measured or counted, and not told by events."""

    def look(self, rules: Sequence[Rule]) -> Iterable[Found]:
        """Of each rule that it is about."""
