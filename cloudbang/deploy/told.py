"""How far a step is, told no more often than somebody can read it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType

import gevent
from gevent.event import Event

from cloudbang.errors import CloudBangError

log = logging.getLogger(__name__)

EVERY = 0.25  # seconds

Tell = Callable[[Mapping[str, object]], None]
"""Takes the progress of a step: small, at most some times a second."""


class PacedTell:
    """Within a ``with``: the first is told at once, of those that follow quickly the newest, and the
    last before the end."""

    def __init__(self, tell: Tell, every: float = EVERY) -> None:
        self._tell, self._every = tell, every
        self._newest: Callable[[], Mapping[str, object]] | None = None
        self._changed = Event()
        self._teller: gevent.Greenlet | None = None

    def __enter__(self) -> PacedTell:
        self._teller = gevent.spawn(self._run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._teller is not None
        self._teller.kill()
        if kind is None or issubclass(kind, Exception):
            self._tell_newest()

    def __call__(self, make: Callable[[], Mapping[str, object]]) -> None:
        """``make`` gives what is to be told, when its time has come."""
        self._newest = make
        self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            self._tell_newest()
            gevent.sleep(self._every)

    def _tell_newest(self) -> None:
        make, self._newest = self._newest, None
        if make is None:
            return
        try:
            self._tell(make())
        except CloudBangError as e:
            # How far it is matters less than that it goes on.
            log.warning("a step's progress could not be kept: %s", e)
