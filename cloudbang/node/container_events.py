"""What happened to containers, as events of their apps: what the engine tells as it happens, and
what a container remembers of itself. Somebody else keeps them: here or on another machine."""

from __future__ import annotations

from typing import Protocol

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import INSPECTION, Event
from cloudbang.engine import EngineEvent

_KINDS = {"destroy": "remove"} | {
    kind: kind for kind in ("create", "start", "restart", "die", "oom", "pause", "unpause")
}
_HEALTH = "health_status: "


class EventSink(Protocol):
    """Where events go. What comes twice, or is told by the engine and found out by an inspection
    as well, is kept once; that is the sink's to see."""

    def record(self, *events: Event) -> None:
        """Take these over, in their order. Called on the hub: never waits, never raises."""


def event_of(told: EngineEvent, app: str, asked: bool = False) -> Event | None:
    """The event that the engine told of; None when it is of no kind that is kept. ``asked``: of an
    end, whether somebody had asked for it."""
    if told.action.startswith(_HEALTH):
        data: dict[str, object] = {"status": told.action.removeprefix(_HEALTH)}
        return Event(app, told.time, "health", told.container[:12], data)
    kind = _KINDS.get(told.action)
    if kind is None:
        return None
    code = told.attributes.get("exitCode", "") if kind == "die" else ""
    data = _exit(int(code) if code.isdecimal() else None)
    if kind == "die" and asked:
        data["asked"] = True
    # By its last word at the latest: what is gone is told apart by the name it had.
    if kind in ("create", "remove") and (name := told.attributes.get("name")):
        data["name"] = name
    return Event(app, told.time, kind, told.container[:12], data)


def remembered(instance: Instance) -> list[Event]:
    """What the container remembers of itself, whether or not anybody has told of it."""
    ended = instance.state in ("exited", "dead")
    # The exit code of a run before the present one is not remembered.
    moments: list[tuple[str, str | None, dict[str, object]]] = [
        ("create", instance.created, {"name": instance.name}),
        ("start", instance.started_at, {}),
        ("oom", instance.finished_at if ended and instance.oom_killed else None, {}),
        ("die", instance.finished_at, _exit(instance.exit_code) if ended else {}),
    ]
    return [
        Event(instance.app, time, kind, instance.short, {**data, "source": INSPECTION})
        for kind, time, data in moments
        if time
    ]


def _exit(code: int | None) -> dict[str, object]:
    """The exit code, and the signal that it stands for."""
    if code is None:
        return {}
    data: dict[str, object] = {"exit_code": code}
    if 128 < code < 193:
        data["signal"] = code - 128
    return data
