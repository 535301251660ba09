"""How a release is looked at, without an engine."""

from __future__ import annotations

import pytest

from cloudbang.deploy.observer import EVERY, INSPECTED, LATE, Observer
from cloudbang.domain.deploy.failure import Ended, Task


class Calls:
    """An engine by hand."""

    def __init__(self, *tasks: Task) -> None:
        self.its = list(tasks)
        self.ended: dict[str, Ended] = {}
        self.inspected: list[str] = []
        self.of_memory: dict[str, int] = {}  # by container, after how many questions it is told
        self.asked = 0

    def tasks(self, service: str, network: str = "") -> list[Task]:
        return self.its

    def how_it_fares(self, container: str) -> Ended | None:
        self.inspected.append(container)
        return self.ended.get(container)

    def told_of_memory(self, container: str) -> bool:
        self.asked += 1
        left = self.of_memory[container] = self.of_memory.get(container, 99) - 1
        return left < 0


def task(n: int, state: str = "running", error: str = "") -> Task:
    return Task(f"t{n}", str(n), state, "running", error, container=f"c{n}")


def test_many_containers_are_inspected_in_turns() -> None:
    """A look costs the engine the same for a hundred; a failure of any is found all the same."""
    calls = Calls(*(task(n) for n in range(100)))
    observer = Observer(calls, "web-r1")
    for _ in range(13):
        before = len(calls.inspected)
        assert len(observer.look().running) == 100
        assert len(calls.inspected) - before == INSPECTED
    assert len(set(calls.inspected)) == 100
    calls.ended["c99"] = Ended(unhealthy=True)
    found = [observer.look().failure for _ in range(13)]
    assert [failure.kind for failure in found if failure] == ["unhealthy"]


def test_what_was_there_when_the_engine_came_back_is_not_held_against_it() -> None:
    """What it is told to run and does not is not running; what comes after it counts."""
    calls = Calls(task(1), task(2, "failed", "task: non-zero exit (137)"))
    calls.ended["c1"] = calls.ended["c2"] = Ended(exit_code=137)
    observer = Observer(calls, "web-r1", forgiving=True)
    seen = observer.look()
    assert (seen.failure, seen.running) == (None, ())
    calls.its = [task(3), *calls.its]
    assert [one.id for one in observer.look().running] == ["t3"]
    calls.its[0] = task(3, "failed", "task: non-zero exit (1)")
    calls.ended["c3"] = Ended(exit_code=1)
    failure = observer.look().failure
    assert failure
    assert (failure.kind, failure.exit_code) == ("exited", 1)


@pytest.mark.parametrize(
    ("after", "kind"), [(0, "out-of-memory"), (2, "out-of-memory"), (99, "exited")]
)
def test_memory_that_ran_out_is_told_late(after: int, kind: str) -> None:
    """An inspection does not know, and what does comes a moment later; or never: that is not waited
    for again for each of many."""
    calls = Calls(*(task(n, "failed", "task: non-zero exit (137)") for n in range(20)))
    for n in range(20):
        calls.ended[f"c{n}"] = Ended(exit_code=137)
        calls.of_memory[f"c{n}"] = after
    failure = Observer(calls, "web-r1").look().failure
    assert failure
    assert (failure.kind, failure.exit_code) == (kind, 137)
    assert calls.asked <= 20 * 2 + LATE / EVERY + 1


def test_nobody_asks_why_what_was_told_to_end_was_killed() -> None:
    """It did not heed the first signal."""
    calls = Calls(task(1, "shutdown", ""))
    calls.ended["c1"] = Ended(exit_code=137)
    assert Observer(calls, "web-r1").look().failure is None
    assert calls.asked == 0
