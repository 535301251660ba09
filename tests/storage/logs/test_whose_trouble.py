"""Trouble belongs to a path: who has it, how long, and what the others notice."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

import gevent
import pytest

from cloudbang.core.notices import Notice, Notices
from cloudbang.storage.logs import group_commit
from cloudbang.storage.logs import segment_writer as writer
from cloudbang.storage.logs.log_store import LogStore
from tests.storage.logs.records import Clock, line, lines, settings
from tests.support import Stopwatch, patient, wait_until

KIB = 1024


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "RETRY", 0.02)


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def store(tmp_path: Path, notices: Notices):
    store = LogStore(tmp_path, settings=settings(tmp_path), clock=Clock(), notices=notices)
    store.open()
    yield store
    store.close()


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, int]], None]:
    """Opening what has one of these texts in its path fails with that errno."""
    refused: dict[str, int] = {}
    really = os.open

    def opens(path: str, *args: int, **options: int) -> int:
        for text, number in refused.items():
            if text in str(path):
                raise OSError(number, os.strerror(number), str(path))
        return really(path, *args, **options)

    monkeypatch.setattr(writer.os, "open", opens)
    return lambda wanted: (refused.clear(), refused.update(wanted))


def test_the_notice_stays_until_that_path_takes_a_write(
    store: LogStore, notices: Notices, refuse, caplog: pytest.LogCaptureFixture
) -> None:
    """It names app and path, is logged when it begins and ends and not each second, and the
    others, who are stored meanwhile, are told nothing."""
    told: list[object] = []
    store.on_health.append(told.append)
    refuse({"/web/": errno.EACCES})
    held = store.enqueue("web", lines(3))
    wait_until(notices.now)
    seen: list[list[Notice]] = []
    for n in range(30):
        assert store.append("db", [line(str(n))]) == n + 1
        seen.append(notices.now())
        gevent.sleep(0.01)  # others are tried again, and the root is
    first = seen[0][0]
    assert (first.code, first.app) == ("storage-app-failed", "web")
    assert "/default/web" in first.path
    assert "Permission denied" in first.message
    assert seen == [[first]] * 30
    assert store.health is None
    assert told == []
    refuse({})
    assert held.wait(patient(5))
    assert notices.now() == []
    said = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(said) == 2
    assert said[1] == "web is stored again"


def test_a_data_folder_that_takes_nothing_is_everybodys(
    store: LogStore, notices: Notices, refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that refuses is looked into: where the folder of all of them does too, that is said;
    with the first write that goes through it is over."""

    def fails(self: writer.SegmentWriter) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "root")

    with monkeypatch.context() as broken:
        broken.setattr(writer.SegmentWriter, "probe", fails)
        refuse({"/web/": errno.EROFS})
        held = store.enqueue("web", lines(1))
        wait_until(lambda: store.health)
        assert store.health
        assert store.health.path == str(store.root)
        refuse({})
    assert held.wait(patient(5))
    assert store.health is None
    assert notices.now() == []


def test_a_want_of_this_process_is_no_paths_fault(
    store: LogStore, notices: Notices, refuse
) -> None:
    """Too many open files concern everybody, whoever was the first to meet it."""
    refuse({"/web/": errno.EMFILE})
    held = store.enqueue("web", lines(1))
    wait_until(lambda: store.health)
    assert [notice.app for notice in notices.now()] == [""]
    assert not store.refuses("web")
    refuse({})
    assert held.wait(patient(5))
    assert store.health is None


def test_what_waits_for_broken_paths_is_bounded_in_all(
    store: LogStore, refuse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many apps have one: beyond the bound each waits, and is stored when its path is."""
    monkeypatch.setattr(group_commit, "MAX_HELD", 256 * KIB)
    refuse({"/broken": errno.EACCES})
    taken: list[int] = []

    def fill(n: int) -> None:
        for _ in range(30):
            store.enqueue(f"broken{n}", [line("x" * 4000)])
            taken.append(n)

    for n in range(20):
        store.enqueue(f"broken{n}", lines(1))
    wait_until(lambda: store.refusing == 20)
    filling = [gevent.spawn(fill, n) for n in range(20)]
    wait_until(lambda: len(taken) >= 40)
    gevent.joinall(filling, timeout=0.5)
    assert store.append("well", lines(1)) == 1
    assert len(taken) <= 64
    refuse({})
    gevent.joinall(filling, timeout=patient(10))
    assert len(taken) == 600
    assert store.append("broken0", lines(1)) == 32


def test_who_cannot_wait_is_refused(store: LogStore, refuse) -> None:
    """At once where the disk takes nothing of that app; what was taken is stored in order."""
    refuse({"/web/": errno.EACCES})
    taken = []
    for n in range(1000):
        offered = store.offer("web", [line(f"{n} {'x' * 4000}")], patience=5.0)
        if offered is not None:
            taken.append(offered)
        gevent.sleep(0)
    assert 100 < len(taken) < 300
    watch = Stopwatch()
    db = store.offer("db", lines(1), patience=5.0)
    assert db
    assert db.wait(patient(2))
    assert watch.seconds < 1
    refuse({})
    assert taken[-1].wait(patient(5))
    assert [one.seq for one in taken] == list(range(1, len(taken) + 1))


def test_what_cannot_be_made_safe_is_said_until_it_is(
    store: LogStore, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes lines and does not confirm them: another trouble, with another end."""
    with monkeypatch.context() as broken:

        def fails(fd: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        broken.setattr(writer.os, "fdatasync", fails)
        store.append("web", lines(1))
        wait_until(notices.now)
        store.append("web", lines(1))
        (notice,) = notices.now()
        assert (notice.code, notice.app) == ("storage-sync-failed", "web")
    store.append("web", lines(1))
    wait_until(lambda: not notices.now())
