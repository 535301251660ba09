"""Stopping by one deadline."""

from __future__ import annotations

import gevent
import pytest

from cloudbang.core.deadline import UNHURRIED, Deadline, StopOrder


def test_a_deadline_says_what_is_left() -> None:
    """Never less than nothing, and what is kept for others comes off."""
    deadline = Deadline(10)
    assert 9 < deadline.left <= 10
    assert deadline.at_most(2) == 2
    assert 6 < deadline.keeping(3).left <= 7
    assert deadline.keeping(11).left == 0
    assert Deadline(-1).at_most(2) == 0
    assert UNHURRIED.keeping(5).at_most(2) == 2


def test_what_was_started_last_is_stopped_first() -> None:
    """And each of it once, however often the end is asked for."""
    order = StopOrder()
    said: list[str] = []
    for name in ("disk", "bus", "web"):
        order.add(name, lambda _, name=name: said.append(name))
    order.stop(Deadline(1))
    order.stop(Deadline(1))
    assert said == ["web", "bus", "disk"]


def test_what_fails_or_hangs_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """Each is named with what became of it; what was kept for the innermost is left to it."""
    order = StopOrder()
    left: list[float] = []

    def fails(_deadline: Deadline) -> None:
        raise ValueError("no")

    order.add("the disk", lambda deadline: left.append(deadline.left))
    order.add("the bus", lambda _: gevent.sleep(600), 59.6)
    order.add("the sockets", fails, 59.6)
    order.add("the server", lambda _: gevent.sleep(600), 59.8)
    order.stop(Deadline(60))
    assert 30 < left[0] < 59.6
    assert [record.getMessage() for record in caplog.records] == [
        "the server did not stop in time and is left as it is",
        "the sockets could not be stopped",
        "the bus did not stop in time and is left as it is",
    ]


def test_another_limit_is_not_taken_for_the_deadline() -> None:
    """Who stops within a limit of his own gets it."""
    order = StopOrder()
    order.add("the bus", lambda _: gevent.sleep(60))
    with pytest.raises(gevent.Timeout) as own, gevent.Timeout(0.05):
        order.stop(Deadline(30))
    assert own.value.seconds == 0.05
