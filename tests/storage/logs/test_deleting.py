"""A log that somebody deletes, and one that is forgotten, while it is used and when it is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from cloudbang.storage.logs import index
from cloudbang.storage.logs.log_store import LinesGone, LogStore, Query
from cloudbang.storage.logs.marks import load_resume_state
from cloudbang.storage.logs.segment import find, remove, remove_empty
from cloudbang.storage.logs.segment_writer import Sync, sync
from tests.storage.logs.records import A, B, durable, line, lines, opened
from tests.support import patient

Files = Callable[[], list[str]]


def files(root: Path, app: str = "web") -> list[str]:
    return sorted(p.name for p in (root / "default" / app).glob("*"))


def test_every_line_goes_and_the_seqs_go_on(tmp_path: Path) -> None:
    """Packed segments, closed ones and the one that is written to; a restart changes nothing."""
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        for start in range(0, 8000, 500):
            store.append("web", lines(500, start))
        store.append("db", lines(3))
        store.tidy()
        assert any(name.endswith(".zst") for name in files(tmp_path))
        size = store.size("web")
        done = store.delete_lines("web")
        assert (done.lines, done.first, done.end) == (8000, 1, 8001)
        assert done.bytes == size > 100_000
        assert store.read("web", Query()) == ([], 8001, 8001, None)
        assert store.last("web") is None
        assert not store.has_lines("web")
        assert store.totals() == (store.size("db"), 3)
        assert store.append("web", [line("after")]) == 8001
    with opened(tmp_path) as store:
        assert [seq for seq, _ in store.read("web", Query()).lines] == [8001]
        store.delete_lines("web")
        assert store.delete_lines("web").lines == 0
    with opened(tmp_path) as store:
        assert store.append("web", [line("again")]) == 8002
        assert store.totals() == (store.size("web") + store.size("db"), 4)


def test_no_index_stays_of_what_was_deleted_while_it_was_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of a file is written when that is on the disk, by when it may be gone."""
    with opened(tmp_path) as store:
        store.append("web", lines(3))
        (segment,) = find(tmp_path / "default" / "web")
        original = os.fdatasync

        def slow(fd: int) -> None:
            original(fd)
            remove(segment)

        monkeypatch.setattr(os, "fdatasync", slow)
        blocks = [index.describe(line("x").splitlines(), 1, 0, 10)]
        sync([Sync(segment, [], 0, False, blocks, closed=True)])
        sync([Sync(segment, blocks, 0, False)])
        monkeypatch.undo()
        assert files(tmp_path) == []


def test_what_was_left_of_an_index_keeps_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    folder.mkdir()
    for name in ("2026-07-01.000000000001.idx", "x.idx.3.tmp", "marks.json"):
        (folder / name).touch()
    remove_empty(folder, None)
    assert not folder.exists()
    remove_empty(folder, None)


@pytest.mark.parametrize("name", ["2026-07-01.000000000001.log", "notes.txt"])
def test_a_folder_with_more_than_a_log_that_is_gone_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "2026-07-01.000000000001.idx").touch()
    remove_empty(tmp_path, None)
    assert (tmp_path / name).exists()
    assert (tmp_path / "2026-07-01.000000000001.idx").exists() == name.endswith(".log")


def test_what_the_engine_still_has_is_not_stored_again(tmp_path: Path) -> None:
    """Of a container that is still there, the last lines are remembered; of no other a byte."""
    with opened(tmp_path) as store:
        store.append("web", [line(f"{n}", n, container=c) for n in range(3) for c in (A, B)])
        before = store.resume_point("web", A)
        store.delete_lines("web", [A])
        assert before
        assert store.resume_point("web", A) == before
        assert store.resume_point("web", B) is None
    assert list(load_resume_state(tmp_path / "default" / "web").containers) == [A]
    with opened(tmp_path) as store:
        assert store.resume_point("web", A) == before
        store.append("web", [line("new", 9, container=A)])
        store.delete_lines("web")
    assert load_resume_state(tmp_path / "default" / "web").containers == {}


def test_deleting_while_it_is_written_read_and_searched(tmp_path: Path) -> None:
    """Nobody has an error: a writer keeps its seqs, a reader finds what is left, in order."""
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        store.append("web", lines(5000))
        stop = False

        def write() -> int:
            count = 0
            while not stop:
                seq = store.append("web", lines(50, count))
                assert seq == 5001 + count
                count += 50
            return count

        def read(query: Query) -> int:
            reads = 0
            while not stop:
                with suppress(LinesGone):
                    for batch in store.scan("web", query):
                        seqs = [seq for seq, _ in batch]
                        assert seqs == sorted(seqs)
                page = store.read("web", query)
                assert page.first <= page.next
                reads += 1
            return reads

        wanted = Query(match=lambda raw: b"7" in raw)
        busy = [gevent.spawn(write), gevent.spawn(read, Query()), gevent.spawn(read, wanted)]
        end = 1
        for _ in range(4):
            gevent.sleep(0.05)
            done = store.delete_lines("web")
            assert done.first == end
            end = done.end
            assert store.first_seq("web") >= end
        stop = True
        written, *reads = [one.get(timeout=patient(20)) for one in busy]
        assert min(written, *reads) > 0
        assert store.next_seq("web") == 5001 + written
        seqs = [seq for batch in store.scan("web", Query()) for seq, _ in batch]
        assert seqs == list(range(store.first_seq("web"), store.next_seq("web")))


def test_an_app_without_lines_is_forgotten_with_its_folder(tmp_path: Path) -> None:
    """Who has lines stays; who comes back goes on at the seq that somebody remembered."""
    with opened(tmp_path) as store:
        store.append("web", lines(3))
        assert not store.forget("web", lambda: True)
        store.delete_lines("web", [A])
        assert not store.forget("web", lambda: False)
        assert files(tmp_path)
        assert store.forget("web", lambda: True)
        assert not (tmp_path / "default" / "web").exists()
        assert store.names() == []
        store.begin_at = lambda app: 4
        assert (store.first_seq("web"), store.next_seq("web")) == (4, 4)
        assert store.append("web", lines(2)) == 4
        durable(store)
        assert store.health is None
    with opened(tmp_path) as store:
        assert [seq for seq, _ in store.read("web", Query()).lines] == [4, 5]


def test_a_line_that_comes_while_an_app_is_forgotten(tmp_path: Path) -> None:
    """It is stored, with its seq, whichever is first."""
    with opened(tmp_path) as store:
        next_seq = {"web": 1}
        store.begin_at = lambda app: next_seq["web"]
        for _ in range(40):

            def leaving() -> bool:
                next_seq["web"] = store.next_seq("web")
                return True

            expected = store.next_seq("web")
            store.delete_lines("web")
            forgetting = gevent.spawn(store.forget, "web", leaving)
            gevent.sleep(random.choice((0, 0, 0.0005, 0.002)))
            assert store.append("web", lines(1)) == expected
            forgetting.get(timeout=patient(5))
            assert store.read("web", Query()).lines == [(expected, lines(1)[0])]
        assert store.health is None


def test_deleting_makes_room_on_a_full_disk(tmp_path: Path) -> None:
    """Where nothing can be begun any more, the segment that is written to goes as well."""
    with opened(tmp_path) as store:
        store.append("web", lines(100))
        durable(store)
        store._commit._writer._keep_free = 1 << 60
        assert store.delete_lines("web").lines == 100
        store._commit._writer._keep_free = 0
        assert store.append("web", lines(1)) == 101
        assert store.read("web", Query()).first == 101
        assert len([name for name in files(tmp_path) if name.endswith(".log")]) == 1


def test_killed_in_the_middle_of_deleting(tmp_path: Path) -> None:
    """kill -9 at any moment: what is left is in order, nothing is there twice, seqs go on."""
    command = [sys.executable, "-m", "tests.storage.logs.deleting_child", str(tmp_path)]
    told = 0
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            assert child.stdout.readline() == "open\n"
            acknowledged = [told]
            while acknowledged[-1] < told + 50:  # a busy machine lets it begin late
                acknowledged.append(int(child.stdout.readline()))
            time.sleep(random.uniform(0.02, 0.3))
            child.kill()
            acknowledged += [int(text) for text in child.stdout if text.endswith("\n")]
        told = max([told, *acknowledged])
        with opened(tmp_path, segment_bytes=64 * 1024) as store:
            check(store, told)
    assert told > 100


def check(store: LogStore, told: int) -> None:
    assert store.next_seq("web") > told
    seqs = [seq for batch in store.scan("web", Query()) for seq, _ in batch]
    assert seqs == list(range(store.first_seq("web"), store.next_seq("web")))
    for batch in store.scan("web", Query()):
        for seq, raw in batch:
            assert raw[51:] == f"line {seq}\n".encode()


@pytest.mark.parametrize("left", [[], ["marks.json.tmp"], ["2023-11-14.000000000001.idx"]])
def test_an_empty_folder_is_no_app(tmp_path: Path, left: list[str]) -> None:
    """What is left of one that was being forgotten when the process was killed."""
    folder = tmp_path / "default" / "web"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).touch()
    with opened(tmp_path) as store:
        assert store.names() == []
        assert not folder.exists()
