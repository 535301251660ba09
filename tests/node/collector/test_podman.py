"""What Podman does otherwise than Docker, as 4.3 was seen to do it."""

from __future__ import annotations

import time

import pytest

from cloudbang.domain.lines import format_time
from tests.node.collector.rig import Rig
from tests.node.collector.scripted import Part, ScriptedEngine
from tests.support import wait_until

ID, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def podman(scripted: ScriptedEngine) -> ScriptedEngine:
    scripted.podman = scripted.whole_seconds = True
    return scripted


def kinds(one: Rig, app: str) -> list[str]:
    return [event.kind for event in one.events.list(app)]


def test_ends_and_removals_are_told(rig, podman):
    """It looks for them by names of its own, and tells of one by its own name."""
    podman.add(ID, "web")
    one: Rig = rig(podman.host)
    wait_until(lambda: one.inventory.instance(ID))
    podman.tell("die", ID, time.time_ns(), exitCode="3")  # and an inspection tells nothing of it
    wait_until(lambda: "die" in kinds(one, "web"))
    assert one.events.list("web")[-1].data == {"exit_code": 3}
    podman.remove(ID)
    wait_until(lambda: "remove" in kinds(one, "web"))
    assert one.inventory.instance(ID) is None


def test_what_happened_before_the_start_is_told(rig, podman):
    """It gives no events until a moment that is over."""
    podman.add(ID, "web")
    before = time.time_ns() - 5 * 10**9
    podman.tell("pause", ID, before)
    podman.tell("unpause", ID, before + 10**9)
    one: Rig = rig(podman.host)
    wait_until(lambda: "unpause" in kinds(one, "web"))
    assert [k for k in kinds(one, "web") if "pause" in k] == ["pause", "unpause"]


def test_whose_a_container_is_needs_no_labels_in_events(rig, podman):
    """They do not tell them: the app that they name is asked for, and a helper stays hidden."""
    one: Rig = rig(podman.host)
    wait_until(lambda: one.inventory.engine_state == "connected")
    of_compose = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    podman.add(ID, "shop-web-1", labels=of_compose)
    podman.add(OTHER, "helper", labels={"cloudbang.hidden": "true"})
    for container in (OTHER, ID):
        podman.tell("create", container, time.time_ns())
        podman.tell("start", container, time.time_ns())
    podman.remove(OTHER)
    podman.tell("pause", ID, time.time_ns())
    wait_until(lambda: "pause" in kinds(one, "shop.web"))
    assert kinds(one, "shop.web") == ["create", "start", "pause"]
    assert kinds(one, "shop-web-1") == kinds(one, "helper") == []


def test_lines_that_were_cut_are_whole_however_often_they_are_read(rig, podman):
    """A reading that begins within a line takes its rest for no line of its own."""
    podman.add(ID, "web")
    long_ago = time.time_ns() - 60 * 10**9
    second = long_ago - long_ago % 10**9
    wanted = []
    for n in range(300):  # a part is read just before each full second, its rest just after it
        at = second + n * 10**8
        podman.log(ID, format_time(at - 1), Part("li"))
        podman.log(ID, format_time(at), f"ne {n}")
        wanted.append(f"line {n}")
    one: Rig = rig(podman.host)
    assert one.wait_for("web", 300) == wanted
    for n in range(3):
        one.close()
        podman.log(ID, format_time(time.time_ns()), f"more {n}")
        wanted.append(f"more {n}")
        one = rig(podman.host)
        assert one.wait_for("web", len(wanted)) == wanted


def test_the_only_line_is_known_again_by_its_rest(rig, podman):
    """Also where it is the newest, and nothing else tells where new lines begin."""
    podman.whole_seconds = False
    podman.add(ID, "web")
    now = time.time_ns()
    podman.log(ID, format_time(now - 10**9 - 1), Part("hal"))
    podman.log(ID, format_time(now - 6 * 10**8), "f")
    one: Rig = rig(podman.host)
    assert one.wait_for("web", 1) == ["half"]
    one.close()
    podman.log(ID, format_time(now), "next")
    one = rig(podman.host)
    assert one.wait_for("web", 2) == ["half", "next"]


def test_the_end_of_a_run_within_a_line_is_stored_once(rig, podman):
    """Read again, it looks like a part of the next run's first line."""
    podman.add(ID, "web")
    now = time.time_ns() - 10 * 10**9
    one: Rig = rig(podman.host)
    wait_until(lambda: one.inventory.instance(ID))
    for run in range(1, 4):
        state = podman.containers[ID]["State"]
        started = format_time(now + run * 10**6)
        state.update(Status="running", StartedAt=started, FinishedAt="0001-01-01T00:00:00Z")
        podman.tell("start", ID, now + run * 10**6)
        podman.log(ID, started, "start")
        podman.log(ID, started, Part("end"))
        one.wait_for("web", run * 2 - 1)
        podman.stop(ID)
        podman.tell("die", ID, time.time_ns(), exitCode="0")
        assert one.wait_for("web", run * 2) == ["start", "end"] * run
    one.close()
    podman.log(ID, format_time(now + 5 * 10**6), "new")
    again: Rig = rig(podman.host)
    assert again.wait_for("web", 7) == [*["start", "end"] * 3, "new"]
    # 4.3 gives a line of the end of a log the part that comes after it.
    assert not any("tail=" in target for target in podman.asked)


def test_a_driver_that_keeps_nothing_is_said_and_not_asked_again(rig, podman):
    """Its driver ``passthrough`` hands on what is printed, and says so in its own words."""
    podman.add(ID, "web")
    podman.unreadable[ID] = (
        "failed to obtain logs for Container 'web': this container is using the 'passthrough' log "
        "driver, cannot read logs: this container is not logging output"
    )
    one: Rig = rig(podman.host)
    known = wait_until(
        lambda: (known := one.inventory.instance(ID)) and not known.readable and known
    )
    assert "'passthrough'" in known.unreadable_reason
    wait_until(lambda: not one.collector.is_reading("web"))
    assert [n.code for n in one.notices.now()] == []
