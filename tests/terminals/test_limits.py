"""How many terminals there may be."""

from __future__ import annotations

from typing import Any

import pytest
from gevent.event import Event

from cloudbang.errors import TooManyTerminals
from tests.support import wait_until
from tests.terminals.test_people import House, Shell, login


@pytest.mark.parametrize("limit", ["per_person", "in_all"])
def test_one_that_has_ended_takes_no_place(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page was told so, whatever of it is still being ended; but as many again may be on their way
    out and no more, so that who opens and ends them fast does not leave any number behind."""
    gone = Event()
    monkeypatch.setattr(Shell, "end", lambda shell: (shell.output.put(b""), gone.wait()))
    house, who = House(**{limit: 2}), login(1)
    try:
        for _ in range(2):
            sessions = [house.open(who) for _ in range(2)]
            with pytest.raises(TooManyTerminals):
                house.open(who)
            for session in sessions:
                shell: Any = session.source
                shell.output.put(b"")
                house.over(session, "exit")
        with pytest.raises(TooManyTerminals):
            house.open(who)
        gone.set()
        wait_until(lambda: not len(house.terminals))
        house.open(who)
    finally:
        gone.set()
        house.terminals.stop()
