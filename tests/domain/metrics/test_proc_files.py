"""What files below /proc say."""

from __future__ import annotations

import pytest

from cloudbang.domain.metrics import proc_files

NET_DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1000       10    0    0    0     0          0         0     1000       10    0    0    0     0       0          0
eth0:7681675893  286505    0    0    0     0          0         0 21824271  222745    0    0    0     0       0          0
docker0:    500       0    0    0    0     0          0         0   118776    1080    0  418    0     0       0          0
br-6f0a12: 1          0    0    0    0     0          0         0        1    1080    0  418    0     0       0          0
vethe0e7198:  2       0    0    0    0     0          0         0     1416      20    0    0    0     0       0          0
eth0.100:     3       0    0    0    0     0          0         0     1416      20    0    0    0     0       0          0
 wlp3s0:     10       1    0    0    0     0          0         0       20       1    0    0    0     0       0          0
"""


def test_what_goes_over_two_interfaces_is_counted_once() -> None:
    """An engine's bridges, and what is made of another interface, are left out."""
    assert proc_files.traffic(NET_DEV, proc_files.leads_out) == (7681675903, 21824291)


def test_a_container_without_an_interface_has_no_traffic() -> None:
    """None, and not 0: its namespace may be gone."""
    lines = NET_DEV.split(b"\n")
    assert proc_files.traffic(b"\n".join(lines[:3]), proc_files.of_container) is None
    assert proc_files.traffic(b"", proc_files.of_container) is None
    # It may run an engine, and a VLAN may be its one way out.
    vlan = b"\n".join([*lines[:3], lines[4], lines[7]])
    assert proc_files.traffic(vlan, proc_files.of_container) == (3, 1416)


def test_processors_are_busy_without_what_waits_and_what_guests_take_twice() -> None:
    """ "guest" is in "user" already; "iowait" and "steal" stand for themselves."""
    told = proc_files.times(b"cpu  100 20 30 4000 500 6 7 80 50 1\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    assert told == proc_files.Times(163, 80, 500)
    assert proc_files.times(b"") is None
    assert proc_files.times(b"intr 1 2 3\n") is None


def test_disks_are_counted_in_sectors() -> None:
    """Of 512 bytes, whatever the disk has; kernels before 4.18 tell less of each."""
    told = b" 259       0 nvme0n1 5 0 10 0 4 0 20 0 0 0 0 0 0 0 0 0 0\n   8  1 sda1 1 0 1 0 1 0 1 0 0 0 0\n"
    found = proc_files.transferred(told, lambda device, name: device == "259:0")
    assert found == (5120, 10240)


@pytest.mark.parametrize(
    ("key", "value"), [(b"MemTotal", 16308224 * 1024), (b"Cached", 2048), (b"Swap", None)]
)
def test_memory_is_told_in_kibibytes(key: bytes, value: int | None) -> None:
    """By the whole name of a line."""
    told = (
        b"MemTotal:       16308224 kB\nSwapCached:     7 kB\nCached:       2 kB\nSwapTotal: 0 kB\n"
    )
    assert proc_files.meminfo(told, key) == value
