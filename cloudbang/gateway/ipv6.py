"""Whether who comes from elsewhere by IPv6 would pass for this machine.

By IPv4 the gateway sees everybody's own address, and this machine's as that of the engine's bridge. Where
that bridge has no IPv6, the engine's proxy takes what comes to a published port by IPv6, from
wherever, and asks the gateway from the bridge's address as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

BRIDGE = "docker_gwbridge"  # by which the machine itself reaches tasks, and the published ports
PROC = Path("/proc/net")
_OF_THE_ENGINE = re.compile(r"lo|docker.*|br-.*|veth.*")  # interfaces by which nobody else comes
_EVERYWHERE, _LISTENS = "0" * 32, "0A"


def passes_for_local(port: int, *, is_up: bool, proc: Path = PROC) -> bool:
    """``port``: that the gateway publishes; ``is_up``: whether it does so by now. From within a
    container nobody can tell."""
    if not _is_there(proc, BRIDGE) and is_up:
        return True
    if not any(not _OF_THE_ENGINE.fullmatch(name) for name in _with_ipv6(proc)):
        return False
    return not is_up or _listens(port, proc)


def _is_there(proc: Path, interface: str) -> bool:
    return any(line.split(":")[0].strip() == interface for line in _lines(proc / "dev"))


def _with_ipv6(proc: Path) -> Iterator[str]:
    """The interfaces that have an address, if only one for their link."""
    for line in _lines(proc / "if_inet6"):
        yield line.split()[-1]


def _listens(port: int, proc: Path) -> bool:
    """Whether somebody does at every address, as the engine's proxy."""
    wanted = f"{_EVERYWHERE}:{port:04X}"
    found = (line.split() for line in _lines(proc / "tcp6"))
    return any(fields[1] == wanted and fields[3] == _LISTENS for fields in found)


def _lines(path: Path) -> list[str]:
    """Of a table; none where the machine has no IPv6."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
