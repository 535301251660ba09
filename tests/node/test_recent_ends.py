"""What the engine's state of this instant does not say of a container: see RecentEnds."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.domain.lines import format_time
from cloudbang.engine import EngineEvent
from cloudbang.node.recent_ends import RecentEnds

ID = "ab" * 32
NOW = 1_750_000_000.0


class Clock:
    """Both clocks of the machine, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.passed = NOW, 100.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ends(clock: Clock) -> RecentEnds:
    return RecentEnds(300.0, lambda: clock.wall, lambda: clock.passed)


def instance(state: str = "running", ended: float | None = None, **facts: Any) -> Instance:
    """``ended``: when its last run did, in seconds since 1970."""
    finished = None if ended is None else format_time(int(ended * 1e9))
    base: dict[str, Any] = {"id": ID, "name": "web", "app": "web", "stack": None, "image": "x"}
    known: dict[str, Any] = {"image_id": "", "state": state, "created": format_time(0)}
    return Instance(**base, **known, finished_at=finished, **facts)


def tell(ends: RecentEnds, *actions: str, **attributes: str) -> None:
    for action in actions:
        ends.tell(EngineEvent(action, ID, 0, attributes))


def test_one_that_was_restarted_is_unsteady_for_some_minutes(
    ends: RecentEnds, clock: Clock
) -> None:
    """Whether it runs at this instant or not; each restart counts anew, and then it is over."""
    assert not ends.judge(instance()).unsteady
    assert ends.judge(instance("restarting", clock.wall, restarts=1, exit_code=1)).unsteady
    running = instance("running", clock.wall, restarts=1)
    clock.go(200)
    assert ends.judge(running).unsteady
    again = instance("running", clock.wall, restarts=2)
    assert ends.judge(again).unsteady
    clock.go(200)
    assert ends.over() == []
    assert ends.judge(again).unsteady
    clock.go(101)
    assert ends.over() == [ID]
    assert ends.over() == []
    assert not ends.judge(again).unsteady


def test_a_restart_of_long_ago_is_none(ends: RecentEnds, clock: Clock) -> None:
    """A container that was restarted before this server was started is judged by its own memory;
    and a clock that is ahead makes no restart that lasts for ever."""
    assert not ends.judge(instance("running", clock.wall - 301, restarts=7)).unsteady
    other = RecentEnds(300.0, lambda: clock.wall, lambda: clock.passed)
    ahead = instance("running", clock.wall + 86_400, restarts=7)
    assert other.judge(ahead).unsteady
    clock.go(301)
    assert not other.judge(ahead).unsteady


def test_who_is_started_by_a_person_begins_anew(ends: RecentEnds, clock: Clock) -> None:
    """The engine then counts its restarts from zero."""
    assert ends.judge(instance("running", clock.wall, restarts=3)).unsteady
    assert not ends.judge(instance("running", clock.wall, restarts=0)).unsteady


@pytest.mark.parametrize(
    ("events", "killed"),
    [
        ([("kill", "9"), ("die", "")], True),  # docker kill
        ([("die", "")], True),  # by a process, or the machine's administrator
        ([("kill", "15"), ("kill", "9"), ("die", ""), ("stop", "")], False),  # docker stop
        ([("kill", "SIGTERM"), ("die", "")], False),
        ([("die", ""), ("stop", "")], False),  # an engine that tells of no signals
        ([("kill", "1"), ("kill", "9"), ("die", "")], True),  # a reload, and later a kill
        ([("kill", "15"), ("start", ""), ("kill", "9"), ("die", "")], True),
        ([("die", ""), ("start", "")], False),
        ([], False),  # nobody saw it
    ],
)
def test_a_kill_that_nobody_asked_for_is_told_from_a_stop(
    ends: RecentEnds, events: list[tuple[str, str]], killed: bool
) -> None:
    """Both end with 137 where the process does not listen to SIGTERM."""
    for action, signal in events:
        tell(ends, action, signal=signal, exitCode="137")
    assert ends.judge(instance("exited", NOW, exit_code=137)).killed is killed
    assert not ends.judge(instance("exited", NOW, exit_code=137, oom_killed=True)).killed
    assert not ends.judge(instance()).killed


def test_who_is_gone_is_forgotten(ends: RecentEnds, clock: Clock) -> None:
    """Nothing is kept of a container that was removed."""
    tell(ends, "kill", "die", signal="9", exitCode="137")
    ends.judge(instance("running", clock.wall, restarts=3))
    ends.forget(ID)
    assert not ends.judge(instance("exited", clock.wall, exit_code=137)).killed
    clock.go(1000)
    assert ends.over() == []
