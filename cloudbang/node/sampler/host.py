"""The machine itself: what ``/proc`` says of all of it.

In a container ``/proc/stat`` and its like are the machine's too; ``net/dev`` is that of whoever is
asked about, so the machine's is the one of its first process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cloudbang.domain.metrics import cgroup, proc_files
from cloudbang.domain.metrics.catalogue import FAST, OF_NODES
from cloudbang.domain.metrics.counters import Rates
from cloudbang.domain.metrics.series import Labels
from cloudbang.node.sampler.files import KeptFile, Room
from cloudbang.node.sampler.reasons import NO_DISK, NO_NETWORK, NO_PROCESS, PRESSURE_IS_OFF

TICKS = os.sysconf("SC_CLK_TCK")  # in a second, as /proc counts them
SYS = "/sys"
Values = dict[tuple[str, Labels], float]

_COUNTERS = {m.name: m.step for m in OF_NODES.values() if m.unit.endswith("/s")} | dict.fromkeys(
    ("cpu", "cpu.steal", "cpu.waiting"), FAST
)
_PRESSURES = {f"pressure.{name}": name for name in ("cpu", "memory", "io")}


class Host:
    """``why``: what cannot be measured of it, by metric."""

    def __init__(
        self, proc: str, room: Room, folders: Mapping[str, Path] | None = None, sys: str = SYS
    ) -> None:
        """``folders``: those whose disks are measured, by what to call them."""
        self.why: dict[str, str] = {}
        self.folders = dict(folders or {})
        self._proc, self._sys = proc, sys
        self._stat = KeptFile(f"{proc}/stat", room)
        self._memory = KeptFile(f"{proc}/meminfo", room)
        self._network = KeptFile(f"{proc}/1/net/dev", room)
        self._disks = KeptFile(f"{proc}/diskstats", room)
        self._load = KeptFile(f"{proc}/loadavg", room)
        self._pressures = {m: KeptFile(f"{proc}/pressure/{n}", room) for m, n in _PRESSURES.items()}
        self._rates = Rates()
        self._whole: dict[str, bool] = {}  # by a disk's number
        self._at = 0.0

    def close(self) -> None:
        files = (self._stat, self._memory, self._network, self._disks, self._load)
        for file in (*files, *self._pressures.values()):
            file.close()
        self._rates.forget()

    def read(self, at: float, slow: bool, own_network: bool = True) -> Values:
        """What is due, at that moment of CLOCK_MONOTONIC. ``own_network``: whether the first process
        that is seen is the machine's."""
        self._at = at
        found: dict[str, float] = {}
        self._processors(found, slow)
        self._memory_of(found, slow)
        self._traffic(found, own_network)
        if slow:
            self._seldom(found)
        values: Values = {(name, ()): value for name, value in found.items()}
        if slow:
            self._room_on_disks(values)
        return values

    def _count(self, found: dict[str, float], name: str, count: float) -> None:
        rate = self._rates.of(name, self._at, count, _COUNTERS[name])
        if rate is not None:
            found[name] = rate

    def _processors(self, found: dict[str, float], slow: bool) -> None:
        times = proc_files.times(_read(self._stat))
        if times is None:
            return
        self._count(found, "cpu", times.busy / TICKS)
        self._count(found, "cpu.steal", times.steal / TICKS)
        self._count(found, "cpu.waiting", times.waiting / TICKS)
        if slow:
            found["cpu.count"] = os.cpu_count() or 1

    def _memory_of(self, found: dict[str, float], slow: bool) -> None:
        told = _read(self._memory)
        total = proc_files.meminfo(told, b"MemTotal")
        free = proc_files.meminfo(told, b"MemAvailable")
        if total is None or free is None:
            return
        found["memory"] = max(0, total - free)
        if slow:
            found["memory.limit"] = total
            swap = proc_files.meminfo(told, b"SwapTotal") or 0
            found["swap"] = max(0, swap - (proc_files.meminfo(told, b"SwapFree") or 0))

    def _traffic(self, found: dict[str, float], own: bool) -> None:
        told = _read_all(self._network) if own else b""
        network = proc_files.traffic(told, proc_files.leads_out)
        if network is not None:
            self._count(found, "network.received", network[0])
            self._count(found, "network.sent", network[1])
            self._said(("network.received", "network.sent"))
        else:
            why = NO_NETWORK if told else NO_PROCESS
            self._said(("network.received", "network.sent"), why)
        if disks := _read_all(self._disks):
            read, written = proc_files.transferred(disks, self._is_whole)
            self._count(found, "disk.read", read)
            self._count(found, "disk.written", written)

    def _is_whole(self, device: str, name: bytes) -> bool:
        """Whether it is a disk, and no part of one or made of others: those are counted there."""
        known = self._whole.get(device)
        if known is None:
            folder = f"{self._sys}/dev/block/{device}"
            known = os.path.exists(folder) and not (
                os.path.exists(f"{folder}/partition")
                or is_stacked(folder)
                or name.startswith((b"loop", b"ram", b"zram", b"sr", b"fd"))
            )
            self._whole[device] = known
        return known

    def _seldom(self, found: dict[str, float]) -> None:
        load = _read(self._load).partition(b" ")[0]
        if load:
            found["load"] = float(load)
        for metric, file in self._pressures.items():
            waited = cgroup.stalled(_read(file))
            if waited is None:
                self._said((metric,), PRESSURE_IS_OFF)
            else:
                self._count(found, metric, waited / 1e6)
                self._said((metric,))

    def _room_on_disks(self, values: Values) -> None:
        seen: set[int] = set()
        for name, folder in self.folders.items():
            try:
                device, room = os.stat(folder).st_dev, os.statvfs(folder)
            except OSError:
                self._said(("disk.used", "disk.limit"), NO_DISK)
                continue
            if device in seen:
                continue
            seen.add(device)
            labels: Labels = (("path", name),)
            # As df does: what is kept for root is nobody's to use.
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            values["disk.used", labels] = used
            values["disk.limit", labels] = used + room.f_bavail * room.f_frsize

    def _said(self, metrics: Iterable[str], why: str = "") -> None:
        for metric in metrics:
            if why:
                self.why[metric] = why
            else:
                self.why.pop(metric, None)


def is_stacked(folder: str) -> bool:
    """Whether a block device (a folder of sysfs) is made of others, or a file on one."""
    try:
        return bool(os.listdir(f"{folder}/slaves")) or os.path.exists(f"{folder}/loop")
    except OSError:
        return False


def stacked(sys: str = SYS) -> set[bytes]:
    """All of them now, as control groups number them: "253:0"."""
    try:
        numbers = os.listdir(f"{sys}/dev/block")
    except OSError:
        return set()
    return {n.encode() for n in numbers if is_stacked(f"{sys}/dev/block/{n}")}


def _read(file: KeptFile) -> bytes:
    """Empty when it cannot be read."""
    try:
        return file.read()
    except OSError:
        return b""


def _read_all(file: KeptFile) -> bytes:
    try:
        return file.read_all()
    except OSError:
        return b""
