"""Torn, cut, garbled and missing files: what can be read is, and nothing crashes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs import index
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.log_store import Query
from cloudbang.storage.logs.segment import find, rebuild
from tests.storage.logs.records import NOON, SECOND, A, Clock, line, lines, opened
from tests.support import patient

DAY = 86_400 * SECOND
relaxed = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
texts = st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"\r"))


def _file(root: Path, suffix: str = ".log") -> Path:
    (found,) = (root / "default" / "web").glob(f"*{suffix}")
    return found


@relaxed
@given(batches=st.lists(st.lists(texts, min_size=1, max_size=20), min_size=1, max_size=8))
def test_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]]
) -> None:
    """Control bytes, broken UTF-8, CR, nothing at all: a text is what it was, after a restart too."""
    root = tmp_path_factory.mktemp("any")
    written: list[bytes] = []
    with opened(root) as store:
        for batch in batches:
            raws = [line(text, i) for i, text in enumerate(batch)]
            assert store.append("web", raws) == len(written) + 1
            written += raws
        assert [raw for _, raw in store.read("web", Query(limit=5000)).lines] == written
    with opened(root) as store:
        assert store.read("web", Query(limit=5000)).lines == list(enumerate(written, 1))


def test_a_torn_last_record_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    """Whatever byte the writing stopped at: whole records stay, a part of one goes, seqs go on."""
    written = lines(4)
    whole = b"".join(written)
    folder = tmp_path / "default" / "web"
    folder.mkdir(parents=True)
    file = folder / "2023-11-14.000000000001.log"
    start = len(whole) - len(written[-1])
    for end in range(start, len(whole) + 1):
        file.write_bytes(whole[:end])
        with opened(tmp_path) as store:
            kept = 4 if end == len(whole) else 3
            assert store.next_seq("web") == kept + 1
            assert store.append("web", [line("next")]) == kept + 1
            got = [raw for _, raw in store.read("web", Query()).lines]
            assert got == [*written[:kept], line("next")]


@pytest.mark.parametrize(
    "tail", [b"\0" * 5000, b"\0\n\0\0\n", b"2023-11-14T\n" * 3, b"\0" * 9_000_000]
)
def test_what_a_power_cut_leaves_at_the_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    """Zeros and fragments after the last whole record are no lines."""
    with opened(tmp_path) as store:
        store.append("web", lines(10))
    with _file(tmp_path).open("ab") as file:
        file.write(tail)
    with opened(tmp_path) as store:
        assert store.next_seq("web") == 11
        assert store.last("web") == (10, lines(10)[-1])


def _packed(root: Path, count: int = 20_000) -> tuple[list[bytes], Clock]:
    """A store with one packed segment of several blocks, and one line after it."""
    chance = random.Random(1)
    written = [
        line(f"{i} {chance.randbytes(20).hex()}", i / 1000, ("a" * 12, "b" * 12)[i % 2])
        for i in range(count)
    ]
    clock = Clock()
    with opened(root, clock) as store:
        for at in range(0, count, 500):
            store.append("web", written[at : at + 500])
        clock.ns += DAY
        store.tidy()
        store.append("web", [line("after", 90_000)])
    return written, clock


def test_a_damaged_index_is_rebuilt_from_its_segment(tmp_path: Path) -> None:
    """Any byte of an index may be wrong, the end or all of it missing: pages stay right."""
    written, clock = _packed(tmp_path)
    file = tmp_path / "default" / "web" / "2023-11-14.000000000001.zst.idx"
    good = file.read_bytes()
    chance = random.Random(2)
    damaged = [b"", good[:50], good[: len(good) // 2], good + b"x", bytes(len(good)), None]
    for _ in range(12):
        at = chance.randrange(len(good))
        damaged.append(good[:at] + bytes([good[at] ^ 0x41]) + good[at + 1 :])
    for raw in damaged:
        if raw is None:
            file.unlink()
        else:
            file.write_bytes(raw)
        with opened(tmp_path, clock) as store:
            page = store.read("web", Query(after=12_000, limit=3))
            assert page.lines == list(enumerate(written[12_000:12_003], 12_001))
            assert store.seq_at("web", NOON + 15 * SECOND) == 15_001
        assert file.read_bytes() == good


def test_a_damaged_index_of_the_active_segment_is_rebuilt(tmp_path: Path) -> None:
    """The index of the file that is written to is only believed as far as it fits it."""
    written = lines(20_000)
    with opened(tmp_path) as store:
        for at in range(0, 20_000, 500):
            store.append("web", written[at : at + 500])
    file = _file(tmp_path, ".idx")
    good = file.read_bytes()
    assert len(good) > 500
    for raw in (b"", good[:200], b"\xff" * len(good), good[:100] + b"!" + good[101:], good + good):
        file.write_bytes(raw)
        with opened(tmp_path) as store:
            assert store.next_seq("web") == 20_001
            page = store.read("web", Query(after=17_000, limit=3))
            assert page.lines == list(enumerate(written[17_000:17_003], 17_001))
    shorter = _file(tmp_path)
    shorter.write_bytes(b"".join(written[:100]))
    with opened(tmp_path) as store:
        assert store.next_seq("web") == 101
        assert len(store.read("web", Query()).lines) == 100


@pytest.mark.parametrize("keep_index", [True, False])
def test_a_truncated_packed_segment_gives_what_is_left(
    tmp_path: Path, keep_index: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The lines before the cut are read with their seqs, those after the segment keep theirs."""
    written, clock = _packed(tmp_path)
    file = _file(tmp_path, ".zst")
    raw = file.read_bytes()
    for part in (0.9, 0.55, 0.1, 0.0001, 0):
        file.write_bytes(raw[: int(len(raw) * part)])
        if not keep_index:
            (tmp_path / "default" / "web" / "2023-11-14.000000000001.zst.idx").unlink(
                missing_ok=True
            )
        with opened(tmp_path, clock) as store:
            got = [x for batch in store.scan("web", Query()) for x in batch]
            assert got[-1] == (20_001, line("after", 90_000))
            assert got[:-1] == list(enumerate(written, 1))[: len(got) - 1]
            assert len(got) > 20_000 * part - 6000
            assert store.read("web", Query(before=20_002, limit=1)).lines == [got[-1]]
            assert store.append("web", [line("more", 90_001)]) == 20_002
        (tmp_path / "default" / "web" / "2023-11-15.000000020001.log").write_bytes(
            line("after", 90_000)
        )
    assert "is damaged" in caplog.text


def test_a_garbled_block_hides_only_its_own_lines(tmp_path: Path) -> None:
    """One wrong byte costs one block, with its index and without; the other seqs do not move."""
    written, clock = _packed(tmp_path)
    file = _file(tmp_path, ".zst")
    idx = tmp_path / "default" / "web" / "2023-11-14.000000000001.zst.idx"
    blocks = index.entries(idx.read_bytes(), True, True, file.stat().st_size)
    assert len(blocks) > 5
    raw = bytearray(file.read_bytes())
    raw[blocks[2].at + blocks[2].stored // 2] ^= 0xFF
    file.write_bytes(raw)
    hidden = range(blocks[2].number + 1, blocks[3].number + 1)
    expected = [x for x in enumerate(written, 1) if x[0] not in hidden]
    for _ in range(2):
        with opened(tmp_path, clock) as store:
            got = [x for batch in store.scan("web", Query()) for x in batch]
            assert got[:-1] == expected
            first, records = store.raw_after("web", hidden[0] + 5, 10)
            assert (first, records[0]) == (blocks[3].number + 1, written[blocks[3].number])
        idx.unlink()
    # And a wrong byte in the entry that stands in front of a block: the others are still found.
    raw[blocks[4].at - 10] ^= 0xFF
    file.write_bytes(raw)
    idx.unlink(missing_ok=True)
    with opened(tmp_path, clock) as store:
        got = [x for batch in store.scan("web", Query()) for x in batch]
        gone = range(blocks[4].number + 1, blocks[5].number + 1)
        assert got[:-1] == [x for x in expected if x[0] not in gone]


@relaxed
@given(data=st.data())
def test_rubbish_instead_of_files_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes are found under the names of the store, it opens, reads and appends."""
    root = tmp_path_factory.mktemp("rubbish")
    folder = root / "default" / "web"
    folder.mkdir(parents=True)
    for name in ("2023-11-14.000000000001", "2023-11-14.000000000100", "2023-11-14.000000000200"):
        for suffix in (".log", ".log.zst", ".idx"):
            if data.draw(st.booleans()):
                (folder / f"{name}{suffix}").write_bytes(data.draw(st.binary(max_size=300)))
    if data.draw(st.booleans()):
        (folder / "marks.json").write_bytes(data.draw(st.binary(max_size=50)))
    with opened(root) as store:
        before = store.next_seq("web")
        store.read("web", Query())
        store.read("web", Query(since=NOON, until=NOON + DAY))
        store.resume_point("web", A)
        store.seq_at("web", NOON)
        store.tidy()
        assert store.append("web", lines(2)) == before
    with opened(root) as store:
        assert store.next_seq("web") == before + 2
        assert [raw for _, raw in store.read("web", Query(after=before - 1)).lines] == lines(2)


def test_a_stop_between_packing_and_deleting_is_finished(tmp_path: Path) -> None:
    """With both forms of a segment there, the plain one counts and nothing is doubled."""
    written, clock = _packed(tmp_path)
    packed = _file(tmp_path, ".zst")
    plain = packed.with_suffix("")
    plain.write_bytes(b"".join(written))
    (packed.parent / f"{packed.name}.tmp").write_bytes(b"half")
    packed.write_bytes(b"half")
    with opened(tmp_path, clock) as store:
        assert store.next_seq("web") == 20_002
        store.tidy()
        assert not plain.exists()
        assert packed.exists()
        got = [x for batch in store.scan("web", Query()) for x in batch]
        assert got[:-1] == list(enumerate(written, 1))


def test_files_removed_by_hand_do_no_harm(tmp_path: Path) -> None:
    """Someone deletes an app's folder while it is written to: a new file is begun, seqs go on."""
    with opened(tmp_path) as store:
        store.append("web", lines(5))
        shutil.rmtree(tmp_path / "default" / "web")
        store.append("web", lines(5))
        with gevent.Timeout(patient(5)):
            while not list((tmp_path / "default").glob("web/*.log")):
                gevent.sleep(0.02)
        seq = store.append("web", [line("seen")])
        assert seq == 11
        assert store.read("web", Query()).lines == [(11, line("seen"))]


def test_a_rebuilt_index_says_the_same(tmp_path: Path) -> None:
    """Blocks found again from the text alone cover the same lines as those noted while writing."""
    written = lines(30_000)
    with opened(tmp_path) as store:
        for at in range(0, 30_000, 70):
            store.append("web", written[at : at + 70])
        kept = store._apps["web"].view().active_blocks
    (segment,) = find(tmp_path / "default" / "web")
    again = rebuild(segment)
    assert sum(b.lines for b in again) == sum(b.lines for b in kept) == 30_000
    assert index.summary(again) == index.summary(kept)
    assert IndexCache().total(segment) == index.summary(kept)


def test_a_block_with_very_many_containers_still_finds_each(tmp_path: Path) -> None:
    """Beyond what an entry lists, every container is looked for in the block itself."""
    with opened(tmp_path) as store:
        store.append("web", [line("x", i, f"{i:012x}") for i in range(200)])
        assert len(store.read("web", Query(container=f"{77:012x}")).lines) == 1
    with opened(tmp_path) as store:
        store.append("web", [line("x", 500, f"{500:012x}")])
        for n in (77, 500):
            point = store.resume_point("web", f"{n:012x}")
            assert point
            assert point.last == line("x", n, f"{n:012x}")


def test_a_line_of_a_megabyte(tmp_path: Path) -> None:
    """Long lines are stored whole; only the copy in memory for lists is cut."""
    big = record(line("")[:30], A.encode(), b"stdout", b"x" * 1_048_576)
    with opened(tmp_path) as store:
        for _ in range(5):
            store.append("web", [big, line("small")])
        store.append("web", [big])
        assert [len(raw) for _, raw in store.read("web", Query()).lines][::2] == [len(big)] * 6
        last = store.last("web")
        assert last
        assert len(last[1]) == 4096
        assert store.raw_after("web", 10)[1] == [big]


def test_a_cut_index_hides_no_container(tmp_path: Path) -> None:
    """An index whose entries are cut off lists nobody: it is not taken for one without this
    container, or its lines would be stored a second time."""
    written = lines(6000)
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        for at in range(0, len(written), 500):
            store.append("web", written[at : at + 500])
    for path in (tmp_path / "default" / "web").glob("*.idx"):
        path.write_bytes(path.read_bytes()[: index.HEADER_BYTES + 5])
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        point = store.resume_point("web", A)
        assert point is not None
        assert sum(point.stored.values()) == sum(raw[:30] >= _stamp(point.since) for raw in written)


def _stamp(ns: int) -> bytes:
    return format_time(ns).encode()
