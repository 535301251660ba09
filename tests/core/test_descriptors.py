"""How many connections a limit of open files leaves room for."""

from __future__ import annotations

import resource

import pytest

from cloudbang.core.descriptors import KEPT, room_for, to_keep


@pytest.mark.parametrize(
    ("limit", "room"),
    [
        (resource.RLIM_INFINITY, 10_000),
        (65_536, 10_000),
        (10_500, 10_000),
        (10_499, 9_999),
        (1024, 524),
        (600, 150),
        (256, 64),
    ],
)
def test_connections_leave_room_for_the_logs(limit: int, room: int) -> None:
    """500 files are kept back for what is not a connection, three quarters where there are few."""
    assert room_for(10_000, limit) == room


@pytest.mark.parametrize(
    ("limit", "kept"), [(resource.RLIM_INFINITY, KEPT), (65_536, KEPT), (12_500, 1562), (256, 32)]
)
def test_few_files_are_kept_open_to_be_quick(
    monkeypatch: pytest.MonkeyPatch, limit: int, kept: int
) -> None:
    """An eighth of those that may be open: the rest is for what cannot do without."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert to_keep() == kept
