"""What the tests of the web side share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.conftest import RUN
from tests.support import ServerProcess
from tests.team_support import cheap_hashes
from tests.terminal_support import known
from tests.web.sockets.files_support import LIMIT, Ground
from tests.web.web_support import WebGround


@pytest.fixture(scope="package", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        cheap_hashes(patch)
        yield


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[WebGround]:
    """The web side over real parts, not yet set up."""
    made = WebGround(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def files_ground(
    tmp_path_factory: pytest.TempPathFactory,
    engine_socket: str,
    image: str,
    docker_client: docker.DockerClient,
) -> Iterator[Ground]:
    """A server, and a container with a terminal in it, for what moves files."""
    container = docker_client.containers.run(
        image,
        ["sh", "-c", "mkdir -p /app /app/folder; echo hello > /app/a.txt; exec sleep 1000000"],
        detach=True,
        network_mode="none",
        labels={"cloudbang.test": RUN},
        tmpfs={"/mem": "", "/app/mem": ""},
        stop_signal="KILL",
    )
    environ = {"DOCKER_HOST": engine_socket, "CLOUDBANG_TERMINAL_FILE_MAX_BYTES": str(LIMIT)}
    server = ServerProcess(tmp_path_factory.mktemp("files"), environ)
    try:
        server.start()
        known(server, container.name)
        made = Ground(server, container)
        yield made
        made.terminal.close()
        made.me.client.close()
    finally:
        server.close()
        container.remove(force=True, v=True)
