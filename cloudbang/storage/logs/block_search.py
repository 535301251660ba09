"""Finding lines in a block without looking at each.

A search that knows an expression for whole blocks (:class:`BlockSearch`) has RE2 look through 256 KiB
at once, outside of Python's lock, and only the lines in which something was found are looked at by
themselves. In which blocks nothing was found is remembered, so that the next page of the same search,
or one with more letters, does not unpack them again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from gevent.monkey import get_original

from cloudbang.domain.skip_terms import NOTHING, Needs

Match = Callable[[bytes], bool]

MANY = 64  # lines cut out of a block after which each is looked at, if they stand close
SEARCHES = 64  # of a segment, of which it is remembered where nothing is
SEGMENTS = 2_000  # of which something is remembered: 256 blocks each, some KB a search


class Expression(Protocol):
    """A compiled expression of RE2."""

    def search(self, text: bytes, pos: int) -> Found | None:
        """Where it finds something from ``pos`` on."""


class Found(Protocol):
    def start(self) -> int: ...


@dataclass(frozen=True)
class BlockSearch:
    """A search for lines. ``wanted(record)`` decides.

    ``expression(block)`` gives what finds something in each line of this block that is wanted, or
    None where each line has to be looked at by itself. ``key`` tells searches apart.

    ``entry(records)``, where there is one, says of an entry of which a line is wanted whether the whole
    of it is.

    ``holds`` is text that every line which is wanted has in it; ``finds`` is text such that every
    line which has it in it is wanted: both folded, and "" where no such thing is known. ``needs`` are
    the terms of every block in which there is such a line (``domain.skip_terms``).

    ``made`` is what makes the same search again, in another process: a function of a module, and what
    it is called with. One without it cannot be pickled.
    """

    wanted: Match
    expression: Callable[[bytes], Expression | None]
    key: tuple[object, ...]
    holds: str = ""
    finds: str = ""
    needs: Needs = NOTHING
    entry: Callable[[Sequence[bytes]], bool] | None = None
    made: tuple[Callable[..., object], tuple[object, ...]] | None = None

    def __call__(self, record: bytes) -> bool:
        return self.wanted(record)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Any, ...]]:
        if self.made is None:
            raise TypeError("a search of which it is not said how it is made")
        return _remade, self.made


@lru_cache(maxsize=32)
def _remade(function: Callable[..., object], args: tuple[object, ...]) -> object:
    """Compiling it takes as long as looking through a block or two, and it comes with every question."""
    return function(*args)


class Hit(NamedTuple):
    """A line of a block: its number, where its text begins, and where its LF is."""

    number: int
    start: int
    stop: int


def hits(match: Match, plain: bytes) -> Iterator[Hit]:
    """The lines of a block that are wanted, in order."""
    number, at, end = 0, 0, len(plain)
    if isinstance(match, BlockSearch) and (expression := match.expression(plain)) is not None:
        cut = 0
        while cut < MANY or cut * 4 < number:
            found = expression.search(plain, at)
            if found is None:
                return
            start = plain.rfind(b"\n", at, found.start()) + 1 or at
            stop = plain.find(b"\n", start)
            if stop < 0:
                return
            number += plain.count(b"\n", at, start)
            if match(plain[start : stop + 1]):
                yield Hit(number, start, stop)
            number, at, cut = number + 1, stop + 1, cut + 1
    while at < end and (stop := plain.find(b"\n", at)) >= 0:
        if match(plain[at : stop + 1]):
            yield Hit(number, at, stop)
        number, at = number + 1, stop + 1


class EmptyBlocks:
    """In which blocks of closed segments a search finds nothing, as far as somebody has looked.

    Used from several threads at once: the lock is held for steps of dictionaries only.
    """

    def __init__(self) -> None:
        self._segments: OrderedDict[str, OrderedDict[object, tuple[str, set[int]]]] = OrderedDict()
        self._lock = get_original("_thread", "allocate_lock")()

    def of(self, path: str, match: Match | None) -> frozenset[int]:
        """The numbers of the blocks of a segment in which nothing is."""
        if not isinstance(match, BlockSearch):
            return frozenset()
        with self._lock:
            searches = self._segments.get(path)
            if searches is None:
                return frozenset()
            self._segments.move_to_end(path)
            known: set[int] = set()
            for key, (finds, numbers) in searches.items():
                if key == match.key or (finds and finds in match.holds):
                    known |= numbers
            return frozenset(known)

    def add(self, path: str, match: BlockSearch, number: int) -> None:
        with self._lock:
            searches = self._segments.setdefault(path, OrderedDict())
            self._segments.move_to_end(path)
            _, numbers = searches.setdefault(match.key, (match.finds, set()))
            searches.move_to_end(match.key)
            numbers.add(number)
            if len(searches) > SEARCHES:
                searches.popitem(last=False)
            if len(self._segments) > SEGMENTS:
                self._segments.popitem(last=False)
