"""A server that is killed in the middle of a deployment, as programs see it over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.deploy import apps
from tests.deploy.house import Swarm
from tests.support import ServerProcess, wait_until

pytestmark = pytest.mark.engine


@pytest.mark.slow("a server that is killed and started")
def test_what_went_on_goes_on(swarm: Swarm, image: str, tmp_path: Path) -> None:
    """The deployment is judged by what the engine says; its log is one."""
    server = ServerProcess(
        tmp_path, {"DOCKER_HOST": swarm.host, "CLOUDBANG_DEPLOY_VERIFY_SECONDS": "2"}
    )
    try:
        client = server.start().client
        token = server.command("token", "create", "deployer").stdout.strip()
        spec = apps.web(image, LATE=4, health={"http": "/", "within": 60})
        begun = client.post(
            "/api/v1/apps/killed-server/deployments",
            json={"spec": spec},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert begun.status_code == 202, begun.text
        path = f"/api/v1/deployments/{begun.json()['id']}"

        def step(name: str) -> dict[str, Any]:
            steps = client.get(path).json()["steps"]
            return next(step for step in steps if step["name"] == name)

        wait_until(lambda: step("health")["started"], 30, "its health to be asked for")
        server.kill()
        server.start()
        done = wait_until(
            lambda: (found := client.get(path).json())["finished"] and found, 40, "its end"
        )
        assert done["state"] == "serving", done
        lines = [line[4] for line in client.get(f"{path}/lines").json()["lines"]]
        assert lines.count("one begins") == 1
        assert "— health, again" in lines
        assert lines[-1] == "release 1 of killed-server serves"
    finally:
        server.close()
        swarm.engine.remove_service("killed-server-r1")
