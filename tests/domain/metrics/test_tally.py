"""Requests added up, put together and cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.metrics.access_log import Request
from cloudbang.domain.metrics.heavy import Heavy
from cloudbang.domain.metrics.tally import BY, Tally
from cloudbang.storage.traffic.packing import pack, unpack

REQUESTS = st.builds(
    Request,
    app=st.just("web"),
    time=st.just(1.0),
    seconds=st.floats(0, 100),
    status=st.sampled_from([200, 204, 404, 499, 500, 503]),
    sent=st.integers(0, 10**6),
    method=st.sampled_from(["GET", "POST", "(other)"]),
    path=st.sampled_from(["/a", "/b", "/c/:id"]),
    client=st.just(""),
    upstream=st.just(""),
    kind=st.sampled_from(["answer", "left", "stream", "head", "probe"]),
)


def of(requests: list[Request]) -> Tally:
    made = Tally()
    for one in requests:
        made.add(one, one.path)
    return made


def outline(tally: Tally) -> object:
    entries = {
        key: (one.count, one.errors, one.most, one.latency.buckets()) for key, one in tally.entries
    }
    return (
        *(tally.requests, tally.errors, tally.left, tally.sent, tally.streams),
        *(tally.statuses, tally.methods, tally.latency.buckets(), entries),
    )


@given(st.lists(REQUESTS, max_size=40), st.integers(0, 40))
@settings(max_examples=50)
def test_put_together_as_if_one_had_counted(requests: list[Request], cut: int) -> None:
    """Also over what is kept on disk; nothing is lost but the examples' choice."""
    merged = of(requests[:cut])
    merged.merge(unpack(pack(of(requests[cut:]))))
    assert outline(merged) == outline(of(requests))


@given(st.lists(REQUESTS, max_size=40))
@settings(max_examples=50)
def test_the_whole_is_its_parts(requests: list[Request]) -> None:
    """The addresses add up to the app, and their answers' times to its."""
    tally = of(requests)
    assert tally.requests == sum(entry.count for _, entry in tally.entries)
    assert tally.latency.count == sum(entry.latency.count for _, entry in tally.entries)
    assert tally.requests == sum(tally.statuses.values()) == sum(tally.methods.values())


@pytest.mark.parametrize(
    "packed", [b"", b"x", pack(Tally())[:-3], b"\x28\xb5\x2f\xfd" + b"\x00" * 20]
)
def test_what_is_damaged(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(packed)


def test_a_cut_keeps_what_is_first_by_anything() -> None:
    """The slowest, the most asked for and the most failing, each; the rest is counted together."""
    tally = Tally()
    make = lambda path, seconds, status=200: Request(  # noqa: E731
        *("web", 1.0, seconds, status, 0, "GET", path, "", "", "answer")
    )
    for n in range(500):
        tally.add(make(f"/{n}", 0.001), f"/{n}")
    for _ in range(100):
        tally.add(make("/often", 0.001), "/often")
    tally.add(make("/slow", 9.0), "/slow")
    tally.add(make("/bad", 0.001, 500), "/bad")
    tally.cut(20)
    paths = {path for (_, path), _ in tally.entries}
    assert len(paths) == 20
    assert {"/often", "/slow", "/bad"} <= paths
    assert tally.requests == 602
    assert sum(e.count for _, e in tally.entries) + tally.entries.rest.count == 602
    assert tally.entries.missed == tally.entries.rest.count
    assert next(path for (_, path), _ in tally.top("mean", 1)) == "/slow"


def test_the_lists_go_by_what_they_say() -> None:
    assert set(BY) == {"seconds", "mean", "count", "errors"}
    tally = of([])
    assert all(tally.top(by, 5) == [] for by in BY)


def test_no_count_is_further_off_than_is_said() -> None:
    """A hundred slabs that each hold few keys, put together and cut: against exact counts."""
    chance, exact = random.Random(2), {}
    whole: Heavy[int, list[int]] = Heavy(100, lambda: [0])

    def add(mine: list[int], theirs: list[int]) -> None:
        mine[0] += theirs[0]

    for _ in range(100):
        slab: Heavy[int, list[int]] = Heavy(50, lambda: [0])
        for _ in range(500):
            key = int(chance.paretovariate(0.7))
            exact[key] = exact.get(key, 0) + 1
            slab.of(key)[0] += 1
        whole.merge(slab, add)
        whole.cut(add, (lambda value: value[0],), lambda value: value[0])
    for key, (n,) in whole:
        assert n <= exact[key] <= n + whole.missed
    assert sum(n for _, (n,) in whole) + whole.rest[0] == 50_000
