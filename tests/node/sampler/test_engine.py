"""What is measured of containers of a real engine, against what is known of them from outside."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.config import NodeSettings
from cloudbang.node.sampler import reasons
from cloudbang.node.sampler.hierarchies import Hierarchies
from cloudbang.node.sampler.whole_seconds import WholeSeconds
from tests.node.sampler.rig import Beside, SamplerRig, ran, used
from tests.support import wait_until

pytestmark = pytest.mark.engine


def pid_of(made) -> int:
    made.reload()
    return int(made.attrs["State"]["Pid"])


def test_a_container_is_measured_from_its_second_second(shared: SamplerRig, container) -> None:
    """What is counted needs two readings; whole seconds, in order, and each once."""
    made = container("sleep 1000")
    cpu = shared.measured(made.id, "cpu", 2)
    assert all(0 <= value < 64 for value in cpu)
    times = [time for time, _ in shared.sink.samples(made.id)]
    assert times == sorted(set(times))
    expected = shared.sink.sweeps[-1].expected
    assert [made.id] in expected.values()
    made.kill()
    wait_until(lambda: [made.id] not in shared.sink.sweeps[-1].expected.values())


@pytest.mark.slow("a burn is 1 % sure only after many seconds of it")
def test_the_processor_is_what_the_scheduler_gave(shared: SamplerRig, container) -> None:
    """Against schedstat of the one process that burns, which no control group has a part in: 1 %."""
    made = container("while :; do :; done", cpu_period=100000, cpu_quota=50000)
    pid = pid_of(made)
    shared.measured(made.id, "cpu")

    with Beside(shared, made.id, lambda: ran(pid)) as beside:
        wait_until(lambda: len(beside.rows) > 12, 40)
    told, least, most = beside.counted("cpu")
    assert least > 0.5
    assert least - 0.01 * least - 0.02 <= told <= most + 0.01 * most + 0.02, beside.rows
    assert shared.sink.values(made.id, "cpu.limit")[-1] == 0.5
    made.kill()
    # So little that it comes to its limit on the busiest machine.
    held = container("while :; do :; done", cpu_period=100000, cpu_quota=1000)
    wait_until(lambda: max(shared.sink.values(held.id, "cpu.throttled"), default=0) > 0, 20)


@pytest.mark.slow("it grows for six seconds, over five sweeps")
def test_memory_is_what_the_group_has_at_that_moment(shared: SamplerRig, container) -> None:
    """While it grows, in files and in what is shared: 1 MiB."""
    made = container(
        "i=0; while [ $i -lt 30 ]; do head -c 3000000 /dev/zero > /dev/shm/x$i;"
        " head -c 3000000 /dev/zero > /tmp/y$i; i=$((i+1)); sleep 0.2; done; sleep 1000",
        shm_size="200m",
        mem_limit="1g",
    )
    group = Hierarchies().find(made.id)["memory"]
    with Beside(shared, made.id, lambda: used(group)) as beside:
        wait_until(lambda: len(beside.rows) >= 4, 20)
    # It goes on growing between the two readings, when others have a turn.
    assert beside.off("memory") <= 1024**2, beside.rows
    shared.measured(made.id, "memory.shared")
    last = shared.sink.samples(made.id)[-1][1].values
    assert last["memory.limit"] == 1024**3
    assert last["memory.shared"] > 3e6
    assert last["memory.peak"] >= last["memory"]


@pytest.mark.slow("a transfer of some seconds, between two sweeps")
def test_traffic_is_what_was_transferred(shared: SamplerRig, container) -> None:
    """40 MB into a container with a network of its own, and nothing twice: 2 %."""
    takes = container("sleep 1000 | nc -l -p 5000 > /dev/null; sleep 1000", network_mode="bridge")
    shares = container("sleep 1000", network_mode=f"container:{takes.id}")
    takes.reload()
    shared.measured(takes.id, "network.received")
    with Beside(shared, takes.id, lambda: 0) as received:
        wait_until(lambda: len(received.rows) > 0)
        place = (takes.attrs["NetworkSettings"]["IPAddress"], 5000)
        with socket.create_connection(place) as link:
            for _ in range(16):  # of one burst, what is in a second depends on when that began
                link.sendall(bytes(2_500_000))
                gevent.sleep(0.2)
        done = len(received.rows)
        wait_until(lambda: len(received.rows) > done + 1)
    assert received.counted("network.received")[0] == pytest.approx(40e6, rel=0.02)
    wait_until(
        lambda: shared.sink.said.get(shares.id, {}).get("network.sent") == reasons.SHARED_NETWORK,
        15,
    )
    assert not shared.sink.values(shares.id, "network.sent")


def test_the_network_of_the_machine_is_nobodys(shared: SamplerRig, container) -> None:
    """It is said, and never shown as what one container did, nor as zero."""
    made = container("sleep 1000", network_mode="host")
    wait_until(
        lambda: shared.sink.said.get(made.id, {}).get("network.sent") == reasons.HOST_NETWORK, 15
    )
    assert shared.sink.values(made.id, "memory")
    assert not shared.sink.values(made.id, "network.sent")


@pytest.mark.slow("it is measured, paused, and measured again")
def test_a_paused_container_does_nothing_and_is_no_gap(shared: SamplerRig, container) -> None:
    """Its counters stand still."""
    made = container("while :; do :; done", cpu_period=100000, cpu_quota=30000)
    shared.measured(made.id, "cpu", 2)
    made.pause()
    shared.measured(made.id, "cpu")  # in which it was paused
    assert shared.measured(made.id, "cpu", 2) == pytest.approx([0.0, 0.0], abs=0.001)
    made.unpause()


@pytest.mark.slow("it is measured, started anew, and measured again")
def test_one_that_was_started_anew_makes_no_spike(shared: SamplerRig, container) -> None:
    """Its id is the same, its counters are not: a gap, and then what it does now."""
    made = container("while :; do :; done", cpu_period=100000, cpu_quota=30000)
    shared.measured(made.id, "cpu", 2)
    made.restart(timeout=0)
    shared.measured(made.id, "cpu", 3)
    assert all(0 <= value < 1.5 for value in shared.sink.values(made.id, "cpu"))


def test_one_that_vanishes_is_a_gap(shared: SamplerRig, container) -> None:
    """Between two readings, and before the engine says so: nothing is told of it, least of all 0."""
    made = container("sleep 1000")
    shared.measured(made.id, "memory")
    known = shared.sampler._known[made.id]
    made.kill()
    gevent.sleep(0)
    group = Hierarchies().root
    wait_until(lambda: not Path(group, "memory", "docker", made.id).exists())
    taken = known.sample(False)
    assert not taken.values
    wait_until(lambda: not shared.sink.sweeps[-1].expected.get(made.name))


def test_a_killed_process_is_counted(shared: SamplerRig, container) -> None:
    """By the kernel, where the container lives on. On a busy machine the kernel, which waits for the
    first one to go, may take the first process as well, and the group with it: begun again, both count."""
    made = container(
        "while :; do head -c 60000000 /dev/zero | tail -c 50000000 > /dev/null; sleep 2; done",
        mem_limit="16m",
        memswap_limit="16m",
        restart_policy={"Name": "always"},
    )
    try:
        wait_until(lambda: max(shared.sink.values(made.id, "oom_kills"), default=0) >= 1, 20)
    except AssertionError as e:
        group = Path(Hierarchies().root, "memory")
        told = [file.read_text() for file in group.glob(f"**/{made.id}/memory.oom_control")]
        seen = shared.sink.samples(made.id)[-3:]
        made.reload()
        raise AssertionError(
            f"{e}; the kernel tells {told}; it was read as {seen}; it is {made.attrs['State']}, and was "
            f"begun again {made.attrs['RestartCount']} times"
        ) from None


@pytest.mark.slow("it lives for some seconds, three times")
def test_each_kill_that_ends_a_run_is_counted_once(shared: SamplerRig, container) -> None:
    """The group goes with the container's first process, and what it counted with the group."""
    made = container(
        "sleep 4; exec tail -c 60000000 /dev/zero",
        mem_limit="16m",
        memswap_limit="16m",
        restart_policy={"Name": "always"},
    )
    wait_until(lambda: max(shared.sink.values(made.id, "restarts"), default=0) >= 2, 60)
    wait_until(lambda: max(shared.sink.values(made.id, "oom_kills"), default=0) >= 2, 10)
    rows = [one.values for _, one in shared.sink.samples(made.id) if "oom_kills" in one.values]
    # Each run ends with one; on a busy machine another may have ended since, and been counted first
    # as the one or as the other.
    both = [row for row in rows if "restarts" in row]  # a kill is told at once, restarts are not
    assert all(row["restarts"] - 1 <= row["oom_kills"] <= row["restarts"] + 1 for row in both)
    assert rows[-1]["oom_kills"] >= 2
    counts = [row["oom_kills"] for row in rows]
    assert counts == sorted(counts)


def test_the_machine_is_measured(shared: SamplerRig) -> None:
    """With its disks, and what is in use of it in all."""
    wait_until(lambda: len(shared.sink.node("load")) > 1, 15)
    sink = shared.sink
    assert 0 < sink.node("cpu")[-1] < 1.05 * sink.node("cpu.count")[-1]  # told in ticks
    assert 0 < sink.node("memory")[-1] < sink.node("memory.limit")[-1]
    if why := sink.said[""].get("network.received"):  # of a machine without a way out
        assert why in (reasons.NO_NETWORK, reasons.NO_PROCESS)
    else:
        assert sink.node("network.received")[-1] >= 0
    assert sink.node("disk.written")[-1] >= 0
    paths = {labels for sweep in sink.sweeps for name, labels in sweep.node if name == "disk.used"}
    assert len(paths) == 1  # one disk has both
    (labels,) = paths
    assert 0 < sink.node("disk.used", labels)[-1] < sink.node("disk.limit", labels)[-1]


@pytest.mark.slow("it is measured before and after the clock is set")
def test_a_clock_that_is_set_makes_no_spike(engine_socket: str, container) -> None:
    """Rates know nothing of it, and what is stamped goes on from the new time, which is said."""
    made = container("while :; do :; done", cpu_period=100000, cpu_quota=30000)
    ahead = 0.0
    one = SamplerRig(engine_socket, seconds=lambda: WholeSeconds(clock=lambda: time.time() + ahead))
    try:
        one.measured(made.id, "cpu", 1)
        ahead = 3600.0
        wait_until(lambda: any(sweep.moved for sweep in one.sink.sweeps), 10)
        one.measured(made.id, "cpu", 1)
    finally:
        one.close()
    (moved,) = [n for n, sweep in enumerate(one.sink.sweeps) if sweep.moved]
    times = [sweep.time for sweep in one.sink.sweeps]
    assert times[moved] - times[moved - 1] >= 3600
    assert times == sorted(set(times))
    assert one.sampler.missed < 60
    assert all(0 <= value < 1.5 for value in one.sink.values(made.id, "cpu"))


@pytest.fixture
def blind(engine_socket: str, tmp_path: Path) -> Iterator[SamplerRig]:
    """A sampler in a container to which nothing of the machine is mounted."""
    (tmp_path / "mountinfo").write_text("")
    settings = NodeSettings(cgroup=str(tmp_path / "cgroup"), proc=str(tmp_path / "proc"))
    one = SamplerRig(engine_socket, settings, mountinfo=str(tmp_path / "mountinfo"))
    yield one
    one.close()


@pytest.mark.slow("the engine is asked after the files were looked for in vain, and twice")
def test_the_engine_is_asked_where_no_file_is_seen(blind: SamplerRig, container) -> None:
    """Which is said; what the engine does not tell is said to be missing, and not zero."""
    made = container("while :; do :; done", cpu_period=100000, cpu_quota=30000)
    cpu = blind.measured(made.id, "cpu", 2, within=60)
    assert 0 < cpu[-1] < 1
    assert blind.sink.values(made.id, "memory")[-1] > 0
    wait_until(lambda: blind.sink.said.get(made.id, {}).get("cpu") == reasons.BY_ENGINE, 15)
    said = blind.sink.said[made.id]
    assert said["memory"] == reasons.BY_ENGINE
    assert said["pressure.cpu"] == said["cpu.limit"] == reasons.NO_GROUP
    assert not blind.sink.values(made.id, "pressure.cpu")
