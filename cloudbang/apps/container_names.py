"""Which app a container without a label is of: the one of the name it was created with, whatever it
is called later.

A deploy renames what ran (``web`` becomes ``web-old``) and creates it anew under its name: both are
of the app ``web``. Another kind of deploy starts ``web.new`` beside ``web``, renames ``web`` out of
the way and then ``web.new`` to ``web``: who takes the name of an app that has containers takes its
place, and is of that app from then on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Protocol

from gevent.event import Event as Flag

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.retry import Attempts
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.names import fitting
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.container_names import ContainerNameStore, Named

log = logging.getLogger(__name__)

SAVE_EVERY = 1.0  # seconds between two writes of what is new
LEFT = 600.0  # seconds for which the place of an app's last container can be taken
MOVED = 32 * 1024 * 1024
"""Bytes of log with which a container may take another one's place: they go along. One that has
logged more under its own name is an app of its own."""


class Logs(Protocol):
    def size(self, app: str) -> int: ...


class ContainerNames:
    """Answered from memory; written down a second later. One row for each container there is."""

    def __init__(
        self,
        store: ContainerNameStore,
        logs: Logs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._logs, self._clock = store, logs, clock
        self._known: dict[str, Named] = {}
        self._members: dict[str, set[str]] = {}  # the containers of each app, by these names
        self._left: dict[str, float] = {}  # when the last one of an app went
        self._new: dict[str, Named] = {}
        self._gone: set[str] = set()
        self._to_save = Flag()
        self._supervisor = Supervisor("container-names")

    def load(self) -> None:
        """Raises StorageFailed."""
        self._known = self._store.load()
        for container, named in self._known.items():
            self._members.setdefault(named.app, set()).add(container)

    def app_of(self, container: str, name: str, app: str) -> str:
        """The app of a container that is called ``name`` now, whose app would be ``app`` by that."""
        known = self._known.get(container)
        if known is not None and known.name == name:
            return known.app
        if known is not None and not self._takes(container, known.app, fitting(name)):
            app = known.app
        if known is not None:
            self._leave(container, known.app)
        self._members.setdefault(app, set()).add(container)
        self._known[container] = self._new[container] = Named(app, name)
        self._gone.discard(container)
        self._to_save.set()
        return app

    def known(self, container: str) -> str | None:
        """The app of one that the engine may have no more."""
        named = self._known.get(container)
        return named.app if named else None

    def keep(self, containers: Collection[str]) -> None:
        """These are all that the engine has."""
        for container in self._known.keys() - containers:
            self.forget(container)

    def forget(self, container: str) -> None:
        """The engine has it no more."""
        if (known := self._known.pop(container, None)) is None:
            return
        self._leave(container, known.app)
        self._left[known.app] = self._clock()
        self._new.pop(container, None)
        self._gone.add(container)
        self._to_save.set()

    def _takes(self, container: str, app: str, other: str) -> bool:
        """Whether a container of ``app`` that was given the name of ``other`` takes its place."""
        now = self._clock()
        self._left = {name: at for name, at in self._left.items() if now - at < LEFT}
        if app == other or (other not in self._members and other not in self._left):
            return False
        return self._members[app] == {container} and self._logs.size(app) <= MOVED

    def _leave(self, container: str, app: str) -> None:
        members = self._members.get(app, set())
        members.discard(container)
        if not members:
            self._members.pop(app, None)

    # --- running ------------------------------------------------------------------------------

    def start(self) -> None:
        self._supervisor.run("save", self._loop)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop; what is not written down yet is."""
        self._supervisor.stop(deadline)
        try:
            self._save()
        except CloudBangError as e:
            log.warning("names of containers are not written down: %s", e)

    def _loop(self) -> None:
        database = Attempts(
            *(SAVE_EVERY, 15),
            begins=lambda why: log.warning("names of containers are written down later: %s", why),
            ends=lambda: log.info("names of containers are written down again"),
        )
        while True:
            self._to_save.wait()
            database.wait(SAVE_EVERY)
            try:
                self._save()
            except CloudBangError as e:
                database.wait(database.failed(str(e)))
            else:
                database.went_well()

    def _save(self) -> None:
        new, gone = self._new, self._gone
        self._new, self._gone = {}, set()
        self._to_save.clear()
        try:
            self._store.save(new, gone)
        except BaseException:
            self._new, self._gone = {**new, **self._new}, (gone | self._gone) - self._new.keys()
            self._to_save.set()
            raise
