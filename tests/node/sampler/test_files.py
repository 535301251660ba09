"""Control groups of kernels that are not this one: trees of files made after real ones."""

from __future__ import annotations

import errno
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cloudbang.domain.apps import Instance
from cloudbang.node.sampler import container, controllers, reasons
from cloudbang.node.sampler.container import Context, MeasuredContainer
from cloudbang.node.sampler.controllers import Raw
from cloudbang.node.sampler.files import KeptFile, Room
from cloudbang.node.sampler.hierarchies import Hierarchies
from cloudbang.node.sampler.host import Host
from cloudbang.node.sampler.network import Networks

ID = "5a" * 32
MIB = 1024**2
NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1000       10    0    0    0     0          0         0     1000       10    0    0    0     0       0          0
  eth0: 7000 286505    0    0    0     0          0         0 3000   222745    0    0    0     0       0          0
docker0:  500       0    0    0    0     0          0         0   118776    1080    0  418    0     0       0          0
"""
TWO = {
    "cpu.stat": "usage_usec 5000000\nuser_usec 4\nsystem_usec 1\nnr_periods 1\nnr_throttled 1\n"
    "throttled_usec 70000\n",
    "cpu.max": "150000 100000\n",
    "memory.current": f"{50 * MIB}\n",
    "memory.stat": f"anon {20 * MIB}\nfile {25 * MIB}\nkernel 4096\nshmem {5 * MIB}\n"
    f"inactive_file {10 * MIB}\nactive_file {10 * MIB}\n",
    "memory.max": "max\n",
    "memory.peak": f"{60 * MIB}\n",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\noom_group_kill 0\n",
    "pids.current": "12\n",
    "io.stat": "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
    **{
        f"{name}.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=300000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=100000\n"
        for name in ("cpu", "memory", "io")
    },
}


class Machine:
    """A machine's ``/proc`` and control groups of version 2, with one container."""

    def __init__(self, folder: Path, group: str = f"system.slice/docker-{ID}.scope") -> None:
        self.proc, self.root = folder / "proc", folder / "cgroup"
        self.group = self.root / group
        self.group.mkdir(parents=True)
        self.mountinfo = folder / "mountinfo"
        self.mountinfo.write_text(f"35 24 0:30 / {self.root} rw shared:9 - cgroup2 cgroup2 rw\n")
        self.write(self.root, {"cgroup.controllers": "cpuset cpu io memory hugetlb pids\n"})
        self.write(self.group, TWO)
        self.process(42, f"0::/{group}\n")
        self.process(1, "0::/init.scope\n")

    def process(self, pid: int, group: str) -> None:
        self.write(self.proc / str(pid), {"cgroup": group, "net/dev": NET_DEV, "ns/net": ""})

    def write(self, folder: Path, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def change(self, **files: str) -> None:
        self.write(self.group, {n.replace("_", ".", 1): text for n, text in files.items()})

    def context(self) -> Context:
        there = Hierarchies(str(self.root), str(self.proc), str(self.mountinfo))
        return Context(there, Networks(str(self.proc), Room(0)), Room(0))

    def container(self, **facts: object) -> MeasuredContainer:
        known: dict[str, object] = {
            **{"id": ID, "name": "web", "app": "web", "stack": None, "image": "", "image_id": ""},
            **{"state": "running", "created": "", "pid": 42, "network_mode": "bridge"},
        }
        return MeasuredContainer(Instance(**{**known, **facts}), self.context())  # type: ignore[arg-type]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_version_two_is_read_in_full(machine: Machine) -> None:
    """Each metric, in its unit; what is counted from the second reading on."""
    one = machine.container()
    first = one.sample(slow=True).values
    assert first["memory"] == 40 * MIB
    assert first["memory.anon"] == 20 * MIB
    assert first["memory.file"] == 20 * MIB  # what is shared stands beside it
    assert first["memory.shared"] == 5 * MIB
    assert first["memory.peak"] == 60 * MIB
    assert (first["processes"], first["oom_kills"], first["cpu.limit"]) == (12, 2, 1.5)
    assert "memory.limit" not in first
    assert not {"cpu", "disk.read", "network.sent", "pressure.io"} & set(first)
    assert one.why == {"memory.limit": reasons.NO_LIMIT}
    machine.change(cpu_stat=TWO["cpu.stat"].replace("usage_usec 5", "usage_usec 6"))
    machine.write(machine.proc / "42", {"net/dev": NET_DEV.replace("7000", "8000")})
    second = one.sample(slow=True).values
    assert second["cpu"] > 0
    assert second["network.received"] > 0 == second["network.sent"]
    assert second["cpu.throttled"] == second["disk.read"] == second["pressure.cpu"] == 0


def test_memory_is_true_every_second_and_its_parts_are_not_asked_for(machine: Machine) -> None:
    """memory.stat is read when something has moved."""
    one = machine.container()
    assert one.sample(slow=True).values["memory"] == 40 * MIB
    more = TWO["memory.stat"].replace(f"inactive_file {10 * MIB}", f"inactive_file {12 * MIB}")
    machine.change(memory_stat=more, memory_current=f"{50 * MIB + 1000}")
    assert one.sample(slow=False).values["memory"] == 40 * MIB + 1000
    machine.change(memory_current=f"{53 * MIB}")
    assert one.sample(slow=False).values["memory"] == 41 * MIB
    machine.change(memory_stat=TWO["memory.stat"])
    assert one.sample(slow=True).values["memory"] == 43 * MIB


def test_what_cannot_be_read_costs_itself_alone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and is there again once it can be read; what is beside it never stops."""
    really, fails = controllers.read, "io.pressure"

    def read(path: str) -> bytes:
        if fails and path.endswith(fails):
            raise OSError(errno.EIO, "Input/output error")
        return really(path)

    monkeypatch.setattr(controllers, "read", read)
    one = machine.container()
    one.sample(slow=True)
    machine.change(cpu_stat=TWO["cpu.stat"].replace("usage_usec 5000000", "usage_usec 5100000"))
    values = one.sample(slow=True).values
    assert {"cpu", "memory", "processes", "pressure.cpu", "oom_kills"} <= set(values)
    assert one.why["pressure.io"] == reasons.UNREADABLE
    assert "pressure.io" not in values
    fails = "memory.max"
    values = one.sample(slow=True).values
    assert "memory" in values
    assert "oom_kills" not in values
    assert one.why["oom_kills"] == one.why["memory.limit"] == reasons.UNREADABLE
    fails = ""
    one.sample(slow=True)
    assert one.sample(slow=True).values["oom_kills"] == 2
    assert not {"oom_kills", "pressure.io"} & one.why.keys()


def test_a_controllers_group_may_be_made_after_the_others(machine: Machine) -> None:
    """In version 1 each is made by itself: what is not there at the first look is looked for again."""
    late = machine.root / "late"
    group = late / machine.group.relative_to(machine.root)
    text = machine.mountinfo.read_text()
    two, one = str(machine.root), f"36 24 0:31 / {late} rw - cgroup cgroup rw,pids\n"
    machine.mountinfo.write_text(text + one)
    machine.write(Path(two), {"cgroup.controllers": "cpu io memory\n"})
    measured = machine.container()
    measured.sample(slow=True)
    assert "processes" not in measured.sample(slow=True).values
    assert measured.why["processes"] == reasons.NO_CONTROLLER
    machine.write(group, {"pids.current": "12\n"})
    measured.sample(slow=True)
    assert measured.sample(slow=True).values["processes"] == 12
    assert "processes" not in measured.why


@pytest.mark.parametrize("way", ["no files", "not to be read"])
def test_pressure_may_be_off(machine: Machine, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Kernels differ in how they say so; it is said here, and is no zero."""
    if way == "no files":
        for name in ("cpu", "memory", "io"):
            (machine.group / f"{name}.pressure").unlink()
    else:
        really = controllers.read

        def read(path: str) -> bytes:
            if path.endswith(".pressure"):
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            return really(path)

        monkeypatch.setattr(controllers, "read", read)
    one = machine.container()
    one.sample(slow=True)
    values = one.sample(slow=True).values
    assert values["processes"] == 12
    assert not [name for name in values if name.startswith("pressure.")]
    assert one.why["pressure.cpu"] == one.why["pressure.io"] == reasons.PRESSURE_IS_OFF


def test_memory_may_not_be_counted(machine: Machine) -> None:
    """As on a Raspberry Pi: the rest is measured, and of memory is said what to do."""
    machine.write(machine.root, {"cgroup.controllers": "cpuset cpu io pids\n"})
    for path in machine.group.glob("memory.[!p]*"):
        path.unlink()
    one = machine.container()
    one.sample(slow=True)
    values = one.sample(slow=True).values
    assert values["cpu"] == 0
    assert not [name for name in values if name.startswith(("memory", "oom"))]
    assert one.why["memory"] == one.why["oom_kills"] == reasons.MEMORY_IS_OFF


def test_one_that_vanishes_under_way_says_nothing_and_is_found_again(machine: Machine) -> None:
    """Whatever was read of it until then is left out; what it says later is not compared."""
    one = machine.container()
    one.sample(slow=True)
    shutil.rmtree(machine.group)
    assert not one.sample(slow=False).values
    assert not one.sample(slow=False).values
    machine.write(machine.group, TWO | {"cpu.stat": "usage_usec 900000000\n"})
    values = one.sample(slow=False).values
    assert values["memory"] == 40 * MIB
    assert "cpu" not in values


def test_a_process_of_somebody_else_is_not_asked(machine: Machine) -> None:
    """Its number may be another one's by now, or always have been: of another machine."""
    machine.process(42, "0::/user.slice\n")
    one = machine.container()
    one.sample(slow=True)
    one.sample(slow=True)
    assert one.why["network.sent"] == reasons.NO_PROCESS
    assert one.asks_engine


def test_kills_of_earlier_runs_count(machine: Machine) -> None:
    """Also the last one, which took the group with it before anybody could read it; and once, though
    its start is told of twice."""
    one = machine.container(started_at="1")
    ended = replace(one.instance, state="restarting", oom_killed=True, pid=0)
    one.update(ended)
    one.update(replace(ended, state="running", started_at="2"))
    one.update(replace(ended, state="running", started_at="3", pid=42, oom_killed=False))
    assert one.sample(slow=True).values["oom_kills"] == 3


def test_one_that_takes_long_is_read_less_often(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three times in a row, and that is said."""
    one = machine.container()
    monkeypatch.setattr("cloudbang.node.sampler.container.LONG_CPU", -1)
    for _ in range(3):
        assert one.sample(slow=False).values
    assert not one.sample(slow=False).values
    assert one.sample(slow=True).values["memory"]
    assert one.why["cpu"] == reasons.SLOW_TO_READ


@pytest.mark.parametrize(("queued", "slow"), [(0.2, False), (0.0, True)])
def test_who_has_to_wait_for_a_processor_is_not_slow_to_read(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, queued: float, slow: bool
) -> None:
    """On a busy machine any reading takes long at times, and three in a row: what the kernel keeps us
    waiting for is another thing."""
    passed, waited = [100.0], [0.0]
    monkeypatch.setattr(container.time, "monotonic", lambda: passed[0])
    monkeypatch.setattr(container, "seconds_queued", lambda: waited[0])
    one = machine.container()
    read = one._read

    def held_up(raw: Raw, slow: bool) -> float:
        passed[0] += 0.2
        waited[0] += queued
        return read(raw, slow)

    monkeypatch.setattr(one, "_read", held_up)
    for _ in range(6):
        passed[0] += 0.8
        taken = one.sample(slow=False).values
    assert (not taken) is slow


def test_how_long_this_thread_was_queued_is_known() -> None:
    """It grows, and never faster than time goes by."""
    began, before = time.monotonic(), container.seconds_queued()
    sum(range(1_000_000))
    assert 0 <= container.seconds_queued() - before <= time.monotonic() - began


def test_there_may_be_no_room_to_keep_files_open(tmp_path: Path) -> None:
    """Then those are opened for each reading, and none is left open."""
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    room = Room(1)
    a, b = KeptFile(str(tmp_path / "a"), room), KeptFile(str(tmp_path / "b"), room)
    assert (a.read(), b.read(), room.free) == (b"1", b"2", 0)
    (tmp_path / "a").write_text("3")
    assert a.read() == b"3"
    a.close()
    assert room.free == 1


def test_the_machine_is_read_from_proc(machine: Machine, tmp_path: Path) -> None:
    """Its own interfaces and whole disks; what is made of those is not counted again."""
    machine.write(
        machine.proc,
        {
            "stat": "cpu  1000 100 500 9000 200 10 20 30 400 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n",
            "meminfo": "MemTotal:  1000 kB\nMemFree:  1 kB\nMemAvailable:  400 kB\n"
            "SwapCached: 7 kB\nSwapTotal:  100 kB\nSwapFree:  60 kB\n",
            "loadavg": "1.50 0.20 0.30 1/200 999\n",
            "diskstats": "   8       0 sda 1 0 100 0 1 0 200 0 0 0 0\n"
            "   8       1 sda1 1 0 100 0 1 0 200 0 0 0 0\n 253 0 dm-0 1 0 100 0 1 0 200 0 0 0 0\n",
        },
    )
    sys = tmp_path / "sys"
    for path in ("8:0/slaves", "8:1/slaves", "253:0/slaves/sda"):
        (sys / "dev/block" / path).mkdir(parents=True)
    (sys / "dev/block/8:1/partition").write_text("1\n")
    host = Host(str(machine.proc), Room(0), {"/x": tmp_path}, str(sys))
    first = host.read(10.0, slow=True)
    assert first["memory", ()] == 600 * 1024
    assert first["swap", ()] == 40 * 1024
    assert first["load", ()] == 1.5
    assert first["disk.limit", (("path", "/x"),)] >= first["disk.used", (("path", "/x"),)] > 0
    machine.write(
        machine.proc,
        {
            "stat": "cpu  1050 100 500 9000 200 10 20 40 400 0\n",
            "diskstats": "   8       0 sda 1 0 102 0 1 0 204 0 0 0 0\n"
            "   8       1 sda1 1 0 102 0 1 0 204 0 0 0 0\n 253 0 dm-0 1 0 102 0 1 0 204 0 0 0 0\n",
        },
    )
    machine.write(machine.proc / "1", {"net/dev": NET_DEV.replace("7000", "9000")})
    second = host.read(11.0, slow=False)
    assert second["cpu", ()] == pytest.approx(0.5)
    assert second["cpu.steal", ()] == pytest.approx(0.1)
    assert second["disk.read", ()] == 1024
    assert second["disk.written", ()] == 2048
    assert second["network.received", ()] == 2000
    assert host.why["pressure.cpu"] == reasons.PRESSURE_IS_OFF
    # In a container, the first process may be its own.
    assert ("network.received", ()) not in host.read(12.0, slow=False, own_network=False)
    assert host.why["network.received"] == reasons.NO_PROCESS


def test_a_kill_is_told_in_the_second_in_which_it_is_seen(machine: Machine) -> None:
    """Though all that belongs to memory is measured each 5 s alone; and told once."""
    one = machine.container()
    one.sample(slow=True)
    assert "oom_kills" not in one.sample(slow=False).values
    machine.change(memory_events=TWO["memory.events"].replace("oom_kill 2", "oom_kill 3"))
    told = one.sample(slow=False)
    assert (told.values["oom_kills"], told.killed) == (3, True)
    again = one.sample(slow=False)
    assert ("oom_kills" in again.values, again.killed) == (False, False)
    assert one.sample(slow=True).values["oom_kills"] == 3


def test_a_group_that_counts_no_kills_is_measured_all_the_same(machine: Machine) -> None:
    (machine.group / "memory.events").unlink()
    one = machine.container()
    assert one.sample(slow=True).values["memory"] == 40 * MIB
