"""The server and the engine end at the same moment, as a machine does that loses its power, and come
back in either order: the deployment's verdict is what happened, and a release serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import apps
from tests.deploy.program import FINAL, Program
from tests.support import ServerProcess, free_port, wait_until
from tests.support_engine import PrivateEngine

pytestmark = [
    pytest.mark.engine,
    pytest.mark.slow("an engine and a server that are killed and started, and Swarm with them"),
]


class Machine:
    """A server beside an engine of its own, and one app on it, from release to release."""

    def __init__(self, folder: Path) -> None:
        self.engine = PrivateEngine().start()
        ports = sorted(free_port() for _ in range(2))
        environ = {
            "DOCKER_HOST": self.engine.address,
            "CLOUDBANG_DEPLOY_VERIFY_SECONDS": "1",
            "CLOUDBANG_DEPLOY_KEEP_FREE_BYTES": "0",
            "CLOUDBANG_GATEWAY_HTTP_PORT": str(ports[0]),
            "CLOUDBANG_GATEWAY_HTTPS_PORT": str(ports[1]),
        }
        self.server = ServerProcess(folder, environ)
        self.program = Program(self.server.start(), self.engine.image())
        answer = self.program.http.post("/api/v1/swarm", json={})
        assert answer.status_code < 300, answer.text
        self.spec = apps.web(
            self.program.image,
            route={},
            # Asked by the engine: its network is another than ours.
            health={"command": ["true"], "within": 60, "interval": 1},
        )
        first = self.program.ended(self.begin(), 90)
        assert first["state"] == "serving", self.program.said(first["id"])
        self.release = first["release"]

    def close(self) -> None:
        self.program.http.close()
        self.server.close()
        self.engine.close()

    def begin(self, **changes: object) -> int:
        id: int = self.program.begin("web", spec={**self.spec, **changes})["id"]
        return id

    def in_step(self, id: int, step: str) -> None:
        def begun() -> bool:
            steps = self.program.get(id)["steps"]
            return any(one["name"] == step and one["started"] for one in steps)

        wait_until(begun, 60, f"the step {step}", every=0.01)

    def lose_power(self, *, server_first: bool) -> None:
        self.server.kill()
        self.engine.kill()
        starts = [self.server.start, self.engine.start]
        for start in starts if server_first else reversed(starts):
            start()

    def settled(self, id: int) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            answer = self.program.http.get(f"/api/v1/deployments/{id}")
            its: dict[str, Any] = answer.json()
            return its if its.get("state") in FINAL and its["settled"] else None

        return wait_until(found, 120, f"the end of {id}", every=0.2)

    def serves(self) -> None:
        """The release that is said to, and it alone, and requests are led to it."""
        name = f"web-r{self.release}"
        assert self.program.http.get("/api/v1/apps/web/deployed").json()["serving"] == self.release
        of_web = {"label": "cloudbang.app=web"}
        wait_until(
            lambda: (
                [one.name for one in self.engine.client.services.list(filters=of_web)] == [name]
            ),
            *(30, f"{name} alone"),
        )
        its = {"label": ["cloudbang.app=web", f"cloudbang.release={self.release}"]}
        wait_until(lambda: self.engine.client.containers.list(filters=its), 60, f"{name} to run")
        leads = self.server.storage / ".gateway" / "run" / "up" / "web"
        assert leads.read_text().strip().partition(":")[0] == name


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("machine"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("step", "server_first"),
    [("health", False), ("switch", True), ("stop", False)],
)
def test_the_new_one_serves_in_the_end(machine: Machine, step: str, server_first: bool) -> None:
    id = machine.begin(env={**machine.spec["env"], "STEP": step})  # type: ignore[dict-item]
    machine.in_step(id, step)
    machine.lose_power(server_first=server_first)
    done = machine.settled(id)
    assert done["state"] == "serving", "\n".join(machine.program.said(id))
    machine.release = done["release"]
    machine.serves()


def test_one_that_fails_has_failed(machine: Machine) -> None:
    """Also after that; the old one serves."""
    env = {**machine.spec["env"], "CODE": "3", "AFTER": "5"}  # type: ignore[dict-item]
    id = machine.begin(env=env, health={"command": ["false"], "within": 8, "interval": 1})
    machine.in_step(id, "health")
    machine.lose_power(server_first=False)
    done = machine.settled(id)
    assert done["state"] == "failed", "\n".join(machine.program.said(id))
    assert done["class"] in ("exited", "unhealthy"), done
    machine.serves()
