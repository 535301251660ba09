"""How long a gateway may take until it answers, with an engine that is played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloudbang.config import GatewaySettings
from cloudbang.core import looks
from cloudbang.domain.deploy.failure import Task
from cloudbang.domain.lines import format_time
from cloudbang.gateway import service
from cloudbang.gateway.errors import GatewayAway, GatewayFailed

NOW = 1_790_000_000.0


class Played:
    """An engine with one gateway, and that gateway's socket; the clock goes on while somebody sleeps."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed, self.begun, self.answers_at = 0.0, 0.0, 0.0
        self.sleeps: Callable[[], float] = lambda: service.LOOK
        clocks = SimpleNamespace(monotonic=lambda: self.passed, time=lambda: NOW + self.passed)
        for module in (service, looks):
            monkeypatch.setattr(module, "time", clocks)
        monkeypatch.setattr(service, "gevent", SimpleNamespace(sleep=self._sleep))
        self.its = service.GatewayService(
            self,  # type: ignore[arg-type]
            folder,
            GatewaySettings(),
            (),
            self,  # type: ignore[arg-type]
        )

    def _sleep(self, _: float) -> None:
        self.passed += self.sleeps()

    def tasks(self, name: str) -> list[Task]:
        since = format_time(int((NOW + self.begun) * 1e9))
        return [Task("t1", "1", "running", "running", since=since, container="c1")]

    def config(self) -> None:
        if self.passed < self.answers_at:
            raise GatewayAway("nobody listens")


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    return Played(tmp_path, monkeypatch)


@pytest.mark.parametrize(("begun", "found"), [(-3600.0, "mute"), (0.0, "")])
def test_one_that_has_just_begun_is_not_begun_again(
    played: Played, begun: float, found: str
) -> None:
    """On a busy machine it takes a while until it listens; one that runs and lost its socket never does."""
    played.begun, played.answers_at = begun, 8.0
    assert played.its._stays_away() == found
    played.begun, played.answers_at = played.passed, 1e9
    began = played.passed
    assert played.its._stays_away() == "mute"
    assert played.passed - began == pytest.approx(service.JUST_BEGUN, abs=1)


def test_who_was_halted_while_it_came_up_looks_once_more(played: Played) -> None:
    """As with the machine that we are on: it may have answered for long by then."""
    played.answers_at = 10.0
    played.sleeps = lambda: 2 * service.COMES_UP
    assert played.its._wait("t0") is None
    played.answers_at = 1e9
    with pytest.raises(GatewayFailed):
        played.its._wait("t0")
