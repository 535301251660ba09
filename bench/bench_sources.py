"""What the server takes while an image of a gigabyte is pulled, and while a build prints without
end; and how long its answers take meanwhile.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import gevent
import httpx
import psutil

from cloudbang.config import EngineSettings
from cloudbang.engine import Engine
from tests.support import ROOT, ServerProcess, wait_until
from tests.support_engine import PrivateEngine
from tests.support_registry import Registry

Row = dict[str, object]
LAYERS, LAYER = 16, 64 * 1024**2  # bytes
CHATTY = "i=0; while [ $i -lt 25 ]; do seq 1 4000; i=$((i+1)); sleep 0.5; done"
FINAL = ("serving", "failed", "cancelled")
_DOCKER = "application/vnd.docker"


def put_image(registry: Registry, path: str) -> None:
    """An image of layers that cannot be packed. By hand: an engine would take minutes to push it."""
    layers, ids, noise = [], [], os.urandom(LAYER)
    with httpx.Client(base_url=f"http://{registry.host}", timeout=120) as client:

        def put_blob(data: bytes) -> str:
            digest = "sha256:" + hashlib.sha256(data).hexdigest()
            begun = client.post(f"/v2/{path}/blobs/uploads/")
            answer = client.put(f"{begun.headers['Location']}&digest={digest}", content=data)
            answer.raise_for_status()
            return digest

        for n in range(LAYERS):
            made = io.BytesIO()
            with tarfile.open(fileobj=made, mode="w") as tar:
                entry = tarfile.TarInfo(f"noise{n}")
                entry.size = LAYER
                tar.addfile(entry, io.BytesIO(noise))
            data = made.getvalue()
            digest = put_blob(data)
            ids.append(digest)
            kind = f"{_DOCKER}.image.rootfs.diff.tar"
            layers.append({"mediaType": kind, "size": len(data), "digest": digest})
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
            "os": "linux",
            "config": {"Cmd": ["/none"]},
            "rootfs": {"type": "layers", "diff_ids": ids},
        }
        body = json.dumps(config).encode()
        kind = f"{_DOCKER}.distribution.manifest.v2+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {
                "mediaType": f"{_DOCKER}.container.image.v1+json",
                "size": len(body),
                "digest": put_blob(body),
            },
            "layers": layers,
        }
        client.put(
            f"/v2/{path}/manifests/1",
            content=json.dumps(manifest).encode(),
            headers={"Content-Type": kind},
        ).raise_for_status()


class Watched:
    """A server while it deploys: its processor time, and how long it takes to answer."""

    def __init__(self, server: ServerProcess) -> None:
        token = subprocess.run(
            [sys.executable, "-m", "cloudbang", "token", "create", "bench"],
            cwd=ROOT,
            env=server.environ,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        self.process = psutil.Process(server.pid)
        self.http = httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    def during(self, id: int, step: str) -> tuple[float, float, float]:
        """Share of a processor, 95th percentile of an answer in ms, seconds: while a step runs."""
        wait_until(lambda: self._state(id, step) == "running", 60, f"the step {step}", every=0.02)
        before, began = self._spent(), time.monotonic()
        waited: list[float] = []
        ends = began
        while self._state(id, step) == "running":
            for _ in range(10):
                asked = time.monotonic()
                self.http.get("/api/v1/apps").raise_for_status()
                ends = time.monotonic()
                waited.append((ends - asked) * 1000)
                gevent.sleep(0.05)
        seconds = ends - began
        share = (self._spent() - before) / seconds
        return share * 100, statistics.quantiles(waited, n=100)[94], seconds

    def end(self, id: int) -> dict[str, Any]:
        wait_until(lambda: self._get(id)["state"] in FINAL, 60, "the end", every=0.1)
        return self._get(id)

    def _get(self, id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/api/v1/deployments/{id}").json()
        return found

    def _state(self, id: int, step: str) -> str:
        its = self._get(id)
        return next(one["state"] for one in its["steps"] if one["name"] == step)

    def _spent(self) -> float:
        spent = self.process.cpu_times()
        return float(spent.user + spent.system)


def rows(what: str, found: tuple[float, float, float]) -> list[Row]:
    share, answer, seconds = found
    lower = {"better": "lower"}
    return [
        {"name": f"{what}: the server's share", "value": share, "unit": "%", "limit": 20} | lower,
        {"name": "… an answer, p95", "value": answer, "unit": "ms", "limit": 100} | lower,
        {"name": "… it took", "value": seconds, "unit": "s", "limit": None} | lower,
    ]


def pulled(watched: Watched, registry: Registry) -> list[Row]:
    name = f"{registry.host}/big:1"
    begun = watched.http.post("/api/v1/apps/big/deployments", json={"spec": {"image": name}})
    begun.raise_for_status()
    found = watched.during(begun.json()["id"], "pull")
    end = watched.end(begun.json()["id"])
    # It has nothing that could run: that it came so far says that it was pulled.
    assert end["class"] == "command-not-found", end
    return rows(f"a pull of {LAYERS * LAYER / 1024**3:g} GiB", found)


def built(watched: Watched, image: str) -> list[Row]:
    folder = io.BytesIO()
    with tarfile.open(fileobj=folder, mode="w") as tar:
        text = f"FROM {image}\nRUN {CHATTY}\nRUN exit 7\n".encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    begun = watched.http.post(
        "/api/v1/apps/chatty/deployments",
        data={"spec": json.dumps({"build": {}})},
        files={"folder": folder.getvalue()},
    )
    begun.raise_for_status()
    found = watched.during(begun.json()["id"], "build")
    end = watched.end(begun.json()["id"])
    assert (end["class"], end["exit_code"]) == ("build-failed", 7), end
    return rows("a build that prints 100,000 lines", found)


def run() -> list[Row]:
    registry, engine = Registry(users=False), PrivateEngine(bridge=True)
    try:
        put_image(registry, "big")
        registry.move_to(engine.id)
        engine.start()
        image = engine.image()
        Engine(EngineSettings(host=engine.address)).swarm_init("127.0.0.1")
        with tempfile.TemporaryDirectory() as folder:
            environ = {
                "DOCKER_HOST": engine.address,
                "CLOUDBANG_DEPLOY_ALLOWED_HOSTS": "127.0.0.1",
            }
            server = ServerProcess(Path(folder), environ)
            try:
                watched = Watched(server.start())
                return [*pulled(watched, registry), *built(watched, image)]
            finally:
                server.close()
    finally:
        registry.close()
        engine.close()
