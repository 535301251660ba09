"""What browser tests of deployments on a real engine share: a server that carries them out, and
somebody who asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from tests.support import ServerProcess, wait_until


@contextmanager
def deploying(
    folder: Path, engine_socket: str, docker_client: docker.DockerClient
) -> Iterator[ServerProcess]:
    """A server on an engine with Swarm on, which watches a new release for a second only; services
    that were not there before, and a Swarm that was not, are gone at the end."""
    was_on = docker_client.info()["Swarm"]["LocalNodeState"] == "active"
    before = {service.id for service in docker_client.services.list()} if was_on else set()
    short = {"CLOUDBANG_DEPLOY_VERIFY_SECONDS": "1", "CLOUDBANG_DEPLOY_KEEP_FREE_BYTES": "0"}
    one = ServerProcess(folder, {"DOCKER_HOST": engine_socket, **short}).start()
    asked(one, "/api/v1/swarm", {})
    yield one
    one.close()
    for service in docker_client.services.list():
        if service.id not in before:
            service.remove()
    if not was_on:
        docker_client.swarm.leave(force=True)
    assert "Traceback" not in one.said(10_000_000), f"the server stumbled: {one.log}"


def asked(server: ServerProcess, path: str, body: dict[str, Any]) -> Any:
    token = server.get("/api/v1/me")["csrf_token"]
    headers = {"Origin": server.url, "X-CSRF-Token": token}
    answer = server.client.post(path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def settled(server: ServerProcess, id: int) -> Any:
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(server.get(f"/api/v1/deployments/{id}"))
        return bool(found["settled"])

    wait_until(done, 60, f"the end of deployment {id}", every=0.2)
    return found
