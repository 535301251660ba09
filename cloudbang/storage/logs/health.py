"""How the store is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StorageHealth:
    """Why nothing can be stored at the moment. It goes away by itself."""

    kind: str  # "full" or "failed"
    path: str
    since: int  # ns
    message: str
