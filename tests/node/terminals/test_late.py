"""What the engine starts or makes when nobody waits for it any more is ended all the same."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from docker.models.containers import Container

from cloudbang.config import EngineSettings
from cloudbang.domain.terminals import Size
from cloudbang.engine import Engine, ExecState, ExecStream
from cloudbang.errors import EngineUnreachable
from cloudbang.node.terminals.debug_container import DebugContainerSource
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import Shown, target_of
from tests.node.terminals.test_reaper import INIT, alive
from tests.support import patient, wait_until
from tests.support_engine import PrivateEngine


@pytest.fixture
def one(container: ContainerFactory) -> Container:
    return container(INIT)


@pytest.mark.slow("an engine that answers late is what is tested")
def test_one_that_the_engine_starts_late_is_ended_when_it_comes() -> None:
    """The engine was too busy, and starts it when nobody waits for it any more."""
    private = PrivateEngine()
    try:
        private.start()
        one = private.client.containers.run(
            private.image(), INIT, detach=True, network_mode="none", stop_signal="KILL"
        )
        one.reload()
        engine = Engine(EngineSettings(host=private.address))
        reaper = Reaper(engine)
        reaper.start()
        source = ExecSource(engine, target_of(one), reaper)
        engine.container_state(str(one.id))  # what is asked once, it has been asked now
        for part in private.containerd():
            part.suspend()
        source.start(Size())
        reader = gevent.spawn(Shown(source).rest)
        source.end()
        assert source.may_start_late, "it cannot know yet"
        assert engine.exec_inspect(source.exec_id) == ExecState(True, None, 0)
        reader.get(timeout=patient(5))
        for part in private.containerd():
            part.resume()
        wait_until(lambda: engine.exec_inspect(source.exec_id).pid, 10, "its start")
        wait_until(lambda: not source.may_start_late, 15, "its end")
        assert alive(one) == []
        reaper.stop()
        engine.close()
    finally:
        for part in private.containerd():
            part.resume()
        private.close()


def test_one_whose_start_failed_by_a_timeout_is_looked_for(
    one: Container, engine: Engine, reaper: Reaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine had started it; its answer was lost."""
    source = ExecSource(engine, target_of(one), reaper)
    start = engine.exec_start

    def lost(exec_id: str, **options: Any) -> tuple[ExecStream, bool]:
        start(exec_id, **options)[0].close()
        raise EngineUnreachable(engine.host, "timed out")

    monkeypatch.setattr(engine, "exec_start", lost)
    with pytest.raises(EngineUnreachable):
        source.start(Size())
    source.end()
    wait_until(lambda: not source.may_start_late, 15, "its end")
    assert engine.exec_inspect(source.exec_id).pid > 0
    assert alive(one) == []


def test_one_that_is_ended_while_it_begins_is_not_started(
    one: Container, engine: Engine, reaper: Reaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed out between two calls of the engine: whichever they are, nothing is left."""
    for name in ("container_state", "exec_create", "exec_start"):
        call = getattr(engine, name)
        source = ExecSource(engine, target_of(one), reaper)

        def slow(*args: Any, call: Any = call, source: ExecSource = source, **more: Any) -> Any:
            found = call(*args, **more)
            if source._ended is None:
                gevent.spawn(source.end)
                gevent.sleep(0.3)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(engine, name, slow)
            source.start(Size())
        source.end()
        Shown(source).rest()
        wait_until(lambda: alive(one) == [], 10, f"nothing to be left after {name}")


@pytest.mark.parametrize(
    "call", ["has_image", "create_container", "start_container", "exec_create", "exec_start"]
)
@pytest.mark.slow("an engine that answers late is what is tested")
def test_a_toolbox_that_is_ended_while_it_is_made_goes(
    one: Container,
    engine: Engine,
    reaper: Reaper,
    image: str,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when that takes so long that nobody waits for it any more."""
    monkeypatch.setattr("cloudbang.node.terminals.debug_container.GIVE_UP", 0.1)
    made = getattr(engine, call)
    source = DebugContainerSource(engine, target_of(one, kind="toolbox"), reaper, image)

    def slow(*args: Any, **more: Any) -> Any:
        found = made(*args, **more)
        source.end()
        return found

    monkeypatch.setattr(engine, call, slow)
    source.start(Size())
    Shown(source).rest()
    wait_until(lambda: len(reaper.tasks) == 0, 20, "its beginning to be over")
    assert target_of(one).session not in engine.labelled("cloudbang.toolbox").values()


@pytest.mark.parametrize("told", [True, False])
def test_a_toolbox_that_could_not_be_removed_is_removed_later(
    one: Container,
    engine: Engine,
    reaper: Reaper,
    image: str,
    told: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine was away at its end, or already before it said that it had made one."""
    source = DebugContainerSource(engine, target_of(one, kind="toolbox"), reaper, image)
    create, remove = engine.create_container, engine.remove_container

    def away(*args: Any, **more: Any) -> Any:
        if args[0] == image:
            create(*args, **more)
        raise EngineUnreachable(engine.host, "timed out")

    if not told:
        monkeypatch.setattr(engine, "create_container", away)
    monkeypatch.setattr(engine, "remove_container", away)
    source.start(Size())
    shown = Shown(source)
    if told:
        shown.until(b"# ")
        gevent.spawn(shown.rest)
    else:
        shown.rest()
    source.end()
    session = target_of(one).session
    assert session in engine.labelled("cloudbang.toolbox").values()
    monkeypatch.setattr(engine, "remove_container", remove)
    wait_until(
        lambda: session not in engine.labelled("cloudbang.toolbox").values(), 15, "its removal"
    )
