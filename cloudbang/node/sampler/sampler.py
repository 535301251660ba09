"""Measures every second what runs on a node, and the node: one greenlet, however many look.

Missed seconds are gaps, never zeros. A sweep gives way every few milliseconds; what it reads is
made by the kernel at that moment, so nothing of it waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cloudbang.config import NodeSettings
from cloudbang.core import descriptors
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics.catalogue import SLOW
from cloudbang.domain.metrics.sweep import InstanceSample, MetricSink, Sweep
from cloudbang.engine import Engine
from cloudbang.node.inventory import Inventory
from cloudbang.node.sampler.container import Context, MeasuredContainer
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import Hierarchies, proc_folder
from cloudbang.node.sampler.network import Networks
from cloudbang.node.sampler.whole_seconds import WholeSeconds


class Sampler:
    """Gives what it measures to a sink, from :meth:`start` on."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        sink: MetricSink,
        settings: NodeSettings = NodeSettings(),  # noqa: B008 - a frozen value
        *,
        folder: Path | None = None,
        seconds: Callable[[], WholeSeconds] = WholeSeconds,
    ) -> None:
        """``folder``: where what CloudBang keeps is, whose disk is measured."""
        self._engine, self._inventory, self._sink = engine, inventory, sink
        proc = proc_folder(settings.proc)
        hierarchies = Hierarchies(settings.cgroup, proc)
        room = Room(descriptors.to_keep())
        self._context = Context(hierarchies, Networks(proc, room), room)
        self._known: dict[str, MeasuredContainer] = {}  # that ran at some time, by full id
        self._alive: dict[str, MeasuredContainer] = {}
        self._expected: dict[str, list[str]] | None = None  # made again after each change
        self._said: dict[str, dict[str, str]] = {}
        self._new_seconds = seconds
        self._last_slow = 0
        self.sweeps = 0
        self.missed = 0
        self.late_seconds = 0.0
        self.sweep_seconds = 0.0
        export(
            self,
            "sampler",
            counters={
                "sweeps": "Times that all containers were measured.",
                "missed": "Seconds in which they should have been measured, and were not.",
            },
            gauges={
                "late_seconds": "How long after its whole second the last measurement began.",
                "sweep_seconds": "How long the last one took, with the turns of everything else.",
            },
        )
        self._supervisor = Supervisor("sampler")

    def start(self) -> None:
        self._inventory.listen(self._changed)
        self._changed(self._inventory.instances(), [], [])
        self._supervisor.run("sweep", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)
        for measured in self._known.values():
            measured.let_go()

    # --- what there is -------------------------------------------------------------------------

    def _changed(
        self, added: list[Instance], changed: list[Instance], removed: list[Instance]
    ) -> None:
        self._expected = None
        for instance in (*added, *changed):
            measured = self._known.get(instance.id)
            if measured is None:
                if not instance.alive:
                    continue
                self._known[instance.id] = MeasuredContainer(instance, self._context)
            else:
                measured.update(instance)
            if instance.alive:
                self._alive[instance.id] = self._known[instance.id]
            elif ended := self._alive.pop(instance.id, None):
                ended.let_go()
        for instance in removed:
            self._alive.pop(instance.id, None)
            if gone := self._known.pop(instance.id, None):
                gone.let_go()
            if self._said.pop(instance.id, None):
                self._sink.say(instance.app, instance.id, {})

    def _expect(self) -> dict[str, list[str]]:
        if self._expected is None:
            self._expected = {}
            for container, measured in self._alive.items():
                self._expected.setdefault(measured.instance.app, []).append(container)
        return self._expected

    # --- measuring -----------------------------------------------------------------------------

    def _run(self) -> None:
        seconds = self._new_seconds()
        missed = self.missed
        while True:
            second, moved = seconds.wait()
            self.missed, self.late_seconds = missed + seconds.missed, seconds.late
            began = time.monotonic()
            self._sweep(second, moved)
            self.sweep_seconds = time.monotonic() - began
            self.sweeps += 1

    def _sweep(self, second: int, moved: bool) -> None:
        slow = second // SLOW != self._last_slow
        self._last_slow = second // SLOW
        instances: list[InstanceSample] = []
        for measured in in_turns(list(self._alive.values())):
            if measured.instance.alive:  # still: others have had their turns
                instances.append(measured.sample(slow))
        if slow:
            self._say()
        expected = self._expect()
        self._sink.take(Sweep(second, slow, instances, dict(expected), {}, moved))

    def _say(self) -> None:
        for container, measured in self._alive.items():
            if self._said.get(container) != measured.why:
                self._said[container] = measured.why
                self._sink.say(measured.instance.app, container, measured.why)
