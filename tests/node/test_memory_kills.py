"""Memory that ran out, of which the engine does not tell."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.engine import EngineEvent
from cloudbang.engine.kernel_log import now, says_out_of_memory
from cloudbang.node.memory_kills import AROUND, MOST, MemoryKills
from tests.conftest import ContainerFactory
from tests.support import wait_until

EATS = "x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo $x | wc -c; sleep 1000"


def died(container: str) -> EngineEvent:
    return EngineEvent("die", container, time.time_ns(), {"name": "web", "exitCode": "137"})


class Told:
    """What is owed by an engine that says nothing, with the kernel's log of this machine."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.events: list[EngineEvent] = []
        self.kills = MemoryKills(self.is_known, self.events.append, late=0.05)
        self.loop = gevent.spawn(self.kills.run)

    def is_known(self, end: EngineEvent) -> bool:
        return end.container in self.known


@pytest.fixture
def told() -> Iterator[Told]:
    one = Told()
    yield one
    one.loop.kill()


def test_the_kernel_says_whose_memory_ran_out(container: ContainerFactory, told: Told) -> None:
    """And of whom it was not: one that was killed by hand ends with the same code."""
    eater, other = container(EATS, mem_limit="8m"), container(mem_limit="8m")
    assert eater.wait()["StatusCode"] == 137
    other.kill("SIGKILL")
    assert other.wait()["StatusCode"] == 137
    assert says_out_of_memory(eater.id)
    assert not says_out_of_memory(other.id)
    # What was said of an end before is not said of the next one, as of one that is started again.
    assert says_out_of_memory(eater.id, now() - AROUND)
    assert not says_out_of_memory(eater.id, now() + 1)
    for one in (other, eater):
        told.kills.ended(died(one.id))
    wait_until(lambda: told.events, what="it to be told")
    assert [(event.action, event.container) for event in told.events] == [("oom", eater.id)]
    assert told.events[0].attributes["name"] == "web"


def test_who_may_not_read_the_log_learns_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """It fails in no other way, whatever stands where the log is."""
    folder = tmp_path_factory.mktemp("log")
    assert not says_out_of_memory("a" * 64, path=str(folder / "kmsg"))
    assert not says_out_of_memory("a" * 64, path=str(folder))
    (folder / "empty").write_bytes(b"")
    assert not says_out_of_memory("a" * 64, path=str(folder / "empty"))


def test_it_is_not_told_twice_and_a_flood_is_bounded(told: Told) -> None:
    """What the engine says by itself meanwhile is enough; a machine whose containers were all killed
    is not looked through for each."""
    asked: list[str] = []

    def says(container: str, since: float) -> bool:
        assert since <= now()
        asked.append(container)
        return True

    told.kills = MemoryKills(told.is_known, told.events.append, says, late=0.05)
    told.loop.kill()
    for n in range(2 * MOST):
        told.kills.ended(died(f"{n:064x}"))
    told.known.update(f"{n:064x}" for n in range(10))
    told.loop = gevent.spawn(told.kills.run)
    wait_until(lambda: len(told.events) == MOST - 10, what="those that wait to be told")
    gevent.sleep(0.1)
    assert len(asked) == len(told.events) == MOST - 10
