"""Different clients counted: exactly while they are few, within 2 % when they are many."""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.metrics.clients import DAY_BITS, ERROR, FEW, WINDOW, Distinct, Online, hash_of

SALT = b"a salt of a day"


def hashes(n: int, seed: int = 0) -> list[int]:
    chance = random.Random(seed)
    return [chance.getrandbits(64) for _ in range(n)]


@pytest.mark.parametrize("n", [0, 1, 27, FEW, FEW + 1])
def test_few_are_counted_exactly(n: int) -> None:
    """Whatever their hashes are: of twenty-seven two share a register in one of fifty days. And so
    they are put together, over what is kept on disk."""
    for seed in range(100 if n < FEW else 5):
        one, two = Distinct(DAY_BITS), Distinct(DAY_BITS)
        for at, hashed in enumerate(hashes(n, seed)):
            if at % 3:
                one.add(hashed)
            if at % 3 != 1:
                two.add(hashed)
        two.merge(Distinct(DAY_BITS, bytes(one)))
        assert two.exact == (n <= FEW)
        assert two.count() == n if two.exact else abs(two.count() - n) <= 2 * ERROR * n


@pytest.mark.parametrize("n", [0, 1, 10, 1000, 9000, 40_000, 200_000])
def test_how_far_off(n: int) -> None:
    """Of twenty counts nineteen are within 2 %, and none beyond 4."""
    off = []
    for seed in range(20 if n <= 1000 else 3):
        made = Distinct(DAY_BITS)
        for hashed in hashes(n, seed):
            made.add(hashed)
            made.add(hashed)
        off.append(abs(made.count() - n) / max(n, 1))
    assert sorted(off)[len(off) * 19 // 20 - 1] <= ERROR
    assert max(off) <= 2 * ERROR


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.integers(0, 200))
def test_put_together(found: list[int], cut: int) -> None:
    """As if all had come to one, also over what is kept on disk."""
    whole, one, two = Distinct(), Distinct(), Distinct()
    for hashed in found:
        whole.add(hashed)
    for hashed in found[:cut]:
        one.add(hashed)
    for hashed in found[cut:]:
        two.add(hashed)
    one.merge(Distinct(packed=bytes(two)))
    assert bytes(one) == bytes(whole)


@pytest.mark.parametrize("packed", [b"x", b"\xff" * 8192, b"\x00" * 8191, b"\x00" * 8 * (FEW + 1)])
def test_what_is_damaged(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no packed count"):
        Distinct(packed=packed)


def test_a_hash_says_nothing_without_its_salt() -> None:
    assert hash_of("192.0.2.1", SALT) == hash_of("192.0.2.1", SALT)
    assert hash_of("192.0.2.1", SALT) != hash_of("192.0.2.1", b"another")


def test_online_is_exact_at_any_moment() -> None:
    """Against a list of all that came: who was there in the last 5 minutes, each once."""
    chance, online, came = random.Random(5), Online(), deque()
    time = 1_000
    for _ in range(3_000):
        time += chance.randrange(0, 3)
        who = chance.randrange(400)
        online.add(who, time)
        came.append((time, who))
        while came[0][0] <= time - WINDOW:
            came.popleft()
        if chance.random() < 0.05:
            assert online.count(time) == len({who for _, who in came})
    assert online.exact
    assert online.count(time + WINDOW) == 0


def test_too_many_to_remember() -> None:
    """Beyond the limit they are estimated, in little memory; and exact again once they are few."""
    online = Online(most=1_000)
    for n, hashed in enumerate(hashes(5_000)):
        online.add(hashed, 1_000 + n // 500)
    assert not online.exact
    assert len(online) == 0
    assert abs(online.count(1_010) - 5_000) < 5_000 * 2 * ERROR
    few = hashes(50, seed=1)
    for time in range(1_400, 2_000, 10):
        for hashed in few:
            online.add(hashed, time)
        online.count(time)
    assert online.exact
    assert online.count(1_990) == 50


def test_exactly_to_a_hundred_thousand() -> None:
    online = Online()
    for n, hashed in enumerate(hashes(100_000)):
        online.add(hashed, 1_000 + n // 1_000)
    assert online.exact
    assert online.count(1_100) == 100_000


def over_a_restart(online: Online, news: list[bytes], time: int) -> Online:
    """Another one, which goes on from all the news there were."""
    again = Online(most=online.most)
    again.load(news, time)
    return again


def test_it_goes_on_after_a_restart() -> None:
    """Exactly, whenever it was told: who was seen again counts from then, who was not goes as before."""
    chance, online, came, news = random.Random(7), Online(), deque(), []
    for time in range(1_000, 1_600, 2):
        who = chance.randrange(300)
        online.add(who, time)
        came.append((time, who))
        if chance.random() < 0.1:
            news += online.news()
            online.told()
    news += online.news()
    again = over_a_restart(online, news, 1_600)
    for time in (1_600, 1_700, 1_850, 1_890, 1_900):
        true = {who for seen, who in came if seen > time - WINDOW}
        assert again.count(time) == len(true) == online.count(time)
    assert again.news() == []  # all of that was told before


def test_very_many_go_on_after_a_restart() -> None:
    """In little room; as many as before within what an estimate may be off."""
    for most in (100_000, 1_000):
        online, news = Online(most=most), []
        for n, hashed in enumerate(hashes(30_000)):
            online.add(hashed, 1_000 + n // 3_000)
        news += online.news()
        online.told()
        for hashed in hashes(500):
            online.add(hashed, 1_050)
        news += online.news()
        assert sum(map(len, news)) < 200_000
        again = over_a_restart(online, news, 1_060)
        assert abs(again.count(1_060) - 30_000) < 30_000 * 2 * ERROR
        assert abs(again.count(1_340) - 500) < 500 * 3 * ERROR


def test_what_is_damaged_of_who_was_seen() -> None:
    """Costs itself alone."""
    online = Online()
    online.add(7, 1_000)
    good = online.news()
    again = over_a_restart(online, [b"", b"\1abc", b"\2ab", b"\2" + bytes(9), b"x", *good], 1_000)
    assert again.count(1_000) == 1


def test_a_clock_that_is_set_keeps_who_is_there() -> None:
    """One by one and estimated: each goes when it would have gone."""
    for by in (3_600, -3_600):
        online, many = Online(), Online(most=1_000)
        for n, hashed in enumerate(hashes(5_000)):
            many.add(hashed, 10_000 + n // 500)
            online.add(hashed, 10_000 + n // 500)
        for one in (online, many):
            one.move(by)
        assert online.count(10_010 + by) == 5_000
        assert online.count(10_304 + by) == 2_500
        assert abs(many.count(10_010 + by) - 5_000) < 5_000 * 2 * ERROR
        assert many.count(10_320 + by) == 0
