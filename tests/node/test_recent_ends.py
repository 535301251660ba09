"""What the engine's state of this instant does not say of a container: see RecentEnds."""

from __future__ import annotations

from dataclasses import replace
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


def tell(ends: RecentEnds, *actions: str, container: str = ID, **attributes: str) -> None:
    for action in actions:
        ends.tell(EngineEvent(action, container, 0, attributes))


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


@pytest.mark.parametrize(
    ("facts", "events", "completed"),
    [
        ({}, ["die"], True),  # it was started for that, and nobody told it to end
        ({}, ["kill", "die", "stop"], False),  # a server that was stopped, and obeyed
        ({}, ["die", "stop"], False),  # of an engine that tells of no signals
        ({}, [], True),  # it had ended before anybody looked, and was there for nothing else
        ({"publishes": True}, [], False),  # a server: it was told to
        ({"restart_policy": "always"}, [], False),
        ({"slot": "web-r1.1"}, [], False),
        ({"restart_policy": "on-failure"}, ["die"], True),
        ({"restart_policy": "always"}, ["die"], False),  # it is started again in a moment
        ({"restart_policy": "unless-stopped"}, ["die"], False),
        ({"slot": "web-r1.1"}, ["die"], False),  # a service's: another takes its place
        ({"slot": "web-r1.1", "job": True}, ["die"], True),
        ({"job": True}, [], True),  # what it is for says enough
        ({"job": True}, ["kill", "die"], False),
    ],
)
def test_what_ended_by_itself_and_well_is_done(
    ends: RecentEnds, facts: dict[str, Any], events: list[str], completed: bool
) -> None:
    """And what was stopped is stopped, though both end with 0."""
    for action in events:
        tell(ends, action, signal="15", exitCode="0")
    ended = instance("exited", NOW, exit_code=0, **facts)
    assert ends.judge(ended).completed is completed
    assert not ends.judge(replace(ended, exit_code=1)).completed
    assert not ends.judge(replace(ended, state="running")).completed


def test_what_ran_before_our_eyes_has_to_be_seen_to_end(ends: RecentEnds) -> None:
    """While the engine was away it may have been stopped, and the engine with it."""
    ended = instance("exited", NOW, exit_code=0)
    ends.judge(replace(ended, state="running"))
    assert ends.judge(ended).condition == "exited"
    ends.forget(ID)
    assert ends.judge(ended).condition == "done"


def test_one_of_a_service_that_is_stopped_with_sigkill_has_not_crashed(
    ends: RecentEnds, clock: Clock
) -> None:
    """The engine tells of the stop after the end that it made."""
    old = task(0, "running")
    ends.judge(old)
    tell(ends, "kill", "die", container=old.id, signal="9", exitCode="137")
    assert ends.judge(task(0, "exited", clock.wall, exit_code=137)).restarts == 1
    tell(ends, "stop", container=old.id)
    ended = ends.judge(task(0, "exited", clock.wall, exit_code=137))
    assert (ended.condition, ended.restarts, ended.last_exit) == ("exited", 0, None)
    assert ends.judge(task(1, "running")).condition == "running"


def test_a_job_that_is_done_is_no_crash(ends: RecentEnds, clock: Clock) -> None:
    """One that failed first and then went through is done, and was started again once."""
    first = task(0, "exited", clock.wall, exit_code=3, job=True)
    tell(ends, "die", exitCode="3", container=first.id)
    assert ends.judge(first).condition == "restarting"
    tell(ends, "die", exitCode="0", container="01" * 32)
    done = ends.judge(task(1, "exited", clock.wall, exit_code=0, job=True))
    assert (done.condition, done.restarts, done.last_exit) == ("done", 1, 3)


def task(n: int, state: str, ended: float | None = None, **facts: Any) -> Instance:
    """One after the other in the same place of a service."""
    return replace(instance(state, ended, **facts), id=f"{n:02}" * 32, slot="web-r1.1")


def test_a_service_that_crashes_again_and_again_is_seen_in_its_place(
    ends: RecentEnds, clock: Clock
) -> None:
    """Swarm restarts no container, it makes another: how often, and with which code the last one
    ended, is told of the one that runs; after some quiet minutes it is well."""
    for n in range(3):
        assert ends.judge(task(n, "running")).restarts == n
        died = EngineEvent("die", f"{n:02}" * 32, 0, {"exitCode": str(n)})
        ends.tell(died)
        ended = ends.judge(task(n, "exited", clock.wall, exit_code=n))
        assert ended.condition == "restarting"
        assert ends.judge(task(n, "exited", clock.wall, exit_code=n)).restarts == n + 1
    runs = ends.judge(task(3, "running"))
    assert (runs.condition, runs.restarts, runs.last_exit) == ("restarting", 3, 2)
    ends.forget("00" * 32)  # Swarm keeps the last five
    assert ends.judge(task(3, "running")).restarts == 3
    clock.go(301)
    assert ends.over() == ["03" * 32]
    assert ends.judge(task(3, "running")).condition == "running"


def test_a_service_that_was_told_to_stop_did_not_crash(ends: RecentEnds, clock: Clock) -> None:
    """By Swarm, before our eyes or before our start; one that failed before that did."""
    id = "00" * 32
    ends.judge(task(0, "running"))
    ends.tell(EngineEvent("kill", id, 0, {"signal": "15"}))
    ends.tell(EngineEvent("die", id, 0, {"exitCode": "1"}))
    assert ends.judge(task(0, "exited", clock.wall, exit_code=1)).condition == "failed"
    for code in (0, 143):
        assert ends.judge(task(1, "exited", clock.wall, exit_code=code)).restarts == 0
    assert ends.judge(task(2, "exited", clock.wall - 10, exit_code=3)).restarts == 1
    assert ends.judge(task(3, "running")).last_exit == 3
