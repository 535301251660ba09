"""Who types goes first: the floods of the others give way for a moment."""

from __future__ import annotations

import time

from cloudbang.terminals.fairness import FLOOD, PAUSE, Fairness


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
    assert fairness.pause("one", FLOOD) == PAUSE
    assert fairness.pause("two", FLOOD) == 2 * PAUSE
    assert fairness.pause("shell", 100) == 0


def test_who_types_in_a_flood_does_not_hide_who_types_elsewhere() -> None:
    fairness = Fairness()
    fairness.typed("shell", time.monotonic())
    fairness.typed("flood", time.monotonic())
    assert fairness.pause("flood", FLOOD) > 0
