"""The container that CloudBang itself runs in, where it does: what the engine, which runs on the
machine, sees of the folders and the network that this process has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from cloudbang.errors import CloudBangError, EngineUnreachable

MOUNTS = Path("/proc/self/mountinfo")
# The engine lays these files of a container into it. On the machine itself none of them is one.
_OWN = re.compile(
    r"^\d+ \d+ \S+ \S*/containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ", re.M
)


class Inspects(Protocol):
    """What is asked of the engine."""

    def inspection(self, container: str, *, size: bool = True) -> dict[str, Any]: ...


class OwnContainer(NamedTuple):
    """``networks``: those that it is on, by name; "host" where that is the machine's. ``mounts``: by
    folder in it the folder on the machine."""

    id: str
    networks: frozenset[str]
    mounts: Mapping[Path, Path]

    @property
    def shares_network(self) -> bool:
        return "host" in self.networks

    def on_the_machine(self, path: Path) -> Path | None:
        """Where a path of ours is there; None for what is nowhere but in the container."""
        for part in (path, *path.parents):
            if part in self.mounts:
                return self.mounts[part] / path.relative_to(part)
        return None


def own_id(mounts: str) -> str:
    """The id of the container whose mounts these are; "" outside of one."""
    found = _OWN.search(mounts)
    return found[1] if found else ""


def own_container(engine: Inspects) -> OwnContainer | None:
    """None where CloudBang runs in no container, or in none of this engine. Raises
    EngineUnreachable."""
    try:
        id = own_id(MOUNTS.read_text())
        found = engine.inspection(id, size=False) if id else None
    except EngineUnreachable:
        raise
    except (CloudBangError, OSError, ValueError):
        return None
    return None if found is None else from_inspection(id, found)


def from_inspection(id: str, found: Mapping[str, Any]) -> OwnContainer:
    """``found``: what the engine tells of it."""
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    mode = str((found.get("HostConfig") or {}).get("NetworkMode") or "")
    mounts = {
        Path(one["Destination"]): Path(one["Source"])
        for one in found.get("Mounts") or ()
        if one.get("Source") and one.get("Destination")
    }
    return OwnContainer(id, frozenset(networks) | {mode}, mounts)
