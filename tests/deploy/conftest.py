"""One engine with Swarm on, and one house of deployments, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.house import House, Swarm
from tests.deploy.program import Program, program_on


@pytest.fixture(scope="session")
def swarm(engine_socket: str) -> Iterator[Swarm]:
    made = Swarm(engine_socket)
    yield made
    made.close()


@pytest.fixture(scope="module")
def house(swarm: Swarm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("deployments")
    made = House(folder, swarm.host).start()
    yield made
    made.close()
    swarm.forget_gateway()


@pytest.fixture(scope="module")
def program(
    swarm: Swarm, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """With a server of its own, for a whole file."""
    with program_on(swarm, tmp_path_factory.mktemp("program"), image) as made:
        yield made
