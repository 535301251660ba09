"""How an app does: decided from what the engine says of its containers."""

from __future__ import annotations

from typing import Any

import pytest

from cloudbang.domain.apps import App, Instance

EARLY, LATE = "2026-01-01T00:00:00.000000000Z", "2026-01-02T00:00:00.000000000Z"


def instance(state: str = "running", **facts: Any) -> Instance:
    base: dict[str, Any] = {
        "id": "ab" * 32,
        "name": "web",
        "app": "web",
        "stack": None,
        "image": "busybox",
        "image_id": "sha256:0",
        "state": state,
        "created": EARLY,
        "started_at": EARLY,
    }
    return Instance(**{**base, **facts})


UP, BROKEN = instance(), instance("exited", exit_code=1)
DONE = instance("exited", exit_code=0, completed=True)


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        ({}, "running"),
        ({"health": "starting"}, "starting"),
        ({"health": "unhealthy"}, "unhealthy"),
        ({"health": "unhealthy", "unsteady": True}, "unhealthy"),
        ({"unsteady": True}, "restarting"),
        ({"unsteady": True, "health": "healthy"}, "restarting"),
        ({"state": "restarting", "exit_code": 1}, "restarting"),
        ({"state": "paused"}, "paused"),
        ({"state": "dead"}, "dead"),
        ({"state": "created"}, "created"),
        ({"state": "created", "exit_code": 127, "error": "no such file"}, "failed"),
        ({"state": "created", "error": "port is taken"}, "failed"),
        ({"state": "exited", "exit_code": 0}, "exited"),
        ({"state": "exited"}, "exited"),
        ({"state": "exited", "exit_code": 143}, "exited"),
        ({"state": "exited", "exit_code": 130}, "exited"),
        ({"state": "exited", "exit_code": 137}, "exited"),
        ({"state": "exited", "exit_code": 137, "killed": True}, "failed"),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, "failed"),
        ({"state": "exited", "exit_code": 139}, "failed"),
        ({"state": "exited", "exit_code": 1}, "failed"),
        ({"state": "removing", "exit_code": 0}, "exited"),
        ({"state": "exited", "exit_code": 0, "completed": True}, "done"),
        ({"state": "exited", "exit_code": 0, "completed": True, "unsteady": True}, "done"),
    ],
)
def test_how_a_container_does(facts: dict[str, Any], condition: str) -> None:
    """What was told to stop has not failed; what could not be started, was killed for its memory or
    by a stranger, or ended by itself with an error has; what restarts again and again is not well
    while it runs, either."""
    one = instance(**facts)
    assert one.condition == condition
    alone = App("web", instances=(one,))
    assert alone.condition == condition
    assert alone.trouble is (condition in ("unhealthy", "restarting", "failed", "dead"))


@pytest.mark.parametrize(
    ("instances", "condition", "trouble", "running"),
    [
        ((), "gone", False, 0),
        ((UP, UP), "running", False, 2),
        ((UP, instance(health="starting")), "starting", False, 2),
        ((UP, instance(health="unhealthy")), "unhealthy", True, 1),
        ((UP, instance(unsteady=True)), "restarting", True, 1),
        ((UP, BROKEN), "partial", True, 1),
        ((UP, instance("exited", exit_code=0)), "partial", False, 1),
        ((UP, instance("paused")), "partial", False, 1),
        ((BROKEN, instance("created")), "failed", True, 0),
        ((instance("exited", exit_code=0), instance("created")), "exited", False, 0),
        ((DONE, DONE), "done", False, 0),
        ((DONE, instance("exited", exit_code=0)), "exited", False, 0),
        ((DONE, BROKEN), "failed", True, 0),
        ((DONE, UP), "partial", False, 1),
    ],
)
def test_how_an_app_of_several_does(
    instances: tuple[Instance, ...], condition: str, trouble: bool, running: int
) -> None:
    """The worst of them counts, and one that is broken beside others that run is trouble."""
    app = App("web", instances=instances)
    assert (app.condition, app.trouble, app.running) == (condition, trouble, running)
    shown = app.as_json()
    assert (shown["condition"], shown["trouble"]) == (condition, trouble)
    assert shown["running"] == running


def test_since_when_it_runs_or_does_not() -> None:
    """Up since the newest start, down since the last end; of one that waits to be restarted, since
    it ended and not since it was started."""
    late = instance(started_at=LATE)
    ended = instance("exited", exit_code=1, finished_at=LATE)
    waiting = instance("restarting", exit_code=1, started_at=EARLY, finished_at=LATE)
    for instances, since, up in (
        ((late, UP), LATE, True),
        ((UP, ended), EARLY, True),
        ((ended,), LATE, False),
        ((waiting,), LATE, False),
        ((instance("created", started_at=None),), None, False),
        ((), None, False),
    ):
        shown = App("web", instances=instances).as_json()
        assert (shown["since"], shown["up"]) == (since, up)
    assert waiting.as_json()["since"] == LATE


def test_a_container_from_before_says_nothing_of_an_app_that_was_deployed() -> None:
    """One that was taken over is kept beside the app. Where there is nothing else, it does."""
    kept = instance("exited", id="01" * 32, exit_code=137)
    now = instance(id="02" * 32, slot="web-r1.1", created=LATE)
    app = App("web", instances=(kept, now), kind="deployed")
    assert (app.condition, app.trouble, app.running) == ("running", False, 1)
    assert [one["of_service"] for one in app.as_json()["instances"]] == [False, True]
    assert App("web", instances=(kept, now)).condition == "partial"
    assert App("web", instances=(kept,), kind="deployed").condition == "exited"


def test_of_a_place_of_a_service_the_newest_container_says_how_it_does() -> None:
    """Those before it are kept to look at, and are no instances that do not run."""
    old = instance("exited", id="01" * 32, slot="web-r1.1", exit_code=3)
    now = instance(id="02" * 32, slot="web-r1.1", created=LATE)
    other = instance(id="03" * 32, slot="web-r1.2")
    app = App("web", instances=(old, now, other))
    assert (app.condition, app.running, app.trouble) == ("running", 2, False)
    assert [one["replaced"] for one in app.as_json()["instances"]] == [True, False, False]  # type: ignore[attr-defined]
    assert App("web", instances=(old,)).condition == "failed"
