"""The kernel's control group files, as kernels of both versions write them."""

from __future__ import annotations

import pytest

from cloudbang.domain.metrics import cgroup

ID = "f0" * 32

MEMORY_STAT_TWO = b"""anon 14123008
file 90361856
kernel 3694592
kernel_stack 262144
pagetables 532480
percpu 4800
sock 4096
vmalloc 12288
shmem 8192
file_mapped 33398784
file_dirty 135168
file_writeback 0
swapcached 0
anon_thp 0
inactive_anon 14098432
active_anon 24576
inactive_file 73846784
active_file 16506880
unevictable 0
slab_reclaimable 2312312
slab_unreclaimable 428808
slab 2741120
workingset_refault_anon 0
"""
# Version 1 says each of them of the group alone, and then of all below as well.
MEMORY_STAT_ONE = b"""cache 4096
rss 8192
shmem 0
inactive_file 1
active_file 2
hierarchical_memory_limit 9223372036854771712
total_cache 3940352
total_rss 163840
total_shmem 12288
total_inactive_file 802816
total_active_file 3137536
"""
CPU_STAT = b"""usage_usec 2183947
user_usec 1764529
system_usec 419418
core_sched.force_idle_usec 0
nr_periods 1180
nr_throttled 97
throttled_usec 4862931
nr_bursts 0
burst_usec 0
"""
PRESSURE = b"""some avg10=1.53 avg60=0.87 avg300=0.21 total=58761459
full avg10=0.00 avg60=0.13 avg300=0.96 total=57891283
"""


@pytest.mark.parametrize(
    ("data", "key", "value"),
    [
        (MEMORY_STAT_TWO, b"anon", 14123008),
        (MEMORY_STAT_TWO, b"file", 90361856),
        (MEMORY_STAT_TWO, b"inactive_file", 73846784),
        (MEMORY_STAT_TWO, b"shmem", 8192),
        (MEMORY_STAT_ONE, b"total_inactive_file", 802816),
        (MEMORY_STAT_ONE, b"inactive_file", 1),
        (MEMORY_STAT_ONE, b"rss", 8192),
        (CPU_STAT, b"usage_usec", 2183947),
        (CPU_STAT, b"throttled_usec", 4862931),
        (CPU_STAT, b"throttled", None),  # part of another key
        (b"low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n", b"oom_kill", 2),
        (b"oom_kill_disable 0\nunder_oom 0\noom_kill 1", b"oom_kill", 1),
        (b"oom_kill_disable 0\nunder_oom 0\n", b"oom_kill", None),  # before 4.13
        (b"", b"anon", None),
        (b"anon", b"anon", None),
        (b"anon many\n", b"anon", None),
    ],
)
def test_one_key_is_found_and_no_other(data: bytes, key: bytes, value: int | None) -> None:
    """The whole key, at the beginning of a line."""
    assert cgroup.field(data, key) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"536870912\n", 536870912),
        (b"max\n", None),
        (b"9223372036854771712\n", None),  # version 1, pages of 4 KiB
        (b"9223372036854710272\n", None),  # of 64 KiB
        (b"", None),
    ],
)
def test_no_limit_is_none(data: bytes, value: int | None) -> None:
    """However it is said."""
    assert cgroup.limit(data) == value


def test_a_quota_is_told_in_cores() -> None:
    """Both versions; a period of none is no quota."""
    assert cgroup.quota(b"50000 100000\n") == 0.5
    assert cgroup.quota(b"max 100000\n") is None
    assert cgroup.quota(b"") is None
    assert cgroup.cores(150000, 100000) == 1.5
    assert cgroup.cores(-1, 100000) is None
    assert cgroup.cores(1000, 0) is None


def test_pressure_is_a_total() -> None:
    """Averages are of no use to somebody who measures by himself."""
    assert cgroup.stalled(PRESSURE) == 58761459
    assert cgroup.stalled(PRESSURE, b"full") == 57891283
    assert cgroup.stalled(b"some avg10=0.00 avg60=0.00 avg300=0.00 total=7", b"full") is None
    assert cgroup.stalled(b"") is None


def test_disks_are_added_up_and_those_upon_others_left_out() -> None:
    """A mapped device's bytes are those of the disk below."""
    stat = (
        b"8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n"
        b"253:0 rbytes=1459200 wbytes=4096 rios=192 wios=1 dbytes=0 dios=0\n"
        b"7:0 \n"
    )
    assert cgroup.transferred(stat) == (2918400, 314777600)
    assert cgroup.transferred(stat, {b"253:0"}) == (1459200, 314773504)
    assert cgroup.transferred(b"") == (0, 0)
    old = (
        b"8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 8192\n8:0 Async 4096\n8:0 Discard 0\n"
        b"8:0 Total 12288\n253:0 Read 1\nTotal 12289\n"
    )
    assert cgroup.serviced(old) == (4097, 8192)
    assert cgroup.serviced(old, {b"253:0"}) == (4096, 8192)
    assert cgroup.serviced(b"Total 0\n") == (0, 0)


def test_memory_is_what_docker_calls_it() -> None:
    """Without the inactive files, as long as there are fewer of them than there is."""
    assert cgroup.used(100, 30) == 70
    assert cgroup.used(100, 100) == 100
    assert cgroup.used(100, 120) == 100


HYBRID = """31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/x /sys/fs/cgroup/mem\\040ory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw shared:1 - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:2 - cgroup2 cgroup2 rw,nsdelegate
"""


def test_hierarchies_are_told_by_mountinfo() -> None:
    """Version 2 may be mounted beside those of version 1, and one without a controller."""
    found = cgroup.mounts(HYBRID)
    assert [(m.version, m.point) for m in found] == [
        (1, "/sys/fs/cgroup/cpu,cpuacct"),
        (1, "/sys/fs/cgroup/mem ory"),
        (1, "/sys/fs/cgroup/systemd"),
        (2, "/sys/fs/cgroup/unified"),
    ]
    assert found[0].controllers == {"cpu", "cpuacct"}
    assert found[1].root == "/docker/x"
    assert {"memory"} <= found[1].controllers
    assert cgroup.mounts("") == []


def test_a_controller_may_be_switched_off() -> None:
    """As on a Raspberry Pi, whose firmware says cgroup_disable=memory."""
    told = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t78\t1\nmemory\t0\t76\t0\n"
    assert cgroup.switched_off(told) == {"memory"}


def test_a_process_tells_its_groups() -> None:
    """Of each controller, and that of version 2."""
    told = f"12:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}/init.scope\n0::/a:b\n"
    found = cgroup.groups_of(told)
    assert found["cpu"] == found["cpuacct"] == f"/docker/{ID}"
    assert found[""] == "/a:b"


def test_a_containers_own_group_is_the_one_named_after_it() -> None:
    """What it makes below is in it; what is told from within another group leads nowhere."""
    assert cgroup.group_of(f"/a.slice/docker-{ID}.scope/init.scope", ID) == (
        f"/a.slice/docker-{ID}.scope"
    )
    assert cgroup.group_of(f"/../{ID}", ID) is None
    assert cgroup.group_of("/", ID) is None
    assert cgroup.group_of(f"/docker/{ID[:12]}", ID) is None


def test_engines_put_groups_where_they_usually_do() -> None:
    """With either driver, below a parent or not."""
    usual = cgroup.usual_groups(ID)
    assert usual[0] == f"/docker/{ID}"
    assert f"/system.slice/docker-{ID}.scope" in usual
    assert f"/machine.slice/libpod-{ID}.scope" in usual
    assert cgroup.usual_groups(ID, "user-a-b.slice")[0] == (
        f"/user.slice/user-a.slice/user-a-b.slice/docker-{ID}.scope"
    )
    assert cgroup.usual_groups(ID, "/mine/")[0] == f"/mine/{ID}"
    assert cgroup.usual_groups(ID, "-.slice")[0] == f"/docker-{ID}.scope"
