"""A shell whose output the engine loses: it waits for keys, and nothing it prints ever comes."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from docker.models.containers import Container

from cloudbang.engine import Engine
from cloudbang.engine.exec import ExecStream
from cloudbang.node.terminals import exec_source, first_output
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import Opener
from tests.node.terminals.test_reaper import INIT, alive
from tests.support import patient, wait_until


class Mute(ExecStream):
    """What the process prints is held back until it ends."""

    held = b""

    def read_now(self, limit: int = 65536) -> bytes | None:
        while data := super().read_now(limit):
            self.held += data
        if data == b"" and self.held:
            data, self.held = self.held, b""
        return data


@pytest.fixture
def one(container: ContainerFactory) -> Container:
    return container(INIT)


def lose(engine: Engine, monkeypatch: pytest.MonkeyPatch, times: int) -> list[str]:
    """The engine loses the output of so many execs with a keyboard; all that are started, by id."""
    real, started = engine.exec_start, []

    def start(exec_id: str, **options: Any) -> tuple[ExecStream, bool]:
        stream, sized = real(exec_id, **options)
        if "size" in options:
            started.append(exec_id)
            if len(started) <= times:
                stream.__class__ = Mute
        return stream, sized

    monkeypatch.setattr(engine, "exec_start", start)
    return started


@pytest.mark.parametrize("command", [(), ("sh",)], ids=["found", "asked for"])
@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_another_one_takes_its_place(
    one: Container,
    engine: Engine,
    open_source: Opener,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    seen: bool,
) -> None:
    """The first one is gone; what was typed into it was done, and is not done again."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
        monkeypatch.setattr(first_output, "SILENT_UNSEEN", patient(1.5))  # a shell has begun
    started = lose(engine, monkeypatch, 1)
    shown = open_source(one, *command)
    shown.run("echo done >>/typed")
    wait_until(lambda: shown.source._mute is not None, 20, "it to be noticed")
    shown.run("echo the ne''xt")
    reading = shown.until(b"the next")
    assert reading.count(b"BusyBox") == 1
    assert b"done" not in reading
    assert len(started) == 2
    assert len(alive(one)) == 1
    assert one.exec_run(["cat", "/typed"]).output == b"done\n"
    shown.run("echo he''re")
    shown.until(b"here")


def test_one_that_is_busy_at_its_start_is_left_alone(
    one: Container, engine: Engine, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has printed nothing yet; it will."""
    monkeypatch.setattr(first_output, "SILENT", 0.2)
    one.exec_run(["sh", "-c", "echo 'sleep 2; echo ready' >/slow"])
    started = lose(engine, monkeypatch, 0)
    monkeypatch.setattr(
        exec_source,
        "of_terminal",
        lambda env, session, shell: {"ENV": "/slow", **of(env, session, shell)},
    )
    open_source(one).until(b"ready")
    assert len(started) == 1


of = exec_source.of_terminal


def test_what_is_no_shell_is_left_alone(
    one: Container, engine: Engine, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may do something that is not to be done twice."""
    monkeypatch.setattr(first_output, "SILENT", 0.2)
    started = lose(engine, monkeypatch, 1)
    open_source(one, "sh", "-c", "echo done >>/typed; read line")
    wait_until(lambda: one.exec_run(["cat", "/typed"]).output == b"done\n", what="its line")
    gevent.sleep(1)
    assert one.exec_run(["cat", "/typed"]).output == b"done\n"
    assert len(started) == 1


def test_it_is_given_up_where_it_never_prints(
    one: Container, engine: Engine, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_output, "SILENT", 0.2)
    started = lose(engine, monkeypatch, 99)
    shown = open_source(one)
    reading = gevent.spawn(shown.rest)
    wait_until(lambda: len(started) == 1 + exec_source.MUTE_TIMES, 20, "the last try")
    gevent.sleep(1)
    assert len(started) == 1 + exec_source.MUTE_TIMES
    shown.source.end()
    reading.get()
    assert alive(one) == []
