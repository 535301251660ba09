"""What is known of a kill for want of memory: which limit, what filled it, how high it went."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = ("anon", "shared", "file")
"""What memory consists of: what programs keep, what they share (files in a tmpfs as well), what the
kernel keeps of files and can let go of."""

FILLS = 0.5  # of what was used, from which on one part is said to have filled it


def facts_of(measured: Mapping[str, float], machine: Mapping[str, float]) -> dict[str, object]:
    """As the event keeps it: bytes, of what was measured last before the kill; nothing of what was
    not. ``measured``: metrics of the instance by name; ``machine``: those of the node.

    ``limit`` is the instance's own; without one the machine's memory is told, ``machine`` and
    ``machine_used``: what else was there to be full."""
    found: dict[str, object] = {}
    for name in ("limit", "peak", *PARTS):
        if (value := measured.get(f"memory.{name}")) is not None:
            found[name] = int(value)
    if (used := measured.get("memory")) is not None:
        found["used"] = int(used)
        if "peak" in found:  # it is read less often
            found["peak"] = max(int(used), int(measured["memory.peak"]))
    if filled := filled_by(measured):
        found["filled"] = filled
    if "limit" not in found and "used" in found and "memory.limit" in machine:
        found["machine"] = int(machine["memory.limit"])
        if "memory" in machine:
            found["machine_used"] = int(machine["memory"])
    return found


def filled_by(measured: Mapping[str, float]) -> str:
    """The part of it that is more than all others together; "" where none is, or nobody knows."""
    parts = {name: measured[f"memory.{name}"] for name in PARTS if f"memory.{name}" in measured}
    whole = sum(parts.values())
    if "anon" not in parts or not whole:
        return ""
    name, most = max(parts.items(), key=lambda one: one[1])
    return name if most > FILLS * whole else ""
