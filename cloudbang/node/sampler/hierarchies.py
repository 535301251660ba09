"""Where control groups are on this machine, and which one is a container's.

Each controller is in a hierarchy of its own or together with others, of version 1 or 2: a machine
may have both, and that the one is mounted says nothing of the other.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from cloudbang.core.loop import in_turns
from cloudbang.domain.metrics import cgroup

log = logging.getLogger(__name__)

HOST_GROUPS, OWN_GROUPS = "/host/cgroup", "/sys/fs/cgroup"
HOST_PROC, OWN_PROC = "/host/proc", "/proc"
DEEPEST = 8  # folders below the root in which a container's group is looked for

CONTROLLERS = ("cpu", "cpuacct", "memory", "pids", "blkio", "io")
PRESSURE = "pressure"  # no controller, but found like one: the groups of version 2 tell it


class Group(NamedTuple):
    """A container's group in one hierarchy."""

    version: int
    folder: str


def proc_folder(setting: str = "") -> str:
    """The engine's machine's ``/proc``: as it is set, as it is mounted, or our own."""
    if setting:
        return setting
    return HOST_PROC if os.path.exists(f"{HOST_PROC}/1/cgroup") else OWN_PROC


class Hierarchies:
    """``controllers``: which are there, by name, with their version and where they are mounted;
    ``switched_off``: which the kernel has and was told not to use."""

    def __init__(
        self, setting: str = "", proc: str = OWN_PROC, mountinfo: str = "/proc/self/mountinfo"
    ) -> None:
        """``setting``: where the machine's ``/sys/fs/cgroup`` is; "" to look for it."""
        self.proc = proc
        self.controllers: dict[str, Group] = {}
        self._roots: dict[str, str] = {}  # the group that stands at the top of each mount
        self.switched_off: set[str] = set()
        found = _mounts(mountinfo)
        roots = [setting] if setting else [HOST_GROUPS, OWN_GROUPS]
        self.root = next((root for root in roots if _below(found, root)), roots[-1])
        self._take(_below(found, self.root))

    def _take(self, mounts: list[cgroup.Mount]) -> None:
        for mount in mounts:
            here = Group(mount.version, mount.point)
            names: Collection[str] = mount.controllers
            if mount.version == 2:
                names = {*_text(f"{mount.point}/cgroup.controllers").split(), PRESSURE}
                # How long it ran is told of every group, whether or not the controller is on.
                self.controllers.setdefault("cpu", here)
            for name in names:
                if name in CONTROLLERS or name == PRESSURE:
                    self.controllers[name] = here
                    self._roots[name] = mount.root.rstrip("/")
        if any(mount.version == 1 for mount in mounts):
            # Where all is version 2, a kernel complains in its log of who reads this.
            self.switched_off = cgroup.switched_off(_text(f"{self.proc}/cgroups"))

    @property
    def is_there(self) -> bool:
        return bool(self.controllers)

    @property
    def tells_pressure(self) -> bool:
        """Whether the kernel tells how long tasks waited: it may have been built, or told, not to."""
        return "some" in _text(f"{self.proc}/pressure/cpu")

    def file_system(self, path: str) -> str:
        """The kind of the file system that a path of the engine's machine is on, "" for unknown."""
        return cgroup.file_system(_text(f"{self.proc}/1/mountinfo"), path)

    def find(self, container: str, parent: str = "", pid: int = 0) -> dict[str, Group]:
        """A container's group for each controller that it has one for; empty when it is not found.
        ``parent``: its CgroupParent; ``pid``: of its first process, 0 when that is not known."""
        usual = cgroup.usual_groups(container, parent)
        found = self._at(dict.fromkeys(self.controllers, usual))
        if not found and pid:
            told = cgroup.groups_of(_text(f"{self.proc}/{pid}/cgroup"))
            paths: dict[str, list[str]] = {}
            for name, here in self.controllers.items():
                path = cgroup.group_of(told.get(name if here.version == 1 else "", ""), container)
                # Within a container without a namespace of its own it is told from the machine's top,
                # and seen from that container's.
                root = self._roots.get(name, "")
                seen = path.removeprefix(root) if path and path.startswith(f"{root}/") else path
                paths[name] = [one for one in (seen, path) if one]
            found = self._at(paths)
        return found

    def _at(self, paths: dict[str, list[str]]) -> dict[str, Group]:
        found = {}
        for name, here in self.controllers.items():
            for path in paths.get(name, ()):
                if os.path.isdir(here.folder + path):
                    found[name] = Group(here.version, here.folder + path)
                    break
        return found

    def search(self, containers: Collection[str]) -> dict[str, dict[str, Group]]:
        """Look through the whole tree, once for all of them: of a large one that takes a while."""
        found: dict[str, dict[str, Group]] = {}
        left = set(containers)
        for point in dict.fromkeys(here.folder for here in self.controllers.values()):
            for folder, names, _ in in_turns(os.walk(point)):
                path = folder.removeprefix(point)
                for name in names:
                    container = name.removesuffix(".scope").rpartition("-")[2]
                    if container in left:
                        same = {key: [f"{path}/{name}"] for key in self.controllers}
                        found[container] = self._at(same)
                        left.discard(container)
                if path.count("/") >= DEEPEST or not left:
                    names.clear()
            if not left:
                break
        return found


def _mounts(mountinfo: str) -> list[cgroup.Mount]:
    return cgroup.mounts(_text(mountinfo))


def _below(mounts: list[cgroup.Mount], root: str) -> list[cgroup.Mount]:
    return [m for m in mounts if m.point == root or m.point.startswith(f"{root}/")]


def _text(path: str) -> str:
    """Empty when it cannot be read: a process has ended, a folder is not mounted."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as e:
        log.debug("%s cannot be read: %s", path, e.strerror)
        return ""
