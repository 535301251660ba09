"""Searches skip blocks in which there surely is nothing, and never one in which there is something."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import orjson
import pytest

from cloudbang.domain.skip_terms import needs_of, terms_of_block
from cloudbang.storage.logs import skip_index, skip_indexing, skip_process
from cloudbang.storage.logs.index import BLOCK_BYTES, Block
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery
from cloudbang.storage.logs.reader import BlockScan
from cloudbang.storage.logs.skip_index import PART_BLOCKS, PartBuilder, about, covered, parts_of
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import NOON, SECOND, Clock, durable, line, opened
from tests.support import rounds, wait_until

DAY = 86_400 * SECOND
PLAIN = "handled a request of somebody " + "and so on " * 200  # 2 KB: 128 a block
EACH = BLOCK_BYTES // len(line(PLAIN)) + 1
RARE = "payment-7f3a refused"


@pytest.fixture(scope="module", autouse=True)
def _at_once() -> Iterator[None]:
    """Tests wait for it, and the machine may be busy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skip_indexing, "PROCESS", skip_indexing.PROCESS[:1])
        patch.setattr(skip_indexing, "EVERY", 0.2)
        patch.setattr(skip_indexing, "SOON", 0.05)
        yield


def _fill(store: LogStore, blocks: int, rare: tuple[int, ...] = (), app: str = "web") -> None:
    """So many blocks, and in these lines something that is in no other."""
    for _ in range(blocks):
        at = store.next_seq(app)
        store.append(
            app,
            [line(f"{PLAIN}{RARE if at + i in rare else ''}", at + i) for i in range(EACH)],
        )


def _looked_at(store: LogStore, match: object, app: str = "web") -> int:
    """Blocks that a search reads."""

    def step(view: Any, skip_missing: bool) -> int:
        query = Query(match=match)  # type: ignore[arg-type]
        with BlockScan(view, store.index_cache, query, skip_missing=skip_missing) as scan:
            return len(list(scan.spots()))

    found = store.look(app, step)
    assert found is not None
    return found


def _found(store: LogStore, match: object, app: str = "web") -> list[int]:
    query = Query(match=match, limit=100)  # type: ignore[arg-type]
    return [seq for lines in store.scan(app, query) for seq, _ in lines]


def _indexed(store: LogStore) -> None:
    durable(store)
    store._skips.once()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed segment, a closed plain one, and one that is written to, each of more than a part."""
    root, clock = tmp_path_factory.mktemp("skips"), Clock()
    with opened(root, clock) as store:
        _fill(store, 40, (500,))
        clock.ns += DAY
        store.tidy()
        _fill(store, 36, (7_000,))
        store._commit.roll(store._apps["web"])
        _fill(store, 35, (10_000,))
        _indexed(store)
        assert [s.compressed for s in store._apps["web"].closed] == [True, False]
        assert all(s.skip_size for s in [*store._apps["web"].closed, store._apps["web"].active])
    return root


def test_blocks_without_it_are_not_looked_at(root: Path) -> None:
    with opened(root, Clock(NOON + 2 * DAY)) as store:
        every = store.next_seq("web") // EACH
        assert _found(store, matcher(RARE)) == [500, 7_000, 10_000]
        # Of what is written to, that which came after its last whole part.
        assert _looked_at(store, matcher(RARE + "x")) <= every - 40 - 36 - PART_BLOCKS + 1
        assert _looked_at(store, matcher("Payment-7f3a Refused")) <= 3 + 4
        assert _looked_at(store, matcher("payment-[0-9a-f]+ refused", regex=True)) <= 3 + 4
        assert _looked_at(store, matcher("of somebody")) == every
        assert _looked_at(store, entry_filter(terms_of('"payment-7f3a" request'))[0]) <= 3 + 4
        assert _looked_at(store, entry_filter(terms_of("refusal:yes"))[0]) <= 4


def test_what_was_skipped_counts_as_looked_through(root: Path) -> None:
    """The histogram of a search over all, and how far it is."""
    with opened(root, Clock(NOON + 2 * DAY)) as store:
        asked = MergedQuery(Query(match=matcher(RARE), limit=1), count=True)
        counted = 0
        for _, told in store.merged.read(["web"], asked):
            counted += len(told.counted)
        assert (told.found, told.looked) == (3, told.of)
        assert counted == 3


def test_size_and_retention_know_of_it(root: Path) -> None:
    with opened(root, Clock(NOON + 2 * DAY)) as store:
        store.tidy()
        files = {p.name: p.stat().st_size for p in (root / "default" / "web").iterdir()}
        told = sum(size for name, size in files.items() if not name.endswith(".idx"))
        assert store.size("web") == store.totals()[0] == told
        assert (
            sum(s for n, s in files.items() if n.endswith(".skip")) < told / 10
        )  # of text that packs very well


def test_it_goes_with_its_lines(tmp_path: Path) -> None:
    folder = tmp_path / "default" / "web"
    with opened(tmp_path) as store:
        _fill(store, 33)
        store._commit.roll(store._apps["web"])
        _indexed(store)
        assert list(folder.glob("*.skip"))
        store.delete_lines("web")
        assert not list(folder.glob("*.skip"))
    # One whose segment somebody took away, and one that was written too late.
    (folder / "2023-11-14.000000000009.skip").touch()
    with opened(tmp_path) as store:
        assert not list(folder.glob("*.skip"))
        (folder / "2023-11-14.000000000001.skip").touch()
        assert store.forget("web", lambda: True)
        assert not folder.exists()


def test_it_is_kept_when_its_segment_is_packed(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, clock) as store:
        _fill(store, 36, (9,))
        store._commit.roll(store._apps["web"])
        _indexed(store)
        before = store._apps["web"].closed[0].skip_size
        assert before
        clock.ns += DAY
        store.tidy()
        (packed,) = store._apps["web"].closed
        assert packed.compressed
        assert packed.skip_size == before
        assert _looked_at(store, matcher("nowhere in there")) == 0
        assert _found(store, matcher(RARE)) == [9]
        _indexed(store)
        assert packed.skip_size == before


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One packed segment, of a part and some blocks."""
    root, clock = tmp_path_factory.mktemp("packed"), Clock()
    with opened(root, clock) as store:
        _fill(store, 40, (500, 4_500))
        clock.ns += DAY
        store.tidy()
        _indexed(store)
    return root


@pytest.mark.parametrize("harm", ["cut", "torn", "empty", "gone", "other", "version"])
def test_what_cannot_be_believed_is_made_again(tmp_path: Path, packed: Path, harm: str) -> None:
    shutil.copytree(packed, tmp_path, dirs_exist_ok=True)
    (path,) = (tmp_path / "default" / "web").glob("*.skip")
    raw = path.read_bytes()
    if harm == "cut":
        path.write_bytes(raw[:-1])
    elif harm == "torn":
        middle = len(raw) // 2
        path.write_bytes(raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "gone":
        path.unlink()
    elif harm == "version":
        path.write_bytes(raw.replace(b"CBSKIP1", b"CBSKIP0"))
    else:  # of other lines: nothing of it is believed
        builder = PartBuilder()
        for block in range(PART_BLOCKS):
            builder.add((block * EACH, EACH, 7, 7), terms_of_block(line("nothing")))
        path.write_bytes(builder.build())
    with opened(tmp_path) as store:
        assert _found(store, matcher(RARE)) == [500, 4_500]
        _indexed(store)
        assert path.read_bytes() == raw
        assert _looked_at(store, matcher(RARE)) == 2


def test_a_block_that_is_damaged_is_looked_at(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, clock) as store:
        _fill(store, 6)
        clock.ns += DAY
        store.tidy()
        (segment,) = store._apps["web"].closed
        block = store.index_cache.blocks(segment)[2]
        with open(segment.path, "r+b") as file:
            file.seek(block.at + block.stored // 2)
            file.write(b"\0\0\0\0")
        _indexed(store)
        assert segment.skip_size
        assert _looked_at(store, matcher("nowhere in there")) == 1


def test_without_room_or_folder_nothing_is_written_and_all_is_found(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        _fill(store, 36, (9,))
        store._commit.roll(store._apps["web"])
        store._skips._keep_free = 1 << 62
        _indexed(store)
        assert store._skips.failed
        assert not list((tmp_path / "default" / "web").glob("*.skip"))
        assert _found(store, matcher(RARE)) == [9]
        store._skips._keep_free = 0
        store._skips.once()
        assert _looked_at(store, matcher("nowhere in there")) == 0


def test_while_it_is_written_it_is_searched(tmp_path: Path) -> None:
    """By the store's own loop: lines come, parts are written, and each search finds what it did before."""
    with opened(tmp_path) as store:
        rare: list[int] = []
        for _ in range(5):
            rare.append(store.next_seq("web") + 7)
            _fill(store, 16, (rare[-1],))
            assert _found(store, matcher(RARE)) == rare
        wait_until(lambda: store._apps["web"].active.skip_size > 0, 30)  # type: ignore[union-attr]
        assert _found(store, matcher(RARE)) == rare


KILLS = rounds(3, 40)


def test_killed_while_it_is_written(tmp_path: Path) -> None:
    """At random moments, and made again: it never says that something is missing which is there."""
    path, folder = tmp_path / "one.log", tmp_path
    texts = [f"word{chr(97 + i)}{chr(97 + i)} of block {i} " + "x" * 50 for i in range(24)]
    blocks: list[Block] = []
    with path.open("wb") as file:
        for number in range(48):
            data = b"".join(line(f"{texts[number % 24]} {i}", i) for i in range(300))
            at = file.tell()
            file.write(data)
            times = (data[:30], data[-100:][:30])
            blocks.append(Block(number * 300, 300, at, len(data), len(data), *times, None))
    asked = {
        **{"segment": str(path), "compressed": False, "skip": str(folder / "one.skip")},
        **{"closed": True, "keep_free": 0, "seconds": 60.0},
        "blocks": [[b.number, b.lines, b.at, b.stored, b.plain, about(b)[-1]] for b in blocks],
    }
    skip = Path(str(asked["skip"]))
    chance = random.Random()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-m", "cloudbang.storage.logs.skip_process"],
            stdin=subprocess.PIPE,
        ) as child:
            assert child.stdin
            child.stdin.write(orjson.dumps(asked) + b"\n")
            child.stdin.flush()
            gevent.sleep(chance.uniform(0.1, 0.8))
            child.send_signal(signal.SIGKILL)
        raw = skip.read_bytes() if skip.exists() else b""
        for cut in (len(raw), chance.randrange(len(raw) + 1)):
            for word in range(24):
                missing = skip_index.without(raw[:cut], blocks, needs_of(texts[word]))
                assert not {b.number for b in blocks[word::24]} & missing
    assert skip_process.answer_to(asked)["covered"] == 48
    raw = skip.read_bytes()
    assert covered(raw, [about(b) for b in blocks]) == (48, len(raw))
    missing = skip_index.without(raw, blocks, needs_of("wordbb of"))
    assert missing == {b.number for b in blocks} - {b.number for b in blocks[1::24]}
    skip.unlink()
    assert os.listdir(folder) == ["one.log"]


def test_a_part_may_hold_anything(tmp_path: Path) -> None:
    """Words and ids in thousands, of any bytes: each is still there."""
    chance = random.Random(3)
    builder, texts = PartBuilder(), []
    for number in range(PART_BLOCKS):
        its = [
            chance.choice(
                (
                    lambda: chance.randbytes(12).hex(),
                    lambda: "".join(chance.choices("abcdefghij", k=9)),
                    lambda: "".join(chance.choices("订单支付库存用户", k=6)),
                    lambda: f"req-{chance.randrange(10**9)}",
                )
            )()
            for _ in range(400)
        ]
        texts.append(its)
        plain = b"".join(line(text) for text in its)
        builder.add((number, 400, len(plain), 0), terms_of_block(plain))
    raw = builder.build()
    ((part, end),) = parts_of(raw)
    assert end == len(raw)
    for number, its in enumerate(texts):
        for text in its[:20]:
            assert not skip_index._absent(part, needs_of(text)) >> number & 1
    skipped = [skip_index._absent(part, needs_of(f"nowhere {n} at all")) for n in range(20)]
    assert sum(one.bit_count() for one in skipped) > 20 * PART_BLOCKS * 0.9
