"""What tests do to containers that they made."""

from __future__ import annotations

from docker.models.containers import Container


def tell(container: Container, *command: str) -> None:
    """Run it in one that may end by it, and be gone. How the command ended is not asked, as ``exec_run``
    does: of a container that has ended nobody could say."""
    api = container.client.api
    api.exec_start(api.exec_create(container.id, list(command))["Id"])
