"""Who types goes first: the floods of the others give way for a moment."""

from __future__ import annotations

import time

import gevent
import pytest

from cloudbang.terminals import fairness as module
from cloudbang.terminals.fairness import FLOOD, PAUSE, Fairness


@pytest.fixture(autouse=True)
def _all_is_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a busy machine keeps a test waiting."""
    monkeypatch.setattr(module, "RECENT", 600.0)
    monkeypatch.setattr(module, "COUNTED", 600.0)


def test_a_flood_alone_is_not_slowed() -> None:
    """Nor by what is typed into itself, such as ^C."""
    fairness = Fairness()
    assert fairness.pause("flood", 10 * FLOOD) == 0
    fairness.typed("flood", time.monotonic())
    assert fairness.pause("flood", 10 * FLOOD) == 0


def test_floods_give_way_to_who_types_elsewhere() -> None:
    """The more there are the longer; short output never waits."""
    fairness = Fairness()
    fairness.typed("shell", time.monotonic())
    assert fairness.pause("one", FLOOD) == 2 * PAUSE
    assert fairness.pause("two", FLOOD) == 3 * PAUSE
    assert fairness.pause("shell", 100) == 0


def test_who_types_in_a_flood_does_not_hide_who_types_elsewhere() -> None:
    fairness = Fairness()
    fairness.typed("shell", time.monotonic())
    fairness.typed("flood", time.monotonic())
    assert fairness.pause("flood", FLOOD) > 0


def test_a_flood_goes_on_at_an_echo_one_after_the_other() -> None:
    """Each in its turn, with a pause between any two; without an echo after its time."""
    fairness, gone_on = Fairness(), []

    def flood(name: str, seconds: float) -> None:
        fairness.give_way(seconds)
        gone_on.append(name)

    waiting = [gevent.spawn(flood, name, 10) for name in ("one", "two")]
    gevent.sleep(0)
    now = time.monotonic()
    fairness.echoed(now)
    fairness.echoed(now + PAUSE / 2)
    gevent.sleep(0.01)
    assert gone_on == ["one"]
    fairness.echoed(now + 2 * PAUSE)
    gevent.joinall(waiting, 5)
    assert gone_on == ["one", "two"]
    flood("three", 0.01)
    assert gone_on[-1] == "three"
    assert not fairness.waiting
