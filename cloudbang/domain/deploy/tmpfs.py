"""A file system in memory, as Docker's programs and files have it, as SPEC has it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cloudbang.domain.deploy.fields import BYTES, bytes_of

SHM = "/dev/shm"  # noqa: S108 - where processes share memory, 64 MiB of it unless it is said otherwise
_USUAL = frozenset({"", "rw", "noexec", "nosuid", "nodev", "async", "relatime"})
_MODE = re.compile(r"0?[0-7]{1,4}")


def tmpfs_of(path: str, options: Iterable[str] = ()) -> tuple[object, list[str]]:
    """The one at ``path``, and the options of mount(8) (``size=64m``) that nothing is made of."""
    made: dict[str, object] = {"path": path}
    left = []
    for option in options:
        name, _, value = option.partition("=")
        if name == "size" and BYTES.fullmatch(value):
            made |= {"size": bytes_of(value)} if bytes_of(value) else {}
        elif name == "mode" and _MODE.fullmatch(value):
            made["mode"] = int(value, 8)
        elif option not in _USUAL:
            left.append(option)
    return (made if len(made) > 1 else path), left


def with_shared_memory(tmpfs: list[object], size: object, mounted: Collection[str]) -> None:
    """Adds the memory that its processes share (``shm_size``). Where something is mounted there by
    itself it changes nothing, as for Docker."""
    amount = bytes_of(size)
    paths = {one.get("path") if isinstance(one, dict) else one for one in tmpfs} | set(mounted)
    if amount and SHM not in {posixpath.normpath(str(path)) for path in paths}:
        tmpfs.append({"path": SHM, "size": amount})


def mounted_memory(container: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The paths at which a container has one, as its inspection tells, with the options."""
    host = container.get("HostConfig") or {}
    found: dict[str, list[str]] = {
        str(one.get("Destination")): []
        for one in container.get("Mounts") or ()
        if one.get("Type") == "tmpfs"
    }
    for one in host.get("Mounts") or ():
        if one.get("Type") == "tmpfs":
            its = one.get("TmpfsOptions") or {}
            size, mode = int(its.get("SizeBytes") or 0), int(its.get("Mode") or 0)
            options = {f"size={size}": size, f"mode={mode:o}": mode}
            found[str(one.get("Target"))] = [option for option, value in options.items() if value]
    for path, options in (host.get("Tmpfs") or {}).items():
        found[path] = str(options).split(",")
    return sorted(found.items())
