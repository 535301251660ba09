"""The ground itself: what the fixtures promise to the other tests."""

from __future__ import annotations

import pytest

from tests.support import free_port, wait_until


def test_wait_until_gives_the_value_it_waited_for() -> None:
    """The first true value comes back, so that a test can go on with it."""
    values = iter([0, "", "here"])
    assert wait_until(lambda: next(values)) == "here"


def test_wait_until_says_what_it_waited_for() -> None:
    """A wait in vain names what was missing and shows the last value."""
    with pytest.raises(AssertionError, match="in vain for a door; last value: 0"):
        wait_until(lambda: 0, timeout=0.05, what="a door")


def test_free_ports_are_below_the_kernels_own() -> None:
    """A port that is handed out is not one the kernel gives to an outgoing connection."""
    assert all(15_000 <= free_port() < 32_768 for _ in range(20))


@pytest.mark.engine
def test_a_container_logs_what_it_was_told(container) -> None:
    """A container of the test image runs a shell command and its output reaches the engine."""
    one = container("echo out; echo err >&2")
    one.wait(timeout=20)
    assert sorted(one.logs().splitlines()) == [b"err", b"out"]


@pytest.mark.engine
def test_containers_carry_the_label_of_the_run(container) -> None:
    """What a run started can be found and removed by its label alone."""
    assert "cloudbang.test" in container().labels
