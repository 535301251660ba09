"""Deployments that have ended, in a data folder, as a server would have left them: pages of the past
can be looked at without an engine that carried it out.

    python -m gevent.monkey --module tests.browser.seeded_deployments FOLDER
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudbang.config import StorageSettings
from cloudbang.deploy.errors import SwarmOff
from cloudbang.deploy.log import log_name
from cloudbang.deploy.record import event_of
from cloudbang.domain.deploy.deployment import Deployment, Step, StepState
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.domain.deploy.stack_run import Part, StackRun, Why
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.database.apps import AppRow, AppStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeployedApp, DeploymentStore
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.database.stacks import StackStore
from cloudbang.storage.logs.log_store import LogStore

LONG_LOG = 100_000  # lines of the log of the deployment that failed in its build
NEW = ("pull", "start", "health", "switch")
REPLACING = (*NEW, "drain", "stop")
SPEC: dict[str, Any] = {
    "image": "nginx:1.27",
    "port": 80,
    "route": {"host": "web.example.com"},
    "env": {"MODE": "prod"},
    "memory": "256m",
    "secrets": {"DB_PASSWORD": None},
}


def at(seconds: float) -> str:
    """So many seconds ago."""
    return format_time(time.time_ns() - int(seconds * 1e9))


def steps(names: Sequence[str], ago: float, ended: StepState = "done", within: int = 99) -> Any:
    """Each took 2 s; the one at ``within`` ended so, and those after it did not begin."""
    made = []
    for n, name in enumerate(names):
        if n > within:
            made.append(Step(name))  # type: ignore[arg-type]
            continue
        state: StepState = ended if n == within else "done"
        made.append(Step(name, state, at(ago - 2 * n), at(ago - 2 * n - 2)))  # type: ignore[arg-type]
    return tuple(made)


class Past:
    """Writes down what happened."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)
        self._database.open()
        self._store = DeploymentStore(self._database)
        self._apps = AppStore(self._database)
        self._logs = LogStore(folder, settings=StorageSettings(path=folder))
        self._logs.open()

    def app(self, name: str, serving: int | None) -> None:
        self._apps.save([AppRow(name, "default", "deployed", int(time.time()))])
        self._store.save_app(DeployedApp(name, serving))

    def deployment(
        self,
        app: str,
        changes: dict[str, Any],
        ago: float,
        its_steps: Any,
        *,
        previous: int | None = None,
        last: Sequence[str] = (),
        lines: int = 20,
        **ends: Any,
    ) -> int:
        """A release with these changes to SPEC, and the deployment of it; its number."""
        spec, _ = read_spec({**SPEC, **changes})
        # Of an image that is not on this machine, and that a registry has.
        image = "sha256:" + "ab" * 32
        release = Release(app, 0, spec, image_id=image, digest=f"nginx@{image}")
        begun = Deployment(0, app, 0, 0, previous, "ann", at(ago), its_steps)
        source = {"kind": "image", "image": spec.image}
        kept, made = self._store.add(release, begun, source)
        ended = replace(made, **{"finished": at(ago - 12), "settled": True, **ends})
        self._store.save(ended, last)
        began = replace(event_of(made, "began"), time=begun.created)
        EventStore(self._database).add_batch([began, event_of(ended, ended.state)])
        self._log(made.id, lines)
        return kept.number

    def stack(self, name: str, *parts: Part) -> None:
        """One that was begun, as far as it came."""
        run = StackRun(0, name, "ann", False, at(60), parts)
        StackStore(self._database).add(run)

    def _log(self, id: int, count: int) -> None:
        ours, its = b"0" * 12, b"3f2a9b8c7d6e"
        records = [
            record(
                format_time(time.time_ns() - (count - n) * 1_000_000).encode(),
                its if n % 5 else ours,
                b"stdout",
                f"line {n + 1} of deployment {id}".encode(),
            )
            for n in range(count)
        ]
        for n in range(0, count, 5_000):
            self._logs.append(log_name(id), records[n : n + 5_000])

    def close(self) -> None:
        self._logs.close()
        self._database.close()


def main(folder: Path) -> None:
    past = Past(folder)
    serving = {"state": "serving"}
    first = past.deployment("web", {}, 9_000, steps(NEW, 9_000), **serving)
    more = {"memory": "512m", "env": {"MODE": "prod", "LEVEL": "debug"}}
    second = past.deployment("web", more, 3_600, steps(REPLACING, 3_600), previous=first, **serving)
    past.deployment(
        "web",
        {"command": ["nginx", "-x"]},
        600,
        steps(REPLACING, 600, "failed", 2),
        previous=second,
        last=['nginx: invalid option: "x"', "Usage: nginx [-?hvVtTq]"],
        lines=LONG_LOG,
        state="failed",
        failure=Failure("exited", "", 1, 2.5),
    )
    past.app("web", second)
    past.deployment(
        "shop",
        {"image": "shop:2"},
        1_800,
        steps(("pull", "start", "health"), 1_800, "cancelled", 1),
        state="cancelled",
        cancelled_by="bob",
    )
    past.app("shop", None)
    off = Why(SwarmOff().template(), SwarmOff().facts())
    past.stack(
        "mall",
        Part("db", "mall.db", state="serving", deployment=2),
        Part("web", "mall.web", ("db",), state="failed", why=off),
        Part("mail", "mall.mail", ("web",), state="skipped"),
    )
    past.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
