"""What tests of sources share: the engine, a log that is read back, progress that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudbang.config import Settings
from cloudbang.deploy.log import DeploymentLog
from cloudbang.deploy.sources import Sources
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.engine import Engine
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeploymentStore
from cloudbang.storage.database.secrets import SecretStore

TEAM = "default"  # whose the apps are


class Kept:
    """A sink of lines, and of progress."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.told: list[Mapping[str, Any]] = []

    def append(self, app: str, records: list[bytes]) -> None:
        self.records += records

    def tell(self, told: Mapping[str, Any]) -> None:
        self.told.append(told)

    @property
    def lines(self) -> list[str]:
        """Without what stands before each."""
        return [record.decode().split(" ", 3)[-1].rstrip("\n") for record in self.records]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Ground:
    """Sources on an engine, with a database in a folder of their own."""

    def __init__(self, folder: Path, engine: Engine, **deploy: Any) -> None:
        self.engine = engine
        self.database = Database(folder)
        self.database.open()
        self.store = DeploymentStore(self.database)
        self.secrets = SecretStore(self.database, folder)
        self.settings = Settings.model_validate(
            {"storage": {"path": str(folder)}, "deploy": {"keep_free_bytes": 0, **deploy}}
        )
        self.sources = Sources(engine, self.store, self.secrets, self.settings, lambda app: TEAM)
        self.kept = Kept()

    def log(self, secrets: tuple[str, ...] = ()) -> DeploymentLog:
        return DeploymentLog(self.kept, 1, secrets)

    def begin(
        self, app: str, spec: Mapping[str, object], source: Mapping[str, object] | None = None
    ) -> tuple[Release, Deployment]:
        """A deployment as the record has it."""
        read, _ = read_spec(spec)
        release = Release(app, 0, read)
        steps = steps_of("image")
        deployment = Deployment(0, app, 0, 0, None, "ada", "2026-11-29T00:00:00Z", steps)
        return self.store.add(release, deployment, source or {"kind": "image"})

    def close(self) -> None:
        self.database.close()


def plain(name: str) -> str:
    """The name of an app that no other test has."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
