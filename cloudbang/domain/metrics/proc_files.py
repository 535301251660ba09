"""What files below ``/proc`` say of the machine, and of a network: from their bytes.

The formats: ``filesystems/proc.rst`` and ``admin-guide/iostats.rst`` of the kernel's documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

SECTOR = 512  # bytes in /proc/diskstats, whatever the disk has

# Interfaces at which is seen again what goes through another: an engine's bridges and the ends of
# containers that are on them, what joins others (bonds, VLANs have a dot), tunnels.
_JOINING = (
    *(b"lo", b"veth", b"docker", b"br-", b"virbr", b"vnet", b"cni", b"flannel", b"cali", b"podman"),
    *(b"bond", b"team", b"dummy", b"ifb", b"tun", b"tap", b"wg", b"tailscale", b"vxlan"),
)


def traffic(net_dev: bytes, counts: Callable[[bytes], bool]) -> tuple[int, int] | None:
    """Bytes received and sent, from ``/proc/PID/net/dev``, at the interfaces that ``counts``; None
    when there is none."""
    received = sent = 0
    found = False
    for line in net_dev.splitlines()[2:]:
        name, colon, rest = line.partition(b":")
        if not colon or not counts(name.strip()):
            continue
        values = rest.split(None, 9)
        received += int(values[0])
        sent += int(values[8])
        found = True
    return (received, sent) if found else None


def leads_out(interface: bytes) -> bool:
    """Whether what goes over it is not also counted at another one."""
    return not interface.startswith(_JOINING) and b"." not in interface and b"@" not in interface


def of_container(interface: bytes) -> bool:
    """The same within a container, which may run an engine of its own, and whose one way out may
    have any name."""
    return interface != b"lo" and not interface.startswith((b"veth", b"docker", b"br-"))


class Times(NamedTuple):
    """Ticks of all processors together, since the start of the machine."""

    busy: int
    steal: int
    waiting: int  # for a disk, with nothing else to do


def times(stat: bytes) -> Times | None:
    """The first line of ``/proc/stat``. What guests take is in "user" already."""
    line = stat[: stat.find(b"\n")].split()
    if len(line) < 9 or line[0] != b"cpu":
        return None
    user, nice, system, _idle, waiting, irq, softirq, steal = (int(text) for text in line[1:9])
    return Times(user + nice + system + irq + softirq, steal, waiting)


def transferred(diskstats: bytes, counts: Callable[[str, bytes], bool]) -> tuple[int, int]:
    """Bytes read and written, from ``/proc/diskstats``, of the disks that ``counts`` by their number
    ("8:0") and name."""
    read = written = 0
    for line in diskstats.splitlines():
        values = line.split(None, 10)
        if len(values) < 10:
            continue
        if counts(f"{int(values[0])}:{int(values[1])}", values[2]):
            read += int(values[5]) * SECTOR
            written += int(values[9]) * SECTOR
    return read, written


def meminfo(data: bytes, key: bytes) -> int | None:
    """Bytes, from ``/proc/meminfo``; None where it has no such line."""
    start = 0 if data.startswith(key + b":") else data.find(b"\n" + key + b":") + 1
    if not start and not data.startswith(key + b":"):
        return None
    values = data[start + len(key) + 1 : start + len(key) + 64].split(None, 1)
    return int(values[0]) * 1024 if values else None
