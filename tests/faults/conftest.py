"""What the faults of terminals share: one server and one container, tidied by each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.conftest import RUN
from tests.support import ServerProcess
from tests.terminal_support import Console, Person, Terminal, known, wait_alone


class TerminalGround:
    """A server, somebody signed in as admin, and a container that does nothing by itself."""

    def __init__(self, server: ServerProcess, container: Any) -> None:
        self.server, self.container = server, container
        self.name = str(container.name)
        self.admin = Person(server)
        self.people = [self.admin]
        self.sockets: list[Terminal | Console] = []

    def terminal(self, command: Any = None, **options: Any) -> Terminal:
        """A new terminal in the container, attached; a shell unless there is a command."""
        return self.keep(self.admin.terminal(self.name, command, **options))

    def raw(self, person: Person | None = None, **options: Any) -> Terminal:
        """A socket on which nothing was said yet."""
        return self.keep(Terminal(self.server, (person or self.admin).headers, **options))

    def console(self, first: Any = None, **options: Any) -> Console:
        """The page of 2017."""
        return self.keep(Console(self.server, self.admin.headers, first, **options))

    def keep(self, socket: Any) -> Any:
        """Close it when the test is over."""
        self.sockets.append(socket)
        return socket

    def person(self, name: str, role: str = "viewer") -> Person:
        """A new account, signed in."""
        self.people.append(self.admin.account(name, role))
        return self.people[-1]

    def tidy(self) -> None:
        """Close every socket, end every session, and see that nothing of them is left alive."""
        while self.sockets:
            self.sockets.pop().close()
        while len(self.people) > 1:
            self.people.pop().client.close()
        for one in self.admin.got("/terminals?all=true")["terminals"]:
            self.admin.ask("DELETE", f"/terminals/{one['id']}")
        wait_alone(self.container)

    def close(self) -> None:
        for one in self.people:
            one.client.close()


@pytest.fixture(scope="session")
def shared_ground(
    tmp_path_factory: pytest.TempPathFactory,
    engine_socket: str,
    image: str,
    docker_client: docker.DockerClient,
) -> Iterator[TerminalGround]:
    container = docker_client.containers.run(
        image,
        ["sleep", "1000000"],
        detach=True,
        network_mode="none",
        labels={"cloudbang.test": RUN},
        stop_signal="KILL",
    )
    server = ServerProcess(tmp_path_factory.mktemp("terminals"), {"DOCKER_HOST": engine_socket})
    try:
        container.reload()
        server.start()
        known(server, container.name)
        ground = TerminalGround(server, container)
        yield ground
        ground.close()
    finally:
        server.close()
        container.remove(force=True, v=True)


@pytest.fixture
def ground(shared_ground: TerminalGround) -> Iterator[TerminalGround]:
    """See TerminalGround."""
    yield shared_ground
    assert shared_ground.server.process is not None
    assert shared_ground.server.process.poll() is None, shared_ground.server.said()
    shared_ground.tidy()
