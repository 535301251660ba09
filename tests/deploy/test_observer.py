"""How a release is looked at, without an engine."""

from __future__ import annotations

from cloudbang.deploy.observer import INSPECTED, Observer
from cloudbang.domain.deploy.failure import Ended, Task


class Calls:
    """An engine by hand."""

    def __init__(self, *tasks: Task) -> None:
        self.its = list(tasks)
        self.ended: dict[str, Ended] = {}
        self.inspected: list[str] = []

    def tasks(self, service: str, network: str = "") -> list[Task]:
        return self.its

    def how_it_fares(self, container: str) -> Ended | None:
        self.inspected.append(container)
        return self.ended.get(container)


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
