"""What the engine tells and what a container remembers, as events."""

from __future__ import annotations

from dataclasses import replace

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import parse_time
from cloudbang.engine import EngineEvent
from cloudbang.node.container_events import event_of, remembered

ID = "ab" * 32
WHEN = "2026-07-01T12:00:00.000000000Z"
LATER = "2026-07-01T13:00:00.000000000Z"


def told(action: str, **attributes: str) -> EngineEvent:
    return EngineEvent(action, ID, parse_time(WHEN), attributes)


def test_what_the_engine_tells() -> None:
    """Words of the engine become kinds of ours; what shows nowhere is none."""
    assert event_of(told("destroy"), "web") == Event("web", WHEN, "remove", ID[:12])
    assert event_of(told("health_status: unhealthy"), "web") == Event(
        "web", WHEN, "health", ID[:12], {"status": "unhealthy"}
    )
    assert event_of(told("die", exitCode="137"), "web") == Event(
        "web", WHEN, "die", ID[:12], {"exit_code": 137, "signal": 9}
    )
    assert event_of(told("die", exitCode="?"), "web") == Event("web", WHEN, "die", ID[:12])
    assert event_of(told("rename"), "web") is None


def test_what_a_container_remembers() -> None:
    """Its creation, its last start and end; the exit code only of a run that has ended."""
    running = Instance(
        id=ID,
        name="web",
        app="web",
        stack=None,
        image="busybox",
        image_id="sha256:0",
        state="running",
        created=WHEN,
        started_at=LATER,
    )
    inspection = {"source": "inspection"}
    assert remembered(running) == [
        Event("web", WHEN, "create", ID[:12], {"name": "web", **inspection}),
        Event("web", LATER, "start", ID[:12], inspection),
    ]
    ended = replace(
        running, state="exited", finished_at=LATER, started_at=WHEN, exit_code=9, oom_killed=True
    )
    assert [(e.kind, e.data) for e in remembered(ended)[2:]] == [
        ("oom", inspection),
        ("die", {"exit_code": 9, **inspection}),
    ]
    again = replace(ended, state="running")
    assert [(e.kind, e.data) for e in remembered(again)[2:]] == [("die", inspection)]
