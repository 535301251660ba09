"""One container that is measured: where its numbers come from, and what they were last."""

from __future__ import annotations

import time
from collections.abc import Mapping

from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics.catalogue import FAST, OF_APPS, SLOW
from cloudbang.domain.metrics.counters import Events, Rates
from cloudbang.domain.metrics.sweep import InstanceSample
from cloudbang.node.sampler.controllers import Part, Raw, Vanished, parts_of
from cloudbang.node.sampler.engine_reader import Told
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import Group, Hierarchies
from cloudbang.node.sampler.network import METRICS as OF_NETWORK
from cloudbang.node.sampler.network import Network, Networks
from cloudbang.node.sampler.reasons import (
    BY_ENGINE,
    NO_GROUP,
    NO_PROCESS,
    SLOW_TO_READ,
    UNREADABLE,
)

COUNTERS = {m.name: m.step for m in OF_APPS.values() if m.unit.endswith("/s")} | {"cpu": FAST}
# What its control groups tell.
OF_GROUPS = [
    name for name in OF_APPS if name.startswith(("cpu", "memory", "disk.", "pressure.", "oom_"))
] + ["processes"]
LONG_CPU, LONG = 0.005, 0.05  # seconds that one container may take: of the processor, or of waiting
STRIKES = 3  # in a row
AGAIN = 60.0  # seconds after which one that took long is tried again
MORE_LOOKS = 3  # for groups that were not there yet when others were: each is made by itself
LOOKS, LOOK_AGAIN = 5, 10.0  # times that a group is looked for at once; then only so often, seconds


def seconds_queued() -> float:
    """How long this thread has waited for a processor since it began; 0 where the kernel does not say."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Context:
    """What all of them share."""

    def __init__(
        self,
        hierarchies: Hierarchies,
        networks: Networks,
        room: Room,
    ) -> None:
        self.hierarchies, self.networks = hierarchies, networks
        self.room = room
        self.stacked: set[bytes] = set()  # disks that are made of others
        self.untold: dict[str, str] = {}  # what no container is measured of here, and why


class MeasuredContainer:
    """``why``: what cannot be measured now, by metric. ``found``: whether its groups are read."""

    def __init__(self, instance: Instance, context: Context) -> None:
        self.instance = instance
        self.why: dict[str, str] = {}
        self._context = context
        self._rates = Rates()
        self._kills = Events()
        self._kills_told = 0
        self._parts: list[Part] = []
        self._apart: dict[str, str] = {}  # why, for as long as it runs
        self._unread: dict[str, str] = {}  # why, of what could not be read when all was due
        self._found, self._more_looks = 0, 0  # groups that it has, and looks for further ones
        self._network: Network | None = None
        self._looks = 0  # in vain, since it was started
        self._look_at = 0.0
        self._told: set[str] = set()  # metrics that the engine tells
        self.searched = False
        self._strikes = 0
        self._slow_until = 0.0

    @property
    def found(self) -> bool:
        return bool(self._parts)

    @property
    def lost(self) -> bool:
        """Whether its group is not where it was looked for."""
        return not self._parts and self._looks >= 2

    @property
    def asks_engine(self) -> bool:
        """Whether there is something of it that the engine alone can tell."""
        return self.lost or (self._network is not None and self._network.why == NO_PROCESS)

    # --- where it is ---------------------------------------------------------------------------

    def update(self, instance: Instance) -> None:
        """The engine tells something else of it. Started anew, it counts from the beginning: when
        that was, is told at first by the event and then by the container, which differ a little."""
        before, self.instance = self.instance, instance
        if instance.alive and not before.alive:
            # What ended its last run was told by the engine when the group was gone already.
            unseen = before.oom_killed and not self._kills.counted
            self._kills.restart(int(unseen))
            self.let_go()
        elif before.pid and instance.pid and instance.pid != before.pid:
            self._kills.restart()
            self.let_go()
        elif (instance.pid, instance.network_mode) != (before.pid, before.network_mode):
            self._close_network()
            self._look_at = 0.0  # where it is, is known only now

    def find(self) -> bool:
        """Look for its groups where they usually are."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        instance, there = self.instance, self._context.hierarchies
        groups = there.find(instance.id, instance.cgroup_parent, instance.pid)
        if groups:
            self.read_from(groups)
            if len(groups) < len(there.controllers):
                self._more_looks = MORE_LOOKS
            return True
        self._looks += 1
        if self._looks >= LOOKS:
            self._look_at = now + LOOK_AGAIN
        return False

    def read_from(self, groups: Mapping[str, Group]) -> None:
        """They were found."""
        context = self._context
        self._looks, self._found = 0, len(groups)
        self._rates.forget()
        self._parts, self._apart = parts_of(
            groups, context.hierarchies, context.room, self._kills, context.stacked
        )

    def _find_more(self) -> None:
        self._more_looks -= 1
        its = self.instance
        groups = self._context.hierarchies.find(its.id, its.cgroup_parent, its.pid)
        if len(groups) > self._found:
            for part in self._parts:
                part.close()
            self.read_from(groups)

    def let_go(self) -> None:
        """Close what is open of it, and compare nothing with what it said before."""
        for part in self._parts:
            part.close()
        self._parts = []
        self._close_network()
        self._rates.forget()
        self._looks, self._look_at, self.searched = 0, 0.0, False
        self._more_looks = 0
        self._unread.clear()
        self._told.clear()

    def _close_network(self) -> None:
        if self._network is not None:
            self._context.networks.close(self._network)
            self._network = None

    # --- what it says --------------------------------------------------------------------------

    def sample(self, slow: bool) -> InstanceSample:
        """What is due of it. Nothing in it when it vanished under way."""
        taken = InstanceSample(self.instance.id, self.instance.app)
        began = time.monotonic()
        if began < self._slow_until and not slow:
            return taken
        if not self._parts:
            self.find()
        elif slow and self._more_looks:
            self._find_more()
        # Once it took long: others may have had the processor, which says nothing of it.
        queued = seconds_queued() if self._strikes else 0.0
        worked = time.thread_time()
        raw: Raw = {}
        try:
            at = self._read(raw, slow)
        except Vanished:
            self.let_go()
            return taken
        for name in self._context.untold:
            raw.pop(name, None)
        self._read_network(raw)
        self._values(taken, raw, at, SLOW if began < self._slow_until else FAST)
        if slow:
            taken.values["restarts"] = self.instance.restarts
        if (slow or self._kills.count > self._kills_told) and self._counts_kills:
            taken.values["oom_kills"] = self._kills.count
            taken.killed = self._kills.count > self._kills_told
            self._kills_told = self._kills.count
        if slow:
            self._say()
        self._judge(began, queued, time.thread_time() - worked)
        return taken

    @property
    def _counts_kills(self) -> bool:
        return bool(self._parts) and "oom_kills" not in self._apart.keys() | self._unread.keys()

    def _read(self, raw: Raw, slow: bool) -> float:
        """When it was: right after the processor's time, which is read first. Were it said of the
        end of all reading, who is kept from it in between would tell of more than ran.
        A controller whose files cannot be read costs its own metrics alone. Raises Vanished."""
        unread: dict[str, str] = {}
        at = 0.0
        for part in self._parts:
            try:
                part.fast(raw)
                at = at or time.monotonic()
                if slow:
                    part.slow(raw)
            except OSError:
                unread |= {name: UNREADABLE for name in part.metrics if name not in raw}
        if slow:
            self._unread = unread
        return at or time.monotonic()

    def add(self, taken: InstanceSample, told: Told) -> None:
        """What the engine said of it, as far as it is not read from files."""
        from_files = set(OF_GROUPS) if self._parts else set()
        if self._network is not None and self._network.why != NO_PROCESS:
            from_files.update(OF_NETWORK)
        raw = {name: value for name, value in told.raw.items() if name not in from_files}
        self._told.update(raw)
        self._values(taken, raw, told.at, told.step)

    def _values(self, taken: InstanceSample, raw: Raw, at: float, least: float) -> None:
        values, rates = taken.values, self._rates
        for name, value in raw.items():
            step = COUNTERS.get(name)
            if step is None:
                values[name] = value
            elif (rate := rates.of(name, at, value, max(step, least))) is not None:
                values[name] = rate

    def _read_network(self, raw: Raw) -> None:
        if self._network is None:
            self._network = self._context.networks.open(self.instance)
        try:
            told = self._network.read()
        except OSError:
            told = None  # it ends, which is told soon
        if told is not None:
            raw["network.received"], raw["network.sent"] = told

    def _say(self) -> None:
        why = dict(self._apart)
        for part in self._parts:
            why |= part.why
        why |= self._unread
        why |= self._context.untold
        if self.lost:
            why = dict.fromkeys(OF_GROUPS, NO_GROUP)
        if self._network is not None and self._network.why:
            why |= dict.fromkeys(OF_NETWORK, self._network.why)
        if time.monotonic() < self._slow_until:
            fast = (m.name for m in OF_APPS.values() if m.step == FAST)
            why |= {name: SLOW_TO_READ for name in fast if name not in why}
        if self.asks_engine:
            why |= dict.fromkeys(self._told, BY_ENGINE)
        self.why = why

    def _judge(self, began: float, queued: float, worked: float) -> None:
        """Read it less often when it takes long again and again: not by chance, since all wait. How
        long the machine lets us wait for a processor is no fault of a container's."""
        took = time.monotonic() - began
        if self._strikes and took > LONG:
            took -= seconds_queued() - queued
        if worked <= LONG_CPU and took <= LONG:
            self._strikes = 0
            return
        self._strikes += 1
        if self._strikes >= STRIKES:
            self._strikes = 0
            self._slow_until = time.monotonic() + AGAIN
