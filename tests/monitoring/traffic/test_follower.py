"""The access log followed by name: each line once, whatever becomes of its files."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.monitoring.traffic import follower as follower_module
from cloudbang.monitoring.traffic.follower import LogFollower, Place
from tests.monitoring.traffic.ground import Log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture
def follow(log: Log) -> Iterator[LogFollower]:
    made = LogFollower(log.path)
    yield made
    made.close()


def all_of(follower: LogFollower) -> list[bytes]:
    """What there is until it has caught up."""
    found: list[bytes] = []
    while True:
        piece = follower.read()
        found += piece.lines
        if piece.caught_up:
            return found


def line(n: int) -> bytes:
    return b'{"level":"info","ts":%d.5,"n":%d,"it":"is a line as long as others"}' % (n, n)


def test_lines_as_they_are_written(log: Log, follow: LogFollower) -> None:
    """Nothing is there, then a line, then one in two halves."""
    assert all_of(follow) == []
    log.write(line(1))
    assert all_of(follow) == [line(1)]
    log.write(line(2)[:10], end=b"")
    assert all_of(follow) == []
    log.write(line(2)[10:], line(3))
    assert all_of(follow) == [line(2), line(3)]


def test_renamed_while_it_was_not_read(log: Log, follow: LogFollower) -> None:
    """What was written to the old one before, and to those in between, comes in its order."""
    log.write(line(1))
    assert all_of(follow) == [line(1)]
    for n in range(2, 5):
        log.write(line(n))
        log.rotate()
    assert all_of(follow) == [line(2), line(3), line(4)]  # the next one is not there yet
    log.write(line(5))
    assert all_of(follow) == [line(5)]
    assert follow.gaps == 0


def test_goes_on_after_a_restart(log: Log, follow: LogFollower) -> None:
    """From its place, also when the file was renamed meanwhile, and whose half line it was."""
    log.write(line(1), line(2))
    all_of(follow)
    log.write(line(3)[:7], end=b"")
    assert all_of(follow) == []
    place = follow.place
    log.write(line(3)[7:])
    log.rotate()
    log.write(line(4))
    again = LogFollower(log.path, place)
    assert all_of(again) == [line(3), line(4)]
    assert again.gaps == 0


def test_a_place_in_a_file_that_is_gone(log: Log, follow: LogFollower) -> None:
    """Begins with the oldest there is, and says that something may be missing."""
    log.write(line(1))
    all_of(follow)
    place = follow.place
    for n in range(2, 8):
        log.write(line(n))
        log.rotate(keep=2)
    again = LogFollower(log.path, place)
    assert all_of(again) == [line(6), line(7)]
    assert again.gaps == 1


def test_the_number_of_a_file_that_is_gone_is_another_ones(log: Log, follow: LogFollower) -> None:
    """A file system gives numbers again: by how it begins, the other one is known."""
    log.write(line(1), line(2))
    all_of(follow)
    place = follow.place
    assert place is not None
    log.path.unlink()
    log.write(line(11), line(12), line(13))
    again = LogFollower(log.path, Place(os.stat(log.path).st_ino, place.head, place.offset))
    assert all_of(again) == [line(11), line(12), line(13)]
    assert again.gaps == 1


def test_emptied_in_its_place(log: Log, follow: LogFollower) -> None:
    log.write(line(1), line(2))
    all_of(follow)
    log.path.write_bytes(b"")
    log.write(line(3))
    assert all_of(follow) == [line(3)]
    assert follow.gaps == 1


def test_a_line_without_end(log: Log, follow: LogFollower, monkeypatch) -> None:
    """What is longer than a piece is none of the gateway's: left out, and the next one is whole."""
    monkeypatch.setattr(follower_module, "PIECE", 1000)
    log.write(line(1), b"x" * 3500, line(2))
    assert all_of(follow) == [line(1), line(2)]
    assert follow.cut == 1


def test_ended_within_a_line_and_renamed(log: Log, follow: LogFollower) -> None:
    """Of a gateway that was killed: what there is of it comes, once nothing can follow."""
    log.write(line(1))
    log.write(line(2)[:12], end=b"")
    assert all_of(follow) == [line(1)]
    log.rotate()
    log.write(line(3))
    assert all_of(follow) == [line(2)[:12], line(3)]


def test_how_far_behind(log: Log, follow: LogFollower) -> None:
    log.write(line(1))
    all_of(follow)
    assert follow.behind == 0
    log.write(line(2))
    log.rotate()
    log.write(line(3))
    assert follow.behind == len(line(2)) + len(line(3)) + 2


@pytest.mark.parametrize("seed", range(20))
def test_a_flood_with_restarts(log: Log, seed: int, monkeypatch) -> None:
    """Written, renamed, read and restarted in any order: each line once, in order."""
    monkeypatch.setattr(follower_module, "PIECE", 300)
    chance = random.Random(seed)
    follower, got, n = LogFollower(log.path), [], 0
    for _ in range(400):
        what = chance.random()
        if what < 0.45:
            for _ in range(chance.randrange(1, 6)):
                n += 1
                log.write(line(n))
        elif what < 0.55 and log.path.exists():
            log.rotate(keep=1000)
        elif what < 0.95:
            got += follower.read().lines
        else:
            place = follower.place
            follower.close()
            follower = LogFollower(log.path, place)
    got += all_of(follower)
    follower.close()
    assert got == log.wrote
    assert follower.gaps == 0
