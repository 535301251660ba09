"""With no byte left on the disk the database takes what lets somebody in who makes room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import gevent
import pytest

from cloudbang.domain.events import Event
from cloudbang.errors import StorageFull
from cloudbang.storage.database import database as module
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from tests.support import wait_until

MIB = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "ballast").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def kept(database: Database, count: int) -> int:
    """How many of so many events are kept, one after the other, before there is no room."""
    events = EventStore(database)
    for n in range(count):
        when = f"2026-07-01T12:00:00.{n:09d}Z"
        try:
            events.add(Event("web", when, "start", data={"what": "x" * 200}))
        except StorageFull:
            return n
    return count


def test_there_is_room_where_there_is_none(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some hundred rows find pages that nobody else could take; when there is room again there are
    as many for the next time; after a restart, too."""
    monkeypatch.setattr(module, "LOOK_FOR_ROOM", 0.05)
    database = Database(small_disk)
    for _ in range(2):
        database.open()
        keeper = gevent.spawn(database.keep_room)
        wait_until(lambda: database.path.stat().st_size > 2 * MIB)
        for _ in range(2):
            wait_until(lambda: _free_pages(database) >= module.ROOM // 2)
            gevent.sleep(0.2)
            fill(small_disk)
            assert kept(database, 1000) > 500
            (small_disk / "ballast").unlink()
        keeper.kill()
        database.close()


def test_without_it_there_is_none(small_disk: Path) -> None:
    """So the test above shows something."""
    database = Database(small_disk)
    database.open()
    fill(small_disk)
    assert kept(database, 1000) < 50
    database.close()


def test_half_of_it_is_used_before_more_is_made(tmp_path: Path) -> None:
    """The file does not grow for what is only looked at."""
    database = Database(tmp_path)
    database.open()
    for enough in (10**9, module.ROOM // 2, module.ROOM // 2):
        database._run(database._writer, partial(module._make_room, enough=enough))
        size = database.path.stat().st_size
        assert 2 * MIB < size < 3 * MIB
    assert _free_pages(database) >= module.ROOM
    database.close()


def _free_pages(database: Database) -> int:
    return database.read(lambda c: int(c.exec_driver_sql("PRAGMA freelist_count").scalar_one()))
