"""What the kernel's control group files say, both versions: from bytes, one needed key at a time.

They are read every second for every container, so nothing here takes a file apart of which one
number is wanted. What a file does not say is None, never 0. The formats: ``cgroup-v1/`` and
``cgroup-v2.rst`` of the kernel's documentation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

# Version 1 says "no limit" with the largest number of whole pages; pages have up to 64 KiB.
_ENDLESS = 2**63 - 2**16


class Mount(NamedTuple):
    """A hierarchy of control groups, where it is mounted. ``root`` is the group that is seen
    there, as ``/proc/self/mountinfo`` says it; ``controllers`` is empty for version 2, whose groups
    say themselves which they have."""

    version: int
    root: str
    point: str
    controllers: frozenset[str]


def number(data: bytes) -> int | None:
    """Of a file that is one number; None for "max", and for what is none."""
    try:
        return int(data)
    except ValueError:
        return None


def limit(data: bytes) -> int | None:
    """The same of a limit of bytes; None where there is none, as either version says that."""
    found = number(data)
    return None if found is None or found >= _ENDLESS else found


def field(data: bytes, key: bytes) -> int | None:
    """The number behind ``key`` in lines of "key number"; None where there is no such line."""
    if data.startswith(key + b" "):
        start = 0
    else:
        start = data.find(b"\n" + key + b" ") + 1
        if not start:
            return None
    start += len(key) + 1
    end = data.find(b"\n", start)
    return number(data[start:] if end < 0 else data[start:end])


def quota(data: bytes) -> float | None:
    """Cores, from ``cpu.max`` ("50000 100000"); None for "max"."""
    most, _, period = data.partition(b" ")
    return cores(number(most), number(period))


def cores(quota_us: int | None, period_us: int | None) -> float | None:
    """Cores that a quota is; None where there is none, which version 1 says with -1."""
    if quota_us is None or quota_us < 0 or not period_us:
        return None
    return quota_us / period_us


def stalled(data: bytes, share: bytes = b"some") -> int | None:
    """Microseconds for which tasks had to wait, since the group was made, from ``*.pressure``.
    ``share``: "some" of them, or "full", all."""
    start = data.find(share + b" ")
    start = data.find(b"total=", start) if start >= 0 else -1
    if start < 0:
        return None
    end = data.find(b"\n", start)
    return number(data[start + 6 :] if end < 0 else data[start + 6 : end])


def transferred(data: bytes, stacked: Collection[bytes] = ()) -> tuple[int, int]:
    """Bytes read and written, from ``io.stat``. Devices in ``stacked`` ("253:0") are left out: what
    goes through them is counted again at those below. Nothing is said of devices that were never
    used: that is 0."""
    read = written = 0
    for line in data.splitlines():
        device, *values = line.split()
        if device in stacked:
            continue
        for value in values:
            if value.startswith(b"rbytes="):
                read += number(value[7:]) or 0
            elif value.startswith(b"wbytes="):
                written += number(value[7:]) or 0
    return read, written


def serviced(data: bytes, stacked: Collection[bytes] = ()) -> tuple[int, int]:
    """The same from ``blkio.throttle.io_service_bytes_recursive`` of version 1."""
    read = written = 0
    for line in data.splitlines():
        device, _, rest = line.partition(b" ")
        if device in stacked:
            continue
        if rest.startswith(b"Read "):
            read += number(rest[5:]) or 0
        elif rest.startswith(b"Write "):
            written += number(rest[6:]) or 0
    return read, written


def used(current: int, inactive_file: int) -> int:
    """What Docker calls the memory of a container: without what the kernel would give back at
    once. The two numbers are of two moments, and one may have overtaken the other."""
    return current - inactive_file if inactive_file < current else current


# --- where the groups are ------------------------------------------------------------------------


def mounts(mountinfo: str) -> list[Mount]:
    """The hierarchies in ``/proc/PID/mountinfo``, in its order."""
    found = []
    for line in mountinfo.splitlines():
        front, _, back = line.partition(" - ")
        fields, kind = front.split(" "), back.split(" ")
        if len(fields) < 5 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        options = kind[2].split(",") if kind[0] == "cgroup" and len(kind) > 2 else ()
        names = frozenset(o for o in options if o not in ("rw", "ro") and "=" not in o)
        version = 2 if kind[0] == "cgroup2" else 1
        found.append(Mount(version, _plain(fields[3]), _plain(fields[4]), names))
    return found


def file_system(mountinfo: str, path: str) -> str:
    """The kind of the file system that a path is on: "ext4"; "" when that is not told."""
    best, kind = "", ""
    for line in mountinfo.splitlines():
        front, _, back = line.partition(" - ")
        fields = front.split(" ")
        if len(fields) < 5:
            continue
        point = _plain(fields[4])
        within = path == point or path.startswith(point.rstrip("/") + "/")
        if within and len(point) >= len(best):  # the last one hides what was mounted there before
            best, kind = point, back.split(" ")[0]
    return kind


def _plain(path: str) -> str:
    """mountinfo writes a blank, a tab, a line's end and a backslash as an octal number."""
    for code, char in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        path = path.replace(code, char)
    return path


def switched_off(proc_cgroups: str) -> set[str]:
    """Controllers that the kernel's command line turned off, from ``/proc/cgroups``."""
    rows = (line.split() for line in proc_cgroups.splitlines() if not line.startswith("#"))
    return {row[0] for row in rows if len(row) == 4 and row[3] == "0"}


def groups_of(proc_cgroup: str) -> dict[str, str]:
    """``/proc/PID/cgroup``: the group of each controller; by "" that of version 2."""
    found = {}
    for line in proc_cgroup.splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon:
            found.update(dict.fromkeys(controllers.split(","), path))
    return found


def group_of(path: str, container: str) -> str | None:
    """The part of a group's path up to the container's own group: what runs in it may have made
    groups below. None when it is not of that container (its full id), or is told from within
    another group ("/../docker/ID"), where nobody knows where that is."""
    parts = path.split("/")
    if ".." in parts:
        return None
    own = next((n for n, part in enumerate(parts) if container in part), None)
    return None if own is None else "/".join(parts[: own + 1])


def usual_groups(container: str, parent: str = "") -> list[str]:
    """Where engines put a container's group, the likeliest first. ``parent``: its CgroupParent."""
    if parent.endswith(".slice"):
        above = _slice(parent.rsplit("/", 1)[-1])
        return [f"{above}/docker-{container}.scope", f"{above}/libpod-{container}.scope"]
    if parent:
        above = "/" + parent.strip("/")
        return [f"{above}/{container}", f"{above}/libpod-{container}"]
    return [
        f"/docker/{container}",
        f"/system.slice/docker-{container}.scope",
        f"/machine.slice/libpod-{container}.scope",
        f"/libpod_parent/libpod-{container}",
    ]


def _slice(name: str) -> str:
    """systemd's folder of a slice: "user-a-b.slice" is /user.slice/user-a.slice/user-a-b.slice."""
    parts = name.removesuffix(".slice").split("-")
    if not parts[0]:  # "-.slice" is the root
        return ""
    return "".join(f"/{'-'.join(parts[: n + 1])}.slice" for n in range(len(parts)))
