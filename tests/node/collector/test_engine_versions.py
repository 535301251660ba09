"""The engine is asked what it can, each time it comes back."""

from __future__ import annotations

import time

import pytest

from cloudbang.domain.lines import format_time
from tests.node.collector.rig import Rig
from tests.support import wait_until

ID = "a" * 64


def ago(seconds: float) -> str:
    return format_time(time.time_ns() - int(seconds * 1e9))


# As Docker 20.10, 26, 28 and 29 and Podman 3 and 4.3 say it: what they speak, and the oldest that
# they understand.
ENGINES = [
    ("1.41", "1.12"),
    ("1.45", "1.24"),
    ("1.51", "1.24"),
    ("1.52", "1.44"),
    ("1.40", "1.24"),
    ("1.41", "1.24"),
]


@pytest.mark.parametrize(("speaks", "oldest"), ENGINES)
def test_each_engine_is_asked_by_what_it_speaks(rig, scripted, speaks, oldest):
    """Whatever is asked, and by no version that it does not understand."""
    scripted.version, scripted.oldest_version = speaks, oldest
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "one")
    one: Rig = rig(scripted.host)
    assert one.wait_for("web", 1) == ["one"]
    versioned = [target for target in scripted.asked if target != "/version"]
    assert versioned
    assert all(target.startswith(f"/v{speaks}/") for target in versioned)


@pytest.mark.parametrize(("before", "after"), [(ENGINES[0], ENGINES[3]), (ENGINES[2], ENGINES[1])])
def test_an_engine_that_is_another_after_it_was_stopped_goes_on(rig, scripted, before, after):
    """Upgraded or set back: within seconds, with nothing lost of who logged all the time, and with
    no refusal in between."""
    scripted.version, scripted.oldest_version = before
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "before")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    scripted.go_away()
    wait_until(lambda: one.inventory.engine_state == "down")
    scripted.version, scripted.oldest_version = after
    scripted.log(ID, ago(0), "meanwhile")
    scripted.come_back()
    assert one.wait_for("web", 2) == ["before", "meanwhile"]
    assert one.notices.now() == []
    wait_until(lambda: one.inventory.engine_state == "connected")


@pytest.mark.parametrize(("before", "after"), [("1.41", "1.52"), ("1.52", "1.45")])
@pytest.mark.parametrize("events_end", [True, False])
def test_an_engine_that_comes_back_as_another_version_is_understood(
    rig, scripted, before, after, events_end
):
    """Upgraded or set back: the version is agreed upon anew, and nothing is lost. Also where only
    a call finds out, and the events go on (a proxy before the engine)."""
    scripted.version, scripted.oldest_version = before, before
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "before")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    scripted.version, scripted.oldest_version = after, after
    if events_end:
        scripted.drop_events()
    other = "b" * 64
    scripted.add(other, "shop")
    scripted.log(other, ago(0), "after")
    wait_until(lambda: len(scripted._events) > 0)
    scripted.tell("start", other, time.time_ns())
    assert one.wait_for("shop", 1) == ["after"]
    assert one.engine.containers()
    assert one.inventory.engine_error is None
