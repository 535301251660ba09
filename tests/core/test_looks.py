"""The last look comes when the time is over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cloudbang.core import looks as module
from cloudbang.core.looks import looks


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.mark.parametrize(
    ("takes", "least", "begun"),
    [
        ([1.0] * 9, 1, [0, 1, 2, 3, 4]),  # three seconds, and once more
        ([3600.0] * 9, 1, [0, 3600]),
        ([0.0, 3600.0, 0.0], 1, [0, 0, 3600]),
        ([3600.0, 1.0, 1.0, 1.0], 4, [0, 3600, 3601, 3602]),
    ],
)
def test_the_last_one_begins_when_the_time_is_over(
    clock: SimpleNamespace, takes: list[float], least: int, begun: list[float]
) -> None:
    """However long one of them takes."""
    seen, left = [], iter(takes)
    for _ in looks(3.0, least):
        seen.append(clock.now - 100.0)
        clock.now += next(left)
    assert seen == begun
