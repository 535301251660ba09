"""A deployment that is under way, as it is now: each change is written down first, then told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from gevent.lock import RLock

from cloudbang.core.retry import Attempts
from cloudbang.domain.deploy.deployment import Deployment, StepName
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.storage.database.deployments import DeploymentStore

log = logging.getLogger(__name__)

Change = Callable[[Deployment], Deployment]


def now() -> str:
    return format_time(time.time_ns())


class Record:
    """``told(deployment)`` is called after each change, and must not wait."""

    def __init__(
        self, store: DeploymentStore, deployment: Deployment, told: Callable[[Deployment], None]
    ) -> None:
        self._store, self._told = store, told
        self._turn = RLock()
        self._meanwhile: list[tuple[StepName, Mapping[str, object]]] = []
        self.now = deployment

    def change(self, change: Change, last_lines: Sequence[str] | None = None) -> Deployment:
        """Make it so. Raises what ``change`` does, StorageFailed, StorageFull: then it is not."""
        with self._turn:
            before = self.now
            changed = change(before)
            if changed is before:
                return before
            self._meanwhile.clear()
            self._store.save(changed, last_lines)
            for name, progress in self._meanwhile:
                changed = changed.progress(name, progress)
            self.now = changed
        self._told(changed)
        return changed

    def keep(self, change: Change, last_lines: Sequence[str] | None = None) -> Deployment:
        """The same; waits while it cannot be written down."""
        id = self.now.id
        storage = Attempts(
            *(0.2, 5),
            begins=lambda why: log.warning("deployment %d waits to be written down: %s", id, why),
            ends=lambda: log.info("deployment %d is written down again", id),
        )
        while True:
            try:
                done = self.change(change, last_lines)
            except (StorageFailed, StorageFull) as e:
                storage.wait(storage.failed(str(e)))
                continue
            storage.went_well()
            return done

    def progress(self, name: StepName, told: Mapping[str, object]) -> None:
        """How far a step is: told at once, and written down with the next change."""
        changed = self.now.progress(name, told)
        if changed != self.now:
            self._meanwhile.append((name, told))
            self.now = changed
            self._told(changed)


def event_of(deployment: Deployment, outcome: str) -> Event:
    """That one began, or ended: ``outcome``."""
    data: dict[str, object] = {
        "outcome": outcome,
        "deployment": deployment.id,
        "number": deployment.number,
        "release": deployment.release,
        "who": deployment.cancelled_by or deployment.by,
    }
    if deployment.failure is not None:
        data["class"] = deployment.failure.kind
    when = now() if outcome == "began" else deployment.finished or now()
    return Event(deployment.app, when, "deployment", "", data)
