"""What lets somebody in, and until when."""

from __future__ import annotations

from cloudbang.storage.database.terminals import Owner
from cloudbang.terminals.admission import ShareLinks


def test_a_link_that_has_ended_opens_nothing_before_anybody_has_looked() -> None:
    now = [0.0]
    links = ShareLinks(lambda: now[0])
    key = links.make("s", "watch", seconds=60)
    assert links.open("s", key, Owner(1, "")) == "watch"
    now[0] = 60.0
    assert links.open("s", key, Owner(1, "")) is None
    assert list(links.sweep()) == [("s", "watch")]
    assert list(links.sweep()) == []
