"""What everybody has to know now: one shape for API and socket."""

from __future__ import annotations

from typing import Any, Protocol

from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.storage.logs.log_store import LogStore


class Engine(Protocol):
    """What is asked of the inventory."""

    @property
    def engine_error(self) -> str | None:
        """Why the engine cannot be asked; None when it can."""


def notices(inventory: Engine, store: LogStore, teams: frozenset[str]) -> list[dict[str, Any]]:
    """What is wrong now, as JSON values; empty when all is well. Pages translate by ``code``.

    What the disk refuses is named to who sees every team; to others only that it refuses.
    """
    found: list[dict[str, Any]] = []
    trouble = store.health
    if trouble is not None:
        path, message = trouble.path, trouble.message
        if not store.teams <= teams:
            path = str(store.root)
            full = trouble.kind == "full"
            message = str(StorageFull(path) if full else StorageFailed(path, "the disk refuses"))
        found.append(
            {
                "code": f"storage-{trouble.kind}",
                "severity": "error",
                "message": message,
                "since": format_time(trouble.since),
                "path": path,
            }
        )
    if error := inventory.engine_error:
        found.append(
            {"code": "engine-unreachable", "severity": "error", "message": error, "since": None}
        )
    return found
