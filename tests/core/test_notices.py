"""What is wrong now: told once, about one thing, until that one is well."""

from __future__ import annotations

import pytest

from cloudbang.core import notices as module
from cloudbang.core.notices import Notices


def test_a_notice_is_logged_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However often it is told meanwhile; what it says is what was told last, since the first."""
    moments = iter(range(1, 10))
    notices = Notices(lambda: next(moments))
    for n in range(3):
        notices.begin("odd", f"web is odd, {n}", app="web")
    (notice,) = notices.now()
    assert (notice.message, notice.app, notice.since) == ("web is odd, 2", "web", 1)
    notices.end("odd", "web is well", app="web")
    notices.end("odd", "web is well", app="web")
    assert notices.now() == []
    assert caplog.messages == ["web is odd, 0", "web is well"]


def test_one_that_gets_well_leaves_the_others() -> None:
    """Each is about one thing; who ends names as much of it as it knows."""
    notices = Notices()
    notices.begin("odd", "a", app="web", container="0" * 12)
    notices.begin("odd", "b", app="web", container="1" * 12)
    notices.begin("odd", "c", app="db", path="/x")
    notices.begin("even", "d", setting="server.public_url")
    notices.end("odd", container="1" * 12)
    notices.end("even", app="web")
    assert [notice.message for notice in notices.now()] == ["a", "c", "d"]
    notices.end("odd", app="web")
    notices.end("even")
    assert [notice.message for notice in notices.now()] == ["c"]


def test_what_nobody_can_see_getting_well_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A while after it was told last."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    notices = Notices()
    notices.begin("odd", "a", lasts=60)
    now[0] += 50
    notices.begin("odd", "a", lasts=60)
    now[0] += 50
    assert len(notices.now()) == 1
    now[0] += 10
    assert notices.now() == []
    notices.begin("odd", "a", lasts=60)
    assert len(notices.now()) == 1


def test_a_flood_of_them_is_bounded() -> None:
    """Those beyond the bound are counted; another code is not concerned."""
    notices = Notices()
    for n in range(module.MOST + 7):
        notices.begin("odd", "x", app=f"app{n}")
    notices.begin("even", "y")
    assert len(notices.now()) == module.MOST + 1
    assert notices.left_out == 7
