"""The limits that all builds share, as the kernel is told of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloudbang.deploy.build_limits import BuildLimits

MIB = 1024**2


def test_half_of_the_machine_unless_said() -> None:
    limits = BuildLimits(0, 0, "docker/buildkit")
    assert limits.cpus == max(1.0, (os.cpu_count() or 1) / 2)
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert limits.memory == whole // 2
    assert BuildLimits(0.5, MIB, "x").cpus == 0.5


def test_of_version_1_each_kind_has_a_tree(tmp_path: Path) -> None:
    for kind in ("cpu", "memory"):
        (tmp_path / kind).mkdir()
    assert BuildLimits(1.5, 64 * MIB, "docker/buildkit", tmp_path).set() == ""
    group = tmp_path / "cpu/docker/buildkit"
    assert (group / "cpu.cfs_quota_us").read_text() == "150000"
    assert (group / "cpu.cfs_period_us").read_text() == "100000"
    memory = tmp_path / "memory/docker/buildkit/memory.limit_in_bytes"
    assert memory.read_text() == str(64 * MIB)


def test_of_version_2_there_is_one_tree(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").touch()
    assert BuildLimits(1.5, 64 * MIB, "/docker/buildkit/", tmp_path).set() == ""
    assert (tmp_path / "docker/cgroup.subtree_control").read_text() == "+cpu +memory"
    assert (tmp_path / "docker/buildkit/cpu.max").read_text() == "150000 100000"
    assert (tmp_path / "docker/buildkit/memory.max").read_text() == str(64 * MIB)


def test_why_it_is_not_possible(tmp_path: Path) -> None:
    assert "there is no" in BuildLimits(1, MIB, "docker/buildkit", tmp_path).set()


@pytest.mark.parametrize("group", ["buildkit", "a/b/c"])
def test_a_group_may_be_anywhere(tmp_path: Path, group: str) -> None:
    for kind in ("cpu", "memory"):
        (tmp_path / kind).mkdir()
    assert BuildLimits(1, MIB, group, tmp_path).set() == ""
    assert (tmp_path / "memory" / group).is_dir()
