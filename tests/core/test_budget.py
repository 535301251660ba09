"""Memory for peers is bounded in all and for each account, and nobody takes it from another."""

from __future__ import annotations

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.core.budget import Budget, NoRoom
from tests.support import patient


def test_an_account_holds_half_of_what_there_is_and_the_next_one_still_finds_room() -> None:
    """Each may hold as much as is free: however much the first takes, something is left."""
    budget = Budget(in_all=1000, each=1000, patience=0)
    hog = budget.share("hog")
    for _ in range(5):
        hog.lease().take(100)
    with pytest.raises(NoRoom) as refused:
        hog.lease().take(100)
    assert refused.value.held == 500
    assert "500 bytes wait for you already" in str(refused.value)
    assert (budget.held, budget.refused) == (500, 1)
    other = budget.share("other")
    other.lease().take(400)
    assert budget.held == 900


def test_what_is_more_than_an_account_may_hold_is_all_of_it() -> None:
    """A line that is larger than the whole share is sent all the same, alone."""
    budget = Budget(in_all=1000, each=300, patience=0)
    share = budget.share("one")
    with share.lease().take(5000) as lease:
        assert budget.held == 300
        with pytest.raises(NoRoom):
            share.lease().take(1)
        lease.resize(800)  # as large as it turned out to be
        assert budget.held == 800
    assert budget.held == 0
    lease.close()
    assert budget.held == 0


def test_who_waits_goes_on_in_order_and_accounts_in_turns() -> None:
    """What is given back goes to each account in turn, and within one to who waited longest."""
    budget = Budget(in_all=100, each=100)
    full = budget.share("full").lease().take(100)
    done: list[str] = []

    def want(account: str, name: str) -> None:
        with budget.share(account).lease().take(100, unhurried=True):
            done.append(name)
            gevent.sleep(0)

    waiting = [gevent.spawn(want, a, n) for a, n in (("a", "a1"), ("a", "a2"), ("b", "b1"))]
    gevent.sleep(0.01)
    assert done == []
    full.close()
    gevent.joinall(waiting, timeout=patient(1))
    assert done == ["a1", "b1", "a2"]
    assert budget.held == 0


def test_who_waits_in_vain_or_is_ended_lets_the_next_one_pass() -> None:
    """A large wish that gives up, or whose greenlet ends, holds up no small one behind it."""
    budget = Budget(in_all=100, each=100, patience=0.05)
    share = budget.share("one")
    share.lease().take(40)

    def want(size: int, unhurried: bool) -> str:
        try:
            with share.lease().take(size, unhurried=unhurried):
                return "had it"
        except NoRoom:
            return "gave up"

    large = gevent.spawn(want, 90, False)
    ended = gevent.spawn(want, 90, True)
    small = gevent.spawn(want, 5, True)
    gevent.sleep(0.01)
    assert large.ready() or not small.ready()  # the limit of the one may have passed already
    ended.kill()
    gevent.joinall([large, small], timeout=patient(1))
    assert (large.value, small.value) == ("gave up", "had it")
    assert budget.held == 40


def test_shared_bytes_are_paid_once_by_each_account() -> None:
    """One frame in the queues of many sockets of an account is there once."""
    budget = Budget(in_all=1000, each=400)
    share = budget.share("one")
    frame, other = b"x" * 300, b"y" * 300
    assert share.hold(frame)
    assert share.hold(frame)
    assert budget.held == 300
    assert not share.hold(other)
    assert share.hold(other, force=True)
    assert budget.held == 600
    share.let_go(other)
    share.let_go(frame)
    assert budget.held == 300
    share.let_go(frame)
    assert budget.held == 0
    assert budget.share("one") is share


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 80), st.floats(0, 0.002)), max_size=20
    )
)
def test_nothing_is_lost_and_no_bound_is_passed(asked: list[tuple[str, int, float]]) -> None:
    """Whatever is asked for, in whatever order: all of it is given, and never too much at once."""
    budget = Budget(in_all=100, each=60)
    shares = {name: budget.share(name) for name in "abc"}

    def want(name: str, size: int, pause: float) -> None:
        with shares[name].lease().take(size, unhurried=True):
            assert budget.held <= 100
            assert shares[name].held <= 60
            gevent.sleep(pause)

    gevent.joinall(
        [gevent.spawn(want, *one) for one in asked], timeout=patient(5), raise_error=True
    )
    assert budget.held == 0
    assert all(not share.waiting for share in shares.values())
