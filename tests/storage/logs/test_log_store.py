"""Append and read back: the promises every other part builds on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import gevent
import pytest
from zstandard import ZstdDecompressor

from cloudbang.errors import AlreadyRunning, BadRequest, StorageFailed
from cloudbang.storage.logs.log_store import LogStore, Query
from tests.storage.logs.records import NOON, SECOND, A, B, Clock, line, lines, opened, settings


def test_seq_starts_at_one_and_grows_by_one_per_line(tmp_path: Path) -> None:
    """Each app counts its own lines, from 1, without a hole."""
    with opened(tmp_path) as store:
        assert store.next_seq("web") == 1
        assert store.append("web", lines(3)) == 1
        assert store.append("web", lines(2)) == 4
        assert store.append("db", lines(1)) == 1
        assert (store.next_seq("web"), store.next_seq("db")) == (6, 2)
        assert store.apps() == ["db", "web"]


def test_read_gives_back_what_was_appended_after_reopening(tmp_path: Path) -> None:
    """Every line is there again with its seq after a restart, and seqs go on."""
    written = lines(5000)
    with opened(tmp_path) as store:
        for at in range(0, 5000, 50):
            store.append("web", written[at : at + 50])
    with opened(tmp_path) as store:
        page = store.read("web", Query(after=0, limit=5000))
        assert page.lines == list(enumerate(written, 1))
        assert (page.first, page.next, page.cursor) == (1, 5001, None)
        assert store.last("web") == (5000, written[-1])
        assert store.append("web", lines(1)) == 5001


def test_the_file_is_plain_text_for_cat_and_grep(tmp_path: Path) -> None:
    """Today's lines are in one plain file whose name says its day and its first seq."""
    written = lines(10)
    with opened(tmp_path) as store:
        store.append("web", written)
    file = tmp_path / "default" / "web" / "2023-11-14.000000000001.log"
    assert file.read_bytes() == b"".join(written)


def test_pages_by_seq(tmp_path: Path) -> None:
    """``after`` gives the first lines after it, ``before`` the last ones before it."""
    written = list(enumerate(lines(1000), 1))
    with opened(tmp_path) as store:
        store.append("web", [raw for _, raw in written])

        def seqs(**query: object) -> list[int]:
            return [seq for seq, _ in store.read("web", Query(**query)).lines]  # type: ignore[arg-type]

        assert store.read("web", Query(after=10, limit=5)).lines == written[10:15]
        assert seqs(before=100, limit=5) == [95, 96, 97, 98, 99]
        assert seqs(limit=3) == [1, 2, 3]
        assert seqs(after=998) == [999, 1000]
        assert seqs(after=10, before=13) == [11, 12]
        assert seqs(after=1000) == []
        assert seqs(after=5000) == []
        assert seqs(before=1) == []
        assert seqs(before=99999, limit=2) == [999, 1000]
        assert seqs(limit=0) == []


def test_pages_by_time_when_times_are_not_in_order(tmp_path: Path) -> None:
    """``since`` and ``until`` are inclusive and judge each line by its own time, in seq order."""
    ats = [5, 1, 9, 3, 7, 3, 8, 2]
    with opened(tmp_path) as store:
        store.append("web", [line(str(at), at) for at in ats])

        def found(**query: object) -> list[str]:
            page = store.read("web", Query(**query))  # type: ignore[arg-type]
            return [raw[51:-1].decode() for _, raw in page.lines]

        assert found(since=NOON + 5 * SECOND) == ["5", "9", "7", "8"]
        assert found(until=NOON + 3 * SECOND) == ["1", "3", "3", "2"]
        assert found(until=NOON + 3 * SECOND, limit=2) == ["3", "2"]
        assert found(since=NOON + 3 * SECOND, until=NOON + 5 * SECOND) == ["5", "3", "3"]
        assert store.seq_at("web", NOON + 6 * SECOND) == 3
        assert store.seq_at("web", NOON + 10 * SECOND) == 9
        assert store.seq_at("web", 0) == 1
        with pytest.raises(BadRequest):
            store.read("web", Query(since=10**30))


def test_filters_by_container_stream_and_match(tmp_path: Path) -> None:
    """Filters combine, and the page is filled up to its limit with what fits."""
    with opened(tmp_path) as store:
        for i in range(300):
            container, stream = (A, B)[i % 2], ("stdout", "stderr")[i % 3 == 0]
            store.append("web", [line(f"n{i}", i, container, stream)])
        seqs = [
            seq
            for seq, _ in store.read(
                "web",
                Query(container=B + "f" * 52, stream="stderr", match=lambda raw: b"7" in raw[51:]),
            ).lines
        ]
        assert seqs == [i + 1 for i in range(300) if i % 2 and i % 3 == 0 and "7" in str(i)]
        last = store.read("web", Query(before=301, container=A, limit=2)).lines
        assert [seq for seq, _ in last] == [297, 299]
        assert store.read("web", Query(container="c" * 12)).lines == []


def test_scan_gives_all_lines_in_batches(tmp_path: Path) -> None:
    """A download sees every line that was there when it began, over all segments, once."""
    written = lines(30_000)
    with opened(tmp_path, segment_bytes=512 * 1024) as store:
        for at in range(0, 30_000, 1000):
            store.append("web", written[at : at + 1000])
        got = []
        for batch in store.scan("web", Query()):
            if not got:
                store.append("web", lines(1))
            got += batch
        assert got == list(enumerate(written, 1))
        odd = [
            seq
            for batch in store.scan("web", Query(match=lambda raw: raw.endswith(b"9 of the log\n")))
            for seq, _ in batch
        ]
        assert odd == list(range(10, 30_001, 10))


def test_raw_after_from_memory_and_from_disk(tmp_path: Path) -> None:
    """Catching up gives consecutive records, the same from the tail in memory as from the file."""
    written = lines(20_000)
    with opened(tmp_path) as store:
        for at in range(0, 20_000, 100):
            store.append("web", written[at : at + 100])
        for seq in (0, 1, 57, 9_999, 19_000, 19_500, 19_998):
            first, records = store.raw_after("web", seq, 300)
            assert first == seq + 1
            assert records == written[seq : seq + 300]
        assert store.raw_after("web", 20_000) == (20_001, [])
        assert store.raw_after("web", 10, 300, limit_bytes=1) == (11, [written[10]])
        assert store.raw_after("web", 19_990, 300, limit_bytes=1) == (19_991, [written[19_990]])
        assert store.raw_after("nobody", 5) == (1, [])


def test_many_greenlets_share_few_jobs(tmp_path: Path) -> None:
    """Appends of one moment, of any number of apps, are committed together, each app in order."""
    with opened(tmp_path) as store:

        def write(app: str) -> None:
            for i in range(20):
                assert store.append(app, [line(f"{app} {i}")]) == i + 1

        greenlets = [gevent.spawn(write, f"app{n}") for n in range(50)]
        gevent.joinall(greenlets, raise_error=True)
        assert store._commit.jobs < 60
        for n in range(50):
            texts = [raw[51:-1] for _, raw in store.read(f"app{n}", Query()).lines]
            assert texts == [f"app{n} {i}".encode() for i in range(20)]


def test_more_apps_than_open_files(tmp_path: Path) -> None:
    """Hundreds of apps are written with a bounded number of descriptors."""

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with opened(tmp_path) as store:
        before = descriptors()
        for _ in range(2):
            gevent.joinall(
                [gevent.spawn(store.append, f"app{n}", lines(1)) for n in range(300)],
                raise_error=True,
            )
        assert descriptors() - before < 150
        assert all(store.next_seq(f"app{n}") == 3 for n in range(300))
        assert len(store.stats()) == 300


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "x" * 129, "a b", "é", "a\n", "../x"])
def test_names_that_cannot_be_a_folder_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing outside the store can be reached with a name."""
    with opened(tmp_path) as store:
        with pytest.raises(BadRequest):
            store.append(name, lines(1))
        assert store.read(name, Query()).lines == []
        assert store.apps() == []


@pytest.mark.parametrize("bad", [b"no end", b"two\nlines\n", b""])
def test_what_is_not_one_line_is_refused(tmp_path: Path, bad: bytes) -> None:
    """A record with no LF or with two would shift every seq after it."""
    with opened(tmp_path) as store:
        with pytest.raises(ValueError, match="LF"):
            store.append("web", [line("fine"), bad])
        assert store.next_seq("web") == 1


def test_a_second_open_is_refused(tmp_path: Path) -> None:
    """One process owns the folder; who comes second is told which one."""
    with opened(tmp_path):
        second = LogStore(tmp_path, settings=settings(tmp_path))
        with pytest.raises(AlreadyRunning) as refused:
            second.open()
        assert refused.value.pid
    with opened(tmp_path) as store:
        store.append("web", lines(1))


def test_a_folder_that_cannot_be_looked_at_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was a descriptor for the lock and none to list the folder with: a sentence, and no
    traceback. Afterwards it opens."""
    with opened(tmp_path) as store:
        store.append("web", lines(1))

    def fails(_path: Path) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", fails)
        with pytest.raises(StorageFailed, match="Too many open files"):
            LogStore(tmp_path, settings=settings(tmp_path)).open()
    with opened(tmp_path) as store:
        assert store.next_seq("web") == 2


def test_closed_segments_are_packed_and_zstdcat_reads_them(tmp_path: Path) -> None:
    """A day later the file is zstd; any reader of zstd gives the same text; pages still work."""
    clock = Clock()
    written = lines(20_000)
    with opened(tmp_path, clock) as store:
        for at in range(0, 20_000, 500):
            store.append("web", written[at : at + 500])
        clock.ns += 86_400 * SECOND
        store.tidy()
        folder = tmp_path / "default" / "web"
        packed = folder / "2023-11-14.000000000001.log.zst"
        assert not packed.with_suffix("").exists()
        with packed.open("rb") as file:
            # As zstdcat does: all frames, the skippable ones ignored.
            unpacked = ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
        assert unpacked == b"".join(written)
        assert packed.stat().st_size < len(unpacked) / 5
        assert store.append("web", lines(1)) == 20_001
        assert (folder / "2023-11-15.000000020001.log").exists()
        page = store.read("web", Query(before=20_002, limit=3))
        assert page.lines == [(19_999, written[-2]), (20_000, written[-1]), (20_001, lines(1)[0])]
    with opened(tmp_path, clock) as store:
        assert store.read("web", Query(after=12_345, limit=1)).lines == [(12_346, written[12_345])]
        assert store.seq_at("web", NOON + 12 * SECOND) == 12_001


def test_a_clock_that_jumps_back_changes_nothing_but_times(tmp_path: Path) -> None:
    """Seqs go on, lines stay in order of arrival, nothing is begun again."""
    clock = Clock()
    with opened(tmp_path, clock) as store:
        store.append("web", [line("late", 100)])
        clock.ns -= 3 * 86_400 * SECOND
        assert store.append("web", [line("early", -200_000)]) == 2
        store.tidy()
    with opened(tmp_path, clock) as store:
        assert store.append("web", [line("again", -199_999)]) == 3
        texts = [raw[51:-1] for _, raw in store.read("web", Query()).lines]
        assert texts == [b"late", b"early", b"again"]
        assert [s for s, _ in store.read("web", Query(until=NOON)).lines] == [2, 3]


def test_the_newest_lines_from_memory_and_after_a_start_from_disk(tmp_path: Path) -> None:
    """The last ones up to the next seq, bounded in lines and bytes, wherever they are."""
    written = lines(300)
    with opened(tmp_path) as store:
        assert store.newest("web", 10, 10_000) == (1, [])
        for at in range(0, 300, 50):
            store.append("web", written[at : at + 50])
        assert store.newest("web", 120, 100_000) == (181, written[180:])
        assert store.newest("web", 1000, 100_000) == (1, written)
        size = sum(len(raw) for raw in written[-3:])
        assert store.newest("web", 100, size) == (298, written[-3:])
        assert store.newest("web", 100, size - 1) == (299, written[-2:])
        assert store.newest("web", 100, 10) == (301, [])
    with opened(tmp_path) as store:
        assert store.newest("web", 120, 100_000) == (181, written[180:])
        more = lines(5, start=300)
        store.append("web", more)
        assert store.newest("web", 20, 100_000) == (286, written[285:] + more)
        assert store.newest("web", 5, 100_000) == (301, more)
