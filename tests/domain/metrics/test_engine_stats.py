"""What engines say of a container's use."""

from __future__ import annotations

from typing import Any

from cloudbang.domain.metrics.engine_stats import readings

# Docker 20.10 on version 1, cut to what is of interest.
ONE: dict[str, Any] = {
    "read": "2026-11-29T19:41:56.0Z",
    "pids_stats": {"current": 3, "limit": 100},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "Read", "value": 4096},
            {"major": 8, "minor": 0, "op": "Write", "value": 100},
            {"major": 8, "minor": 16, "op": "Write", "value": 1},
            {"major": 8, "minor": 0, "op": "Total", "value": 4196},
        ],
    },
    "cpu_stats": {
        "cpu_usage": {"total_usage": 2_500_000_000, "percpu_usage": [1, 2]},
        "system_cpu_usage": 17,
        "throttling_data": {"periods": 1, "throttled_periods": 1, "throttled_time": 500_000_000},
    },
    "memory_stats": {
        "usage": 1000,
        "max_usage": 2000,
        "stats": {
            **{"total_inactive_file": 300, "total_rss": 400, "total_cache": 500},
            **{"total_shmem": 50, "inactive_file": 1},
        },
        "limit": 16_000_000_000,
    },
    "networks": {"eth0": {"rx_bytes": 10, "tx_bytes": 20}, "eth1": {"rx_bytes": 1, "tx_bytes": 2}},
}


def test_version_one_is_told_as_the_control_groups_tell_it() -> None:
    """The limit is not taken: without one, the engine says what the machine has."""
    assert readings(ONE) == {
        **{"cpu": 2.5, "cpu.throttled": 0.5, "processes": 3},
        **{"memory": 700, "memory.anon": 400, "memory.file": 450, "memory.shared": 50},
        **{"memory.peak": 2000, "network.received": 11, "network.sent": 22},
        **{"disk.read": 4096, "disk.written": 101},
    }


def test_version_two_leaves_out_what_its_drivers_do_not_tell() -> None:
    """Which is then not there, and not 0."""
    told = {
        "blkio_stats": {"io_service_bytes_recursive": None, "io_serviced_recursive": None},
        "cpu_stats": {"cpu_usage": {"total_usage": 1_000_000}, "throttling_data": {}},
        "memory_stats": {"usage": 10, "stats": {"inactive_file": 20, "anon": 4, "file": 5}},
        "pids_stats": {"current": 1},
    }
    assert readings(told) == {
        **{"cpu": 0.001, "memory": 10, "memory.anon": 4, "memory.file": 5, "processes": 1}
    }


def test_one_that_does_not_run_has_nothing() -> None:
    """The engine answers with zeros."""
    told = {
        "read": "0001-01-01T00:00:00Z",
        "pids_stats": {},
        "blkio_stats": {"io_service_bytes_recursive": None},
        "cpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {"throttled_time": 0}},
        "memory_stats": {},
    }
    assert readings(told) == {}
    assert readings({}) == {}
