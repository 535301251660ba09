"""What is typed is confirmed a few times a second, however long it waits to be read."""

from __future__ import annotations

from typing import Any, cast

import gevent

from cloudbang.core.supervise import Supervisor
from cloudbang.domain.terminals import ExitStatus, Size, Source, TerminalTarget
from cloudbang.terminals.fairness import Fairness
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.session import CONFIRM, Session
from tests.support import wait_until


class Stuck:
    """A source that reads nothing until it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.waits = self.asked = 0

    @property
    def pending(self) -> int:
        self.asked += 1
        return self.waits

    def write(self, data: bytes) -> int:
        self.waits += len(data)
        return self.waits


class Page:
    """A connection that keeps what it is told."""

    counts_drawn = True

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []

    def tell(self, message: dict[str, object]) -> None:
        self.told.append(message)


def test_input_that_waits_is_asked_after_now_and_then() -> None:
    """Nobody reads: that costs next to nothing. Then somebody does, and the page is told."""
    source, page = Stuck(), Page()
    session = session_of(source)
    one = Participant(cast(Any, page), mode="own", account="a", account_id=1, login="s1")
    session.join(one, None)
    page.told.clear()
    assert session.type(one, b"abc")
    gevent.sleep(6 * CONFIRM)
    assert source.asked <= 10
    wait_until(lambda: source.asked > 2, 5, "the input to be asked after again")
    assert page.told == []
    source.waits = 0
    wait_until(lambda: page.told, 5, "the confirmation")
    assert page.told == [{"op": "input", "offset": 3}]
    source.asked = 0
    gevent.sleep(3 * CONFIRM)
    assert source.asked == 0


def session_of(source: Stuck) -> Session:
    def ended(session: Session, end: ExitStatus) -> None:
        raise AssertionError("it goes on")

    return Session(
        TerminalTarget("5" * 16, "default", "web", "c" * 64),
        cast(Source, source),
        account="a",
        account_id=1,
        login="s1",
        address="192.0.2.1",
        agent="test",
        size=Size(),
        on_end=ended,
        supervisor=Supervisor("test"),
        fairness=Fairness(),
    )
