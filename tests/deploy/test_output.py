"""What a new release prints is copied into its deployment's log, whenever it begins to."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from cloudbang.deploy import output
from cloudbang.deploy.log import DeploymentLog
from cloudbang.deploy.output import Output
from cloudbang.domain.deploy.failure import Task
from cloudbang.errors import LogUnreadable
from tests.deploy.test_log import Kept
from tests.support import patient, wait_until

ID = "c" * 64
HELLO = b"2026-07-01T12:00:00.000000000Z hello\r\n"


class Stream:
    """Gives this, and then nothing until it is let end; or ends at once."""

    def __init__(self, data: bytes, *, ends: bool) -> None:
        self._left, self._over = [data] if data else [], Event()
        if ends:
            self._over.set()

    def read_now(self) -> bytes | None:
        if self._left:
            return self._left.pop()
        return b"" if self._over.is_set() else None

    def wait(self) -> None:
        self._over.wait()

    def close(self) -> None:
        pass


class Engine:
    """``said``: what each next stream is; the last one again and again."""

    is_podman = False

    def __init__(self, *said: Stream | Exception) -> None:
        self._said, self.asked = list(said), 0

    def logs(self, container: str, *, follow: bool, since_ns: int) -> Stream:
        self.asked += 1
        one = self._said.pop(0) if len(self._said) > 1 else self._said[0]
        if isinstance(one, Exception):
            raise one
        return one


def task(state: str = "starting") -> Task:
    return Task(id="t", slot="1", state=state, wanted="running", container=ID)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def made(engine: Engine, kept: Kept) -> Output:
    return Output(engine, DeploymentLog(kept, 1), tty=True)  # type: ignore[arg-type]


def test_one_that_does_not_run_yet_is_read_once_it_does(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine ends the stream of a container that is made and not begun, with nothing in it; on a
    busy machine that lasts. What has come is not copied twice."""
    monkeypatch.setattr(output, "AGAIN", 0.0)
    one = made(Engine(Stream(b"", ends=True), Stream(HELLO, ends=True)), kept)
    wait_until(lambda: one.follow([task()]) or kept.texts, 5, "what it prints")
    for _ in range(5):
        one.follow([task("running")])
        gevent.sleep(0)
    one.close()
    assert kept.texts == ["hello"]


def test_what_is_there_is_copied_before_a_release_is_said_to_serve(kept: Kept) -> None:
    one = made(Engine(Stream(b"", ends=False), Stream(HELLO, ends=True)), kept)
    one.follow([task("running")])
    gevent.sleep(0)
    with gevent.Timeout(patient(10)):
        one.catch_up()
        one.catch_up()
    one.close()
    assert kept.texts == ["hello"]


def test_one_that_has_ended_or_cannot_be_read_is_not_asked_again_and_again(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "AGAIN", 0.0)
    for engine, state, times in (
        (Engine(Stream(b"", ends=True)), "failed", 1),
        (Engine(LogUnreadable(ID, "none")), "running", 1),
    ):
        one = made(engine, kept)
        for _ in range(5):
            one.follow([task(state)])
            gevent.sleep(0.001)
        one.close()
        assert engine.asked == times
