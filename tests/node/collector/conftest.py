"""The engine's side of CloudBang as one: engine, inventory, collector, store and bus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from tests.node.collector.rig import Rig
from tests.node.collector.scripted import ScriptedEngine


@pytest.fixture
def rig(tmp_path: Path, engine_socket: str) -> Iterator[Callable[..., Rig]]:
    """Make rigs: ``rig()`` on the session's engine, ``rig(host=…)`` on another; each is started.

    All of them share the data folder of the test, so one must be closed before the next is made.
    """
    made: list[Rig] = []

    def make(
        host: str = engine_socket,
        *,
        folder: Path | None = None,
        jobs: Collection[tuple[str, int]] = (),
    ) -> Rig:
        one = Rig(folder or tmp_path / "data", host, jobs)
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedEngine]:
    engine = ScriptedEngine(tmp_path / "engine.sock")
    yield engine
    engine.close()
