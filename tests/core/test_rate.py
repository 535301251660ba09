"""How often one may try."""

from __future__ import annotations

from cloudbang.core.rate import FixedWindow


class Clock:
    """The time, to be set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_window_begins_with_the_first() -> None:
    """So many are let through; the next one when the first was long enough ago, each key for itself."""
    clock = Clock()
    window = FixedWindow(3, 60, clock)
    for _ in range(3):
        assert window.wait("a") == 0
        window.add("a")
        clock.now += 10
    assert window.wait("a") == 30
    assert window.wait("b") == 0
    clock.now += 29.5
    assert window.wait("a") == 0.5
    clock.now += 0.5
    assert window.wait("a") == 0


def test_what_is_tried_in_vain_does_not_make_it_longer() -> None:
    """More failures within the window do not move its end."""
    clock = Clock()
    window = FixedWindow(1, 60, clock)
    for _ in range(5):
        window.add("a")
        clock.now += 10
    assert window.wait("a") == 10


def test_what_has_ended_is_not_kept() -> None:
    """A key that came once leaves nothing behind, also when nobody asks for it again."""
    clock = Clock()
    window = FixedWindow(3, 60, clock)
    for n in range(100):
        window.add(n)
        clock.now += 1
    assert len(window) == 59
    assert 41 in window
    assert 40 not in window
    clock.now += 60
    assert len(window) == 0
