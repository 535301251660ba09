"""The registry's way to the database: a second later, many at a time, by a greenlet of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from cloudbang.core.retry import Attempts
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.apps import AppRow, AppStore

log = logging.getLogger(__name__)

SAVE_EVERY = 1.0  # seconds between two writes of what is new
SAVE_AT_ONCE = 500  # apps in one transaction


class WriteBehind:
    """What is new about apps. Overload: one row for each app, whatever happens to it meanwhile."""

    def __init__(self, store: AppStore) -> None:
        self._store = store
        self._unsaved: dict[str, AppRow] = {}
        self._to_save = Event()
        self._saving = BoundedSemaphore()

    def later(self, row: AppRow) -> None:
        """Write this down soon."""
        self._unsaved[row.name] = row
        self._to_save.set()

    def loop(self) -> None:
        database = Attempts(
            *(5, 5),
            begins=lambda why: log.warning("what is new of apps is written down later: %s", why),
            ends=lambda: log.info("what is new of apps is written down again"),
        )
        while True:
            self._to_save.wait()
            self._to_save.clear()
            gevent.sleep(SAVE_EVERY)
            try:
                self.save()
            except CloudBangError as e:
                database.wait(database.failed(str(e)))
                self._to_save.set()
            else:
                database.went_well()

    def save(self) -> None:
        """Write down what is new. Raises StorageFull, StorageFailed; then it is still to do."""
        with self._saving:
            while self._unsaved:
                names = [*self._unsaved][:SAVE_AT_ONCE]
                rows = [self._unsaved.pop(name) for name in names]
                try:
                    self._store.save(rows)
                except BaseException:
                    for row in rows:
                        self._unsaved.setdefault(row.name, row)
                    raise

    def instead(self, name: str, write: Callable[[], object]) -> None:
        """Do ``write`` in place of what was to be written of an app: a row of it that is on its
        way is written before."""
        with self._saving:
            self._unsaved.pop(name, None)
            write()
