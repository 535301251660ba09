"""Viewers that do not keep up: what they lose, what they are told, and that nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.config import StorageSettings
from tests.support import Stopwatch, patient, wait_until
from tests.web.live.live_support import LiveGround, NarrowPage


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data", queue=256 * 1024)
    try:
        yield ground
    finally:
        ground.close()


def pour_until_slow(ground: LiveGround) -> int:
    """Log until a viewer was too slow; how many lines that took."""
    count = 0
    before = ground.push.slow_viewers
    while ground.push.slow_viewers == before:
        ground.log("web", 100, size=400)
        count += 100
        assert count < 100_000, "nobody was ever too slow"
        gevent.sleep(0.001)
    return count


def hear_all(page: NarrowPage, last: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Every seq up to ``last``, and the gaps told."""
    seqs: list[int] = []
    gaps: list[tuple[int, int]] = []
    while (seqs[-1] if seqs else 0) < last:
        heard = page.hear()
        if heard["op"] == "gap":
            assert heard["reason"] == "slow"
            gaps.append((heard["from"], heard["to"]))
        else:
            seqs += [line[0] for line in heard["lines"]]
    return seqs, gaps


def test_a_slow_viewer_is_told_what_it_missed(ground: LiveGround) -> None:
    """Far behind, a viewer is told one range it is not sent, and goes on live after it."""
    ground.log("web", 1)
    with NarrowPage(ground.server.port) as page:
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        total = 1 + pour_until_slow(ground)
        for _ in range(30):
            ground.log("web", 100, size=400)
            total += 100
        reading = gevent.spawn(hear_all, page, total + 5)
        wait_until(lambda: not reading.ready() and page_is_live(ground))
        ground.log("web", 5)
        seqs, gaps = reading.get(timeout=patient(20))
        assert gaps, "more was missed than is forgiven, and nobody said so"
        missed = [seq for start, end in gaps for seq in range(start, end + 1)]
        assert sorted(seqs + missed) == list(range(2, total + 6))
        assert seqs == sorted(seqs)


def page_is_live(ground: LiveGround) -> bool:
    return ground.push.live_viewers == ground.push.viewers


def test_a_little_behind_is_made_good(ground: LiveGround) -> None:
    """A viewer that was slow for a moment is sent every line, from the store, without a gap."""
    ground.log("web", 1)
    with NarrowPage(ground.server.port) as page:
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        total = 1 + pour_until_slow(ground)
        seqs, gaps = hear_all(page, total)
        assert not gaps
        assert seqs == list(range(2, total + 1))


def test_a_stuck_viewer_costs_others_nothing(ground: LiveGround) -> None:
    """While one never reads, the others get every line at once and memory stays bounded."""
    ground.log("web", 1)
    with NarrowPage(ground.server.port) as stuck, ground.client() as page:
        stuck.subscribe("log/web")
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        expected, slowest = 2, 0.0
        for _ in range(300):
            watch = Stopwatch()
            ground.log("web", 100, size=400)
            lines = page.lines(100)
            slowest = max(slowest, watch.seconds)
            assert [line[0] for line in lines] == list(range(expected, expected + 100))
            expected += 100
        assert ground.push.slow_viewers == 1
        assert slowest < 2
        assert all(one.backlog <= 300 * 1024 for one in ground.server.registry)


def test_a_position_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    """Who asks for lines that retention has deleted is told which, then gets all there are."""
    settings = StorageSettings(
        path=tmp_path, segment_bytes=64 * 1024, app_max_bytes=256 * 1024, keep_free_bytes=0
    )
    ground = LiveGround(tmp_path / "data", settings=settings)
    try:
        for _ in range(60):
            ground.log("web", 100, size=200, publish=False)
        # All of it: a deletion in the middle of a reading would be a second gap.
        wait_until(lambda: ground.store.stats()["web"].bytes <= 256 * 1024, timeout=20)
        assert ground.store.first_seq("web") > 100
        for filters in ({}, {"stream": "stdout"}):
            with ground.client() as page:
                told = page.subscribe("log/web", after=5, **filters)
                gap = page.hear()
                assert gap["op"] == "gap"
                assert gap["reason"] == "expired"
                assert gap["from"] == 6
                assert gap["to"] >= told["first"] - 1
                lines: list[list[object]] = []
                while not lines or lines[-1][0] < 5999:  # type: ignore[operator]
                    lines += page.hear()["lines"]
                expected = [n for n in range(gap["to"] + 1, 6001) if not filters or n % 3]
                assert [line[0] for line in lines] == expected
    finally:
        ground.close()
