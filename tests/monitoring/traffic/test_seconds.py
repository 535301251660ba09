"""What series are given of what was counted: each second once, nothing missing in the sum."""

from __future__ import annotations

import gevent
import pytest

from cloudbang.domain.metrics.access_log import Request
from cloudbang.monitoring.traffic.seconds import Seconds
from tests.monitoring.traffic.ground import Taken

START = 1_764_444_600


class Ground:
    def __init__(self, *routed: str) -> None:
        self.taken = Taken()
        self.routed = list(routed)
        self.seconds = Seconds(self.taken, lambda: self.routed)
        self.seconds.begin(START + 0.4)
        self.newest = 0.0

    def ask(self, at: float, app: str = "web", status: int = 200, kind: str = "answer") -> None:
        self.newest = max(self.newest, at)
        made = Request(app, at, 0.1, status, 0, "GET", "/", "", "", kind)  # type: ignore[arg-type]
        self.seconds.add(made, int(at))

    def look(self, now: float, read: float | None = None) -> None:
        read = now if read is None else read
        self.seconds.hand_over(now, read, self.newest, lambda: {"web": 7})

    def of(self, name: str, app: str = "web") -> dict[int, float]:
        return {t - START: n for t, n in self.taken.values.get((app, name), {}).items()}


def test_each_second_once_with_zeros_between() -> None:
    ground = Ground("web", "idle")
    ground.ask(START + 1.2)
    ground.ask(START + 1.9, status=503)
    ground.ask(START + 3.0)
    for tenth in range(60):
        ground.look(START + tenth / 10)
    assert ground.of("http.requests") == {0: 0, 1: 2, 2: 0, 3: 1}
    assert ground.of("http.errors") == {0: 0, 1: 1, 2: 0, 3: 0}
    assert ground.of("http.requests", "idle") == {0: 0, 1: 0, 2: 0, 3: 0}


def test_a_line_that_comes_late_counts_in_the_next_second() -> None:
    ground = Ground("web")
    ground.look(START + 6.0)
    ground.ask(START + 2.0)
    ground.look(START + 9.0)
    assert ground.of("http.requests") == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 0, 7: 0}


def test_a_log_that_was_not_read_is_no_zero() -> None:
    """Whoever is behind gives nothing for what was not read, and all of it once it was."""
    ground = Ground("web")
    ground.look(START + 9.0, read=START + 3.5)
    assert sorted(ground.of("http.requests")) == [0, 1]
    ground.ask(START + 2.5)
    ground.look(START + 9.5)
    assert ground.of("http.requests")[2] == 1
    assert max(ground.of("http.requests")) == 7


def test_one_who_is_behind_gives_what_is_over_in_the_log() -> None:
    """Newer lines show that a second is over, though the end was not reached for long."""
    ground = Ground("web")
    for second in range(8):
        ground.ask(START + second + 0.5)
    ground.look(START + 60.0, read=START)
    assert ground.of("http.requests") == {0: 1, 1: 1, 2: 1, 3: 1}


def test_what_was_before_the_start_is_not_given() -> None:
    """Whoever was here before may have given it."""
    ground = Ground("web")
    ground.ask(START - 5.0)
    ground.look(START + 5.0)
    assert sum(ground.of("http.requests").values()) == 0


def test_ten_seconds_at_their_end() -> None:
    """Answers alone, of exactly those ten seconds; and the clients."""
    ground = Ground("web")
    ground.ask(START + 1.0)
    ground.ask(START + 9.9)
    ground.ask(START + 9.9, kind="stream", status=101)
    ground.ask(START + 10.0)
    ground.look(START + 10.9)
    assert ground.taken.histograms == {}
    ground.look(START + 11.0)
    assert ground.taken.histograms["web"][START].count == 2
    assert ground.of("http.clients") == {0: 7}
    ground.look(START + 22.0)
    assert ground.taken.histograms["web"][START + 10].count == 1


@pytest.mark.parametrize("by", [3000, 86_400, -3600, -3])
def test_a_clock_that_is_set(by: int) -> None:
    """Goes on from there; seconds that never were are gaps and no zeros; nothing that was counted is
    missing, or comes again when the clock comes there."""
    ground = Ground("web")
    ground.look(START + 5.0)
    ground.ask(START + 4.5)
    before = ground.of("http.requests")
    ground.taken.values.clear()
    ground.seconds.jump(START + 6 + by)
    assert ground.of("http.requests") == {4: 1}
    assert ground.taken.histograms["web"][START].count == 1
    ground.taken.values.clear()
    ground.taken.histograms.clear()
    ground.newest = 0.0
    ground.look(START + 16 + by)
    assert ground.of("http.requests") == {n + by: 0 for n in range(6, 15)}
    ground.look(START + 26 + by)
    assert not ground.taken.histograms
    assert sum(before.values()) == 0


def test_who_was_away_for_long_goes_on_with_now() -> None:
    """Without a hundred thousand zeros."""
    ground = Ground("web")
    ground.look(START + 5.0)
    ground.look(START + 86_400.0)
    assert len(ground.of("http.requests")) <= 6


def test_an_hour_of_zeros_holds_nobody_up() -> None:
    """Of two hundred apps."""
    ground = Ground(*(f"app-{n}" for n in range(200)))
    turns = []

    def others() -> None:
        while True:
            turns.append(len(ground.taken.values))
            gevent.sleep(0)

    beside = gevent.spawn(others)
    try:
        ground.look(START + 600.0)
    finally:
        beside.kill()
    assert len(ground.of("http.requests", "app-7")) == 599
    assert len(turns) > 3
