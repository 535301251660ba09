"""A server that deploys, and a program that asks it over HTTP as the pages do."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.deploy.house import Swarm
from tests.socket_client import open_socket
from tests.support import (
    ROOT,
    ServerProcess,
    Stopwatch,
    free_port,
    http_client,
    patient,
    wait_until,
)
from tests.team_support import person_in

FINAL = ("serving", "failed", "cancelled")


class Program:
    """A server, and a program with a token: by itself the installation's."""

    def __init__(self, server: ServerProcess, image: str, token: str = "") -> None:
        self.server, self.image = server, image
        self.token = token or _token(server)
        self.http = http_client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=patient(60),
        )

    def begin(self, app: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/api/v1/apps/{app}/deployments", json=body)
        assert answer.status_code == 202, answer.text
        begun: dict[str, Any] = answer.json()
        return begun

    def get(self, id: int) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/deployments/{id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def cancel(self, id: int) -> dict[str, Any]:
        """How it ended: acknowledged, and over, within the times that are promised."""
        watch = Stopwatch()
        answer = self.http.delete(f"/api/v1/deployments/{id}")
        assert answer.status_code == 202, answer.text
        assert watch.seconds < 0.3
        watch = Stopwatch()
        wait_until(lambda: self.get(id)["settled"], 10, f"nothing to be left of {id}")
        assert watch.seconds < 3
        return self.get(id)

    def said(self, id: int) -> list[str]:
        """The lines of its log."""
        found = self.http.get(f"/api/v1/deployments/{id}/lines").json()["lines"]
        return [row[4] for row in found]

    def ended(self, id: int, timeout: float = 60) -> dict[str, Any]:
        """How it ended."""
        wait_until(lambda: self.get(id)["state"] in FINAL, timeout, f"the end of {id}", every=0.1)
        return self.get(id)

    @contextmanager
    def somebody(self, name: str, team: str) -> Iterator[Program]:
        """A program of who may do everything in one team, which is made, and nothing elsewhere."""
        token = person_in(self.server.storage, name, {team: "admin"})
        made = Program(self.server, self.image, token)
        wait_until(lambda: made.http.get("/api/v1/me").status_code == 200, 10, "they are known")
        yield made
        made.http.close()

    @contextmanager
    def live(self) -> Iterator[Any]:
        url = self.server.url.replace("http", "ws") + "/websocket"
        headers = {"Authorization": f"Bearer {self.token}"}
        with open_socket(
            url,
            additional_headers=headers,
        ) as socket:
            yield socket

    def command(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """``python -m cloudbang deploy …``, to its end."""
        environ = {**self.server.environ, "CLOUDBANG_TOKEN": self.token, "LANG": "C.UTF-8"}
        environ.update(more.pop("environ", {}))
        return subprocess.run(
            [sys.executable, "-m", "cloudbang", "deploy", *arguments],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=patient(120),
            check=False,
            **more,
        )


def _token(server: ServerProcess) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "cloudbang", "token", "create", "tests"],
        cwd=ROOT,
        env=server.environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


@contextmanager
def program_on(swarm: Swarm, folder: Path, image: str, **environ: str) -> Iterator[Program]:
    """With a server of its own over a folder."""
    ports = sorted(free_port() for _ in range(2))
    server = ServerProcess(
        folder,
        {
            "DOCKER_HOST": swarm.host,
            "CLOUDBANG_DEPLOY_VERIFY_SECONDS": "1",
            "CLOUDBANG_DEPLOY_KEEP_FREE_BYTES": "0",
            "CLOUDBANG_GATEWAY_HTTP_PORT": str(ports[0]),
            "CLOUDBANG_GATEWAY_HTTPS_PORT": str(ports[1]),
            **environ,
        },
    )
    try:
        made = Program(server.start(), image)
        yield made
        made.http.close()
    finally:
        server.close()


def folder_of(**files: str) -> bytes:
    """A folder as tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            made.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()
