"""What a container's state of this instant does not say: that it was restarted a moment ago,
whether somebody had asked the engine to end it, and whether it has done what it was for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cloudbang.domain.apps import KILLED, TOLD_TO_STOP, Instance
from cloudbang.domain.lines import parse_time
from cloudbang.engine import EngineEvent

UNSTEADY = 300.0  # seconds after a restart in which a container is one that restarts
# Signals that nobody stops a container with, by name and number: a kill, and what programs take
# for another purpose.
ENDLESS = frozenset({"always", "unless-stopped"})  # policies by which it is started again anyway
NO_STOP = frozenset({"9", "SIGKILL", "KILL", "1", "SIGHUP", "10", "12", "SIGUSR1", "SIGUSR2"})


@dataclass(slots=True)
class _Slot:
    """What is known of the containers that Swarm put one after the other into one place: how many
    ended by themselves, and the last one's code; until when that says that it is not well."""

    count: int = 0
    code: int | None = None
    until: float = 0.0
    now: str = ""  # the newest one that was asked about
    seen: set[str] = field(default_factory=set)


class RecentEnds:
    """How containers ended lately, from the engine's events and from what each remembers. As many
    as there are containers; ``forget`` those that are gone."""

    def __init__(
        self,
        unsteady: float = UNSTEADY,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._unsteady, self._clock, self._monotonic = unsteady, clock, monotonic
        self._restarts: dict[str, tuple[int, float]] = {}  # how many, and until when they count
        self._asked: set[str] = set()  # told to stop since they were started
        self._killed: set[str] = set()  # ended by SIGKILL without that
        self._codes: dict[str, int] = {}  # with which the last run of each ended
        self._ran: set[str] = set()  # seen while their process was there
        self._slots: dict[str, _Slot] = {}

    def tell(self, event: EngineEvent) -> None:
        """An event of the engine."""
        container = event.container
        match event.action:
            case "kill":
                if event.attributes.get("signal", "9") not in NO_STOP:
                    self._asked.add(container)
            case "stop":  # after its "die", when the stop is done
                self._asked.add(container)
                self._killed.discard(container)
                self._was_asked(container)
            case "start":
                self._asked.discard(container)
                self._killed.discard(container)
            case "die":
                code = event.attributes.get("exitCode")
                if code == str(KILLED) and container not in self._asked:
                    self._killed.add(container)
                if code and code.isdecimal() and container not in self._asked:
                    self._codes[container] = int(code)

    def was_asked(self, container: str) -> bool:
        """Whether somebody has told it to end since it was started."""
        return container in self._asked

    def _was_asked(self, container: str) -> None:
        """Its end looked like one by itself: SIGKILL is what it is to be stopped with."""
        self._codes.pop(container, None)
        for slot in self._slots.values():
            if container in slot.seen:
                slot.seen.remove(container)
                slot.count -= 1
                if not slot.count:
                    slot.code, slot.until = None, 0.0

    def comes_back(self, instance: Instance) -> bool:
        """Whether one that has just ended is about to be restarted, as it was a moment ago."""
        return instance.unsteady and instance.id not in self._asked

    def judge(self, instance: Instance) -> Instance:
        """The same, with what is known of how it ended."""
        if instance.alive:
            self._ran.add(instance.id)
        killed = (
            instance.id in self._killed
            and instance.exit_code == KILLED
            and not instance.oom_killed
            and not instance.alive
        )
        completed = self._is_done(instance)
        if instance.slot:
            known = self._of_slot(instance)
            unsteady, restarts = known.until > self._monotonic(), known.count
            last = known.code if restarts else None
        else:
            unsteady, restarts = self._is_unsteady(instance), instance.restarts
            last = self._codes.get(instance.id) if restarts else None
        return replace(
            instance,
            killed=killed,
            completed=completed,
            unsteady=unsteady,
            restarts=restarts,
            last_exit=last,
        )

    def _is_done(self, instance: Instance) -> bool:
        """Whether it has ended well and by itself, and is not started again.

        One that was stopped ends with 0 as well, and the engine does not remember which it was: what
        ran before our eyes has to be seen to end. Of one that had ended before, what it was for
        says it: nobody is to reach it, and nothing is to keep it running.
        """
        if instance.state != "exited" or instance.exit_code != 0 or instance.id in self._asked:
            return False
        if instance.job:
            return True
        if instance.slot or instance.restart_policy in ENDLESS:
            return False
        if instance.id in self._codes or instance.id in self._ran:
            return self._codes.get(instance.id) == 0
        return not instance.publishes

    def over(self) -> list[str]:
        """Those whose last restart does not count any more, since the last call."""
        now = self._monotonic()
        found = [c for c, (_, until) in self._restarts.items() if 0 < until <= now]
        for container in found:
            self._restarts[container] = (self._restarts[container][0], 0.0)
        for slot in self._slots.values():
            if 0 < slot.until <= now:
                slot.until = 0.0
                found.append(slot.now)
        return found

    def forget(self, container: str) -> None:
        self._restarts.pop(container, None)
        self._asked.discard(container)
        self._killed.discard(container)
        self._codes.pop(container, None)
        self._ran.discard(container)
        for name, slot in [*self._slots.items()]:
            slot.seen.discard(container)
            if slot.now == container:
                del self._slots[name]

    def _of_slot(self, instance: Instance) -> _Slot:
        """What is known of its place, with how this one ended, if it did by itself."""
        known = self._slots.setdefault(instance.slot, _Slot())
        if instance.alive or instance.state == "created":
            known.now = instance.id
        ended = instance.exit_code is not None and instance.id not in self._asked
        # Of one that ended before anybody looked, nobody knows whether it was told to.
        told = instance.exit_code in (0, *TOLD_TO_STOP) and instance.id not in self._codes
        told = told or self._is_done(instance)
        if ended and not told and instance.id not in known.seen:
            known.seen.add(instance.id)
            known.count += 1
            known.code = instance.exit_code
            left = self._unsteady - self._age(instance)
            known.until = max(known.until, self._monotonic() + left if left > 0 else 0.0)
        return known

    def _is_unsteady(self, instance: Instance) -> bool:
        # The engine counts from zero again when a person starts or restarts it.
        if not instance.restarts:
            self._restarts.pop(instance.id, None)
            return False
        known = self._restarts.get(instance.id)
        if known is None or known[0] != instance.restarts:
            left = self._unsteady - self._age(instance)
            until = self._monotonic() + left if left > 0 else 0.0
            self._restarts[instance.id] = known = (instance.restarts, until)
        return known[1] > self._monotonic()

    def _age(self, instance: Instance) -> float:
        """Seconds since its last run ended. A clock that is ahead of ours makes it no younger."""
        if instance.finished_at is None:
            return self._unsteady
        return max(0.0, self._clock() - parse_time(instance.finished_at) / 1e9)
