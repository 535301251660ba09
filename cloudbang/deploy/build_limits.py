"""The processors and the memory that all builds share, so that the machine stays quick.

BuildKit takes no limits over the engine's HTTP: they are ignored without a word. But all that its
builds run, runs below one control group, and that can be given limits by who is root there.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds


class BuildLimits:
    """``cpus`` and ``memory`` (bytes): 0 for half of the machine's."""

    def __init__(self, cpus: float, memory: int, group: str, root: Path = ROOT) -> None:
        self.cpus = cpus or max(1.0, (os.cpu_count() or 1) / 2)
        self.memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        self._group, self._root = group.strip("/"), root

    def set(self) -> str:
        """Give the builds' control group its limits; why that is not possible, "" when it is.
        Quick: the files are the kernel's."""
        try:
            if (self._root / "cgroup.controllers").exists():
                self._set_unified()
            else:
                self._set_each()
        except OSError as e:
            return e.strerror or str(e)
        return ""

    def _set_unified(self) -> None:
        """Version 2: one tree, whose folders say which limits there are below them."""
        folder = self._root
        for part in self._group.split("/"):
            (folder / "cgroup.subtree_control").write_text("+cpu +memory")
            folder /= part
            folder.mkdir(exist_ok=True)
        (folder / "cpu.max").write_text(f"{self._quota} {PERIOD}")
        (folder / "memory.max").write_text(str(self.memory))

    def _set_each(self) -> None:
        """Version 1: a tree for each kind."""
        cpu, memory = self._tree("cpu"), self._tree("memory")
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
        (cpu / "cpu.cfs_quota_us").write_text(str(self._quota))
        (memory / "memory.limit_in_bytes").write_text(str(self.memory))

    def _tree(self, kind: str) -> Path:
        if not (self._root / kind).is_dir():
            raise FileNotFoundError(f"there is no {self._root / kind}")
        folder = self._root / kind / self._group
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _quota(self) -> int:
        return int(self.cpus * PERIOD)
