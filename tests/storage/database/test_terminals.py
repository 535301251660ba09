"""The audit list of terminals."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from cloudbang.domain.lines import format_time
from cloudbang.errors import NoSuchTerminal
from cloudbang.storage.database import tables
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.terminals import Owner, TerminalRecord, TerminalStore, Visit
from tests.storage.logs.records import NOON, SECOND, Clock

DAY = 86_400 * SECOND
ADA, BOB, ROBOT = Owner(1, "s1"), Owner(2, "s2"), Owner(None, "t3")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> TerminalStore:
    return TerminalStore(database, clock)


def opening(number: int = 1, owner: Owner = ADA, app: str = "web") -> TerminalRecord:
    """A terminal that ``owner`` opens at NOON."""
    return TerminalRecord(
        session=f"{number:016x}",
        kind="exec",
        team="default",
        app=app,
        container="c" * 64,
        name="web-1",
        image="busybox:latest",
        command=("sh", "-c", "echo '好'; exec sh"),
        user="1000:1000",
        folder="/app",
        account_id=owner.account_id,
        account="Ada",
        login=owner.login,
        address="192.0.2.1",
        agent="a browser",
        columns=120,
        rows=40,
        started=format_time(NOON),
        title="web-1",
        recorded=True,
    )


def test_a_terminal_from_its_start_to_its_end(store: TerminalStore, clock: Clock) -> None:
    """What was told at each step is what is read back."""
    begun = opening()
    store.opened(begun)
    assert store.get(begun.session) == replace(begun, number=1)
    assert store.get(begun.session).as_json()["state"] == "running"
    store.running(begun.session, "e" * 64, 4242)
    clock.ns += 90 * SECOND
    store.ended(begun.session, "exit", 130, 5_000)
    found = store.get(begun.session)
    assert found == replace(
        begun,
        number=1,
        exec_id="e" * 64,
        pid=4242,
        ended=format_time(NOON + 90 * SECOND),
        reason="exit",
        exit_code=130,
        recording_bytes=5_000,
    )
    shown = found.as_json()
    assert shown["id"] == begun.session
    assert shown["state"] == "ended"
    assert shown["command"] == ["sh", "-c", "echo '好'; exec sh"]
    assert shown["exit_code"] == 130
    assert shown["people"] == 0
    assert not {"login", "agent", "exec_id", "pid", "number"} & set(shown)


def test_the_first_end_counts(store: TerminalStore, clock: Clock) -> None:
    """A session that exits while it is being closed ended by what came first."""
    store.opened(opening())
    store.ended(opening().session, "exit", 0, 10)
    clock.ns += SECOND
    store.ended(opening().session, "closed", None, 0)
    found = store.get(opening().session)
    assert (found.reason, found.exit_code, found.ended) == ("exit", 0, format_time(NOON))


def test_an_unknown_session_is_said_so(store: TerminalStore) -> None:
    """By its error; an end or a place told of it changes nothing."""
    store.running("0" * 16, "e", 1)
    store.ended("0" * 16, "exit", 0)
    with pytest.raises(NoSuchTerminal):
        store.get("0" * 16)


def test_the_list_is_newest_first_in_pages(store: TerminalStore) -> None:
    """Page after page by the number of the last one seen, also while new ones come."""
    for n in range(1, 8):
        store.opened(opening(n))
    first = store.list(ADA, limit=3)
    assert [r.session[-1] for r in first] == ["7", "6", "5"]
    store.opened(opening(8))
    assert [r.session[-1] for r in store.list(ADA, before=first[-1].number)] == list("4321")
    assert store.list(ADA, before=1) == []


def test_everybody_sees_their_own(store: TerminalStore) -> None:
    """An account's by its number, whatever it was signed in with; a token of nobody its own."""
    store.opened(opening(1, ADA))
    store.opened(opening(2, Owner(1, "t9")))
    store.opened(opening(3, BOB, app="db"))
    store.opened(opening(4, ROBOT))
    store.opened(opening(5, Owner(None, "t4")))

    def shown(owner: Owner | None, app: str | None = None) -> list[str]:
        return [r.session[-1] for r in store.list(owner, app)]

    assert shown(ADA) == ["2", "1"]
    assert shown(BOB) == ["3"]
    assert shown(ROBOT) == ["4"]
    assert shown(None) == list("54321")
    assert shown(None, "db") == ["3"]
    assert shown(ADA, "db") == []
    name = store.get(opening(3).session).account
    theirs = [r.session[-1] for r in store.list(None, account=name)]
    assert theirs == [r.session[-1] for r in store.list(None) if r.account == name]
    assert store.list(None, account="nobody") == []
    for owner in (ADA, BOB, ROBOT):
        assert [r.session[-1] for r in store.list(None) if r.is_of(owner)] == shown(owner)


def test_what_a_killed_server_left_is_found(store: TerminalStore) -> None:
    """Those without an end, with what it takes to find their processes."""
    for n in (1, 2, 3):
        store.opened(opening(n))
        store.running(opening(n).session, f"exec{n}", 100 + n)
    store.ended(opening(2).session, "exit", 0)
    assert [(r.container[:1], r.exec_id, r.pid) for r in store.unended()] == [
        ("c", "exec1", 101),
        ("c", "exec3", 103),
    ]


def test_visits_are_kept(store: TerminalStore, clock: Clock) -> None:
    """Who came, in which mode, from where, until when: at the latest until the end."""
    session = opening().session
    store.opened(opening())
    own = store.visited(session, 1, "Ada", "192.0.2.1", "own")
    clock.ns += SECOND
    store.visited(session, 2, "Bob", "192.0.2.2", "watch")
    clock.ns += SECOND
    store.left(own)
    clock.ns += SECOND
    store.left(own)
    store.ended(session, "exit", 0)
    at = [format_time(NOON + n * SECOND) for n in range(4)]
    assert store.visits(session) == [
        Visit(1, "Ada", "192.0.2.1", "own", at[0], at[2]),
        Visit(2, "Bob", "192.0.2.2", "watch", at[1], at[3]),
    ]


def test_recordings_that_are_gone_are_not_offered(store: TerminalStore) -> None:
    """The record stays, without something to replay."""
    for n in range(1, 1_300):
        store.opened(opening(n))
    store.recordings_removed(opening(n).session for n in range(1, 1_200))
    kept = [r.session for r in store.list(None, limit=2_000) if r.recorded]
    assert sorted(kept) == [opening(n).session for n in range(1_200, 1_300)]


def test_old_records_go(store: TerminalStore, clock: Clock, database: Database) -> None:
    """After a year, with their visits; never one that has no end. By themselves, once a day."""
    for n in (1, 2):
        store.opened(opening(n))
        store.visited(opening(n).session, 1, "Ada", "192.0.2.1", "own")
    store.ended(opening(1).session, "exit", 0)
    clock.ns += 364 * DAY
    store.opened(replace(opening(3), started=format_time(clock.ns)))
    assert len(store.list(None)) == 3
    assert store.prune() == 0
    clock.ns += 2 * DAY
    store.opened(replace(opening(4), started=format_time(clock.ns)))
    assert [r.session[-1] for r in store.list(None)] == ["4", "3", "2"]
    counted = sa.select(sa.func.count()).select_from(tables.terminal_visits)
    assert database.read(lambda c: c.execute(counted).scalar()) == 1
