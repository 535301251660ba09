"""Measures every second what runs on a node, and the node: one greenlet, however many look.

Missed seconds are gaps, never zeros. A sweep gives way every few milliseconds; what it reads is
made by the kernel at that moment, so nothing of it waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import gevent

from cloudbang.config import NodeSettings
from cloudbang.core import descriptors
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.apps import Instance
from cloudbang.domain.metrics.catalogue import NODE, OF_NODES, SLOW
from cloudbang.domain.metrics.sweep import InstanceSample, MetricSink, Sweep
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused, EngineUnreachable
from cloudbang.node.inventory import Inventory
from cloudbang.node.sampler.container import Context, MeasuredContainer
from cloudbang.node.sampler.engine_reader import EngineReader
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import Hierarchies, proc_folder
from cloudbang.node.sampler.host import Host, Values, stacked
from cloudbang.node.sampler.network import Networks
from cloudbang.node.sampler.reasons import ANOTHER_MACHINE, ZFS
from cloudbang.node.sampler.whole_seconds import WholeSeconds

DISKS_AGAIN = 60.0  # seconds between two looks at which disks are made of others
ENGINE_AGAIN = 5.0  # seconds until it is asked again where it keeps what it has


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
        mountinfo: str = "/proc/self/mountinfo",
    ) -> None:
        """``folder``: where what CloudBang keeps is, whose disk is measured."""
        self._engine, self._inventory, self._sink = engine, inventory, sink
        proc = proc_folder(settings.proc)
        hierarchies = Hierarchies(settings.cgroup, proc, mountinfo)
        room = Room(descriptors.to_keep())
        self._context = Context(hierarchies, Networks(proc, room), room)
        self._host: Host | None = None
        if not _is_elsewhere(engine.host):
            self._host = Host(proc, room, {str(folder.absolute()): folder} if folder else {})
        self._reader = EngineReader(engine, self._asked_about)
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
        if self._host is None:
            self._sink.say(NODE, "", dict.fromkeys(OF_NODES, ANOTHER_MACHINE))
        else:
            self._supervisor.once("engine-disk", self._find_engines_disk, self._host)
        self._supervisor.run("engine", self._reader.run)
        self._supervisor.run("search", self._search)
        self._supervisor.run("sweep", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)
        for measured in self._known.values():
            measured.let_go()
        if self._host is not None:
            self._host.close()

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

    def _asked_about(self) -> list[str]:
        """Those that the engine has to be asked about."""
        return [container for container, one in self._alive.items() if one.asks_engine]

    def _search(self) -> None:
        """Look through the whole tree for groups that are not where they usually are, once for
        each start of a container."""
        look_at = 0.0
        while True:
            gevent.sleep(SLOW)
            if time.monotonic() > look_at:  # for disks that came meanwhile
                self._context.stacked.update(stacked())
                look_at = time.monotonic() + DISKS_AGAIN
            lost = {c: one for c, one in self._alive.items() if one.lost and not one.searched}
            if not lost:
                continue
            for container, groups in self._context.hierarchies.search(lost).items():
                if container in self._alive and groups and not lost[container].found:
                    lost[container].read_from(groups)
            for one in lost.values():
                one.searched = True

    def _find_engines_disk(self, host: Host) -> None:
        """Measure the disk that the engine keeps images on, too."""
        self._inventory.ready.wait()
        while True:
            try:
                root = self._engine.data_root()
            except EngineUnreachable:
                gevent.sleep(ENGINE_AGAIN)
            except EngineRefused:
                return
            else:
                host.folders.setdefault(root, Path(root))
                if self._context.hierarchies.file_system(root) == "zfs":
                    self._context.untold = {"disk.read": ZFS, "disk.written": ZFS}
                return

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
            if not measured.instance.alive:
                continue  # any more: others have had their turns
            taken = measured.sample(slow)
            if measured.asks_engine and (told := self._reader.take(measured.instance.id)):
                measured.add(taken, told)
            instances.append(taken)
        node: Values = {}
        if self._host is not None:
            known = self._context.networks.is_machines
            node = self._host.read(time.monotonic(), slow, known)
        if slow:
            self._say()
        self._sink.take(Sweep(second, slow, instances, dict(self._expect()), node, moved))

    def _say(self) -> None:
        if self._host is not None and self._said.get("") != self._host.why:
            self._said[""] = dict(self._host.why)
            self._sink.say(NODE, "", self._said[""])
        for container, measured in list(self._alive.items()):
            if self._said.get(container) != measured.why:
                self._said[container] = measured.why
                self._sink.say(measured.instance.app, container, measured.why)


def _is_elsewhere(host: str) -> bool:
    """Whether an engine at that address is on another machine than this one."""
    if host.startswith("unix:"):
        return False
    name = urlsplit(host if "://" in host else f"tcp://{host}").hostname or ""
    return name not in ("localhost", "::1") and not name.startswith("127.")
