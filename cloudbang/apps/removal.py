"""What deleting an app would take away, for who is about to."""

from __future__ import annotations

from dataclasses import dataclass

from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.logs.log_store import LogStore


@dataclass(frozen=True, slots=True)
class Removal:
    """What deleting an app, or its log, takes away."""

    bytes: int
    lines: int
    events: int
    first_time: str | None  # of the oldest line and of the newest, RFC 3339
    last_time: str | None


def removal_of(name: str, logs: LogStore, store: AppStore) -> Removal:
    """What there is of an app that could be deleted. Raises StorageFailed."""
    first, next_seq = logs.first_seq(name), logs.next_seq(name)
    _, oldest = logs.raw_after(name, first - 1, 1)
    newest = logs.last(name)
    has_lines = first < next_seq
    return Removal(
        logs.size(name),
        next_seq - first,
        store.events(name),
        oldest[0][:30].decode("ascii", "replace") if oldest and has_lines else None,
        newest[1][:30].decode("ascii", "replace") if newest and has_lines else None,
    )
