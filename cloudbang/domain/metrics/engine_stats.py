"""What the engine's ``GET /containers/ID/stats`` says, as the control groups would have said it.

Docker tells what the groups do, and leaves out what its own drivers do not: limits of the processor,
pressure, kills. Podman writes the same with other gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudbang.domain.metrics import cgroup


def readings(told: Mapping[str, Any]) -> dict[str, float]:
    """By metric: counters as they stand (seconds, bytes), the rest as it is. What it does not say is
    not there. A container that does not run has nothing."""
    found: dict[str, float] = {}
    cpu = told.get("cpu_stats") or {}
    usage = (cpu.get("cpu_usage") or {}).get("total_usage")
    if usage:  # 0 of one that does not run
        found["cpu"] = usage / 1e9
        throttled = (cpu.get("throttling_data") or {}).get("throttled_time")
        if throttled is not None:
            found["cpu.throttled"] = throttled / 1e9
    found |= _memory(told.get("memory_stats") or {})
    networks = told.get("networks")
    if networks:
        found["network.received"] = sum(one.get("rx_bytes") or 0 for one in networks.values())
        found["network.sent"] = sum(one.get("tx_bytes") or 0 for one in networks.values())
    disk = (told.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    if disk is not None:
        for metric, word in (("disk.read", "read"), ("disk.written", "write")):
            # Podman has the words in capitals or not, as Docker has had.
            same = (one["value"] for one in disk if str(one.get("op", "")).lower() == word)
            found[metric] = sum(same)
    processes = (told.get("pids_stats") or {}).get("current")
    if processes:
        found["processes"] = processes
    return found


def _memory(told: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    current, stat = told.get("usage"), told.get("stats") or {}
    if not current:
        return found
    inactive = stat.get("total_inactive_file", stat.get("inactive_file", 0))
    found["memory"] = cgroup.used(current, inactive)
    for metric, names in (
        ("memory.anon", ("total_rss", "anon")),
        ("memory.shared", ("total_shmem", "shmem")),
        ("memory.file", ("total_cache", "file")),
    ):
        value = next((stat[name] for name in names if name in stat), None)
        if value is not None:
            found[metric] = value
    if "memory.file" in found:
        found["memory.file"] = max(0, found["memory.file"] - found.get("memory.shared", 0))
    if told.get("max_usage"):
        found["memory.peak"] = told["max_usage"]
    return found
