"""How long the logs of apps are kept, where that was said of one."""

from __future__ import annotations

from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.logs.keeping import AS_USUAL, OwnKeeping
from cloudbang.storage.logs.log_store import LogStore


class LogKeeping:
    """Answered from memory, written down before it holds: nothing is deleted for what a start would
    not know any more."""

    def __init__(self, store: AppStore, logs: LogStore) -> None:
        self._store, self._logs = store, logs
        self._own: dict[str, OwnKeeping] = {}

    def load(self) -> None:
        """Raises StorageFailed."""
        self._own = self._store.keepings()
        self._logs.own_keeping = self.own

    def own(self, name: str) -> OwnKeeping:
        return self._own.get(name, AS_USUAL)

    def set(self, name: str, own: OwnKeeping) -> None:
        """Have an app's log kept so from now on: what is beyond that goes at once. Raises
        StorageFailed, StorageFull."""
        self._store.keep(name, own)
        self._own[name] = own
        if own == AS_USUAL:
            self.forget(name)
        self._logs.tidy_soon()

    def forget(self, name: str) -> None:
        """The app is forgotten, in the database as well: one of that name would be another one."""
        self._own.pop(name, None)
