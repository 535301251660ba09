"""What apps' requests add up to, kept in three tiers beside the place in the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
import zstandard

from cloudbang.domain.metrics.access_log import Request
from cloudbang.domain.metrics.clients import DAY_BITS, Distinct, hash_of
from cloudbang.domain.metrics.tally import Tally
from cloudbang.errors import StorageFailed
from cloudbang.storage.sqlite import DatabaseTooNew
from cloudbang.storage.traffic.packing import pack
from cloudbang.storage.traffic.store import (
    COARSE,
    FINE,
    FORMAT,
    KEPT,
    MIDDLE,
    TOP,
    AppState,
    Seen,
    TrafficStore,
)

NOW = 1_764_439_200  # a whole hour
STATE = AppState(["/blog"], 20_421, Distinct(DAY_BITS))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TrafficStore]:
    made = TrafficStore(tmp_path)
    made.open()
    yield made
    made.close()


def tally(count: int = 1, path: str = "/", seconds: float = 0.1) -> Tally:
    made = Tally()
    for _ in range(count):
        its = ("web", float(NOW), seconds, 200, 0, "GET", path, "", "", "answer")
        made.add(Request(*its), path)  # type: ignore[arg-type]
    return made


def counts(store: TrafficStore, width: int, app: str = "web") -> dict[int, int]:
    found: dict[int, int] = {}
    for at, one in store.read(app, width, 0, NOW * 2, lambda rows: rows):
        found[at] = found.get(at, 0) + one.requests
    return found


def test_each_tally_is_in_its_ten_seconds_minutes_and_hour(store: TrafficStore) -> None:
    """What comes later for the same time is added, also once that is settled; each tier has all."""
    web = {("web", NOW + n * FINE): tally(n + 1) for n in range(130)}
    store.commit("1", web, {"web": STATE}, NOW + 1300)
    store.commit("2", {("web", NOW): tally(5)}, {}, NOW + COARSE)
    total = sum(range(1, 131)) + 5
    for width in (FINE, MIDDLE, COARSE):
        assert sum(counts(store, width).values()) == total, width
    assert set(counts(store, MIDDLE)) == {NOW, NOW + 600, NOW + 1200}
    assert set(counts(store, COARSE)) == {NOW}
    store.commit("3", {("web", NOW): tally(7)}, {}, NOW + COARSE + 10)
    for width in (FINE, MIDDLE, COARSE):
        assert sum(counts(store, width).values()) == total + 7, width


def test_an_hour_that_runs_has_what_is_not_settled(store: TrafficStore) -> None:
    store.commit("1", {("web", NOW): tally(3)}, {"web": STATE}, NOW + 15)
    assert sum(counts(store, COARSE).values()) == 3


def test_ten_minutes_that_are_over_keep_their_heaviest(store: TrafficStore) -> None:
    """And how many requests went to the rest."""
    whole = Tally()
    for n in range(100):
        whole.merge(tally(n + 1, f"/{n}"))
    store.commit("1", {("web", NOW): whole}, {"web": STATE}, NOW + 15)
    store.commit("2", {}, {}, NOW + 1000)
    [(_, kept)] = store.read("web", MIDDLE, 0, NOW * 2, lambda rows: rows)
    assert len(kept.entries) == TOP
    assert kept.requests == 5050
    assert kept.entries.missed + sum(entry.count for _, entry in kept.entries) == 5050
    assert ("GET", "/99") in kept.entries.values


def test_the_place_goes_with_what_was_counted(store: TrafficStore, tmp_path: Path) -> None:
    """All of it or nothing."""
    state = AppState(["/a", "/b/:any"], 20_421, Distinct(DAY_BITS))
    state.clients.add(hash_of("192.0.2.1", b"salt"))
    store.commit("place", {("web", NOW): tally()}, {"web": state}, NOW)

    class Broken(Tally):
        def merge(self, *_: object) -> None:
            raise ValueError("broken")

    broken = Broken()
    broken.statuses = {object(): 1}  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        store.commit("further", {("web", NOW + 10): tally(), ("web", NOW + 20): broken}, {}, NOW)
    assert counts(store, FINE) == {NOW: 1}
    store.close()
    again = TrafficStore(tmp_path)
    again.open()
    found = again.load()
    assert (found.place, found.began) == ("place", NOW)
    assert found.apps["web"].templates == ["/a", "/b/:any"]
    assert found.apps["web"].clients.count() == 1
    again.close()
    store.open()


def test_each_tier_is_kept_for_its_time(store: TrafficStore) -> None:
    later = NOW + KEPT[MIDDLE] + 2 * MIDDLE
    store.commit("1", {("web", NOW): tally()}, {"web": STATE}, NOW)
    store.commit("2", {}, {}, NOW + KEPT[FINE] + MIDDLE)
    assert counts(store, FINE) == {}
    assert counts(store, MIDDLE) == {NOW: 1}
    store.commit("3", {}, {}, later)
    assert counts(store, MIDDLE) == {}
    assert counts(store, COARSE) == {NOW: 1}
    store.commit("4", {}, {}, NOW + KEPT[COARSE] + 2 * COARSE)
    assert counts(store, COARSE) == {}


def test_no_more_room_than_there_is(tmp_path: Path) -> None:
    """The finest tier is shortened first; it is counted."""
    store = TrafficStore(tmp_path, most_bytes=600_000)
    store.open()
    whole = Tally()
    for n in range(150):
        whole.merge(tally(1, f"/{n}/of/a/path/that/is/long/enough/{n * 7919}", 0.01 * n))
    for n in range(8):
        many = {("web", NOW + (n * 80 + k) * FINE): whole for k in range(80)}
        store.commit("1", many, {"web": STATE}, NOW + (n + 1) * 800)
    assert store.shrunk > 0
    assert len(counts(store, FINE)) < 500
    assert len(counts(store, MIDDLE)) >= 8
    store.close()


def test_one_that_is_damaged_costs_itself(store: TrafficStore, tmp_path: Path) -> None:
    store.commit("1", {("web", NOW): tally(), ("web", NOW + 10): tally(2)}, {}, NOW)
    with sqlite3.connect(store.path) as other:
        other.execute("UPDATE tallies SET body = x'00' WHERE width = 10 AND time = ?", (NOW,))
    other.close()
    assert counts(store, FINE) == {NOW + 10: 2}
    assert store.damaged == 1


def test_what_is_beyond_all_numbers_stops_no_other(store: TrafficStore) -> None:
    """JSON has no infinity and its numbers have 64 bits: what an earlier one kept of it costs itself, and what
    adds up to it is kept as the largest there is."""
    large = tally()
    large.stream_seconds, large.sent = inf, 2**70
    for n in range(3):
        store.commit(str(n), {("web", NOW): large}, {}, NOW)
    with sqlite3.connect(store.path) as other:
        body = zstandard.compress(
            zstandard.decompress(pack(tally())).replace(b'"open":0.0', b'"open":null')
        )
        other.execute("UPDATE tallies SET body = ?", (body,))
    other.close()
    store.commit("4", {("web", NOW): tally(2)}, {}, NOW)
    assert counts(store, FINE) == {NOW: 2}
    assert store.damaged >= 1


def test_a_file_that_is_none_is_put_aside(tmp_path: Path) -> None:
    """Nobody's traffic keeps the whole from starting."""
    (tmp_path / "traffic.db").write_bytes(b"this is no database " * 500)
    store = TrafficStore(tmp_path)
    store.open()
    store.commit("1", {("web", NOW): tally()}, {}, NOW)
    assert counts(store, FINE) == {NOW: 1}
    assert (tmp_path / "traffic.damaged").exists()
    store.close()


def test_one_of_a_newer_cloudbang(tmp_path: Path) -> None:
    store = TrafficStore(tmp_path)
    store.open()
    store.close()
    with sqlite3.connect(store.path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(DatabaseTooNew):
        store.open()
    with pytest.raises(StorageFailed):
        store.load()


def test_the_key_of_a_day_is_gone_with_it(store: TrafficStore) -> None:
    first = store.salt(1)
    assert store.salt(1) == first
    assert store.salt(2) != first
    assert store.salt(1) != first


def test_forgotten(store: TrafficStore) -> None:
    store.commit("1", {("web", NOW): tally(), ("api", NOW): tally()}, {"web": STATE}, NOW)
    store.forget("web")
    assert [counts(store, width) for width in KEPT] == [{}, {}, {}]
    assert counts(store, FINE, "api") == {NOW: 1}
    assert store.load().apps == {}


def test_who_was_seen_is_kept_for_five_minutes(store: TrafficStore) -> None:
    """With the key that they were counted with, in the order in which they were told."""
    for n in range(4):
        seen = Seen(b"key", {"web": [b"%d" % n], "other": [b"x"]})
        store.commit(None, {}, {}, NOW + n * 100, seen)
    store.forget("other")
    assert store.load(NOW + 350).seen == Seen(b"key", {"web": [b"1", b"2", b"3"]})
    assert store.load(NOW + 700).seen is None
    store.commit(None, {}, {}, NOW - 3600)  # the clock was set back
    assert store.load(NOW - 3600).seen is None


def test_a_clock_that_is_not_trusted_makes_nothing_old(store: TrafficStore) -> None:
    """And once it is, what was counted by one that was ahead goes with what is too old."""
    store.commit("1", {("web", NOW): tally()}, {"web": STATE}, NOW)
    ahead = NOW + 1000 * 86_400
    store.commit("2", {("web", ahead): tally()}, {}, ahead, steady=False)
    assert counts(store, FINE)[NOW] == 1
    store.commit("3", {}, {}, NOW + 700)
    assert set(counts(store, FINE)) == {NOW}


def test_a_file_of_the_first_format(store: TrafficStore, tmp_path: Path) -> None:
    """Goes on with what it has."""
    store.commit("place", {("web", NOW): tally()}, {"web": STATE}, NOW)
    store.close()
    with sqlite3.connect(store.path) as old:
        old.execute("DROP TABLE seen")
        old.execute("PRAGMA user_version = 1")
    old.close()
    again = TrafficStore(tmp_path)
    again.open()
    assert again.load(NOW).place == "place"
    again.commit("further", {}, {}, NOW + 10, Seen(b"key", {"web": [b"x"]}))
    assert again.load(NOW + 10).seen == Seen(b"key", {"web": [b"x"]})
    again.close()
    with sqlite3.connect(store.path) as kept:
        assert kept.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    kept.close()
