"""The machine of a deployment: what follows what, and what a kill in the middle leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.deploy.deployment import Deployment, NotNow, steps_of
from cloudbang.domain.deploy.failure import Failure


def made(**how: object) -> Deployment:
    source = how.pop("source", "image")
    stop_first = bool(how.get("stop_first"))
    return Deployment(
        id=1,
        app="web",
        number=3,
        release=2,
        previous=1 if how.get("replaces") else None,
        by="ada",
        created="2026-01-01T00:00:00.000000000Z",
        steps=steps_of(source, **how),
        stop_first=stop_first,
    )


def names(deployment: Deployment) -> list[str]:
    return [step.name for step in deployment.steps]


def up_to(deployment: Deployment, name: str) -> Deployment:
    """Running, with everything before that step done and it itself entered."""
    deployment = deployment.begin()
    while (step := deployment.current) is not None:
        deployment = deployment.enter(step.name, "t")
        if step.name == name:
            return deployment
        deployment = deployment.complete(step.name, "t")
    raise AssertionError(f"no step {name}")


@pytest.mark.parametrize(
    ("how", "steps"),
    [
        ({}, "pull start health"),
        ({"source": "git"}, "fetch build start health"),
        ({"source": "upload", "release_command": True}, "build release_command start health"),
        ({"source": "kept", "release_command": True}, "start health"),
        ({"source": "kept-away", "release_command": True}, "pull start health"),
        ({"routed": True}, "pull start health switch"),
        ({"routed": True, "replaces": True}, "pull start health switch drain stop"),
        ({"replaces": True}, "pull start health stop"),
        ({"replaces": True, "stop_first": True}, "pull stop start health"),
        (
            {"routed": True, "replaces": True, "stop_first": True},
            "pull drain stop start health switch",
        ),
    ],
)
def test_the_steps_that_apply(how, steps):
    assert names(made(**how)) == steps.split()


def test_it_serves_after_its_last_step_and_for_ever():
    done = up_to(made(routed=True, replaces=True), "stop").complete("stop", "t9")
    assert (done.state, done.finished, done.settled) == ("serving", "t9", True)
    assert all(step.state == "done" for step in done.steps)
    for change in (
        lambda: done.fail(Failure("exited"), "t"),
        lambda: done.cancel("bob", "t"),
        lambda: done.enter("stop", "t"),
    ):
        with pytest.raises(NotNow) as e:
            change()
        assert "serving already" in str(e.value)


def test_a_step_that_is_entered_again_keeps_its_beginning():
    """As it is after a restart."""
    once = up_to(made(), "start")
    again = once.enter("start", "later")
    assert again == once


def test_no_step_is_left_out():
    running = up_to(made(), "pull")
    for name in ("start", "health", "drain"):
        with pytest.raises(NotNow):
            running.enter(name, "t")
        with pytest.raises(NotNow):
            running.complete(name, "t")


@pytest.mark.parametrize(
    ("how", "at", "undo"),
    [
        ({"routed": True, "replaces": True}, "pull", ()),
        ({"release_command": True, "replaces": True}, "release_command", ("remove-new",)),
        ({"routed": True, "replaces": True}, "start", ("remove-new",)),
        ({"routed": True, "replaces": True}, "health", ("remove-new",)),
        ({"routed": True, "replaces": True}, "switch", ("switch-back", "remove-new")),
        ({"routed": True, "replaces": True}, "drain", ("switch-back", "remove-new")),
        ({"routed": True, "replaces": True, "stop_first": True}, "drain", ("switch-back",)),
        (
            {"routed": True, "replaces": True, "stop_first": True},
            "stop",
            ("start-old", "switch-back"),
        ),
        (
            {"routed": True, "replaces": True, "stop_first": True},
            "health",
            ("remove-new", "start-old", "switch-back"),
        ),
        ({"replaces": True, "stop_first": True}, "start", ("remove-new", "start-old")),
        ({"routed": True}, "switch", ("switch-back", "remove-new")),
    ],
)
def test_what_a_failure_leaves_to_be_undone(how, at, undo):
    """The old release goes on serving, whatever failed; where it had to stop first, it is started
    again once the new one has given up what both need."""
    failed = up_to(made(**how), at).fail(Failure("exited", exit_code=3), "t")
    assert failed.undo == undo
    assert (failed.state, failed.settled) == ("failed", False)
    assert failed.step(at).state == "failed"
    assert failed.settle().settled


def test_one_that_waits_is_cancelled_at_once():
    cancelled = made().cancel("bob", "t")
    assert (cancelled.state, cancelled.cancelled_by, cancelled.settled) == (
        "cancelled",
        "bob",
        True,
    )
    assert cancelled.undo == ()


def test_one_that_runs_is_cancelled_when_it_has_stopped():
    asked = up_to(made(routed=True, replaces=True), "health").cancel("bob", "t")
    assert (asked.state, asked.cancelled_by) == ("running", "bob")
    assert asked.cancel("eve", "t").cancelled_by == "bob"
    assert asked.undo == ("remove-new",)
    ended = asked.cancelled("t")
    assert (ended.state, ended.step("health").state) == ("cancelled", "cancelled")


def test_nothing_of_one_that_is_to_end_goes_on():
    """Whoever was about to enter or to end a step when somebody cancelled: it may not serve then."""
    asked = up_to(made(), "health").cancel("bob", "t")
    with pytest.raises(NotNow):
        asked.complete("health", "t")
    before = up_to(made(replaces=True), "health").complete("health", "t").cancel("bob", "t")
    assert before.current is not None
    with pytest.raises(NotNow):
        before.enter(before.current.name, "t")


def test_it_is_too_late_to_cancel_when_the_old_one_is_told_to_stop():
    """Unless it had to stop first: then it can be started again."""
    late = up_to(made(routed=True, replaces=True), "stop")
    with pytest.raises(NotNow) as e:
        late.cancel("bob", "t")
    assert "it serves in a moment" in str(e.value)
    assert up_to(made(replaces=True, stop_first=True), "stop").cancel("bob", "t").cancelled_by


def test_progress_is_of_the_step_that_runs():
    running = up_to(made(), "pull").progress("pull", {"done": 5}).progress("pull", {"total": 9})
    assert running.step("pull").progress == {"done": 5, "total": 9}
    assert running.progress("start", {"done": 1}) == running


@settings(max_examples=1000)  # what is seldom is not found by the usual hundred
@given(st.data())
def test_whatever_happens_the_verdict_is_final_and_undone_in_full(data):
    """Steps, failures and a cancel in any order: never two verdicts, never an entered step that
    nobody undoes, and what can be entered is always the next one."""
    deployment = made(
        source=data.draw(st.sampled_from(["image", "git", "upload", "kept", "kept-away"])),
        release_command=data.draw(st.booleans()),
        routed=data.draw(st.booleans()),
        replaces=data.draw(st.booleans()),
        stop_first=data.draw(st.booleans()),
    )
    if data.draw(st.booleans()):
        deployment = deployment.begin()
    verdicts = []
    for what in data.draw(st.lists(st.sampled_from("eeecccfx"), max_size=30)):
        step = deployment.current
        before = deployment
        try:
            if what == "e" and step:
                deployment = deployment.enter(step.name, "t")
            elif what == "c" and step and step.state == "running":
                deployment = deployment.complete(step.name, "t")
            elif what == "f":
                deployment = deployment.fail(Failure("exited"), "t")
            elif what == "x":
                deployment = deployment.cancel("bob", "t")
        except NotNow:
            assert deployment == before
        if deployment.ended and not before.ended:
            verdicts.append(deployment.state)
    assert len(verdicts) <= 1
    states = [step.state for step in deployment.steps]
    assert states == sorted(states, key=["done", "failed", "cancelled", "running", "waiting"].index)
    if deployment.state == "failed":
        begun = deployment.entered("start") or deployment.entered("release_command")
        assert begun == ("remove-new" in deployment.undo)
        assert deployment.entered("switch") <= ("switch-back" in deployment.undo)
    if deployment.state == "serving":
        assert deployment.undo == ()
        assert set(states) <= {"done"}
