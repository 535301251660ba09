"""Where control groups are: versions beside each other, and wherever an engine puts a container's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cloudbang.node.sampler import reasons
from tests.node.sampler.test_files import ID, MIB, Machine, machine

__all__ = ["machine"]  # a fixture


def test_controllers_may_be_in_different_versions(machine: Machine) -> None:
    """A hybrid machine: that version 2 is mounted says nothing of where memory is counted."""
    old = machine.root.parent / "old"
    group = f"docker/{ID}"
    machine.write(
        old / "memory" / group,
        {
            "memory.usage_in_bytes": f"{30 * MIB}\n",
            "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.max_usage_in_bytes": f"{31 * MIB}\n",
            "memory.stat": f"inactive_file 1\ntotal_rss 4096\ntotal_cache 8192\n"
            f"total_inactive_file {10 * MIB}\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        },
    )
    machine.write(machine.root, {"cgroup.controllers": "io pids\n"})
    machine.write(
        machine.proc,
        {
            "cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t9\t1\ncpu\t0\t9\t1\n"
        },
    )
    with machine.mountinfo.open("a") as file:
        for name in ("memory",):
            file.write(f"36 24 0:31 / {machine.root}/{name} rw - cgroup cgroup rw,{name}\n")
    shutil.move(old / "memory", machine.root / "memory")
    one = machine.container()
    values = one.sample(slow=True).values
    assert values["memory"] == 20 * MIB
    assert values["oom_kills"] == 3
    assert values["processes"] == 12  # of version 2
    assert one.why["memory.shared"] == reasons.NO_SHARED
    assert one.why["memory.limit"] == reasons.NO_LIMIT
    assert "cpu" in one.sample(slow=False).values


@pytest.mark.parametrize("how", ["usual", "parent", "process", "search"])
def test_a_group_is_found_wherever_it_is(tmp_path: Path, how: str) -> None:
    """Where engines usually put it, below its parent, where its process says, or anywhere."""
    group = {
        "usual": f"machine.slice/libpod-{ID}.scope",
        "parent": f"a.slice/a-b.slice/docker-{ID}.scope",
        "process": f"mine/deep/{ID}",
        "search": f"some/where/else/{ID}",
    }[how]
    machine = Machine(tmp_path, group)
    one = machine.container(
        cgroup_parent="a-b.slice" if how == "parent" else "", pid=0 if how == "search" else 42
    )
    if how == "process":
        machine.process(42, f"0::/{group}/init.scope\n")
    if how == "search":
        assert not one.sample(slow=False).values
        assert not one.sample(slow=False).values
        assert one.lost
        found = machine.context().hierarchies.search([ID, "00" * 32])
        assert list(found) == [ID]
        one.read_from(found[ID])
    assert one.sample(slow=False).values["memory"] == 40 * MIB


def test_a_group_is_found_from_within_a_container(tmp_path: Path) -> None:
    """Without a namespace for groups its process tells where it is from the machine's top, of which only
    that container's part is mounted; with one it tells it from elsewhere, and nobody knows from where."""
    machine = Machine(tmp_path, f"odd/deep/{ID}")
    outer = "/docker/" + "ee" * 32
    machine.mountinfo.write_text(
        f"35 24 0:30 {outer} {machine.root} rw shared:9 - cgroup2 cgroup2 rw\n"
    )
    machine.process(42, f"0::{outer}/odd/deep/{ID}/init.scope\n")
    assert machine.container().sample(slow=True).values["memory"] == 40 * MIB
    machine.process(42, f"0::/../odd/deep/{ID}\n")
    one = machine.container()
    assert not one.sample(slow=False).values
    one.sample(slow=False)
    assert one.lost  # until the whole tree was looked through


def test_all_of_a_machine_of_version_one(tmp_path: Path) -> None:
    """As systemd lays it out beside an empty version 2: two controllers in one hierarchy, each of the
    others in its own, the container below a slice; whatever is counted below it counts for it."""
    machine = Machine(tmp_path)
    shutil.rmtree(machine.root)
    group = f"a.slice/a-b.slice/docker-{ID}.scope"
    files = {
        "cpu,cpuacct": {
            "cpuacct.usage": "5000000000\n",
            "cpu.stat": "nr_periods 9\nnr_throttled 1\nthrottled_time 2000000000\n",
            "cpu.cfs_quota_us": "150000\n",
            "cpu.cfs_period_us": "100000\n",
        },
        "memory": {
            "memory.usage_in_bytes": f"{50 * MIB}\n",
            "memory.limit_in_bytes": f"{64 * MIB}\n",
            "memory.max_usage_in_bytes": f"{60 * MIB}\n",
            "memory.stat": f"inactive_file {MIB}\nrss {MIB}\ntotal_rss {20 * MIB}\n"
            f"total_cache {25 * MIB}\ntotal_shmem {5 * MIB}\ntotal_inactive_file {10 * MIB}\n",
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        },
        "pids": {"pids.current": "12\n"},
        "blkio": {
            "blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 8192\nTotal 1\n"
        },
    }
    for name, its in files.items():
        machine.write(machine.root / name / group, its)
    machine.write(machine.root / "unified", {"cgroup.controllers": "\n"})
    machine.write(
        machine.root / "unified" / group, {"cgroup.procs": "", "cpu.stat": "usage_usec 1\n"}
    )
    mounts = [f"36 24 0:31 / {machine.root}/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"]
    mounts += [f"37 24 0:32 / {machine.root}/{one} rw - cgroup cgroup rw,{one}\n" for one in files]
    machine.mountinfo.write_text("".join(mounts))
    told = (
        "".join(f"4:{one}:/{group}\n" for one in files) + f"1:name=systemd:/{group}\n0::/{group}\n"
    )
    machine.process(42, told)
    for how in ({"cgroup_parent": "a-b.slice"}, {}):
        one = machine.container(**how)
        first = one.sample(slow=True).values
        assert first["memory"] == 40 * MIB
        assert first["memory.anon"] == 20 * MIB
        assert (first["memory.file"], first["memory.shared"]) == (20 * MIB, 5 * MIB)
        assert (first["memory.limit"], first["memory.peak"]) == (64 * MIB, 60 * MIB)
        assert (first["processes"], first["oom_kills"], first["cpu.limit"]) == (12, 2, 1.5)
        second = one.sample(slow=True).values
        assert second["cpu"] == second["cpu.throttled"] == second["disk.read"] == 0
        assert one.why["pressure.cpu"] == reasons.PRESSURE_IS_OFF
