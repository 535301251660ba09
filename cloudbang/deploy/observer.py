"""How a release fares, as its tasks and containers show it: asked again and again, never believed
from one field.

Tasks tell what no container does (no node takes it, the image is not there, a path is missing);
containers tell up to three seconds sooner what tasks do as well (a check that fails, memory that ran
out), and which of it was the cause.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import gevent

from cloudbang.domain.apps import KILLED
from cloudbang.domain.deploy.failure import Ended, Failure, Task, failure_of_task, worst

EVERY = 0.2  # seconds between two looks
ALIVE = ("starting", "running")
LATE = 1.5  # seconds in which it may yet be told that memory ran out; for all that are looked at
INSPECTED = 8  # containers that run and are inspected at a look: of many all in turns


class Calls(Protocol):
    """What is asked of the engine."""

    def tasks(self, service: str, network: str = "") -> list[Task]: ...
    def how_it_fares(self, container: str) -> Ended | None: ...
    def told_of_memory(self, container: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Observed:
    """``running``: the tasks that run now, one of a slot at most; ``ended``: the newest one that
    did; ``failure``: why the release will not serve, as soon as anything says so."""

    tasks: tuple[Task, ...]
    running: tuple[Task, ...]
    ended: Task | None = None
    failure: Failure | None = None


class Observer:
    """Looks at one service. What is known of it is the engine's at each look."""

    def __init__(
        self,
        engine: Calls,
        service: str,
        network: str = "",
        *,
        one_off: bool = False,
        forgiving: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``forgiving``: the tasks of the first look say nothing of the release, whatever becomes
        of them: the engine was away, and they ended with it."""
        self._forgiving = forgiving
        self._forgiven: frozenset[str] = frozenset()
        self._engine, self._service, self._network = engine, service, network
        self._one_off, self._clock = one_off, clock
        self._seen: dict[str, float] = {}  # when each task was first seen
        self._inspected = 0  # looks' worth of containers so far
        self._patience = LATE
        self._ended: dict[str, Ended] = {}  # by container; what has ended changes no more

    def look(self) -> Observed:
        """As it is now. Raises EngineUnreachable, EngineRefused."""
        tasks = self._engine.tasks(self._service, self._network)
        now = self._clock()
        if self._forgiving:
            self._forgiving = False
            self._forgiven = frozenset(task.id for task in tasks)
        due = self._due(tasks)
        failures = [
            failure_of_task(
                task,
                self._fares(task) if task.ended or task.id in due else None,
                now - self._seen.setdefault(task.id, now),
                one_off=self._one_off,
            )
            for task in tasks
            if task.id not in self._forgiven
        ]
        running: dict[str, Task] = {}
        for task in tasks:
            if task.state == "running" and task.wanted == "running":
                if task.id in self._forgiven and self._fares(task) is not None:
                    continue  # it is told to run, and does not any more
                running.setdefault(task.slot, task)
        return Observed(
            tasks=tuple(tasks),
            running=tuple(running.values()),
            ended=next((task for task in tasks if task.ended), None),
            failure=worst(failures),
        )

    def _due(self, tasks: list[Task]) -> set[str]:
        """Those of the tasks that run whose turn it is to be inspected."""
        alive = [task.id for task in tasks if task.state in ALIVE]
        if len(alive) <= INSPECTED:
            return set(alive)
        first = self._inspected % len(alive)
        self._inspected = first + INSPECTED
        return set((alive + alive)[first : first + INSPECTED])

    def _fares(self, task: Task) -> Ended | None:
        if not task.container:
            return None
        if (known := self._ended.get(task.container)) is not None:
            return known
        if not (task.ended or task.state in ALIVE):
            return None
        found = self._engine.how_it_fares(task.container)
        if found is not None and task.state == "failed" and found.exit_code == KILLED:
            found = self._why_killed(task.container, found)
        if found is not None and task.ended:
            self._ended[task.container] = found
        return found

    def _why_killed(self, container: str, ended: Ended) -> Ended:
        """What was killed, and by nobody who told Swarm to: memory that ran out is told beside the
        end, on a busy machine after it, and to those who ask for it alone."""
        while not ended.oom_killed:
            if self._engine.told_of_memory(container):
                return replace(ended, oom_killed=True)
            if self._patience <= 0:
                break
            self._patience -= EVERY
            gevent.sleep(EVERY)
        return ended
