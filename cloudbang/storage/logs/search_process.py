"""``python -m cloudbang.storage.logs.search_process``: looks through logs for the server.

It is asked for one step after the other of what takes long, and keeps what has been begun in between.
It writes nothing but indexes that are missing, and may be ended at any moment.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

from cloudbang.storage.asked_process import PICKLED, answer
from cloudbang.storage.logs.reader import Snapshot, SnapshotStale
from cloudbang.storage.logs.readings import Reading

EXPENDABLE = 400
SAID, REMEMBERED = (
    20,
    1_000,
)  # sentences for the server's log in one answer, and that were said before

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """Call this function."""

    function: Callable[[], Any]
    forget: tuple[int, ...] = ()  # readings that nobody wants to go on with


@dataclass(frozen=True)
class Step:
    """Go on with a reading that was begun here, or with ``reading``; with a fresh view of an app."""

    number: int
    seconds: float
    enough: int
    reading: Reading[Any] | None = None
    renewed: tuple[str, Snapshot] | None = None
    forget: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """``failed``: why there is no value. ``said``: for the log of the server."""

    value: Any = None
    failed: BaseException | None = None
    said: tuple[tuple[int, str], ...] = ()


class NotKnown(Exception):
    """Another process had begun this reading."""


class Searcher:
    """Answers questions; keeps readings between their steps."""

    def __init__(self) -> None:
        self._readings: dict[int, Reading[Any]] = {}
        self._said = Said()
        logging.getLogger().addHandler(self._said)

    def answer_to(self, asked: Call | Step) -> Answer:
        for number in asked.forget:
            if reading := self._readings.pop(number, None):
                reading.abandon()
        try:
            value = self._step(asked) if isinstance(asked, Step) else asked.function()
        except OSError as e:
            return Answer(failed=OSError(e.errno, e.strerror), said=self._said.taken())
        except (SnapshotStale, NotKnown) as e:
            return Answer(failed=e, said=self._said.taken())
        except Exception as e:
            # Ours: the server does it itself, and so it is seen there as well.
            log.exception("a search failed")
            return Answer(failed=RuntimeError(repr(e)), said=self._said.taken())
        return Answer(value, said=self._said.taken())

    def _step(self, asked: Step) -> Any:
        if asked.reading is not None:
            self._readings[asked.number] = asked.reading
            asked.reading.progress.ends.clear()
        reading = self._readings.get(asked.number)
        if reading is None:
            raise NotKnown
        if asked.renewed:
            reading.renew(*asked.renewed)
        reading.step(asked.seconds, asked.enough)
        told = copy(reading.progress)
        told.ends = dict(told.ends)
        reading.progress.ends.clear()  # only those that are new are told: they may be many
        if told.done:
            self._readings.pop(asked.number).abandon()
        return told


class Said(logging.Handler):
    """What modules say, each sentence once: of a damaged file nobody notes here that it is known."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._new: list[tuple[int, str]] = []
        self._known: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if text not in self._known and len(self._known) < REMEMBERED and len(self._new) < SAID:
            self._known.add(text)
            self._new.append((record.levelno, text))

    def taken(self) -> tuple[tuple[int, str], ...]:
        taken, self._new = tuple(self._new), []
        return taken


def main() -> int:
    return answer(Searcher().answer_to, expendable=EXPENDABLE, codec=PICKLED)


if __name__ == "__main__":
    # Questions are of the module of this name, and not of what is run.
    from cloudbang.storage.logs import search_process

    sys.exit(search_process.main())
