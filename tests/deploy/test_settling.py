"""Which of many pushes is deployed, and when."""

from __future__ import annotations

import pytest

from cloudbang.deploy.settling import Settling


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_alone_begins_at_once(clock: Clock) -> None:
    """And so does the next, a while after."""
    settling = Settling(clock)
    for _ in range(3):
        settling.came("web")
        assert settling.left("web") == 0
        settling.begins("web")
        clock.now += 3.0


def test_those_that_follow_wait_for_the_newest(clock: Clock) -> None:
    """Until none has come for three seconds; other apps wait for nobody."""
    settling = Settling(clock)
    settling.came("web")
    settling.begins("web")
    for _ in range(19):
        clock.now += 0.5
        settling.came("web")
        assert settling.left("web") == 3.0
    settling.came("other")
    assert settling.left("other") == 0
    clock.now += 3.0
    assert settling.left("web") == 0


def test_nobody_waits_for_ever(clock: Clock) -> None:
    """However many come."""
    settling = Settling(clock)
    waited = 0.0
    settling.came("web")
    settling.begins("web")
    while waited < 60:
        clock.now += 0.5
        waited += 0.5
        settling.came("web")
        if settling.left("web") == 0:
            break
    assert waited == 30.5
    settling.begins("web")
    clock.now += 0.5
    settling.came("web")
    assert settling.left("web") == 3.0
