"""What is known of a kill for want of memory: only what was measured."""

from __future__ import annotations

from cloudbang.domain.metrics.oom import facts_of, filled_by

MIB = 2**20


def test_the_limit_the_highest_and_what_filled_it() -> None:
    measured = {
        "memory": 60.0 * MIB,
        "memory.limit": 64.0 * MIB,
        "memory.peak": 58.0 * MIB,  # read some seconds before
        "memory.anon": 50.0 * MIB,
        "memory.file": 6.0 * MIB,
        "memory.shared": 2.0 * MIB,
    }
    assert facts_of(measured, {"memory": 1e9, "memory.limit": 4e9}) == {
        "limit": 64 * MIB,
        "used": 60 * MIB,
        "peak": 60 * MIB,
        "anon": 50 * MIB,
        "file": 6 * MIB,
        "shared": 2 * MIB,
        "filled": "anon",
    }


def test_without_a_limit_of_its_own_the_machine_is_told() -> None:
    found = facts_of({"memory": 1e9}, {"memory": 3.9e9, "memory.limit": 4e9})
    assert found == {"used": 10**9, "machine": 4 * 10**9, "machine_used": 39 * 10**8}


def test_of_what_was_not_measured_nothing_is_said() -> None:
    """Neither that there is no limit, where nothing of it was measured."""
    assert facts_of({}, {"memory": 3.9e9, "memory.limit": 4e9}) == {}
    assert facts_of({"memory.limit": 1e6}, {}) == {"limit": 10**6}


def test_what_filled_it_is_more_than_all_else_together() -> None:
    assert filled_by({"memory.anon": 1.0, "memory.shared": 5.0, "memory.file": 3.0}) == "shared"
    assert filled_by({"memory.anon": 3.0, "memory.shared": 3.0, "memory.file": 3.0}) == ""
    assert filled_by({"memory.shared": 5.0}) == ""  # of the largest part nobody knows
    assert filled_by({"memory.anon": 0.0}) == ""
