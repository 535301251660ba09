"""The process that searches: what it had begun is not lost in silence, and nobody ends it for others.

That it finds what threads find: ``test_queries``, ``test_merged``, ``test_merged_entries`` and ``test_entry_pages``.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from cloudbang.storage.logs import search_processes
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery, Place, Progress
from cloudbang.storage.logs.search_processes import SearchProcess
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import Clock, line, opened, searched_by
from tests.support import patient, wait_until

COUNT = 1_200  # of each app, in some 20 blocks
APPS = ("api", "web")


@pytest.fixture(autouse=True)
def _a_block_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudbang.storage.logs.merged_logs.SLICE", 0.0)
    monkeypatch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 16 * 1024)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    with opened(tmp_path, Clock(), segment_bytes=96 * 1024) as store:
        for app in APPS:
            for begin in range(0, COUNT, 100):
                store.append(
                    app, [line(f"{n} {app} {'x' * 200}", n) for n in range(begin, begin + 100)]
                )
        searched_by(store, "process")
        yield store


def process_of(store: LogStore) -> SearchProcess:
    process = store._processes.of("")
    assert process is not None
    return process


def process_of_any(store: LogStore) -> SearchProcess:
    (process,) = store._processes._all[:1]
    return process


def pid_of(store: LogStore) -> int:
    process = process_of(store)._process.process
    assert process is not None
    return process.pid


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """It does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def search(store: LogStore, text: str = "x", limit: int = 10**6) -> Iterator[Progress]:
    asked = MergedQuery(Query(match=matcher(text), limit=limit), count=True)
    return (told for _, told in store.merged.read(APPS, asked))


@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize("limit", [10**6, 150])
def test_one_that_is_killed_in_the_middle_is_gone_on_with(
    store: LogStore, limit: int, backwards: bool
) -> None:
    """Each line and each count comes once; a thread ends what it had begun, and the next search has
    another one."""
    query = Query(match=matcher("x"), limit=limit, size=1 << 62)
    lines: list[Place] = []
    counts = 0
    killed = 0
    for given, told in store.merged.read(APPS, MergedQuery(query, backwards, count=True)):
        lines += [one.place for one in given]
        counts += len(told.counted)
        if not killed and len(lines) > 100:
            os.kill(killed := pid_of(store), signal.SIGKILL)
    assert killed
    assert (told.found, told.failed, counts) == (2 * COUNT, {}, 2 * COUNT)
    assert lines == sorted(set(lines), reverse=backwards)
    assert len(lines) == min(limit, 2 * COUNT)
    assert process_of_any(store).lost == 1
    searched_by(store, "process")
    *_, last = search(store)
    assert (last.found, last.failed) == (2 * COUNT, {})


def test_a_picture_that_was_begun_there_is_made_all_the_same(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudbang.storage.logs.timeline.FINE", 1_000_000)
    pictures = store.merged.timeline(APPS, Query())
    next(pictures)
    assert not next(pictures).done
    os.kill(pid_of(store), signal.SIGKILL)
    *_, last = pictures
    assert last.exact
    assert sum(last.counts) == 2 * COUNT
    assert process_of_any(store).lost == 1


def test_a_page_and_a_download_go_on_without_it(store: LogStore) -> None:
    """Their steps do not build on each other: a thread makes the next one."""
    query = Query(match=matcher("7 web"), limit=10**6)
    batches = store.scan_entries("web", query)
    seqs = [seq for seq, _ in next(batches)]
    os.kill(pid_of(store), signal.SIGKILL)
    seqs += [seq for lines in batches for seq, _ in lines]
    assert len(seqs) == COUNT // 10
    assert len(store.read("web", query).lines) == COUNT // 10


def test_who_leaves_does_not_end_it(store: LogStore) -> None:
    """Neither between two steps nor within one; and nothing that they began is kept."""
    before, process = pid_of(store), process_of(store)
    others = search(store)
    next(others)
    steps = search(store, "nowhere")
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    with halted(before):  # within a step, however quick it is
        leaving = gevent.spawn(lambda: [*search(store, "no such thing")])
        wait_until(lambda: process._process._asking)
        leaving.kill(block=False)
    leaving.join(patient(10))
    assert leaving.dead
    *_, last = others
    assert (last.found, last.failed) == (2 * COUNT, {})
    assert pid_of(store) == before
    wait_until(lambda: not process._begun)


def test_accounts_search_in_turns(store: LogStore) -> None:
    """Who asks for little is not behind who asks for much."""
    ended: list[str] = []

    def run(account: str, text: str, limit: int) -> None:
        query = Query(match=matcher(text), limit=limit, account=account)
        for _ in store.merged.read(APPS, MergedQuery(query, count=limit > 1)):
            pass
        ended.append(account)

    runs = [gevent.spawn(run, "much", f"nowhere {n}", 10**6) for n in range(5)]
    gevent.sleep(0)
    runs.append(gevent.spawn(run, "little", "x", 1))
    gevent.joinall(runs, timeout=patient(60), raise_error=True)
    assert ended.index("little") < 4


def test_it_ends_when_nobody_searches_but_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads an answer slowly has begun something there."""
    monkeypatch.setattr(search_processes, "IDLE", 0.2)
    with opened(tmp_path, Clock()) as store:
        for begin in range(0, COUNT, 100):
            store.append("web", [line("x" * 200, n) for n in range(begin, begin + 100)])
        searched_by(store, "process")
        process = process_of(store)
        steps = search(store)
        next(steps)
        assert process._begun
        gevent.sleep(0.6)
        assert process._process.process is not None
        *_, last = steps
        assert (last.found, last.failed) == (COUNT, {})
        wait_until(lambda: process._process.process is None)
        assert [*search(store)][-1].found == COUNT


def test_threads_search_where_none_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(search_processes, "PROCESS", "cloudbang.no_such_module")
    with opened(tmp_path, Clock()) as store:
        store.append("web", [line("x")])
        assert [*search(store)][-1].found == 1
        wait_until(lambda: "threads search" in caplog.text)
        assert [*search(store)][-1].found == 1
        assert caplog.text.count("threads search") == 1


def test_what_is_damaged_is_in_the_servers_log_once(
    store: LogStore, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(store._apps["web"].closed[0].path)
    path.write_bytes(path.read_bytes()[:-5_000])
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            *_, last = search(store)
            assert COUNT < last.found < 2 * COUNT
            store.read_entries("web", Query(match=matcher("web x")))
    assert caplog.text.count("is damaged") == 1


def test_files_that_go_meanwhile_are_looked_at_as_they_are_now(store: LogStore) -> None:
    """Packed while it is searched: nothing is left out, and nothing comes twice."""
    before = pid_of(store)
    steps = search(store)
    first = next(steps)
    assert not first.done
    for one in APPS:
        store._commit.roll(store._apps[one])
    store._clock.ns += 3 * 86_400 * 10**9  # type: ignore[attr-defined]
    store.tidy()
    assert all(segment.compressed for one in APPS for segment in store._apps[one].closed)
    *_, last = steps
    assert (last.found, last.failed) == (2 * COUNT, {})
    assert last.ends == dict.fromkeys(APPS, (1, COUNT + 1))
    assert pid_of(store) == before


@pytest.mark.parametrize(
    "query", ["path:/pay* -path:/healthz", "/re.*x/", "status:>=500 level:error", '"two words" -x']
)
def test_whatever_is_asked_for_can_be_handed_over(store: LogStore, query: str) -> None:
    """Each kind of term, and words with wildcards as rules have them."""
    match, levels = entry_filter(terms_of(query))
    asked = MergedQuery(Query(match=match, levels=levels, limit=100), count=True)
    steps = process_of(store).steps
    *_, (_, last) = store.merged.read(APPS, asked)
    assert not last.failed
    assert process_of(store).steps > steps


def test_a_stop_in_the_middle_of_a_search(tmp_path: Path) -> None:
    """It ends with the store, and whoever searches ends as well."""
    with opened(tmp_path, Clock()) as store:
        for begin in range(0, COUNT, 100):
            store.append("web", [line("x" * 200, n) for n in range(begin, begin + 100)])
        searched_by(store, "process")
        pid = pid_of(store)
        process = process_of(store)
        with halted(pid):
            searching = gevent.spawn(lambda: [*search(store)][-1])
            wait_until(lambda: process._process._asking)
    last = searching.get(timeout=patient(10))
    assert last.done
    assert not Path(f"/proc/{pid}").exists()
