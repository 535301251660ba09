"""What is read of one container's control groups, controller by controller, in either version.

Every second only what changes every second and costs little: memory.stat and its like take locks
that all groups share, and the kernel adds up what it says at that moment.

What is read is put into a mapping by the name of the metric, in its unit: counters as they stand
(seconds, bytes), the rest as it is. What is not there is not put there, and ``why`` says why.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Mapping
from typing import Protocol

from cloudbang.domain.metrics import cgroup
from cloudbang.domain.metrics.counters import Events
from cloudbang.node.sampler.files import GONE, KeptFile, Room, read
from cloudbang.node.sampler.hierarchies import PRESSURE, Group, Hierarchies
from cloudbang.node.sampler.reasons import (
    MEMORY_IS_OFF,
    NO_CONTROLLER,
    NO_LIMIT,
    NO_PEAK,
    NO_PRESSURE,
    NO_SHARED,
    PRESSURE_IS_OFF,
)

MOVED = 256 * 1024
"""Bytes by which the memory of a container has to have changed before its memory.stat is read
again within 5 s."""

_CPU = ("cpu", "cpu.throttled", "cpu.limit")
_MEMORY = (
    *("memory", "memory.anon", "memory.file", "memory.shared", "memory.limit", "memory.peak"),
    "oom_kills",
)
_DISK = ("disk.read", "disk.written")
_PRESSURES = {"pressure.cpu": "cpu", "pressure.memory": "memory", "pressure.io": "io"}

Raw = dict[str, float]


class Vanished(Exception):
    """The group is gone: its container has ended, or was started anew."""


class Part(Protocol):
    """What is read of one controller. Both raise Vanished, and OSError for what cannot be read."""

    metrics: Collection[str]
    why: dict[str, str]

    def fast(self, raw: Raw) -> None: ...
    def slow(self, raw: Raw) -> None: ...
    def close(self) -> None: ...


class _Part:
    """The files of one controller."""

    metrics: Collection[str] = ()

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.why: dict[str, str] = {}

    def fast(self, raw: Raw) -> None:
        pass

    def slow(self, raw: Raw) -> None:
        pass

    def close(self) -> None:
        pass

    def _kept(self, file: KeptFile) -> bytes:
        """Raises Vanished."""
        try:
            return file.read()
        except OSError as e:
            if e.errno in GONE:
                raise Vanished from None
            raise

    def _once(self, name: str) -> bytes | None:
        """None when the group has no such file. Raises Vanished."""
        try:
            return read(f"{self.folder}/{name}")
        except OSError as e:
            if e.errno == errno.EOPNOTSUPP:
                return None
            if e.errno == errno.ENOENT and os.path.isdir(self.folder):
                return None
            if e.errno in GONE:
                raise Vanished from None
            raise

    def _put(self, raw: Raw, name: str, value: float | None, why: str) -> None:
        if value is None:
            self.why[name] = why
        else:
            raw[name] = value
            self.why.pop(name, None)


class CpuOne(_Part):
    """Version 1: what it took is counted by one controller, how much it may take set by another."""

    metrics: Collection[str] = _CPU

    def __init__(self, accounts: str, folder: str, room: Room) -> None:
        super().__init__(folder)
        self._usage = KeptFile(f"{accounts}/cpuacct.usage", room)
        self._stat = KeptFile(f"{folder}/cpu.stat", room)
        self._limited = True  # until it was looked at

    def fast(self, raw: Raw) -> None:
        usage = cgroup.number(self._kept(self._usage))
        if usage is not None:
            raw["cpu"] = usage / 1e9
        if not self.folder:
            return
        throttled = 0
        if self._limited:  # nothing else holds it up
            throttled = cgroup.field(self._kept(self._stat), b"throttled_time") or 0
        raw["cpu.throttled"] = throttled / 1e9

    def slow(self, raw: Raw) -> None:
        if not self.folder:
            self.why |= {"cpu.limit": NO_CONTROLLER, "cpu.throttled": NO_CONTROLLER}
            return
        quota = cgroup.number(self._once("cpu.cfs_quota_us") or b"")
        period = cgroup.number(self._once("cpu.cfs_period_us") or b"")
        cores = cgroup.cores(quota, period)
        self._limited = cores is not None
        self._put(raw, "cpu.limit", cores, NO_LIMIT)

    def close(self) -> None:
        self._usage.close()
        self._stat.close()


class CpuTwo(_Part):
    metrics: Collection[str] = _CPU

    def __init__(self, folder: str, room: Room) -> None:
        super().__init__(folder)
        self._stat = KeptFile(f"{folder}/cpu.stat", room)

    def fast(self, raw: Raw) -> None:
        stat = self._kept(self._stat)
        usage = cgroup.field(stat, b"usage_usec")
        if usage is not None:
            raw["cpu"] = usage / 1e6
        throttled = cgroup.field(stat, b"throttled_usec")
        if throttled is None:  # the controller is not on in this group, so nothing holds it up
            self.why["cpu.throttled"] = NO_CONTROLLER
        else:
            raw["cpu.throttled"] = throttled / 1e6

    def slow(self, raw: Raw) -> None:
        most = self._once("cpu.max")
        why = NO_CONTROLLER if most is None else NO_LIMIT
        self._put(raw, "cpu.limit", cgroup.quota(most or b""), why)

    def close(self) -> None:
        self._stat.close()


class _Names(Protocol):
    current: str
    limit: str
    peak: str
    events: str
    inactive: bytes
    anon: bytes
    file: bytes
    shared: bytes


class _NamesOne:
    current, limit, peak = (
        "memory.usage_in_bytes",
        "memory.limit_in_bytes",
        "memory.max_usage_in_bytes",
    )
    events = "memory.oom_control"
    inactive, anon, file, shared = (
        b"total_inactive_file",
        b"total_rss",
        b"total_cache",
        b"total_shmem",
    )


class _NamesTwo:
    current, limit, peak = "memory.current", "memory.max", "memory.peak"
    events = "memory.events"
    inactive, anon, file, shared = b"inactive_file", b"anon", b"file", b"shmem"


class Memory(_Part):
    """``kills`` counts over restarts, which the group does not live through."""

    metrics: Collection[str] = _MEMORY

    def __init__(self, group: Group, room: Room, kills: Events) -> None:
        super().__init__(group.folder)
        self._names: type[_Names] = _NamesTwo if group.version == 2 else _NamesOne
        self._current = KeptFile(f"{group.folder}/{self._names.current}", room)
        self._stat = KeptFile(f"{group.folder}/memory.stat", room)
        self._events = KeptFile(f"{group.folder}/{self._names.events}", room)
        self._kills = kills
        self._read_at: int | None = None  # how much it used when memory.stat was read
        self._inactive = 0

    def fast(self, raw: Raw) -> None:
        self._count_kills()
        current = cgroup.number(self._kept(self._current))
        if current is None:
            return
        if self._read_at is None or abs(current - self._read_at) > MOVED:
            self._inactive_of(self._kept(self._stat), current)
        raw["memory"] = cgroup.used(current, self._inactive)

    def _count_kills(self) -> None:
        """Each second, since somebody is to be told of one: it is a number, behind no lock."""
        try:
            told = self._kept(self._events)
        except Vanished:
            if os.path.isdir(self.folder):
                return  # its group has no such file
            raise
        kills = cgroup.field(told, b"oom_kill")
        if kills is not None:
            self._kills.take(kills)

    def _inactive_of(self, stat: bytes, current: int) -> None:
        self._inactive = cgroup.field(stat, self._names.inactive) or 0
        self._read_at = current

    def slow(self, raw: Raw) -> None:
        names = self._names
        stat = self._kept(self._stat)
        current = cgroup.number(self._kept(self._current))
        if current is not None:
            self._inactive_of(stat, current)
            raw["memory"] = cgroup.used(current, self._inactive)
        anon, file = cgroup.field(stat, names.anon), cgroup.field(stat, names.file)
        shared = cgroup.field(stat, names.shared)
        if anon is not None:
            raw["memory.anon"] = anon
        if file is not None:  # which has what is shared in it
            raw["memory.file"] = max(0, file - (shared or 0))
        self._put(raw, "memory.shared", shared, NO_SHARED)
        limit = cgroup.limit(self._once(names.limit) or b"")
        self._put(raw, "memory.limit", limit, NO_LIMIT)
        peak = self._once(names.peak)
        self._put(raw, "memory.peak", cgroup.number(peak or b""), NO_PEAK)

    def close(self) -> None:
        self._current.close()
        self._stat.close()
        self._events.close()


class Processes(_Part):
    """Both versions count threads as well."""

    metrics: Collection[str] = ("processes",)

    def slow(self, raw: Raw) -> None:
        current = cgroup.number(self._once("pids.current") or b"")
        self._put(raw, "processes", current, NO_CONTROLLER)


class Disk(_Part):
    metrics: Collection[str] = _DISK

    def __init__(self, group: Group, stacked: Collection[bytes]) -> None:
        super().__init__(group.folder)
        self._version = group.version
        self._stacked = stacked
        self._file = (
            "io.stat" if group.version == 2 else "blkio.throttle.io_service_bytes_recursive"
        )

    def slow(self, raw: Raw) -> None:
        stat = self._once(self._file)
        if stat is None and self._version == 1 and not self._file.endswith("service_bytes"):
            self._file = "blkio.throttle.io_service_bytes"  # kernels before 4.16 have no other
            stat = self._once(self._file)
        if stat is None:
            self.why |= dict.fromkeys(_DISK, NO_CONTROLLER)
            return
        parse = cgroup.transferred if self._version == 2 else cgroup.serviced
        raw["disk.read"], raw["disk.written"] = parse(stat, self._stacked)


class Pressure(_Part):
    """For as long as some of its tasks waited. Where it is switched off, the files are there and
    cannot be read."""

    metrics: Collection[str] = tuple(_PRESSURES)

    def slow(self, raw: Raw) -> None:
        for metric, name in _PRESSURES.items():
            waited = cgroup.stalled(self._once(f"{name}.pressure") or b"")
            seconds = None if waited is None else waited / 1e6
            self._put(raw, metric, seconds, PRESSURE_IS_OFF)


def parts_of(
    groups: Mapping[str, Group],
    there: Hierarchies,
    room: Room,
    kills: Events,
    stacked: Collection[bytes] = (),
) -> tuple[list[Part], dict[str, str]]:
    """What reads a container with these groups, and what none of them tells, with the reason."""
    parts: list[Part] = []
    why: dict[str, str] = {}
    accounts, cpu = groups.get("cpuacct"), groups.get("cpu")
    if accounts is not None:
        limits = cpu.folder if cpu is not None and cpu.version == 1 else ""
        parts.append(CpuOne(accounts.folder, limits, room))
    elif cpu is not None and cpu.version == 2:
        parts.append(CpuTwo(cpu.folder, room))
    else:
        why |= dict.fromkeys(_CPU, NO_CONTROLLER)
    if memory := groups.get("memory"):
        parts.append(Memory(memory, room, kills))
    else:
        off = "memory" in there.switched_off or "memory" not in there.controllers
        why |= dict.fromkeys(_MEMORY, MEMORY_IS_OFF if off else NO_CONTROLLER)
    if pids := groups.get("pids"):
        parts.append(Processes(pids.folder))
    else:
        why["processes"] = NO_CONTROLLER
    if disk := groups.get("io") or groups.get("blkio"):
        parts.append(Disk(disk, stacked))
    else:
        why |= dict.fromkeys(_DISK, NO_CONTROLLER)
    if pressure := groups.get(PRESSURE):
        parts.append(Pressure(pressure.folder))
    else:
        why |= dict.fromkeys(_PRESSURES, NO_PRESSURE)
    return parts, why
